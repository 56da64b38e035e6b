"""An event's lineage as an answer: within the node budget, and in both directions as one list."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from semp.domain.errors import QueryTooLarge
from semp.domain.events import Event
from semp.engine.ports import LineageReader
from semp.engine.records import Counted, Direction, LineageFilter, Relative

STEPS = tuple(4**n for n in range(11))
"""Depths that are tried one after the other where the whole is beyond the budget."""
NEAR = 16
"""A page that is full within so many hops is there before everything is counted."""


Count = Callable[[LineageFilter], Awaitable[Counted | None]]
Find = Callable[[LineageFilter], Awaitable[list[Relative]]]
Found = tuple[list[Relative], Counted | None]
"""Relatives, and how many there are in all where that is known."""


class Asked(msgspec.Struct, frozen=True):
    """What is known already, and what is asked for, beside a page."""

    counted: Counted | None = None
    """How many there are in all, where an earlier page said so."""
    counting: bool = True
    """Whether that is wanted where it is not known."""
    events: int = 0
    """Events in the log. A search cannot reach more, so a budget this large never cuts one."""


async def nearest(count: Count, find: Find, selection: LineageFilter, asked: Asked) -> Found:
    """A page of relatives that never reaches more events than the budget allows. It may end early where the whole is beyond it.

    Nothing found and nothing counted: perhaps what they are relatives of does not exist.
    """
    counted = asked.counted
    counting = counted is None and asked.counting
    if not selection.limit:
        return [], await count(selection) if counting else counted
    if asked.events <= selection.budget:
        if counting:
            counted, found = await asyncio.gather(count(selection), find(selection))
            return found, counted
        return await find(selection), counted
    if counted is None and not counting:
        page = await _near(count, find, selection)
        if page is not None:
            return page, None
    if counted is None:
        counted = await count(selection)
    if counted is None or counted.complete:
        return await find(selection) if counted else [], counted
    return await _within_budget(count, find, selection), counted


async def _near(count: Count, find: Find, selection: LineageFilter) -> list[Relative] | None:
    """The page, where the nearest events fill it."""
    if (selection.depth is not None and selection.depth <= NEAR) or (selection.after is not None and selection.after[0] >= NEAR):
        return None
    part = msgspec.structs.replace(selection, depth=NEAR)
    within = await count(part)
    found = await find(part) if within is not None and within.complete and within.count >= selection.limit else []
    return found if len(found) >= selection.limit else None


async def _within_budget(count: Count, find: Find, selection: LineageFilter) -> list[Relative]:
    """What of the page is no farther than the budget reaches."""
    found: list[Relative] = []
    for depth in STEPS:
        if selection.depth is not None and depth >= selection.depth:
            break
        part = msgspec.structs.replace(selection, depth=depth)
        within = await count(part)
        if depth > 1 and (within is None or not within.complete):
            break
        if selection.after is None or selection.after[0] <= depth:
            found = await find(part)
        if len(found) >= selection.limit:
            break
    return found


async def nearest_of(store: LineageReader, event_id: str, direction: Direction, selection: LineageFilter, asked: Asked) -> Found:
    """The same for an event in one direction."""
    return await nearest(partial(store.count, event_id, direction), partial(store.relatives, event_id, direction), selection, asked)


async def around(store: LineageReader, origin: Event, selection: LineageFilter, asked: Asked) -> Found:
    """Nearest first; of the same depth causes before effects, the former newest first, the latter oldest first.

    A cause always has a lower position than the event, an effect a higher one, so a place says by itself on which side it is.
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
    found = sorted([*causes[0], *effects[0]], key=lambda relative: relative.depth)[: selection.limit]
    return found, asked.counted or _total(causes[1], effects[1])


async def still_open(store: LineageReader, event_id: str, selection: LineageFilter, asked: Asked) -> Found:
    """Proposals that an event led to and that are neither ended nor cancelled.

    Raises:
        QueryTooLarge: the event led to more than the budget. A part of that cannot tell what is still open.
    """
    counted = asked.counted or await store.count_open(event_id, selection)
    if counted is None:
        return [], None
    if not counted.complete:
        raise QueryTooLarge(f"more than {selection.budget:,} events follow from this one; a part of them cannot tell what is still open")
    return await store.nearest_open(event_id, selection) if selection.limit and counted.count else [], counted


def _total(causes: Counted | None, effects: Counted | None) -> Counted | None:
    """Both together; None where one is not known, unless the budget has ended the other."""
    if causes is not None and effects is not None:
        return Counted(causes.count + effects.count, causes.complete and effects.complete)
    return next((one for one in (causes, effects) if one is not None and not one.complete), None)
