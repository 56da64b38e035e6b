"""Writes an output file that is replaced completely or not at all."""

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
"""Exit code after SIGTERM."""


@contextmanager
def output_stream(path: Path) -> Generator[BinaryIO]:
    """A stream to write the output to: standard output for `-`, else a file.

    For a regular file, the output goes to a temporary file beside it, which is synced to disk and renamed when the block ends. When an
    error, SIGTERM or Ctrl-C ends the block, the old file is unchanged and the temporary file is removed. For a symbolic link, the file that
    it points to is replaced. Pipes and devices are written to directly.

    Raises:
        OSError: writing failed; names the file.
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
            with target.open("wb", buffering=0 if stat.S_ISCHR(before.st_mode) else -1) as stream:  # raises for a directory
                yield stream  # type: ignore[misc]
            return
        if before is not None and not os.access(target, os.W_OK):
            raise PermissionError(13, "it is write-protected", str(path))
        with _replaced(target, None if before is None else stat.S_IMODE(before.st_mode)) as stream:
            yield stream


def is_replaced(path: Path) -> bool:
    """Whether `output_stream` replaces the file as a whole: it is a regular file, or does not exist yet."""
    if _descriptor(path) is not None:
        return False
    target = Path(os.path.realpath(path))
    return not target.exists() or target.is_file()


def _descriptor(path: Path) -> int | None:
    """The file descriptor that a path such as `-` or `/dev/fd/1` stands for; None for any other path.

    Such a path must not be opened again: opening it would truncate the file that a shell's `>>` appends to.
    """
    text = str(path)
    if text == "-":
        return 1
    match = _DESCRIPTOR.fullmatch(text)
    return int(match[1]) if match else _NAMED.get(text)


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
            advice = "; no file can be created in its directory, so write to standard output and redirect that" if denied else ""
            raise OSError(error.errno, f"{error.strerror}{advice}", str(target)) from error
        raise
    _sync_directory(target.parent)


def _sync_directory(directory: Path) -> None:
    """Sync a directory, so that a rename in it survives a power failure. Ignored where the file system does not support it."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _ended_by_termination() -> Generator[None]:
    """Make SIGTERM raise SystemExit inside the block, so that the block can clean up."""
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
    """Add the file's name to errors of writing. Python adds it only to errors of opening."""
    try:
        yield
    except OSError as error:
        if error.filename is None and not isinstance(error, BrokenPipeError):
            error.filename = name
        raise
