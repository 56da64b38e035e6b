"""An event's lineage in both directions, as one list."""

from __future__ import annotations

import asyncio

import msgspec

from app.domain.events import Event
from app.engine.ports import LineageFilter, LineageReader, Relative


async def count_around(store: LineageReader, event_id: str, wanted: LineageFilter) -> int | None:
    """How many events led to it or followed from it; None when it does not exist."""
    causes, effects = await asyncio.gather(store.count(event_id, "ancestors", wanted), store.count(event_id, "descendants", wanted))
    return None if causes is None or effects is None else causes + effects


async def around(store: LineageReader, origin: Event, wanted: LineageFilter) -> list[Relative]:
    """Nearest first; of the same depth causes before effects, the former newest first, the latter oldest first.

    A cause always has a lower position than the event, an effect a higher one, so a place says by itself on which side it is.
    """
    before = after = wanted.after
    if wanted.after is not None:
        depth, position = wanted.after
        before, after = (wanted.after, (depth, 0)) if position < origin.position else ((depth, 0), wanted.after)
    causes, effects = await asyncio.gather(
        store.relatives(origin.id, "ancestors", msgspec.structs.replace(wanted, after=before)),
        store.relatives(origin.id, "descendants", msgspec.structs.replace(wanted, after=after)),
    )
    return sorted([*causes, *effects], key=lambda relative: relative.depth)[: wanted.limit]
