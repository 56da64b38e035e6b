"""Lineage in Neo4j. The planner uses pruned expansion, so the cost grows with the events reached, not with the paths to them."""

from __future__ import annotations

from collections.abc import Sequence

from semp.domain.errors import QueryTooLarge
from semp.domain.event_types import ENDING
from semp.engine.records import Counted, Direction, LineageFilter, Relative
from semp.storage.neo4j import rows
from semp.storage.neo4j.connection import Connection

LAST = 2**62
"""Higher than every position."""
UNTIL: tuple[Direction, ...] = ("descendants", "impact")
"""The directions in which later appends can add events. Their queries have the parameter `until`."""
NEAR = (1_000, 20_000)
"""How many positions back common causes are searched for, step by step, before the whole log is searched."""


class Neo4jLineage:
    """Implements `semp.engine.ports.LineageReader`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def count(self, event_id: str, direction: Direction, selection: LineageFilter) -> Counted | None:
        everything = selection.depth is None and selection.types is None and selection.scope is None and selection.until is None
        budget = selection.budget + 1
        if direction == "roots" or direction == "impact":
            parameters = _parameters(direction, selection)
            result = await self.connection.run_in_turn(
                f"count_{direction}", depth=selection.depth, id=event_id, budget=budget, **parameters
            )
        elif everything:
            result = await self.connection.run_in_turn(f"count_{direction}", id=event_id, budget=budget)
        else:
            parameters = _parameters(direction, selection)
            result = await self.connection.run_in_turn(
                f"count_{direction}_where", depth=selection.depth, id=event_id, budget=budget, **parameters
            )
        return counted(result[0], selection.budget) if result else None

    async def relatives(self, event_id: str, direction: Direction, selection: LineageFilter) -> list[Relative]:
        depth, position = selection.after or (-1, 0)
        parameters = _parameters(direction, selection)
        result = await self.connection.run_in_turn(
            f"nearest_{direction}", depth=selection.depth, id=event_id, after_depth=depth, after_position=position,
            limit=selection.limit, budget=selection.budget, payload=selection.payload, **parameters,
        )  # fmt: skip
        return [_relative(row) for row in result]

    async def count_open(self, event_id: str, selection: LineageFilter) -> Counted | None:
        result = await self.connection.run_in_turn("count_open", id=event_id, budget=selection.budget + 1, **_open_parameters(selection))
        return counted(result[0], selection.budget) if result else None

    async def nearest_open(self, event_id: str, selection: LineageFilter) -> list[Relative]:
        depth, position = selection.after or (-1, 0)
        result = await self.connection.run_in_turn(
            "nearest_open", id=event_id, after_depth=depth, after_position=position, limit=selection.limit, payload=selection.payload,
            budget=selection.budget + 1, **_open_parameters(selection),
        )  # fmt: skip
        return [_relative(row) for row in result]

    async def count_between(self, cause: str, effect: str, selection: LineageFilter) -> Counted:
        result = await self.connection.run_in_turn(
            "count_between", depth=selection.depth, cause=cause, effect=effect, budget=selection.budget + 1, **_types_and_scope(selection)
        )
        return counted(result[0], selection.budget)

    async def between(self, cause: str, effect: str, selection: LineageFilter) -> list[Relative]:
        depth, position = selection.after or (-1, 0)
        result = await self.connection.run_in_turn(
            "nearest_between", depth=selection.depth, cause=cause, effect=effect, after_depth=depth, after_position=position,
            limit=selection.limit, budget=selection.budget + 1, payload=selection.payload, **_types_and_scope(selection),
        )  # fmt: skip
        return [_relative(row) for row in result]

    async def shortest_path(self, cause: str, effect: str) -> list[str]:
        if cause == effect:
            return [cause] if await self.count(cause, "ancestors", LineageFilter(depth=1)) else []
        result = await self.connection.run_in_turn("shortest_path", cause=cause, effect=effect)
        return result[0][0] if result else []

    async def common_causes(self, ids: Sequence[str], selection: LineageFilter) -> list[Relative]:
        parameters = _types_and_scope(selection) | {"ids": list(ids), "hops": selection.depth, "payload": selection.payload}
        for span in NEAR:
            if span < selection.budget and (result := await self.connection.run_in_turn("common_causes_near", span=span, **parameters)):
                return [_relative(row) for row in result]
        for event_id in ids:
            ancestors = await self.count(event_id, "ancestors", LineageFilter(budget=selection.budget))
            if ancestors and not ancestors.complete:
                reason = f"more than {selection.budget:,} events led to {event_id}; common causes can be found within the budget only"
                raise QueryTooLarge(reason)
        return [_relative(row) for row in await self.connection.run_in_turn("common_causes", **parameters)]


def _relative(row: rows.Row) -> Relative:
    return Relative(rows.event(row[1:]), row[0])


def counted(row: rows.Row, budget: int) -> Counted:
    """From a row of count and reached. The query must have run with `budget + 1`: reaching so many shows that the budget was exceeded."""
    return Counted(min(row[0], budget), row[1] <= budget)


def _types_and_scope(selection: LineageFilter) -> dict[str, object]:
    """The parameters types, prefix and pattern of a filter."""
    return {"types": list(selection.types) if selection.types else None, **rows.scope_parameters(selection.scope)}


def parameters_with_until(selection: LineageFilter) -> dict[str, object]:
    """The parameters types, prefix, pattern and until of a filter."""
    return _types_and_scope(selection) | {"until": LAST if selection.until is None else selection.until}


def _open_parameters(selection: LineageFilter) -> dict[str, object]:
    parameters = parameters_with_until(selection)
    del parameters["types"]
    return parameters | {"ending": list(ENDING)}


def _parameters(direction: Direction, selection: LineageFilter) -> dict[str, object]:
    """The parameters of a filter that the queries of a direction have."""
    return parameters_with_until(selection) if direction in UNTIL else _types_and_scope(selection)
