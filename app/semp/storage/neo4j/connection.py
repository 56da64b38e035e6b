"""One driver, its errors translated, and the queries of `cypher/` run by name."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString, cast
from urllib.parse import urlsplit

from neo4j import READ_ACCESS, AsyncDriver, AsyncGraphDatabase, AsyncTransaction, NotificationMinimumSeverity, Query, exceptions

from semp.domain.errors import CredentialsRefused, FieldError, InvalidInput, QueryTimeout, QueryTooLarge, StoreUnavailable
from semp.engine.records import DuplicateId
from semp.storage import queries
from semp.storage.neo4j import values
from semp.storage.neo4j.listener_auth import ListenerAuth

READ_TIMEOUT = 20.0
"""Seconds after which the server stops a read."""
WRITE_TIMEOUT = 30.0
"""Seconds after which the server stops a write; its outcome then is that nothing was written."""
CLIENT_GRACE = 10.0
"""Seconds more that this side waits for an answer before it takes the connection for dead."""

LONG_AT_ONCE = 24
"""Reads that may take long, running at once: a fraction of the driver's connections, so that appends always find one."""
PATIENCE = 20.0
"""Seconds that such a read waits for its turn, at most."""

ATTEMPTS = 20
"""Tries of a write that keeps losing deadlocks."""

FETCHED = 100
"""Rows of an offered query that are under way at once: each may be as large as a payload."""

Row = list[Any]


@dataclass(frozen=True)
class Target:
    """Where a Neo4j is, who we are there, and what can be known of one on this machine."""

    uri: str
    user: str = "neo4j"
    password: str = field(default="", repr=False)
    database: str | None = None
    """None for the user's home database."""
    trusted: Callable[[], bool] | None = field(default=None, repr=False, compare=False)
    """Whether the right server listens there; asked at each new connection, before the password is sent. None where only the URI tells."""
    has_room: Callable[[], bool] | None = field(default=None, repr=False, compare=False)
    """Whether its disk has room for more. None where that cannot be known."""


SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")


def check_uri(uri: str) -> None:
    """Refuse what the driver could not use, and what holds a secret, before anything of it is repeated anywhere.

    Raises:
        InvalidInput: without the URI in its message.
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


class Connection:
    """Runs queries by name; every error that leaves it is one of ours."""

    def __init__(self, target: Target) -> None:
        check_uri(target.uri)
        auth = _auth_of(target)
        self.database = target.database
        self.has_room = target.has_room
        self.driver: AsyncDriver = AsyncGraphDatabase.driver(
            target.uri,
            auth=auth,
            resolver=auth.note_connecting if isinstance(auth, ListenerAuth) else None,
            notifications_min_severity=NotificationMinimumSeverity.OFF,
            connection_timeout=5.0,
            connection_acquisition_timeout=10.0,
            max_transaction_retry_time=5.0,
            user_agent="semp",
        )
        self.queries = queries.load()
        self._turns = asyncio.Semaphore(LONG_AT_ONCE)

    async def close(self) -> None:
        await self.driver.close()

    async def run(self, name: str, /, *, depth: int | object | None = ..., **parameters: Any) -> list[Row]:
        """Run a query as a transaction of its own and give its rows as lists, in the order of the columns.

        One round trip, never repeated by the driver: when the connection is lost the outcome of a write is unknown.
        """
        query = self.queries[name]
        text = query.text if depth is ... else query.bounded(cast("int | None", depth))
        reading = query.mode == "read"
        packed = reading and bool(query.returns)
        limit = READ_TIMEOUT if reading else WRITE_TIMEOUT
        with translated(reading=reading):
            async with asyncio.timeout(limit + CLIENT_GRACE), self.driver.session(database=self.database) as session:
                whole = queries.packed(query, text) if packed else text
                result = await session.run(Query(cast("LiteralString", whole), timeout=limit), parameters)
                found = await result.values()
                return found[0][0] if packed else found

    async def run_in_turn(self, name: str, /, **parameters: Any) -> list[Row]:
        """The same for a read that may take long, of which only some run at once.

        Raises:
            StoreUnavailable: none of those before it ended within PATIENCE.
        """
        async with self._turn():
            return await self.run(name, **parameters)

    @asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None]:
        try:
            await asyncio.wait_for(self._turns.acquire(), PATIENCE)
        except TimeoutError as error:
            raise StoreUnavailable("too many long queries at once", retry_after=5) from error
        try:
            yield
        finally:
            self._turns.release()

    async def run_until_done(self, name: str, /, **parameters: Any) -> list[Row]:
        """The same for a small write that several do to one node at once: what lost a deadlock was rolled back, and is tried again.

        Raises:
            StoreUnavailable: it lost ATTEMPTS times.
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
        """Run a text as a read, in turn with the other long ones: its rows as JSON can say them, and whether there were more.

        The session is read-only: a text that writes is refused by the database.

        Raises:
            InvalidInput: the database refused the values.
        """
        async with self._turn():
            with translated(reading=True):
                async with (
                    asyncio.timeout(READ_TIMEOUT + CLIENT_GRACE),
                    self.driver.session(database=self.database, default_access_mode=READ_ACCESS, fetch_size=FETCHED) as session,
                ):
                    try:
                        result = await session.run(Query(cast("LiteralString", text), timeout=READ_TIMEOUT), parameters)
                        return await values.bounded(result)
                    except exceptions.ClientError as error:
                        if error.code in _VALUES_REFUSED:
                            raise InvalidInput(FieldError("query", "the database cannot run it with these values")) from error
                        raise

    async def run_text(self, text: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        """Run any text as a read; for the command line."""
        with translated(reading=True):
            async with self.driver.session(database=self.database, default_access_mode=READ_ACCESS) as session:
                result = await session.run(Query(cast("LiteralString", text), timeout=READ_TIMEOUT), parameters)
                return await result.data()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """Several queries in one transaction, committed at the end unless an error leaves the block."""
        with translated():
            async with (
                asyncio.timeout(2 * WRITE_TIMEOUT),
                self.driver.session(database=self.database) as session,
                await session.begin_transaction(timeout=WRITE_TIMEOUT) as transaction,
            ):
                yield Transaction(transaction, self.queries)
                await transaction.commit()


class Transaction:
    """Runs queries by name in one open transaction."""

    def __init__(self, transaction: AsyncTransaction, known: dict[str, queries.Query]) -> None:
        self._transaction = transaction
        self._queries = known

    async def run(self, name: str, /, **parameters: Any) -> list[Row]:
        """The rows as lists, in the order of the columns."""
        result = await self._transaction.run(cast("LiteralString", self._queries[name].text), parameters)
        return await result.values()


_STOPPED = "Neo.DatabaseError.Transaction."
"""Begin of the codes of a database that stopped itself after an error of its disk, until it is started again."""
_DEADLOCK = "Neo.TransientError.Transaction.DeadlockDetected"
_AGAIN = (
    "Neo.TransientError.General.DatabaseUnavailable",
    "Neo.ClientError.Database.DatabaseNotFound",
    "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists",  # another replica made it at the same moment
)
"""Errors of a server that will answer otherwise when asked again."""
_VALUES_REFUSED = tuple(f"Neo.ClientError.Statement.{name}" for name in ("ArgumentError", "ArithmeticError", "TypeError", "SyntaxError"))
_TIMED_OUT = ("Neo.ClientError.Transaction.TransactionTimedOut", "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration")
_OUT_OF_MEMORY = tuple(
    f"Neo.{kind}.General.{name}"
    for kind in ("TransientError", "ClientError")
    for name in ("MemoryPoolOutOfMemoryError", "TransactionOutOfMemoryError", "OutOfMemoryError", "StackOverFlowError")
)
"""A query was stopped for the memory it took. For a read that is an answer: the same question would take as much again."""


_TOO_MUCH = "the query needs more memory than the database gives one; ask for less depth, a smaller budget or a narrower filter"


@contextmanager
def translated(*, reading: bool = False) -> Generator[None]:
    """The driver's errors in the words of the domain. Messages of the driver can hold data, so none is passed on to clients."""
    try:
        yield
    except exceptions.ConstraintError as error:
        raise DuplicateId from error
    except exceptions.AuthError as error:
        raise CredentialsRefused("the database refused the user or password", retry_after=30) from error
    except (exceptions.ServiceUnavailable, exceptions.SessionExpired, exceptions.TransientError, TimeoutError, OSError) as error:
        if reading and isinstance(error, exceptions.TransientError) and error.code in _OUT_OF_MEMORY:
            raise QueryTooLarge(_TOO_MUCH) from error
        raise StoreUnavailable("the database is not available", retry_after=2) from error
    except exceptions.Neo4jError as error:
        if error.code in _TIMED_OUT and reading:
            raise QueryTimeout("the query took too long and was stopped; ask for less depth or a narrower filter") from error
        if error.code in _OUT_OF_MEMORY and reading:
            raise QueryTooLarge(_TOO_MUCH) from error
        if error.code in _AGAIN or error.code in _TIMED_OUT or (error.code or "").startswith(_STOPPED):
            raise StoreUnavailable("the database is not available", retry_after=5) from error
        raise
    except exceptions.DriverError as error:
        raise StoreUnavailable("the connection to the database failed", retry_after=2) from error
