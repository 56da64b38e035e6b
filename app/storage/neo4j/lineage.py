"""Lineage in Neo4j: distinct reachable nodes by pruned expansion, so that a ladder of diamonds costs its nodes, not its paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.domain.events import effect_of
from app.domain.scopes import glob_prefix, glob_regex
from app.domain.traces import TraceEvent
from app.engine.ports import Direction, LineageFilter, Relative, TraceSpan
from app.storage.neo4j import rows
from app.storage.neo4j.connection import Connection

LAST = 2**62
"""Above every position."""
UNTIL: tuple[Direction, ...] = ("descendants", "impact")
"""Directions in which there may be more later."""


class Neo4jLineage:
    """Implements `app.engine.ports.LineageReader` and `TraceReader`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def count(self, event_id: str, direction: Direction, wanted: LineageFilter) -> int | None:
        everything = wanted.depth is None and wanted.types is None and wanted.scope is None and wanted.until is None
        if direction == "roots" or direction == "impact":
            found = await self.connection.run(f"count_{direction}", depth=wanted.depth, id=event_id, **_selection(direction, wanted))
        elif everything:
            found = await self.connection.run(f"count_{direction}", id=event_id)
        else:
            found = await self.connection.run(f"count_{direction}_where", depth=wanted.depth, id=event_id, **_selection(direction, wanted))
        return found[0][0] if found else None

    async def relatives(self, event_id: str, direction: Direction, wanted: LineageFilter) -> list[Relative]:
        depth, position = wanted.after or (-1, 0)
        found: list[rows.Row] = []
        for bound in _bounds(depth, wanted.depth):
            found = await self.connection.run(
                f"nearest_{direction}", depth=bound, id=event_id, after_depth=depth, after_position=position,
                limit=wanted.limit, **_selection(direction, wanted),
            )  # fmt: skip
            if len(found) >= wanted.limit:
                break
        return [_relative(row) for row in found]

    async def count_between(self, cause: str, effect: str) -> int:
        [[count]] = await self.connection.run("count_between", cause=cause, effect=effect)
        return count

    async def between(self, cause: str, effect: str, after: tuple[int, int] | None, limit: int) -> list[Relative]:
        depth, position = after or (-1, 0)
        found = await self.connection.run(
            "nearest_between", cause=cause, effect=effect, after_depth=depth, after_position=position, limit=limit
        )
        return [_relative(row) for row in found]

    async def shortest_path(self, cause: str, effect: str) -> list[str]:
        if cause == effect:
            return [cause] if await self.count_between(cause, effect) else []
        found = await self.connection.run("shortest_path", cause=cause, effect=effect)
        return found[0][0] if found else []

    async def common_causes(self, ids: Sequence[str]) -> list[Relative]:
        return [_relative(row) for row in await self.connection.run("common_causes", ids=list(ids))]

    async def traces(self, first: int, before: int, limit: int) -> list[TraceSpan]:
        return [TraceSpan(*row) for row in await self.connection.run("traces", first=first, before=before, limit=limit)]

    async def trace_events(self, trace_id: str, after: int, limit: int) -> list[TraceEvent]:
        found = await self.connection.run("trace_events", trace_id=trace_id, after=after, limit=limit)
        return [_trace_event(row) for row in found]


def _bounds(seen: int, depth: int | None) -> Iterator[int | None]:
    """Depths to look within, one after the other: the nearest are mostly found long before everything was reached."""
    for bound in (16, 256, 4_096):
        if bound > seen + 8 and (depth is None or bound < depth):
            yield bound
    yield depth


def _relative(row: rows.Row) -> Relative:
    return Relative(rows.event(row[1:]), row[0])


def _trace_event(row: rows.Row) -> TraceEvent:
    value = effect_of(row[1], row[7].encode())[0] if row[7] else 0.0
    return TraceEvent(row[0], row[1], row[2], row[3], row[4] or [], row[5], row[6], value)


def _selection(direction: Direction, wanted: LineageFilter) -> dict[str, object]:
    until = {"until": LAST if wanted.until is None else wanted.until} if direction in UNTIL else {}
    return {
        "types": list(wanted.types) if wanted.types else None,
        "prefix": None if wanted.scope is None else glob_prefix(wanted.scope),
        "pattern": None if wanted.scope is None else glob_regex(wanted.scope),
        **until,
    }
