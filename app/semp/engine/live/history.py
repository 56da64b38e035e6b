"""Events that a subscriber missed, read from the log until the ring holds the rest, without gap or repeat between the two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator

import msgspec

from semp.domain.events import Event
from semp.domain.interests import Interest
from semp.engine.live import hub as ring
from semp.engine.live.hub import Hub, Span
from semp.engine.planning import encode
from semp.engine.ports import EventLog
from semp.engine.records import Entry, EventFilter

FIRST_PAGE = 100
"""Events in the first page that is read from the log."""
PAGE = 2_000
"""Events in a later page, at most."""
PAGE_BYTES = 4 * 1024 * 1024
"""Bytes that a later page should have, at most: its number of events follows from the size of the events in the previous page."""


class _Page(msgspec.Struct):
    """Events that were read, and the position up to which they are complete."""

    events: list[Event]
    last: int


async def missed(log: EventLog, hub: Hub, interest: Interest, after: int) -> AsyncGenerator[Span]:
    """Spans of the interest's events after a position, in log order, until the ring holds the rest.

    The last span's `last` is the position for `Hub.attach`. There must be no await between the end of the iteration and that call,
    because the ring moves on. While a page is written, the next one is read. The entries have no moves; the caller finds moved signals in
    the ledger.

    Raises:
        StoreUnavailable: the database cannot be reached. Spans that were given before are valid.
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
                await asyncio.sleep(0)  # a page is not encoded in one go
                yield span
            after = page.last
    finally:
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _read(log: EventLog, hub: Hub, interest: Interest, after: int, limit: int) -> _Page:
    """Read a page, when it is its turn: first come, first served."""
    async with hub.readers:
        return await _read_now(log, hub, interest, after, limit)


async def _read_now(log: EventLog, hub: Hub, interest: Interest, after: int, limit: int) -> _Page:
    head = hub.head  # events up to here are committed, so the read below finds all of them
    page = await log.page(
        EventFilter(
            types=interest.types,
            scopes=interest.scopes,
            trace_ids=interest.trace_ids,
            agent_ids=interest.agent_ids,
            after=after,
            before=head + 1,
            newest_first=False,
            limit=limit,
        )
    )
    return _Page(page.events, max(after, head) if page.next is None else page.next)


def _spans(page: _Page, interest: Interest) -> Iterator[Span]:
    """The page, cut into spans as large as the hub's. The last span reaches to the end of the page and can be empty."""
    entries: list[Entry] = []
    size = 0
    for event in page.events:
        entries.append(_entry_of(event))
        size += len(entries[-1].encoded)
        if len(entries) >= ring.SPAN_EVENTS or size >= ring.SPAN_BYTES:
            yield Span(entries, event.position, interest, signals=False)
            entries, size = [], 0
    yield Span(entries, page.last, interest, signals=False)


def _entry_of(event: Event) -> Entry:
    """An entry with nothing but the event and its encoding, which is all that rendering needs."""
    return Entry(event, None, (), 0, None, 0.0, None, encode(event))
