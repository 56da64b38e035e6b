"""Pages of the log: from the ring of the newest events, from blocks in memory, or from storage."""

from __future__ import annotations

import msgspec

from semp.domain.events import Event
from semp.engine.blocks import BLOCK, Blocks
from semp.engine.live.hub import Hub
from semp.engine.live.recent import recent_page
from semp.engine.planning import encode
from semp.engine.ports import EventLog
from semp.engine.records import EncodedPage, EventFilter


class Pages:
    """Pages of one environment's log."""

    def __init__(self, log: EventLog, hub: Hub) -> None:
        self._log = log
        self._hub = hub
        self._blocks = Blocks(self._read)

    def reset(self) -> None:
        """Forget what was read, because another log has replaced this one."""
        self._blocks.clear()

    async def page(self, selection: EventFilter) -> EncodedPage:
        """A page of the log up to the newest event that this process knows, in order of position.

        Raises:
            StoreUnavailable: the database is needed and cannot be reached.
        """
        _, highest = selection.span(self._hub.head)
        # of a transaction that is being committed, the database may show later events before earlier ones
        selection = msgspec.structs.replace(selection, before=highest + 1)
        page = recent_page(self._hub, selection)
        if page is None and selection.selects_all:
            page = await self._from_blocks(selection)
        if page is None:
            read = await self._log.page(selection)
            page = EncodedPage([encode(event) for event in read.events], read.next)
        return page

    async def _from_blocks(self, selection: EventFilter) -> EncodedPage | None:
        """None when the page needs the newest block, which is not full yet, or when the blocks cannot tell."""
        first, last = selection.positions(self._hub.head)
        if not 0 < first <= last <= self._hub.head // BLOCK * BLOCK:
            return None
        events = await self._blocks.between(first, last)
        if events is None:
            return None
        if selection.newest_first:
            events.reverse()
        edge = first if selection.newest_first else last
        return EncodedPage(events, edge if len(events) == selection.limit else None)

    async def _read(self, first: int, last: int) -> list[Event]:
        selection = EventFilter(after=first - 1, before=last + 1, newest_first=False, limit=last - first + 1)
        return (await self._log.page(selection)).events
