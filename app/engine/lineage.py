"""An event's lineage as an answer: within the node budget, and in both directions as one list."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from app.domain.events import Event
from app.engine.ports import Counted, Direction, LineageFilter, LineageReader, Relative

STEPS = tuple(4**n for n in range(11))
"""Depths that are tried one after the other where the whole is beyond the budget."""


Count = Callable[[LineageFilter], Awaitable[Counted | None]]
Find = Callable[[LineageFilter], Awaitable[list[Relative]]]


async def nearest(count: Count, find: Find, wanted: LineageFilter, counted: Counted) -> list[Relative]:
    """A page of relatives that never reaches more events than the budget allows.

    Args:
        counted: what `count` answered for the same filter. Beyond the budget only so much depth is looked at as stays within it, and
            the page may end early.
    """
    if counted.complete:
        return await find(wanted) if counted.count else []
    found: list[Relative] = []
    for depth in STEPS:
        if wanted.depth is not None and depth >= wanted.depth:
            break
        part = msgspec.structs.replace(wanted, depth=depth)
        within = await count(part)
        if depth > 1 and (within is None or not within.complete):
            break
        if wanted.after is None or wanted.after[0] <= depth:
            found = await find(part)
        if len(found) >= wanted.limit:
            break
    return found


async def nearest_of(store: LineageReader, event_id: str, direction: Direction, wanted: LineageFilter, counted: Counted) -> list[Relative]:
    """The same for an event in one direction."""
    return await nearest(partial(store.count, event_id, direction), partial(store.relatives, event_id, direction), wanted, counted)


async def count_around(store: LineageReader, event_id: str, wanted: LineageFilter) -> tuple[Counted, Counted] | None:
    """How many events led to it and how many followed from it; None when it does not exist."""
    causes, effects = await asyncio.gather(store.count(event_id, "ancestors", wanted), store.count(event_id, "descendants", wanted))
    return None if causes is None or effects is None else (causes, effects)


async def around(store: LineageReader, origin: Event, wanted: LineageFilter, counted: tuple[Counted, Counted]) -> list[Relative]:
    """Nearest first; of the same depth causes before effects, the former newest first, the latter oldest first.

    A cause always has a lower position than the event, an effect a higher one, so a place says by itself on which side it is.
    """
    before = after = wanted.after
    if wanted.after is not None:
        depth, position = wanted.after
        before, after = (wanted.after, (depth, 0)) if position < origin.position else ((depth, 0), wanted.after)
    causes, effects = await asyncio.gather(
        nearest_of(store, origin.id, "ancestors", msgspec.structs.replace(wanted, after=before), counted[0]),
        nearest_of(store, origin.id, "descendants", msgspec.structs.replace(wanted, after=after), counted[1]),
    )
    return sorted([*causes, *effects], key=lambda relative: relative.depth)[: wanted.limit]
