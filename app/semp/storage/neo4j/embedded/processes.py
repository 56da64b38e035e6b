"""Who runs on a home directory: the lock that admits one service, and the Java processes left over on it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import EmbeddedNeo4jError

if TYPE_CHECKING:
    import psutil


FOR_SERVICE = "--for-service="
"""Begin of the guard's argument that says whose it is."""
GUARD = Path(__file__).with_name("guard.py")


def guarded(command: Sequence[str], grace: float) -> list[str]:
    """`command` under a guard, which ends it once this process is gone: SIGTERM, and SIGKILL after `grace` seconds.

    The guard notices by its stdin, which must be a pipe from this process.
    """
    return [sys.executable, "-I", "-S", str(GUARD), f"{FOR_SERVICE}{os.getpid()}", str(grace), *command]


class HomeLock:
    """One holder per home directory, on one machine. The kernel releases it when the holder dies, however it dies.

    The directory itself is locked, so that nobody gets in by deleting a file; the file `lock` says who has it, and is locked too for
    versions that knew the file alone.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._file = home / "lock"
        self._handles: list[int] = []

    def acquire(self) -> None:
        """Take the lock, or raise EmbeddedNeo4jError naming the process that has it."""
        try:
            import fcntl
        except ImportError as error:
            raise EmbeddedNeo4jError(
                "the embedded Neo4j needs Linux or macOS; here, use a running Neo4j (--neo4j URI), or --memory"
            ) from error
        for path, flags in ((self._home, os.O_RDONLY | os.O_DIRECTORY), (self._file, os.O_RDWR | os.O_CREAT)):
            handle = os.open(path, flags | os.O_CLOEXEC, 0o600)
            self._handles.append(handle)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.release()
                raise in_use(self._home, self._holder()) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode("ascii"), 0)

    def _holder(self) -> str:
        try:
            return self._file.read_text("ascii", "replace").strip()
        except OSError:
            return ""

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        while self._handles:
            os.close(self._handles.pop())


def in_use(home: Path, holder: str) -> EmbeddedNeo4jError:
    """That another process has the home; `holder` is its id, empty when that cannot be told."""
    who = f"process {holder}" if holder else "another process"
    return EmbeddedNeo4jError(f"{home} is in use by {who}; stop it, or give this one another data directory")


def home_argument(home: Path) -> str:
    """The argument by which a Java of this home is recognised, and which Neo4j reads."""
    return f"--home-dir={home}"


def java_of(home: Path) -> list[psutil.Process]:
    """Java processes whose command line says that they run on exactly this home, and which belong to the user who owns it."""
    import psutil

    argument = home_argument(home)
    try:
        owner = home.stat().st_uid
    except OSError:
        owner = os.getuid()  # the directory is gone; what ran on it was ours
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            if command and Path(command[0]).name == "java" and argument in command[1:] and process.uids().real == owner and _alive(process):
                found.append(process)
        except psutil.Error:
            continue
    return found


def stop_leftovers(home: Path, grace: float) -> int:
    """End every Java of this home: SIGTERM, SIGKILL after `grace` seconds. Returns how many there were.

    Only for a holder of the home's lock: then whoever started them is gone, unless the directory was deleted and made anew.
    Blocks; call it in a thread.

    Raises:
        EmbeddedNeo4jError: another service that lives has one of them; nothing was stopped.
    """
    import psutil

    left = java_of(home)
    for process in left:
        if (service := service_of(process)) not in (None, os.getpid()):
            raise in_use(home, str(service))
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


def service_of(java: psutil.Process) -> int | None:
    """Process id of the living service that a Java runs for, as its guard was told; None when that is gone, or cannot be told."""
    import psutil

    try:
        guard = java.parent()
        command = guard.cmdline() if guard is not None else []
        told = [part.removeprefix(FOR_SERVICE) for part in command if part.startswith(FOR_SERVICE)]
        if guard is None or not told or not told[0].isdigit():
            return None
        service = psutil.Process(int(told[0]))
        return service.pid if service.create_time() <= guard.create_time() and _alive(service) else None
    except psutil.Error:
        return None


def listens(process: psutil.Process, port: int) -> bool:
    """Whether it is this very process that listens on a port of loopback. Works for one's own processes without further rights."""
    import psutil

    try:
        connections = process.net_connections(kind="tcp")
    except psutil.Error:
        return False
    return any(one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port for one in connections)


def own_java_listens(home: Path, port: int) -> bool:
    """Whether a Java of this home, which belongs to the home's owner, listens on a port of loopback. Blocks for some milliseconds."""
    return any(listens(java, port) for java in java_of(home))


def _alive(process: psutil.Process) -> bool:
    import psutil

    return process.status() != psutil.STATUS_ZOMBIE
