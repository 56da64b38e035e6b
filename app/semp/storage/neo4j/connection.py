"""Runs the queries of `cypher/` by name on one driver, and translates the driver's errors."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any, LiteralString, TypeVar, cast
from urllib.parse import urlsplit

from neo4j import READ_ACCESS, AsyncDriver, AsyncGraphDatabase, AsyncTransaction, NotificationMinimumSeverity, Query, exceptions

from semp.domain.errors import CredentialsRefused, FieldError, InvalidInput, QueryTimeout, QueryTooLarge, StoreOverloaded, StoreUnavailable
from semp.engine.records import DuplicateId
from semp.storage import queries
from semp.storage.neo4j import values
from semp.storage.neo4j.listener_auth import ListenerAuth

READ_TIMEOUT = 20.0
"""Seconds after which the server stops a read."""
WRITE_TIMEOUT = 30.0
"""Seconds after which the server stops a write. A write that was stopped has written nothing."""
CLIENT_GRACE = 10.0
"""Seconds beyond these limits that the client waits for an answer. After that it treats the connection as lost."""

QUICK = 1.0
"""Seconds after which a read that may be long is stopped and begun again among the long ones. Most end sooner, and never wait for those."""
PROCESSORS = os.cpu_count() or 1
QUICK_AT_ONCE = 2 * PROCESSORS
"""Reads that may be long which run at the same time for so long, at most. Appends share the processors with them."""
LONG_AT_ONCE = max(1, PROCESSORS - 1)
"""Long reads that run at the same time, at most: each takes a processor and much memory of the database. One processor is for appends."""
READS_AT_ONCE = 80
"""Reads of all kinds at the same time, at most. Fewer than the driver has connections (100), so that an append always gets one."""
PATIENCE = 20.0
"""Seconds that a read waits for others to end, at most."""
SILENCE = 10.0
"""Seconds without any answer of the database after which what waits for one is ended, except appends. The heartbeat notices silence within
5 s. From then on nothing but appends is sent."""
FOR_APPENDS = frozenset(("stream_state", "causes", "newest_proposals", "ancestry", "signals_of", "signals_before"))
"""Reads that appends wait for. They do not wait for other reads."""
UNTIL_CUT_OFF = FOR_APPENDS - {"stream_state"} | {"append"}
"""What appends are made of, and what they wait for before. The committer ends these, after its own patience."""

ATTEMPTS = 20
"""Tries of a write that the database rolls back because of a deadlock."""

FETCHED = 100
"""Rows of an offered query that the driver fetches at once. Kept low, because each row may be as large as a payload."""

T = TypeVar("T")
Row = list[Any]
"""The values of one row, in the order of the query's columns."""


@dataclass(frozen=True)
class Target:
    """Address and credentials of a Neo4j; for one on this machine, also two checks."""

    uri: str
    user: str = "neo4j"
    password: str = field(default="", repr=False)
    database: str | None = None
    """None: the home database of the user."""
    trusted: Callable[[], bool] | None = field(default=None, repr=False, compare=False)
    """Tells whether the right server listens at the URI. Called at each new connection, before the password is sent. None: no check."""
    has_room: Callable[[], bool] | None = field(default=None, repr=False, compare=False)
    """Tells whether the disk of the server has room for more events. None: unknown."""


SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")


def check_uri(uri: str) -> None:
    """Refuse a URI that the driver cannot use or that holds credentials, before it can get into a log or a message.

    Raises:
        InvalidInput: the URI is refused. The message does not contain it.
    """
    try:
        parts = urlsplit(uri)
        usable = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0 and parts.username is None and parts.password is None
    except ValueError:
        usable = False
    if not usable:
        reason = "expected an address such as bolt://host:7687 or neo4j+s://host, without user and password"
        raise InvalidInput(FieldError("--neo4j", reason))


def _auth_of(target: Target) -> ListenerAuth | tuple[str, str] | None:
    if target.trusted is not None:
        return ListenerAuth(target.user, target.password, target.trusted)
    return (target.user, target.password) if target.password else None


def _driver(target: Target, auth: ListenerAuth | tuple[str, str] | None, **settings: Any) -> AsyncDriver:
    return AsyncGraphDatabase.driver(
        target.uri,
        auth=auth,
        resolver=auth.note_connecting if isinstance(auth, ListenerAuth) else None,
        notifications_min_severity=NotificationMinimumSeverity.OFF,
        connection_timeout=5.0,
        connection_acquisition_timeout=10.0,
        max_transaction_retry_time=5.0,
        user_agent="semp",
        **settings,
    )


class Connection:
    """Runs queries by name. Errors of the driver are raised as domain errors or `DuplicateId`, see `translated`.

    Raises:
        InvalidInput: the URI of the target cannot be used, or holds credentials.
        QueryFileError: the header of a file under `cypher/` is incomplete or does not match its text.
    """

    def __init__(self, target: Target) -> None:
        check_uri(target.uri)
        auth = _auth_of(target)
        self.database = target.database
        self.has_room = target.has_room
        self.driver = _driver(target, auth)
        self._pulse = _driver(target, auth, max_connection_pool_size=1)
        """A connection of its own, so that it never waits for one."""
        self._silent = False
        """Whether the last heartbeat was not answered, nor anything else meanwhile."""
        self._heard = 0.0
        """When the database last answered a query, by the monotonic clock in seconds."""
        self._waiting: set[asyncio.Timeout] = set()
        """Of what is cut off when the database is silent."""
        self.queries = queries.load()
        self._reads = asyncio.Semaphore(READS_AT_ONCE)
        self._quick = asyncio.Semaphore(QUICK_AT_ONCE)
        self._long = asyncio.Semaphore(LONG_AT_ONCE)

    async def close(self) -> None:
        await self._pulse.close()
        await self.driver.close()

    async def heartbeat(self, within: float) -> None:
        """Ask something trivial.

        Raises:
            StoreUnavailable: there was no answer within so many seconds, and none to any other query either.
        """
        try:
            with translated():
                async with asyncio.timeout(within), self._pulse.session(database=self.database) as session:
                    await (await session.run("RETURN 1")).consume()
        except StoreUnavailable:
            silence = time.monotonic() - self._heard
            self._silent = silence > within
            if self._silent:
                self._let_wait(max(0.0, SILENCE - silence))
                raise
        else:
            self._silent = False
        self._let_wait(None)

    def _let_wait(self, seconds: float | None) -> None:
        """Let what waits for the database wait for so many more seconds; None: without a bound of its own."""
        for waiting in self._waiting:
            if waiting.expired():
                continue
            waiting.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)

    @asynccontextmanager
    async def _unless_silent(self, *, writing: bool = False) -> AsyncGenerator[None]:
        """Run the block, unless the database is silent; end it when the database is silent for SILENCE seconds.

        Raises:
            StoreUnavailable: the database is silent.
        """
        if self._silent:
            raise StoreUnavailable("the database does not answer", retry_after=2)
        try:
            async with asyncio.timeout(None) as waiting:
                self._waiting.add(waiting)
                try:
                    yield
                finally:
                    self._waiting.discard(waiting)
        except TimeoutError as error:
            stored = "; what was sent may be stored" if writing else ""
            raise StoreUnavailable(f"the database does not answer{stored}", retry_after=2) from error

    async def run(self, name: str, /, *, depth: int | object | None = ..., **parameters: Any) -> list[Row]:
        """Run a query in its own transaction. The rows are lists, in the order of the columns.

        The driver never repeats it. When the connection is lost during a write, it is unknown whether anything was written. When the call
        is cancelled, the connection is closed, and the database ends the query.

        Args:
            name: of the query, a key of `queries`.
            depth: the bound of the query's variable-length pattern, None for no bound; left out: the bound in the file.
            parameters: of the query.

        Raises:
            StoreUnavailable: the database cannot be reached, gave no answer in time, or is silent (see SILENCE).
            QueryTimeout: a read took longer than READ_TIMEOUT.
            QueryTooLarge: a read needs more memory than the database gives to one query.
            DuplicateId: a write violates a uniqueness constraint.
        """
        query = self.queries[name]
        reading = query.mode == "read"
        async with nullcontext() if name in UNTIL_CUT_OFF else self._unless_silent(writing=not reading):
            return await self._run(query, _text_of(query, depth), parameters, READ_TIMEOUT if reading else WRITE_TIMEOUT)

    async def _run(self, query: queries.Query, text: str, parameters: dict[str, Any], limit: float) -> list[Row]:
        """Run a query whose text is `text`. The server stops it after `limit` seconds."""
        reading = query.mode == "read"
        packed = reading and bool(query.returns)
        with translated(reading=reading):
            async with (
                self._place(self._reads) if reading and query.name not in FOR_APPENDS else nullcontext(),
                asyncio.timeout(limit + CLIENT_GRACE),
                self.driver.session(database=self.database) as session,
            ):
                whole = queries.packed(query, text) if packed else text
                result = await session.run(Query(cast("LiteralString", whole), timeout=limit), parameters)
                found = await result.values()
                self._heard = time.monotonic()
                return found[0][0] if packed else found

    async def await_indexes(self, seconds: float) -> None:
        """Wait until every index is populated. A new index on a large log takes minutes.

        Raises:
            StoreUnavailable: the database cannot be reached, or is not done after so many seconds.
        """
        with translated():
            async with asyncio.timeout(seconds + CLIENT_GRACE), self.driver.session(database=self.database) as session:
                text = cast("LiteralString", self.queries["await_indexes"].text)
                await (await session.run(Query(text, timeout=seconds), {"seconds": round(seconds)})).consume()

    async def run_in_turn(self, name: str, /, *, depth: int | object | None = ..., **parameters: Any) -> list[Row]:
        """Like `run`, for a read that may be long. It waits for a place, see `_in_turn`.

        Raises:
            StoreUnavailable: also when it has waited for PATIENCE seconds.
        """
        query = self.queries[name]
        text = _text_of(query, depth)
        async with self._unless_silent():
            return await self._in_turn(lambda within: self._run(query, text, parameters, within))

    async def _in_turn(self, read: Callable[[float], Awaitable[T]]) -> T:
        """Run a read that may be long for QUICK seconds; if it is not done by then, again, as one of LONG_AT_ONCE long reads.

        Args:
            read: gets the seconds after which the server stops it.
        """
        with suppress(QueryTimeout):
            async with self._place(self._quick):
                return await read(QUICK)
        async with self._place(self._long):
            return await read(READ_TIMEOUT)

    @asynccontextmanager
    async def _place(self, places: asyncio.Semaphore) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(PATIENCE):
                await places.acquire()
        except TimeoutError as error:
            raise StoreUnavailable("too many long queries at once", retry_after=5) from error
        try:
            yield
        finally:
            places.release()

    async def run_until_done(self, name: str, /, **parameters: Any) -> list[Row]:
        """Like `run`, for a small write to a node that several processes write to. Repeats it, with jitter, after each deadlock.

        This is safe: the database rolls a transaction back when it ends it because of a deadlock.

        Raises:
            StoreUnavailable: also after ATTEMPTS deadlocks.
        """
        tries = 0
        while True:
            try:
                return await self.run(name, **parameters)
            except StoreUnavailable as error:
                tries += 1
                lost = isinstance(error.__cause__, exceptions.Neo4jError) and error.__cause__.code == _DEADLOCK
                if not lost or tries == ATTEMPTS:
                    raise
                await asyncio.sleep(random.uniform(0.001, 0.02) * tries)  # noqa: S311 - jitter, no secret

    async def ask(self, text: str, parameters: dict[str, Any]) -> tuple[list[list[Any]], bool]:
        """Run the text of an offered query as a long read: its first rows as JSON values, and whether there were more.

        The session is read-only: the database refuses a text that writes. Bounds of the result: see `values.bounded`.

        Raises:
            InvalidInput: the database cannot run the query with these values.
            StoreUnavailable, QueryTimeout, QueryTooLarge: as in `run_in_turn`.
        """
        async with self._unless_silent():
            return await self._in_turn(lambda within: self._ask(text, parameters, within))

    async def _ask(self, text: str, parameters: dict[str, Any], within: float) -> tuple[list[list[Any]], bool]:
        with translated(reading=True):
            async with (
                asyncio.timeout(within + CLIENT_GRACE),
                self.driver.session(database=self.database, default_access_mode=READ_ACCESS, fetch_size=FETCHED) as session,
            ):
                try:
                    result = await session.run(Query(cast("LiteralString", text), timeout=within), parameters)
                    found = await values.bounded(result)
                except exceptions.ClientError as error:
                    if error.code in _VALUES_REFUSED:
                        raise InvalidInput(FieldError("query", "the database cannot run it with these values")) from error
                    raise
                self._heard = time.monotonic()
                return found

    async def run_text(self, text: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        """Run any text as a read, for the command line. Each row is a dictionary by column."""
        with translated(reading=True):
            async with self.driver.session(database=self.database, default_access_mode=READ_ACCESS) as session:
                result = await session.run(Query(cast("LiteralString", text), timeout=READ_TIMEOUT), parameters)
                return await result.data()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """Run several queries in one transaction. It is committed at the end of the block, or rolled back when the block raises an error.

        The server ends it after WRITE_TIMEOUT seconds. Raises the errors of `run` for a write.
        """
        with translated():
            async with (
                asyncio.timeout(2 * WRITE_TIMEOUT),
                self.driver.session(database=self.database) as session,
                await session.begin_transaction(timeout=WRITE_TIMEOUT) as transaction,
            ):
                yield Transaction(transaction, self.queries)
                await transaction.commit()


def _text_of(query: queries.Query, depth: int | object | None) -> str:
    return query.text if depth is ... else query.bounded(cast("int | None", depth))


class Transaction:
    """Runs queries by name in one open transaction."""

    def __init__(self, transaction: AsyncTransaction, known: dict[str, queries.Query]) -> None:
        self._transaction = transaction
        self._queries = known

    async def run(self, name: str, /, **parameters: Any) -> list[Row]:
        """Run a query in this transaction. The rows are lists, in the order of the columns."""
        result = await self._transaction.run(cast("LiteralString", self._queries[name].text), parameters)
        return await result.values()


_STOPPED = "Neo.DatabaseError.Transaction."
"""Begin of the codes of a database that stopped itself after an error of its disk, until it is started again."""
_DEADLOCK = "Neo.TransientError.Transaction.DeadlockDetected"
_AGAIN = (
    "Neo.TransientError.General.DatabaseUnavailable",
    "Neo.ClientError.Database.DatabaseNotFound",
    "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists",  # another replica created it at the same moment
)
"""Errors that go away by themselves: the same request can succeed later."""
_VALUES_REFUSED = tuple(f"Neo.ClientError.Statement.{name}" for name in ("ArgumentError", "ArithmeticError", "TypeError", "SyntaxError"))
_TIMED_OUT = ("Neo.ClientError.Transaction.TransactionTimedOut", "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration")
_KINDS = ("TransientError", "ClientError", "DatabaseError")
_TOO_LARGE = tuple(f"Neo.{kind}.General.{name}" for kind in _KINDS for name in ("TransactionOutOfMemoryError", "StackOverFlowError"))
"""A query needed more memory than the database gives to one. A read must not be repeated then: it would need as much again."""
_ITS_OWN_LIMIT = "db.memory.transaction.max"
"""Only the message of a MemoryPoolOutOfMemoryError tells whose limit was exceeded. This is the setting of the query's own."""
_OVERLOADED = tuple(
    f"Neo.{kind}.{name}"
    for kind in _KINDS
    for name in (
        "General.MemoryPoolOutOfMemoryError",
        "General.OutOfMemoryError",
        "Transaction.Terminated",
        "Transaction.LockClientStopped",
        "Transaction.MaximumTransactionLimitReached",
    )
)
"""The database stopped a query, for lack of memory or of transactions, because of what else it was doing. It was rolled back."""


_TOO_MUCH = "the query needs more memory than the database gives one; ask for less depth, a smaller budget or a narrower filter"


@contextmanager
def translated(*, reading: bool = False) -> Generator[None]:
    """Raise the driver's errors in the block as domain errors. The driver's messages can contain data, so clients never see them.

    Args:
        reading: the block only reads. Only then are its own timeout and lack of memory raised as QueryTimeout and QueryTooLarge.

    Raises:
        DuplicateId: a uniqueness constraint was violated.
        CredentialsRefused: the database refused user or password.
        QueryTimeout: the server stopped a read after its time limit.
        QueryTooLarge: a read needed more memory than the database gives to one.
        StoreOverloaded: the database stopped it because of what else it was doing, or a write needed too much memory. It was rolled back.
        StoreUnavailable: the database cannot be reached or cannot answer now.
        Neo4jError: any other error of the database, unchanged.
    """
    try:
        yield
    except exceptions.ConstraintError as error:
        raise DuplicateId from error
    except exceptions.AuthError as error:
        raise CredentialsRefused("the database refused the user or password", retry_after=30) from error
    except exceptions.Neo4jError as error:
        code = error.code or ""
        if code in _TOO_LARGE or _ITS_OWN_LIMIT in (error.message or ""):
            raise QueryTooLarge(_TOO_MUCH) if reading else StoreOverloaded("the database has too little memory", retry_after=5) from error
        if code in _OVERLOADED:
            raise StoreOverloaded("the database has too much to do", retry_after=2) from error
        if code in _TIMED_OUT and reading:
            raise QueryTimeout("the query took too long and was stopped; ask for less depth or a narrower filter") from error
        if isinstance(error, exceptions.TransientError):
            raise StoreUnavailable("the database is not available", retry_after=2) from error
        if code in _AGAIN or code in _TIMED_OUT or code.startswith(_STOPPED):
            raise StoreUnavailable("the database is not available", retry_after=5) from error
        raise
    except (exceptions.ServiceUnavailable, exceptions.SessionExpired, TimeoutError, OSError) as error:
        raise StoreUnavailable("the database is not available", retry_after=2) from error
    except exceptions.DriverError as error:
        raise StoreUnavailable("the connection to the database failed", retry_after=2) from error
