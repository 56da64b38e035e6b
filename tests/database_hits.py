"""Counts the database hits of reads on the real Neo4j: what they cost, whatever else the machine does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, LiteralString, cast

from neo4j import GraphDatabase
from semp.storage import queries
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import Neo4jStore

Read = Callable[[Neo4jStore, int], Awaitable[Any]]
"""A read; the number is the position of the newest event."""


class Profiled:
    """Runs the reads of a store under PROFILE, and counts their database hits."""

    def __init__(self, store: Neo4jStore, target: Target) -> None:
        self.store = store
        self.hits = 0
        self.driver = GraphDatabase.driver(target.uri, auth=(target.user, target.password), notifications_min_severity="OFF")
        self.run_itself = store.connection.run
        store.connection.run = store.connection.run_in_turn = self.run
        store.connection.ask = self.ask

    async def run(self, name: str, /, *, depth: Any = ..., **parameters: Any) -> Any:
        query = queries.load()[name]
        if query.mode != "read":
            return await self.run_itself(name, depth=depth, **parameters)
        text = query.text if depth is ... else query.bounded(depth)
        return self._profiled(queries.packed(query, text), parameters)[0][0]

    async def ask(self, text: str, parameters: dict[str, Any]) -> tuple[list[list[Any]], bool]:
        return self._profiled(text, parameters), False

    def _profiled(self, text: str, parameters: dict[str, Any]) -> list[list[Any]]:
        result = self.driver.execute_query(cast("LiteralString", "PROFILE " + text), parameters, database_=None)
        self.hits += hits_of(cast("dict[str, Any]", result.summary.profile))
        return [list(record.values()) for record in result.records]

    async def cost(self, read: Read, head: int) -> int:
        self.hits = 0
        await read(self.store, head)
        return self.hits

    def close(self) -> None:
        self.driver.close()


def hits_of(operator: dict[str, Any]) -> int:
    """Database hits of an operator and of those below it."""
    return int(operator.get("dbHits", 0)) + sum(map(hits_of, operator.get("children", [])))
