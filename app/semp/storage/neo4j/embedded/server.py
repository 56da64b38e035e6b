"""Downloads, configures, starts, supervises and stops a Neo4j Community server as a child of this process."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

from . import credentials, lockfile
from .archive import ClassArchive
from .child import Child, Connection, PortTaken
from .config import MemoryPlan, java_arguments, machine_cores, machine_memory, render_argument_file, render_conf
from .distribution import Distribution, default_cache
from .errors import EmbeddedNeo4jError
from .processes import HomeLock, home_argument, stop_leftovers
from .progress import Step, silent
from .runtime import find_java, main_class
from .space import NEW_DATA, OLD_DATA, report_space, require_space

DEFAULT_VERSION = "2026.08.1"
FIRST_BACKOFF = 1.0  # seconds before the first restart; doubled for each further one
LAST_BACKOFF = 8.0  # seconds between two restarts, at most
RECORDING = Path("conf", "classes.recorded")  # below the home: the classes that Java has loaded, for the class archive
STAYED_UP = 60.0  # seconds of running after which the next restart waits only FIRST_BACKOFF again
LEFTOVER_GRACE = 15.0  # seconds between SIGTERM and SIGKILL for a Java that an earlier run left
PORT_ATTEMPTS = 3  # starts with another free port when a program has taken the port meanwhile
T = TypeVar("T")
_log = logging.getLogger(__name__)


class EmbeddedNeo4j:
    """One Neo4j on one home directory.

    Guarantees:

    - At most one process uses a home.
    - Java listens only on loopback, and ends when this process ends, in whatever way.
    - An acknowledged commit is still there after every restart.
    - When Java ends unexpectedly, or its database stops itself, it is restarted at the same URI.

    Call `start` and `stop` in the same event loop.
    """

    def __init__(
        self,
        home: Path,
        *,
        version: str = DEFAULT_VERSION,
        cache: Path | None = None,
        repository: str | None = None,
        heap: str | None = None,
        page_cache: str | None = None,
        progress: Callable[[Step], None] = silent,
    ) -> None:
        """Does not touch any file or process; `start` does.

        Args:
            home: directory of this database: data, configuration, logs and password.
            version: of Neo4j; it must have a lock file.
            cache: directory of the jars, None for $SEMP_CACHE or else the user's cache directory.
            repository: URL of a Maven mirror, None for the central repository.
            heap: size such as ``512m``, None for the default of `MemoryPlan.for_machine`.
            page_cache: the same.
            progress: is called with each change of a step, from any thread.
        """
        self._home = home.expanduser().resolve()
        self._version = version
        self._cache = (cache or default_cache()).expanduser().resolve()
        self._repository = repository
        self._sizes = (heap, page_cache)
        self._progress = progress
        self._lock = HomeLock(self._home)
        self._changing = asyncio.Lock()
        self._child: Child | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._restart: Callable[[], Awaitable[Connection]] | None = None
        self._archive: ClassArchive | None = None
        self._archiving: asyncio.Task[None] | None = None
        self._reporting: asyncio.Task[None] | None = None
        self._ready = False

    @property
    def running(self) -> bool:
        """Whether Neo4j answers, as far as is known. False before the start, during a restart, and after the stop."""
        return self._ready

    @property
    def pid(self) -> int | None:
        """Process id of Java, None while it is not running. Searches the process table: not for hot paths."""
        return None if self._child is None else self._child.java_pid()

    async def start(self) -> Connection:
        """Start Neo4j, and wait until it answers an authenticated query. When it is started already, return the same connection.

        Raises:
            EmbeddedNeo4jError: with a message for the user. No process is left running then, and the home is not locked.
        """
        async with self._changing:
            if self._connection is not None:
                return self._connection
            try:
                self._connection = await self._start()
            except BaseException as error:
                await self._take_down()
                if isinstance(error, OSError):
                    raise EmbeddedNeo4jError(f"cannot use {self._home}: {error.strerror or error}") from error
                raise
            self._supervisor = asyncio.create_task(self._supervise(), name="embedded-neo4j-supervisor")
            self._reporting = asyncio.create_task(report_space(self._home), name="embedded-neo4j-space")
            if self._archive is not None:
                making = self._archive.make(self._home / "conf" / "java.args", self._home / RECORDING)
                self._archiving = asyncio.create_task(making, name="embedded-neo4j-archive")
            return self._connection

    async def stop(self) -> None:
        """Stop Java cleanly, or kill it after 30 s, and release the home. Safe to repeat; does nothing when it is not started."""
        async with self._changing:
            tasks = [task for task in (self._supervisor, self._archiving, self._reporting) if task is not None]
            self._supervisor = self._archiving = self._reporting = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._take_down()

    async def _take_down(self) -> None:
        self._ready = False
        self._connection = None
        if self._child is not None:
            await self._child.stop()
            self._child = None
        self._lock.release()

    async def _start(self) -> Connection:
        self._home.mkdir(parents=True, exist_ok=True)
        self._home.chmod(0o700)
        self._lock.acquire()
        if left := await asyncio.to_thread(stop_leftovers, self._home, LEFTOVER_GRACE):
            _log.warning("stopped %d Java process(es) that an earlier run left on %s", left, self._home)
        first = not (self._home / "data" / "databases" / "system").exists()
        require_space(self._home, NEW_DATA if first else OLD_DATA, "a new database" if first else "the database")
        plan = MemoryPlan.for_machine(machine_memory(), *self._sizes)
        command = await self._command(plan)
        password = credentials.prepare(self._home)
        name = "Setting up Neo4j" if first else "Starting Neo4j"
        for attempt in range(1, PORT_ATTEMPTS + 1):
            port = _free_port()
            conf = render_conf(self._version, port, plan.page_cache, plan.heap)
            (self._home / "conf" / "neo4j.conf").write_text(conf, encoding="utf-8")
            self._restart = partial(self._run, command, port, password, "Restarting Neo4j after it died")
            try:
                return await self._run(command, port, password, name)
            except PortTaken:
                if attempt == PORT_ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    async def _command(self, plan: MemoryPlan) -> list[str]:
        """The command line of Java, without any secret. Downloads the jars and writes the argument file that it needs."""
        java = find_java(self._version)
        jars = await self._fetch()
        (self._home / "conf").mkdir(exist_ok=True)
        arguments = self._home / "conf" / "java.args"
        arguments.write_text(render_argument_file(java_arguments(jars, plan.heap, java.major, machine_cores())), encoding="utf-8")
        directories = (home_argument(self._home), f"--config-dir={self._home / 'conf'}")
        self._archive = ClassArchive(self._cache, self._version, jars, java)
        archived = self._archive.arguments(self._home / RECORDING)
        return [str(java.executable), f"@{arguments}", *archived, main_class(self._version), *directories]

    async def _fetch(self) -> list[Path]:
        distribution = Distribution(lockfile.load(self._version), self._cache, self._repository)
        name = f"Downloading Neo4j {self._version}"
        cancelled = threading.Event()

        def show(done: int, total: int) -> None:
            if cancelled.is_set():
                raise EmbeddedNeo4jError("the download was cancelled")
            self._progress(Step(name, done, total, finished=done == total))

        try:
            return await _in_a_thread_that_may_be_left(partial(distribution.fetch, show))
        finally:
            cancelled.set()

    async def _run(self, command: list[str], port: int, password: str, name: str) -> Connection:
        child = self._child = Child(self._home, command, port, password)
        self._progress(Step(name))
        try:
            await child.launch()
            await child.ready(lambda seconds: self._progress(Step(name, seconds)))
        except BaseException:
            await child.stop()
            if child.crashed and self._archive is not None:
                self._archive.discard()
            raise
        finally:
            self._progress(Step(name, finished=True))
        self._ready = True
        return child.connection

    async def _lost(self, child: Child) -> str:
        """Wait until Java has ended or its database has stopped itself.

        Returns:
            What happened, for the log.
        """
        ended, failure = asyncio.create_task(child.ended()), asyncio.create_task(child.failure())
        try:
            await asyncio.wait((ended, failure), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done() and failure.exception() is None:
                return f"the database stopped itself: {failure.result()}"
            return f"Neo4j died (status {await ended})"
        finally:
            for task in (ended, failure):
                task.cancel()
            await asyncio.gather(ended, failure, return_exceptions=True)

    async def _supervise(self) -> None:
        clock = asyncio.get_running_loop().time
        backoff = FIRST_BACKOFF
        while self._child is not None and self._restart is not None:
            began = clock()
            cause = await self._lost(self._child)
            self._ready = False
            if clock() - began >= STAYED_UP:
                backoff = FIRST_BACKOFF
            _log.error("%s; restarting Neo4j in %.0f s", cause, backoff)
            while not self._ready:
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, LAST_BACKOFF)
                try:
                    # Java may still be running, with the store and the port: its database has stopped itself, or its guard has died.
                    await self._child.stop()
                    require_space(self._home, OLD_DATA, "the database")
                    await self._restart()
                    _log.warning("Neo4j is back (pid %s)", self.pid)
                except Exception as error:  # never give up: without Neo4j the service cannot work
                    _log.error("Neo4j could not be restarted, next attempt in %.0f s: %s", backoff, error)


async def _in_a_thread_that_may_be_left(work: Callable[[], T]) -> T:
    """The result of `work`, run in a daemon thread. When the caller is cancelled, nobody waits for the thread any more.

    So a download that hangs does not delay the end of the process.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if not result.done():
            result.set_exception(error) if error is not None else result.set_result(cast("T", value))

    def run() -> None:
        value: T | None = None
        failure: BaseException | None = None
        try:
            value = work()
        except BaseException as error:
            failure = error
        with suppress(RuntimeError):  # the event loop is closed already
            loop.call_soon_threadsafe(settle, value, failure)

    threading.Thread(target=run, name="fetch-neo4j", daemon=True).start()
    return await result


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
