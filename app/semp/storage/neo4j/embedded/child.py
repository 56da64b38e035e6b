"""One run of Java under its guard: the start, the wait until Neo4j answers, and the stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

from .credentials import USER
from .diagnosis import StartLogs
from .errors import EmbeddedNeo4jError
from .processes import guarded, java_of, own_java_listens, stop_leftovers
from .space import has_room

if TYPE_CHECKING:
    from neo4j import AsyncDriver, AsyncSession

GRACE = 30.0  # seconds between SIGTERM and SIGKILL, for Java to close its stores
POLL = 0.1  # seconds between two checks during a start
WATCH = 2.0  # seconds between two checks whether the database has stopped itself
STATUS: LiteralString = "SHOW DATABASE $name YIELD currentStatus, statusMessage"
# Exit statuses of the guard when Java ended by a signal that a fault causes.
CRASHES = frozenset(128 + number for number in (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL))


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach the database. The repr does not contain the password."""

    uri: str
    user: str
    password: str = field(repr=False)
    database: str
    trusted: Callable[[], bool] = field(default=lambda: True, repr=False, compare=False)
    """Tells whether our own Neo4j listens at the URI now. Call it for each new connection, before the password is sent. Blocks."""
    has_room: Callable[[], bool] = field(default=lambda: True, repr=False, compare=False)
    """Tells whether the disk of the data has room for more events."""


class PortTaken(EmbeddedNeo4jError):
    """Another program uses the port."""


class Child:
    """The guard and the Java of one home directory, for one run: a restart makes a new Child."""

    def __init__(self, home: Path, command: Sequence[str], port: int, password: str) -> None:
        self._home = home
        self._command = list(command)
        self._port = port
        self._password = password
        self._console = home / "logs" / "console.log"
        self._logs = StartLogs(home, self._console)
        self._guard: asyncio.subprocess.Process | None = None

    @property
    def connection(self) -> Connection:
        """Valid once `ready` has returned."""
        return Connection(
            f"bolt://127.0.0.1:{self._port}",
            USER,
            self._password,
            "neo4j",
            partial(own_java_listens, self._home, self._port),
            partial(has_room, self._home),
        )

    @property
    def crashed(self) -> bool:
        """Whether Java ended by a signal that a fault in the virtual machine causes, such as SIGSEGV."""
        return self._guard is not None and self._guard.returncode in CRASHES

    async def launch(self) -> None:
        """Start the guard, which starts Java. Both run in their own session, so that Ctrl-C reaches only the service.

        Raises:
            PortTaken: the port is in use. Checked here because Java would take ten seconds to find out.
        """
        if not can_listen(self._port):
            raise PortTaken(f"the port {self._port} is taken by another program")
        self._console.parent.mkdir(parents=True, exist_ok=True)
        with self._console.open("wb") as output:
            self._guard = await asyncio.create_subprocess_exec(
                *guarded(self._command, GRACE),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=self._home,
                start_new_session=True,
            )

    async def ready(self, tick: Callable[[int], None]) -> None:
        """Wait until Neo4j answers an authenticated query.

        The password is sent only to our own Neo4j, never to another program on the port. There is no time limit, because the recovery
        after a crash may take long.

        Args:
            tick: called about once a second, with the seconds so far.

        Raises:
            EmbeddedNeo4jError: Java ended, a database cannot be opened, or the password is refused. The message quotes the logs.
            PortTaken: Java ended because another program uses the port.
        """
        began = asyncio.get_running_loop().time()
        shown = 0
        while not self._started():
            self._raise_if_over()
            self._raise_if_unopened("system")  # otherwise endless: Neo4j then neither starts nor ends
            await asyncio.sleep(POLL)
            if (elapsed := int(asyncio.get_running_loop().time() - began)) > shown:
                shown = elapsed
                tick(elapsed)
        self._raise_if_unopened(self.connection.database)
        await self._answers(lambda: tick(int(asyncio.get_running_loop().time() - began)))

    def _started(self) -> bool:
        return "INFO  Started." in self._logs.said()

    def _raise_if_over(self) -> None:
        if self._guard is None or self._guard.returncode is None:
            return
        text = f"Neo4j stopped with status {self._guard.returncode} while starting"
        kind = PortTaken if self._logs.port_was_taken() else EmbeddedNeo4jError
        raise kind(text + self._logs.explain(self._port, self._password))

    def _raise_if_unopened(self, database: str) -> None:
        if self._logs.database_failures(f"[{database}]"):
            raise EmbeddedNeo4jError(f"Neo4j cannot open its database {database!r}" + self._logs.explain(self._port, self._password))

    def _driver(self) -> AsyncDriver:
        from neo4j import AsyncGraphDatabase

        from semp.storage.neo4j.listener_auth import ListenerAuth

        to = self.connection
        auth = ListenerAuth(to.user, to.password, to.trusted)
        return AsyncGraphDatabase.driver(to.uri, auth=auth, resolver=auth.note_connecting, telemetry_disabled=True)

    async def _answers(self, tick: Callable[[], None]) -> None:
        from neo4j.exceptions import AuthError, DriverError, Neo4jError

        to = self.connection
        async with self._driver() as driver:
            while True:
                try:
                    async with driver.session(database=to.database) as session:
                        await (await session.run("RETURN 1")).consume()
                    return
                except AuthError as error:
                    raise EmbeddedNeo4jError(
                        f"Neo4j does not accept the password in {self._home / 'password'}: it belongs to another "
                        f"database, or was changed with ALTER USER ({error.code})"
                    ) from None
                except (DriverError, Neo4jError):
                    self._raise_if_over()
                    async with driver.session(database="system") as session:
                        await self._raise_if_failed(session, to.database)
                tick()
                await asyncio.sleep(POLL * 5)

    async def _raise_if_failed(self, session: AsyncSession, database: str) -> None:
        from neo4j.exceptions import DriverError, Neo4jError

        with contextlib.suppress(DriverError, Neo4jError):
            record = await (await session.run(STATUS, name=database)).single()
            if record is not None and record["statusMessage"] and record["currentStatus"] != "online":
                raise EmbeddedNeo4jError(
                    f"Neo4j runs, but the database {database!r} is {record['currentStatus']}"
                    + self._logs.explain(self._port, self._password, f"Error: {record['statusMessage']}")
                )

    async def failure(self) -> str:
        """Wait until the database has stopped itself, for instance after a failed write to a full disk.

        Java is still running then, but the database answers nothing until Java is restarted. Checks every WATCH seconds.

        Returns:
            The message of the database.
        """
        from neo4j.exceptions import DriverError, Neo4jError

        async with self._driver() as driver:
            while True:
                await asyncio.sleep(WATCH)
                with contextlib.suppress(DriverError, Neo4jError):
                    async with driver.session(database="system") as session:
                        record = await (await session.run(STATUS, name=self.connection.database)).single()
                    if record is not None and record["statusMessage"] and not await self._runs_queries(driver):
                        return str(record["statusMessage"])

    async def _runs_queries(self, driver: AsyncDriver) -> bool:
        from neo4j.exceptions import DatabaseError

        try:
            async with driver.session(database=self.connection.database) as session:
                await (await session.run("RETURN 1")).consume()
        except DatabaseError:
            return False
        return True

    async def ended(self) -> int:
        """Wait until the guard has ended, for whatever reason.

        Returns:
            Its exit status.
        """
        assert self._guard is not None
        return await self._guard.wait()

    def java_pid(self) -> int | None:
        """Process id of Java, None when it is not running. Searches the process table."""
        found = java_of(self._home)
        return found[0].pid if found else None

    async def stop(self) -> None:
        """Close the pipe, which makes the guard stop Java, and wait for both. After GRACE seconds they are killed. Safe to repeat."""
        guard = self._guard
        if guard is not None and guard.returncode is None:
            if guard.stdin is not None:
                guard.stdin.close()
            try:
                async with asyncio.timeout(GRACE + 10):
                    await guard.wait()
            except TimeoutError:
                guard.kill()
                await guard.wait()
        await asyncio.to_thread(stop_leftovers, self._home, GRACE)


def can_listen(port: int) -> bool:
    """Whether Java could listen on this port of loopback now."""
    with socket.socket() as probe:
        # As Java does. Without it, connections of the previous run that are still closing would block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
