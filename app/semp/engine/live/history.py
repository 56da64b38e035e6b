"""What a subscriber missed, read from the log until the ring takes over: no gap and no repeat at the seam."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import TypeVar

import msgspec

from semp.domain.events import Event
from semp.domain.interests import Interest
from semp.engine.live import hub as ring
from semp.engine.live.hub import Hub, Span
from semp.engine.planning import encode
from semp.engine.ports import EventLog
from semp.engine.records import Entry, EventFilter

V = TypeVar("V")

FIRST_PAGE = 100
PAGE = 2_000
"""Events read from the log at once: few at first, then as many as `PAGE_BYTES` seem to hold, at most PAGE."""
PAGE_BYTES = 4 * 1024 * 1024


class _Page(msgspec.Struct):
    """What was read, and the position up to which it says everything."""

    events: list[Event]
    last: int


async def missed(log: EventLog, hub: Hub, interest: Interest, after: int) -> AsyncGenerator[Span]:
    """Spans of what is wanted after a position, in log order, until the ring holds the rest.

    The last span says up to where. Between the end of the iteration and `Hub.attach` nothing may be awaited: the ring moves on.
    The next page is read while the one before is written. Moved signals are not part of what is read: they follow from the state.

    Raises:
        StoreUnavailable: the database is away; what was given up to then holds.
    """
    reading: asyncio.Task[_Page] | None = None
    limit = min(FIRST_PAGE, PAGE)
    try:
        while not hub.holds(after):
            page = await (reading or _read(log, hub, interest, after, limit))
            size = sum([len(bytes(event.payload)) + 300 for event in page.events])
            limit = max(1, min(PAGE, limit * PAGE_BYTES // max(size, 1)))
            reading = None if hub.holds(page.last) else asyncio.create_task(_read(log, hub, interest, page.last, limit))
            for span in _spans(page, interest):
                yield span
            after = page.last
    finally:
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _read(log: EventLog, hub: Hub, interest: Interest, after: int, limit: int) -> _Page:
    head = hub.head  # what the hub has seen is committed, so whatever is read from here on says everything up to it
    found = await log.page(
        EventFilter(
            types=interest.types or None,
            scope=_only(interest.scopes),
            trace_id=_only(interest.trace_ids),
            agent_id=_only(interest.agent_ids),
            after=after,
            newest_first=False,
            limit=limit,
        )
    )
    newest = found[-1].position if found else after
    return _Page(found, newest if len(found) == limit else max(newest, head))


def _spans(page: _Page, interest: Interest) -> Iterator[Span]:
    """The page cut into spans of the size the hub gives; the last one reaches to the page's end, be it empty."""
    entries: list[Entry] = []
    size = 0
    for event in page.events:
        if not interest.covers(event):
            continue
        entries.append(recalled(event))
        size += len(entries[-1].encoded)
        if len(entries) >= ring.SPAN_EVENTS or size >= ring.SPAN_BYTES:
            yield Span(entries, event.position, interest, signals=False)
            entries, size = [], 0
    yield Span(entries, page.last, interest, signals=False)


def _only(values: Sequence[V]) -> V | None:
    """The value of a field that has just one; several are told apart after the page was read."""
    return values[0] if len(values) == 1 else None


def recalled(event: Event) -> Entry:
    """An event read from the log, as the hub gives new ones."""
    return Entry(event, None, (), 0, None, 0.0, None, encode(event))
