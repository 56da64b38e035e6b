"""The limit of open files of this process. Every connection of a client takes one."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import resource

log = logging.getLogger(__name__)

MOST = 1_048_576
"""Open files to ask for, at most. A higher limit costs memory in other programs that inherit it."""
ALWAYS_ALLOWED = 10_240
"""Open files that macOS allows where it names no limit (OPEN_MAX)."""
CHECK = 1.0
"""Seconds between two checks whether a file can be opened."""
REPEAT = 60.0
"""Seconds between two warnings."""


def raise_limit() -> None:
    """Raise the soft limit of open files as far as the hard limit and the system allow. Never fails, and never lowers it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return
    highest = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    for wanted in (highest, min(highest, ALWAYS_ALLOWED)):
        if wanted <= soft:
            return
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return
        except (OSError, ValueError):
            log.debug("the limit of open files stays at %d: %d is not allowed", soft, wanted)


async def warn_when_exhausted(handle: int) -> None:
    """Log a warning, once a minute at most, while no file can be opened. Runs until it is cancelled.

    The event loop does not tell: libuv accepts a connection without a handle for it, and closes it at once.

    Args:
        handle: an open file handle, which is duplicated for the check.
    """
    loop = asyncio.get_running_loop()
    silent_until = 0.0
    while True:
        try:
            os.close(os.dup(handle))
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE) and loop.time() >= silent_until:
                silent_until = loop.time() + REPEAT
                limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
                log.warning(
                    "no file handle is free (%s; the limit is %d): new connections are dropped; see `ulimit -n`", error.strerror, limit
                )
        await asyncio.sleep(CHECK)
