"""Reading the log straight from Neo4j."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, LiteralString

import msgspec

from semp_sdk.errors import NotAllowed, NotFound, SempError, Unavailable
from semp_sdk.extras import extra
from semp_sdk.mirror.selection import Head, Row, Selection

if TYPE_CHECKING:
    from neo4j import AsyncDriver

TIMEOUT = 60.0
"""Seconds after which the database stops a query."""
_payload = msgspec.json.Decoder(dict[str, Any]).decode

# A page is one record that holds a list: the driver unpacks lists in Rust but makes records in Python, which takes several times as long.
_PAGE = """
WITH event ORDER BY event.position LIMIT $limit
RETURN collect([event.id, event.type, event.scope, event.trace_id, event.agent_id, event.parent_ids, event.timestamp, event.payload,
                event.position]) AS page
"""
_WITHIN = "event.position > $after AND event.position <= $last"
HEAD = "MATCH (stream:Stream {name: 'events'}) RETURN stream.epoch AS epoch, stream.head AS position"
TIMESTAMP = "MATCH (event:Event {position: $position}) RETURN event.timestamp AS timestamp"
EVERYTHING: LiteralString = f"MATCH (event:Event) WHERE {_WITHIN}{_PAGE}"
OF_TRACE: LiteralString = f"""MATCH (event:Event)
WHERE event.trace_id = $trace_id AND {_WITHIN} AND ($pattern IS NULL OR event.scope =~ $pattern)
{_PAGE}"""
OF_SCOPES: LiteralString = f"""MATCH (scope:Scope) WHERE scope.path STARTS WITH $prefix AND scope.path =~ $pattern
CALL (scope) {{
  MATCH (event:Event) WHERE event.scope = scope.path AND {_WITHIN}
  RETURN event ORDER BY event.scope, event.position LIMIT $limit
}}
{_PAGE}"""
ANCESTORS: LiteralString = f"MATCH (:Event {{id: $id}})-[:PARENT*0..]->(event) WITH DISTINCT event WHERE {_WITHIN}{_PAGE}"
DESCENDANTS: LiteralString = f"MATCH (:Event {{id: $id}})<-[:PARENT*1..]-(event) WITH DISTINCT event WHERE {_WITHIN}{_PAGE}"


@dataclass(frozen=True)
class Bolt:
    """Where the service's Neo4j is; a mirror of it is read by the driver, past the service. Only reads, in read-only sessions."""

    uri: str
    """Such as `bolt://localhost:7687` or `neo4j+s://host`."""
    user: str = "neo4j"
    password: str = field(default="", repr=False)
    database: str | None = None
    """None for the user's home database."""

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[BoltSource]:
        """Connect for as long as the block runs."""
        neo4j = extra("neo4j")
        auth = (self.user, self.password) if self.password else None
        driver = neo4j.AsyncGraphDatabase.driver(
            self.uri, auth=auth, notifications_min_severity="OFF", connection_timeout=10.0, user_agent="semp-sdk-python"
        )
        async with driver:
            yield BoltSource(driver, self.database)


class BoltSource:
    """A page is one read query in a session of its own."""

    page_size = 2_000

    def __init__(self, driver: AsyncDriver, database: str | None) -> None:
        self._driver = driver
        self._database = database

    async def head(self) -> Head:
        found = await self._run(HEAD)
        if not found:
            raise SempError("this database holds no log; is it the one the service uses?")
        return Head(*found[0])

    async def timestamp(self, position: int) -> str:
        return (await self._run(TIMESTAMP, position=position))[0][0]

    async def page(self, wanted: Selection, after: int, last: int) -> list[Row]:
        within = {"after": after, "last": last, "limit": self.page_size}
        pattern = scope_pattern(wanted.scope) if wanted.scope is not None else None
        if wanted.trace_id is not None:
            return await self._rows(OF_TRACE, trace_id=wanted.trace_id, pattern=pattern, **within)
        if wanted.scope is not None:
            return await self._rows(OF_SCOPES, prefix=wanted.scope.partition("*")[0], pattern=pattern, **within)
        return await self._rows(EVERYTHING, **within)

    async def lineage(self, event_id: str, last: int) -> AsyncGenerator[list[Row]]:
        found = False
        for query in (ANCESTORS, DESCENDANTS):
            after = 0
            while page := await self._rows(query, id=event_id, after=after, last=last, limit=self.page_size):
                found = True
                yield page
                if len(page) < self.page_size:
                    break
                after = page[-1].position
            if not found:
                raise NotFound(f"no event has the id {event_id}")

    async def _rows(self, query: LiteralString, **parameters: Any) -> list[Row]:
        [[page]] = await self._run(query, **parameters)
        return [
            Row(row[0], row[1], row[2], row[3], row[4], row[5] or [], row[6], _payload(row[7]), row[8])
            for row in page
        ]  # fmt: skip

    async def _run(self, query: LiteralString, **parameters: Any) -> list[list[Any]]:
        from neo4j import READ_ACCESS, Query

        with _translated():
            async with self._driver.session(database=self._database, default_access_mode=READ_ACCESS) as session:
                return await (await session.run(Query(query, timeout=TIMEOUT), parameters)).values()


def scope_pattern(glob: str) -> str:
    """The regular expression of a scope or glob: `*` is one segment, `**` at the end one or more."""
    parts = ["[^.]+(\\.[^.]+)*" if part == "**" else "[^.]+" if part == "*" else part for part in glob.split(".")]
    return "\\.".join(parts)


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
