"""Files that survive a crash: replaced atomically, or locked by one process at a time."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from semp_sdk.errors import Busy


def replace(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Replace a file's content atomically: readers see the old or the new content, also after a crash.

    `sync`: wait until it is on disk, so that it also survives a power loss.
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
    """Sync a directory, so that new and renamed files in it survive a power loss."""
    if sys.platform == "win32":
        return  # directories cannot be opened there; NTFS logs renames itself
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FileLock:
    """A file lock. The system releases it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            Busy: another process, or another object of this process, has it.
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
        """Release the lock. Safe to repeat."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
