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

    async def count(self, event_id: str, direction: Direction, selection: LineageFilter) -> Counted | None:
        everything = selection.depth is None and selection.types is None and selection.scope is None and selection.until is None
        budget = selection.budget + 1
        if direction == "roots" or direction == "impact":
            chosen = _chosen(selection) | _until(direction, selection)
            found = await self.connection.run_in_turn(f"count_{direction}", depth=selection.depth, id=event_id, budget=budget, **chosen)
        elif everything:
            found = await self.connection.run_in_turn(f"count_{direction}", id=event_id, budget=budget)
        else:
            chosen = _chosen(selection) | _until(direction, selection)
            found = await self.connection.run_in_turn(
                f"count_{direction}_where", depth=selection.depth, id=event_id, budget=budget, **chosen
            )
        return counted(found[0], selection.budget) if found else None

    async def relatives(self, event_id: str, direction: Direction, selection: LineageFilter) -> list[Relative]:
        depth, position = selection.after or (-1, 0)
        chosen = _chosen(selection) | _until(direction, selection)
        found = await self.connection.run_in_turn(
            f"nearest_{direction}", depth=selection.depth, id=event_id, after_depth=depth, after_position=position,
            limit=selection.limit, payload=selection.payload, **chosen,
        )  # fmt: skip
        return [_relative(row) for row in found]

    async def count_open(self, event_id: str, selection: LineageFilter) -> Counted | None:
        found = await self.connection.run_in_turn("count_open", id=event_id, budget=selection.budget + 1, **_open(selection))
        return counted(found[0], selection.budget) if found else None

    async def nearest_open(self, event_id: str, selection: LineageFilter) -> list[Relative]:
        depth, position = selection.after or (-1, 0)
        found = await self.connection.run_in_turn(
            "nearest_open", id=event_id, after_depth=depth, after_position=position, limit=selection.limit, payload=selection.payload,
            **_open(selection),
        )  # fmt: skip
        return [_relative(row) for row in found]

    async def count_between(self, cause: str, effect: str, selection: LineageFilter) -> Counted:
        found = await self.connection.run_in_turn(
            "count_between", depth=selection.depth, cause=cause, effect=effect, budget=selection.budget + 1, **_chosen(selection)
        )
        return counted(found[0], selection.budget)

    async def between(self, cause: str, effect: str, selection: LineageFilter) -> list[Relative]:
        depth, position = selection.after or (-1, 0)
        found = await self.connection.run_in_turn(
            "nearest_between", depth=selection.depth, cause=cause, effect=effect, after_depth=depth, after_position=position,
            limit=selection.limit, budget=selection.budget + 1, payload=selection.payload, **_chosen(selection),
        )  # fmt: skip
        return [_relative(row) for row in found]

    async def shortest_path(self, cause: str, effect: str) -> list[str]:
        if cause == effect:
            return [cause] if await self.count(cause, "ancestors", LineageFilter(depth=1)) else []
        found = await self.connection.run_in_turn("shortest_path", cause=cause, effect=effect)
        return found[0][0] if found else []

    async def common_causes(self, ids: Sequence[str], selection: LineageFilter) -> list[Relative]:
        parameters = _chosen(selection) | {"ids": list(ids), "hops": selection.depth, "payload": selection.payload}
        for span in NEAR:
            if span < selection.budget and (found := await self.connection.run_in_turn("common_causes_near", span=span, **parameters)):
                return [_relative(row) for row in found]
        for event_id in ids:
            found = await self.count(event_id, "ancestors", LineageFilter(budget=selection.budget))
            if found and not found.complete:
                reason = f"more than {selection.budget:,} events led to {event_id}; common causes can be found within the budget only"
                raise QueryTooLarge(reason)
        return [_relative(row) for row in await self.connection.run_in_turn("common_causes", **parameters)]

    async def traces(self, selection: TraceFilter) -> list[TraceSpan]:
        found = await self.connection.run_in_turn(
            "traces", first=selection.first, before=selection.before, until=selection.until, limit=selection.limit, **_chosen(selection)
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


def _chosen(selection: LineageFilter | TraceFilter) -> dict[str, object]:
    return {"types": list(selection.types) if selection.types else None, **rows.scope_parameters(selection.scope)}


def chosen_until(selection: LineageFilter) -> dict[str, object]:
    """The parameters of a filter for queries in which there may be more later."""
    return _chosen(selection) | {"until": LAST if selection.until is None else selection.until}


def _open(selection: LineageFilter) -> dict[str, object]:
    chosen = chosen_until(selection)
    del chosen["types"]
    return chosen | {"ending": list(ENDING)}


def _until(direction: Direction, selection: LineageFilter) -> dict[str, object]:
    return {"until": LAST if selection.until is None else selection.until} if direction in UNTIL else {}
