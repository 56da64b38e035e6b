"""What a subscriber missed, read from the log until the ring takes over: no gap and no repeat at the seam."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from app.domain.events import Event
from app.domain.interests import Interest
from app.engine.hub import Hub, Span
from app.engine.planning import encode
from app.engine.ports import Entry, EventFilter, EventLog

PAGE = 2_000
"""Events read from the log at once."""


async def missed(log: EventLog, hub: Hub, interest: Interest, after: int) -> AsyncGenerator[Span]:
    """Spans of what is wanted after a position, in log order, until the ring holds the rest.

    The last span says up to where. Between the end of the iteration and `Hub.attach` nothing may be awaited: the ring moves on.
    The next page is read while the one before is written. Moved signals are not part of what is read: they follow from the state.

    Raises:
        StoreUnavailable: the database is away; what was given up to then holds.
    """
    reading: asyncio.Task[tuple[list[Event], int]] | None = None
    try:
        while not hub.holds(after):
            events, last = await (reading or _page(log, hub, interest, after))
            reading = asyncio.create_task(_page(log, hub, interest, last)) if not hub.holds(last) else None
            yield Span([recalled(event) for event in events if interest.covers(event)], last, interest, signals=False)
            after = last
    finally:
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _page(log: EventLog, hub: Hub, interest: Interest, after: int) -> tuple[list[Event], int]:
    """One page and the position up to which it says everything. What the hub had seen before it was asked for is committed."""
    head = hub.head
    found = await log.page(
        EventFilter(
            types=interest.types or None,
            scope=_only(interest.scopes),
            trace_id=_only(interest.trace_ids),
            agent_id=_only(interest.agent_ids),
            after=after,
            newest_first=False,
            limit=PAGE,
        )
    )
    newest = found[-1].position if found else after
    return found, newest if len(found) == PAGE else max(newest, head)


def _only(values: Sequence[str]) -> str | None:
    """The value of a field that has just one; several are told apart after the page was read."""
    return values[0] if len(values) == 1 else None


def recalled(event: Event) -> Entry:
    """An event read from the log, as the hub gives new ones."""
    return Entry(event, None, (), 0, None, 0.0, None, encode(event))
