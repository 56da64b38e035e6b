"""The processes that use a home directory: a lock for one service, and the Java processes that run on it."""

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
"""Start of the guard's argument that gives the process id of the service."""
GUARD = Path(__file__).with_name("guard.py")


def guarded(command: Sequence[str], grace: float) -> list[str]:
    """The command line that runs `command` under a guard. The guard stops it when this process has ended.

    The guard notices the end at its stdin, which must be a pipe from this process.

    Args:
        command: program and arguments.
        grace: seconds between SIGTERM and SIGKILL.
    """
    return [sys.executable, "-I", "-S", str(GUARD), f"{FOR_SERVICE}{os.getpid()}", str(grace), *command]


class HomeLock:
    """A lock that one process on this machine can hold for a home directory. The kernel releases it when the process ends in any way.

    The directory itself is locked, so that deleting a file does not release the lock. The file `lock` contains the process id of the
    holder. It is locked too, because older versions lock only this file.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._file = home / "lock"
        self._handles: list[int] = []

    def acquire(self) -> None:
        """Take the lock. Does not wait.

        Raises:
            EmbeddedNeo4jError: another process has it, which the message names, or this system has no such locks.
            OSError: the home cannot be opened.
        """
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
        """Release the lock. Does nothing when it is not held."""
        while self._handles:
            os.close(self._handles.pop())


def in_use(home: Path, holder: str) -> EmbeddedNeo4jError:
    """The error that another process uses the home. `holder` is its process id, empty when it is unknown."""
    who = f"process {holder}" if holder else "another process"
    return EmbeddedNeo4jError(f"{home} is in use by {who}; stop it, or give this one another data directory")


def home_argument(home: Path) -> str:
    """The argument that tells Neo4j its home. The Java processes of a home are recognised by it, too."""
    return f"--home-dir={home}"


def java_of(home: Path) -> list[psutil.Process]:
    """The Java processes with this home in their command line that belong to the owner of the home. Zombies are left out."""
    import psutil

    argument = home_argument(home)
    try:
        owner = home.stat().st_uid
    except OSError:
        owner = os.getuid()  # the directory was deleted; what ran on it was started by this user
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
    """Stop all Java processes of this home: SIGTERM, and SIGKILL after `grace` seconds. Blocks; call it in a thread.

    The caller must hold the lock of the home. Then the services that started these processes have ended, unless the directory was
    deleted and created again.

    Returns:
        The number of processes.

    Raises:
        EmbeddedNeo4jError: one of the processes belongs to another service that is still running. Nothing was stopped.
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
    """Process id of the service that a Java runs for, read from its guard's command line. None: it has ended, or is unknown."""
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
    """Whether this process listens on a TCP port. Needs no special rights for processes of the same user."""
    import psutil

    try:
        connections = process.net_connections(kind="tcp")
    except psutil.Error:
        return False
    return any(one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port for one in connections)


def own_java_listens(home: Path, port: int) -> bool:
    """Whether a Java of this home, run by the owner of the home, listens on a TCP port. Blocks for some milliseconds."""
    return any(listens(java, port) for java in java_of(home))


def _alive(process: psutil.Process) -> bool:
    import psutil

    return process.status() != psutil.STATUS_ZOMBIE
