"""Files that outlive a crash: replaced as a whole, or held by one process at a time."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from semp_sdk.errors import Busy


def replace(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Give a file new content: whoever looks, also after a crash, sees all of the old or all of the new.

    `sync`: wait until it is on disk, so that it also outlives a loss of power.
    """
    beside = path.with_name(f"{path.name}.new")
    with beside.open("wb") as file:
        file.write(content)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    beside.replace(path)
    if sync:
        sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make sure that files which were made or renamed in it are there after a loss of power."""
    if sys.platform == "win32":
        return  # directories cannot be opened there; NTFS logs renames itself
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Hold:
    """A file lock. The system lets it go when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take it.

        Raises:
            Busy: another process, or another object of this one, has it.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(self._descriptor, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise Busy(f"{path} is held by another process; one at a time may use it") from None

    def release(self) -> None:
        """Let it go. Safe to repeat."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
