"""Lineage in Neo4j: distinct reachable nodes by pruned expansion, so that a ladder of diamonds costs its nodes, not its paths."""

from __future__ import annotations

from collections.abc import Sequence

from semp.domain.errors import QueryTooLarge
from semp.domain.event_types import ENDING, RAISING_OR_LOWERING, EventType, effect_of
from semp.domain.scopes import Glob
from semp.domain.traces import TraceEvent
from semp.engine.records import Counted, Direction, LineageFilter, Relative, TraceFilter, TraceSpan
from semp.storage.neo4j import rows
from semp.storage.neo4j.connection import Connection

LAST = 2**62
"""Above every position."""
UNTIL: tuple[Direction, ...] = ("descendants", "impact")
"""Directions in which there may be more later."""


NEAR = (1_000, 20_000)
"""Spans of positions that are searched for common causes before the whole log is."""


class Neo4jLineage:
    """Implements `semp.engine.ports.LineageReader` and `TraceReader`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def count(self, event_id: str, direction: Direction, wanted: LineageFilter) -> Counted | None:
        everything = wanted.depth is None and wanted.types is None and wanted.scope is None and wanted.until is None
        budget = wanted.budget + 1
        if direction == "roots" or direction == "impact":
            chosen = _chosen(wanted) | _until(direction, wanted)
            found = await self.connection.run_in_turn(f"count_{direction}", depth=wanted.depth, id=event_id, budget=budget, **chosen)
        elif everything:
            found = await self.connection.run_in_turn(f"count_{direction}", id=event_id, budget=budget)
        else:
            chosen = _chosen(wanted) | _until(direction, wanted)
            found = await self.connection.run_in_turn(f"count_{direction}_where", depth=wanted.depth, id=event_id, budget=budget, **chosen)
        return counted(found[0], wanted.budget) if found else None

    async def relatives(self, event_id: str, direction: Direction, wanted: LineageFilter) -> list[Relative]:
        depth, position = wanted.after or (-1, 0)
        chosen = _chosen(wanted) | _until(direction, wanted)
        found = await self.connection.run_in_turn(
            f"nearest_{direction}", depth=wanted.depth, id=event_id, after_depth=depth, after_position=position,
            limit=wanted.limit, payload=wanted.payload, **chosen,
        )  # fmt: skip
        return [_relative(row) for row in found]

    async def count_open(self, event_id: str, wanted: LineageFilter) -> Counted | None:
        found = await self.connection.run_in_turn("count_open", id=event_id, budget=wanted.budget + 1, **_open(wanted))
        return counted(found[0], wanted.budget) if found else None

    async def nearest_open(self, event_id: str, wanted: LineageFilter) -> list[Relative]:
        depth, position = wanted.after or (-1, 0)
        found = await self.connection.run_in_turn(
            "nearest_open", id=event_id, after_depth=depth, after_position=position, limit=wanted.limit, payload=wanted.payload,
            **_open(wanted),
        )  # fmt: skip
        return [_relative(row) for row in found]

    async def count_between(self, cause: str, effect: str, wanted: LineageFilter) -> Counted:
        found = await self.connection.run_in_turn(
            "count_between", depth=wanted.depth, cause=cause, effect=effect, budget=wanted.budget + 1, **_chosen(wanted)
        )
        return counted(found[0], wanted.budget)

    async def between(self, cause: str, effect: str, wanted: LineageFilter) -> list[Relative]:
        depth, position = wanted.after or (-1, 0)
        found = await self.connection.run_in_turn(
            "nearest_between", depth=wanted.depth, cause=cause, effect=effect, after_depth=depth, after_position=position,
            limit=wanted.limit, budget=wanted.budget + 1, payload=wanted.payload, **_chosen(wanted),
        )  # fmt: skip
        return [_relative(row) for row in found]

    async def shortest_path(self, cause: str, effect: str) -> list[str]:
        if cause == effect:
            return [cause] if await self.count(cause, "ancestors", LineageFilter(depth=1)) else []
        found = await self.connection.run_in_turn("shortest_path", cause=cause, effect=effect)
        return found[0][0] if found else []

    async def common_causes(self, ids: Sequence[str], wanted: LineageFilter) -> list[Relative]:
        parameters = _chosen(wanted) | {"ids": list(ids), "hops": wanted.depth, "payload": wanted.payload}
        for span in NEAR:
            if span < wanted.budget and (found := await self.connection.run_in_turn("common_causes_near", span=span, **parameters)):
                return [_relative(row) for row in found]
        for event_id in ids:
            found = await self.count(event_id, "ancestors", LineageFilter(budget=wanted.budget))
            if found and not found.complete:
                reason = f"more than {wanted.budget:,} events led to {event_id}; common causes can be found within the budget only"
                raise QueryTooLarge(reason)
        return [_relative(row) for row in await self.connection.run_in_turn("common_causes", **parameters)]

    async def traces(self, wanted: TraceFilter) -> list[TraceSpan]:
        found = await self.connection.run_in_turn(
            "traces", first=wanted.first, before=wanted.before, until=wanted.until, limit=wanted.limit, **_chosen(wanted)
        )
        return [TraceSpan(*row) for row in found]

    async def trace_events(
        self, trace_id: str, after: int, limit: int, *, types: Sequence[EventType] | None = None, scope: Glob | None = None
    ) -> list[TraceEvent]:
        chosen = _chosen(LineageFilter(types=types, scope=scope))
        found = await self.connection.run_in_turn(
            "trace_events", trace_id=trace_id, after=after, limit=limit, valued=list(RAISING_OR_LOWERING), **chosen
        )
        return [_trace_event(row) for row in found]


def _relative(row: rows.Row) -> Relative:
    return Relative(rows.event(row[1:]), row[0])


def _trace_event(row: rows.Row) -> TraceEvent:
    value = effect_of(row[1], row[7].encode())[0] if row[7] else 0.0
    return TraceEvent(row[0], row[1], row[2], row[3], row[4] or [], row[5], row[6], value)


def counted(row: rows.Row, budget: int) -> Counted:
    """From a row of count and reached, for which one event more than the budget was let in."""
    return Counted(min(row[0], budget), row[1] <= budget)


def _chosen(wanted: LineageFilter | TraceFilter) -> dict[str, object]:
    return {"types": list(wanted.types) if wanted.types else None, **rows.scope_parameters(wanted.scope)}


def chosen_until(wanted: LineageFilter) -> dict[str, object]:
    """The parameters of a filter for queries in which there may be more later."""
    return _chosen(wanted) | {"until": LAST if wanted.until is None else wanted.until}


def _open(wanted: LineageFilter) -> dict[str, object]:
    chosen = chosen_until(wanted)
    del chosen["types"]
    return chosen | {"ending": list(ENDING)}


def _until(direction: Direction, wanted: LineageFilter) -> dict[str, object]:
    return {"until": LAST if wanted.until is None else wanted.until} if direction in UNTIL else {}
