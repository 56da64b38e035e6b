"""Checks the free space on the disk that holds the data: before a start, before an append, and for log lines."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path

from .errors import EmbeddedNeo4jError

MB = 1_000_000
NEW_DATA = 400 * MB
"""Bytes that a new database needs: 40 MB for its first files and logs, RESERVE, and room for the first events."""
OLD_DATA = 80 * MB
"""Bytes that an existing database needs to start: it may create files of its transaction log (`config.LOG_FILE` each)."""
RESERVE = 200 * MB
"""With fewer free bytes than this, events are refused. A database that cannot write what it has committed stops itself; then it cannot
be read either.

The reserve is for what was accepted before: up to 64 MiB that wait for a transaction, their copy in the transaction log, and the next
file of that log (`config.LOG_FILE`, created in advance).
"""
LOOK = 5.0
"""Seconds between two checks of the disk."""
_log = logging.getLogger(__name__)


def require_space(home: Path, needed: int, what: str) -> None:
    """Check that the disk has enough free space.

    Args:
        home: a directory on the disk.
        needed: bytes.
        what: what needs them, for the message.

    Raises:
        EmbeddedNeo4jError: there is too little. The message names the directory, the free space and the needed space.
    """
    free = shutil.disk_usage(home).free
    if free < needed:
        raise EmbeddedNeo4jError(
            f"the disk of {home} is full: {free // MB} MB are free, {what} needs {needed // MB} MB. "
            "Make room, or keep the data elsewhere (--data or SEMP_DATA)"
        )


def has_room(home: Path) -> bool:
    """Whether the disk has RESERVE free bytes. True when this cannot be found out: then writes to the database will fail instead."""
    try:
        return shutil.disk_usage(home).free >= RESERVE
    except OSError:
        return True


async def report_space(home: Path) -> None:
    """Log when the disk becomes full, and when it has room again. Runs until it is cancelled."""
    full = False
    while True:
        if has_room(home) is full:
            full = not full
            if full:
                _log.error(
                    "the disk of %s is full: less than %d MB are free. Events are refused until there is room; reading goes on",
                    home, RESERVE // MB,
                )  # fmt: skip
            else:
                _log.warning("the disk of %s has room again; events are taken", home)
        await asyncio.sleep(LOOK)
