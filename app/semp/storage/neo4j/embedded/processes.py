"""Who runs on a home directory: the lock that admits one service, and the Java processes left over on it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import EmbeddedNeo4jError

if TYPE_CHECKING:
    import psutil


class HomeLock:
    """One holder per home directory, on one machine. The kernel releases it when the holder dies, however it dies."""

    def __init__(self, home: Path) -> None:
        self._file = home / "lock"
        self._handle: int | None = None

    def acquire(self) -> None:
        """Take the lock, or raise EmbeddedNeo4jError naming the process that has it."""
        try:
            import fcntl
        except ImportError as error:
            raise EmbeddedNeo4jError(
                "the embedded Neo4j needs Linux or macOS; here, use a running Neo4j (--neo4j URI), or --memory"
            ) from error
        handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(handle)
            raise EmbeddedNeo4jError(
                f"{self._file.parent} is in use by process {holder}; stop it, or give this one another data directory"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode("ascii"), 0)
        self._handle = handle

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def home_argument(home: Path) -> str:
    """The argument by which a Java of this home is recognised, and which Neo4j reads."""
    return f"--home-dir={home}"


def java_of(home: Path) -> list[psutil.Process]:
    """Java processes of this user whose command line says that they run on exactly this home."""
    import psutil

    wanted = home_argument(home)
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            if command and Path(command[0]).name == "java" and wanted in command[1:] and _alive(process):
                found.append(process)
        except psutil.Error:
            continue
    return found


def stop_leftovers(home: Path, grace: float) -> int:
    """End every Java of this home: SIGTERM, SIGKILL after `grace` seconds. Returns how many there were.

    Only for a holder of the home's lock: then whoever started them is gone. Blocks; call it in a thread.
    """
    import psutil

    left = java_of(home)
    for process in left:
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            continue
    _, stubborn = psutil.wait_procs(left, timeout=grace)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=10)
    return len(left)


def _alive(process: psutil.Process) -> bool:
    import psutil

    return process.status() != psutil.STATUS_ZOMBIE
