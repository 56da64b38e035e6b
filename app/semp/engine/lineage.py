"""Pages of an event's lineage, within the node budget: in one direction, in both, and the proposals that are still open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from semp.domain.errors import QueryTooLarge
from semp.domain.events import Event
from semp.engine.ports import LineageReader
from semp.engine.records import Counted, Direction, LineageFilter, Relative

Count = Callable[[LineageFilter], Awaitable[Counted | None]]
Find = Callable[[LineageFilter], Awaitable[list[Relative]]]
Found = tuple[list[Relative], Counted | None]
"""A page of relatives, and how many there are in all; None when that was not counted."""


class Asked(msgspec.Struct, frozen=True):
    """What the caller knows and asks for besides the page."""

    counted: Counted | None = None
    """How many relatives there are in all, if an earlier page counted them."""
    counting: bool = True
    """Whether to count them when `counted` is None."""
    events: int = 0
    """Events in the log. A search cannot reach more, so a budget at least this large never cuts a search."""


async def nearest(count: Count, find: Find, selection: LineageFilter, asked: Asked) -> Found:
    """A page of relatives, within the budget. Nothing is counted before the page is searched for.

    When the whole lineage is beyond the budget, the page may hold fewer relatives than exist. When the answer has neither relatives nor a
    count, the event itself may not exist; the caller has to look it up.
    """
    counting = asked.counted is None and asked.counting
    if not selection.limit:
        return [], await count(selection) if counting else asked.counted
    if counting:
        counted, page = await asyncio.gather(count(selection), find(selection))
        return page, counted
    page = await find(selection)
    if asked.counted is None and len(page) < selection.limit and asked.events > selection.budget:
        return page, await count(selection)  # it tells whether the budget ended the search
    return page, asked.counted


async def nearest_of(store: LineageReader, event_id: str, direction: Direction, selection: LineageFilter, asked: Asked) -> Found:
    """A page of an event's relatives in one direction. See `nearest`."""
    return await nearest(partial(store.count, event_id, direction), partial(store.relatives, event_id, direction), selection, asked)


async def around(store: LineageReader, origin: Event, selection: LineageFilter, asked: Asked) -> Found:
    """A page of an event's relatives in both directions, nearest first; at the same depth causes, newest first, then effects, oldest first.

    A cause always has a lower position than the event, and an effect a higher one. So the position in `selection.after` shows on which
    side the previous page ended.
    """
    before = after = selection.after
    if selection.after is not None:
        depth, position = selection.after
        before, after = (selection.after, (depth, 0)) if position < origin.position else ((depth, 0), selection.after)
    side = Asked(None, asked.counting and asked.counted is None, asked.events)
    causes, effects = await asyncio.gather(
        nearest_of(store, origin.id, "ancestors", msgspec.structs.replace(selection, after=before), side),
        nearest_of(store, origin.id, "descendants", msgspec.structs.replace(selection, after=after), side),
    )
    page = sorted([*causes[0], *effects[0]], key=lambda relative: relative.depth)[: selection.limit]
    return page, asked.counted or _total(causes[1], effects[1])


async def still_open(store: LineageReader, event_id: str, selection: LineageFilter, asked: Asked) -> Found:
    """A page of the proposals that an event led to and that are neither ended nor cancelled.

    Raises:
        QueryTooLarge: the event led to more events than the budget. From a part of them it cannot be decided which proposals are open.
    """

    async def count() -> Counted | None:
        return asked.counted or await store.count_open(event_id, selection)

    async def page() -> list[Relative]:
        return await store.nearest_open(event_id, selection) if selection.limit else []

    counted, relatives = await asyncio.gather(count(), page())
    if counted is None:
        return [], None
    if not counted.complete:
        raise QueryTooLarge(f"more than {selection.budget:,} events follow from this one; a part of them cannot tell what is still open")
    return relatives, counted


async def connecting(store: LineageReader, cause: str, effect: str, selection: LineageFilter) -> tuple[list[Relative], Counted]:
    """A page of the events on the paths from a cause to its effect, and how many there are in all."""

    async def page() -> list[Relative]:
        return await store.between(cause, effect, selection) if selection.limit else []

    counted, relatives = await asyncio.gather(store.count_between(cause, effect, selection), page())
    return relatives, counted


def _total(causes: Counted | None, effects: Counted | None) -> Counted | None:
    """The sum of both counts. None when one is unknown, except when the other one ended at the budget: then that one, as a lower bound."""
    if causes is not None and effects is not None:
        return Counted(causes.count + effects.count, causes.complete and effects.complete)
    return next((one for one in (causes, effects) if one is not None and not one.complete), None)
