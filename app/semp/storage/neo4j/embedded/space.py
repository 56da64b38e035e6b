"""Room on the disk that holds the data: enough to start, enough to append, and a word in the log when there is too little."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path

from .errors import EmbeddedNeo4jError

MB = 1_000_000
NEW_DATA = 400 * MB
"""Bytes that a new database needs: 134 MB for its files and logs as they are made, RESERVE, and room for the first events."""
OLD_DATA = 80 * MB
"""Bytes without which an existing database cannot start: it makes a transaction log of 64 MiB."""
RESERVE = 200 * MB
"""Bytes below which nothing more is appended. A database that cannot write what it has committed stops itself, and reads stop with it.

What was accepted before must still fit: 64 MiB that wait for a transaction, their copy in the transaction log, the next transaction log
(64 MiB, made in advance).
"""
LOOK = 5.0
"""Seconds between two looks at the disk."""
_log = logging.getLogger(__name__)


def require_space(home: Path, needed: int, what: str) -> None:
    """Refuse to start where there is too little space.

    Raises:
        EmbeddedNeo4jError: names the directory, what is free and what is needed.
    """
    free = shutil.disk_usage(home).free
    if free < needed:
        raise EmbeddedNeo4jError(
            f"the disk of {home} is full: {free // MB} MB are free, {what} needs {needed // MB} MB. "
            "Make room, or keep the data elsewhere (--data or SEMP_DATA)"
        )


def has_room(home: Path) -> bool:
    """Whether the disk has room for more events. True where it cannot be read: then the database will say so."""
    try:
        return shutil.disk_usage(home).free >= RESERVE
    except OSError:
        return True


async def report_space(home: Path) -> None:
    """Log when the disk becomes full, and when it no longer is. Runs until it is cancelled."""
    full = False
    while True:
        if has_room(home) is full:
            full = not full
            free = shutil.disk_usage(home).free // MB
            if full:
                _log.error(
                    "the disk of %s is full: %d MB are free, %d MB are needed. Events are refused until there is room; reading goes on",
                    home, free, RESERVE // MB,
                )  # fmt: skip
            else:
                _log.warning("the disk of %s has room again (%d MB are free); events are taken", home, free)
        await asyncio.sleep(LOOK)
