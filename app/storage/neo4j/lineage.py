"""Lineage in Neo4j: distinct reachable nodes by pruned expansion, so that a ladder of diamonds costs its nodes, not its paths."""

from __future__ import annotations

from app.domain.scopes import glob_prefix, glob_regex
from app.engine.ports import Direction, LineageFilter, Relative
from app.storage.neo4j import rows
from app.storage.neo4j.connection import Connection


class Neo4jLineage:
    """Implements `app.engine.ports.LineageReader`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def count(self, event_id: str, direction: Direction, wanted: LineageFilter) -> int | None:
        if wanted.depth is None and wanted.types is None and wanted.scope is None:
            found = await self.connection.run(f"count_{direction}", id=event_id)
        else:
            found = await self.connection.run(f"count_{direction}_where", depth=wanted.depth, id=event_id, **_selection(wanted))
        return found[0][0] if found else None

    async def relatives(self, event_id: str, direction: Direction, wanted: LineageFilter) -> list[Relative]:
        depth, position = wanted.after or (0, 0)
        found = await self.connection.run(
            f"nearest_{direction}", depth=wanted.depth, id=event_id, after_depth=depth, after_position=position,
            limit=wanted.limit, **_selection(wanted),
        )  # fmt: skip
        return [Relative(rows.event(row[1:]), row[0]) for row in found]


def _selection(wanted: LineageFilter) -> dict[str, object]:
    return {
        "types": list(wanted.types) if wanted.types else None,
        "prefix": None if wanted.scope is None else glob_prefix(wanted.scope),
        "pattern": None if wanted.scope is None else glob_regex(wanted.scope),
    }
