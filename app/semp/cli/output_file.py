"""A file that is replaced as a whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
import signal
import stat
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import BinaryIO

_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")
_NAMED = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
TERMINATED = 128 + signal.SIGTERM


@contextmanager
def output_stream(path: Path) -> Generator[BinaryIO]:
    """Where the output goes: standard output for `-`, else a file.

    A regular file is written beside, synced to the disk and renamed when the block ends; when an error or a signal leaves the block, the
    old file is as it was and nothing is left beside it. A symbolic link stays, and what it points to is replaced. Pipes and devices are
    written to directly.

    Raises:
        OSError: with the name of the file.
    """
    descriptor = _descriptor(path)
    if descriptor is not None:
        stream = sys.stdout.buffer if descriptor == 1 else os.fdopen(os.dup(descriptor), "wb")
        with _named("standard output" if descriptor == 1 else str(path)):
            yield stream
            stream.flush()
        return
    with _named(str(path)):
        target = Path(os.path.realpath(path))
        before = target.stat() if target.exists() else None
        if before is not None and not stat.S_ISREG(before.st_mode):
            with target.open("wb", buffering=0 if stat.S_ISCHR(before.st_mode) else -1) as stream:  # says it when it is a directory
                yield stream  # type: ignore[misc]
            return
        if before is not None and not os.access(target, os.W_OK):
            raise PermissionError(13, "it is write-protected", str(path))
        with _replaced(target, None if before is None else stat.S_IMODE(before.st_mode)) as stream:
            yield stream


def is_kept_apart(path: Path) -> bool:
    """Whether the output is a regular file, there or not, that is replaced as a whole."""
    if _descriptor(path) is not None:
        return False
    target = Path(os.path.realpath(path))
    return not target.exists() or target.is_file()


def _descriptor(path: Path) -> int | None:
    """The open file that a path means, which must not be opened again: that would cut off what a shell's `>>` appends to."""
    text = str(path)
    if text == "-":
        return 1
    found = _DESCRIPTOR.fullmatch(text)
    return int(found[1]) if found else _NAMED.get(text)


@contextmanager
def _replaced(target: Path, mode: int | None) -> Generator[BinaryIO]:
    beside = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        with _ended_by_termination():
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as stream:
                if mode is not None:
                    os.fchmod(stream.fileno(), mode)
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(target)
    except BaseException as error:
        with suppress(OSError):
            beside.unlink()
        if isinstance(error, OSError) and error.filename is not None:
            denied = isinstance(error, PermissionError)
            advice = "; its directory takes no new file, so write to standard output and redirect that" if denied else ""
            raise OSError(error.errno, f"{error.strerror}{advice}", str(target)) from error
        raise
    _sync_directory(target.parent)


def _sync_directory(directory: Path) -> None:
    """So that the rename outlives a power cut; not every file system can."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _ended_by_termination() -> Generator[None]:
    """SIGTERM leaves the block as Ctrl-C does, so that it can clean up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise SystemExit(TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _named(name: str) -> Generator[None]:
    """An error of writing says in which file: Python knows it for opening only."""
    try:
        yield
    except OSError as error:
        if error.filename is None and not isinstance(error, BrokenPipeError):
            error.filename = name
        raise
