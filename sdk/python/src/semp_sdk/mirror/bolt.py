"""Reading the log straight from Neo4j."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, LiteralString, cast

import msgspec

from semp_sdk.causality import reader
from semp_sdk.client import Client
from semp_sdk.errors import NotAllowed, NotFound, SempError, Unavailable
from semp_sdk.extras import extra
from semp_sdk.mirror.selection import Head, Row, Selection

if TYPE_CHECKING:
    from neo4j import AsyncDriver

TIMEOUT = 60.0
"""Seconds after which the database stops a query."""
_payload = msgspec.json.Decoder(dict[str, Any]).decode

PAGE = 2_000
"""Events read at once."""


class _Query(msgspec.Struct):
    """What `GET /api/queries` says of a query, as far as a mirror needs it."""

    class Column(msgspec.Struct):
        name: str

    name: str
    columns: list[Column]
    text: str

    @property
    def packed(self) -> str:
        """The query as one that answers a single record, a list of its rows: the driver unpacks lists in Rust but makes records in
        Python, which takes several times as long."""
        return f"CALL () {{\n{self.text}\n}}\nRETURN collect([{', '.join(column.name for column in self.columns)}]) AS rows"


_offered = reader(list[_Query])


@dataclass(frozen=True)
class Bolt:
    """Where the service's Neo4j is; a mirror of it is read by the driver, past the service. Only reads, in read-only sessions.

    The queries are those the service publishes (`GET /api/queries`, `mirror/...`); it is asked for them once.
    """

    uri: str
    """Such as `bolt://localhost:7687` or `neo4j+s://host`."""
    user: str = "neo4j"
    password: str = field(default="", repr=False)
    database: str | None = None
    """None for the user's home database."""
    service: str = "http://127.0.0.1:5000"
    """The service on this database."""

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[BoltSource]:
        """Connect for as long as the block runs.

        Raises:
            Unavailable: the service, or later the database, cannot be reached.
            SempError: the service publishes no queries for mirrors.
        """
        neo4j = extra("neo4j")
        async with Client(self.service) as client:
            queries = {query.name: query.packed for query in _offered(await client.get_bytes("/api/queries"))}
        if not queries:
            raise SempError(f"the service at {self.service} publishes no queries: it keeps its log in memory")
        auth = (self.user, self.password) if self.password else None
        driver = neo4j.AsyncGraphDatabase.driver(
            self.uri, auth=auth, notifications_min_severity="OFF", connection_timeout=10.0, user_agent="semp-sdk-python"
        )
        async with driver:
            yield BoltSource(driver, self.database, queries)


class BoltSource:
    """A page is one read query in a session of its own."""

    page_size = PAGE

    def __init__(self, driver: AsyncDriver, database: str | None, queries: dict[str, str]) -> None:
        self._driver = driver
        self._database = database
        self._queries = queries

    async def head(self) -> Head:
        found = await self._run("head")
        if not found:
            raise SempError("this database holds no log; is it the one the service uses?")
        return Head(*found[0])

    async def timestamp(self, position: int) -> str:
        return (await self._run("timestamp", position=position))[0][0]

    async def page(self, wanted: Selection, after: int, last: int) -> list[Row]:
        within = {"after": after, "last": last, "limit": self.page_size}
        if wanted.trace_id is not None:
            return await self._rows("events_of_trace", trace_id=wanted.trace_id, scope=wanted.scope, **within)
        if wanted.scope is not None:
            return await self._rows("events_of_scopes", scope=wanted.scope, **within)
        return await self._rows("events", **within)

    async def lineage(self, event_id: str, last: int) -> AsyncGenerator[list[Row]]:
        found = False
        for query in ("ancestors", "descendants"):
            after = 0
            while page := await self._rows(query, id=event_id, after=after, last=last, limit=self.page_size):
                found = True
                yield page
                if len(page) < self.page_size:
                    break
                after = page[-1].position
            if not found:
                raise NotFound(f"no event has the id {event_id}")

    async def _rows(self, query: str, **parameters: Any) -> list[Row]:
        return [
            Row(row[0], row[1], row[2], row[3], row[4], row[5] or [], row[6], _payload(row[7]), row[8])
            for row in await self._run(query, **parameters)
        ]  # fmt: skip

    async def _run(self, query: str, **parameters: Any) -> list[list[Any]]:
        from neo4j import READ_ACCESS, Query

        try:
            text = cast("LiteralString", self._queries[f"mirror/{query}"])
        except KeyError:
            raise SempError(f"the service publishes no query mirror/{query}; it is of another version than this package") from None
        with _translated():
            async with self._driver.session(database=self._database, default_access_mode=READ_ACCESS) as session:
                [[rows]] = await (await session.run(Query(text, timeout=TIMEOUT), parameters)).values()
                return rows


@contextmanager
def _translated() -> Generator[None]:
    """The driver's errors as this package's."""
    from neo4j import exceptions

    try:
        yield
    except (exceptions.AuthError, exceptions.Forbidden) as error:
        raise NotAllowed(f"the database refused the user: {error.code}") from error
    except (exceptions.ServiceUnavailable, exceptions.SessionExpired, exceptions.TransientError, OSError) as error:
        raise Unavailable(f"the database is not available: {error}") from error
