"""Pages of the newest events, answered from the ring in memory, without a query."""

from __future__ import annotations

from semp.engine.live.hub import Hub
from semp.engine.records import EncodedPage, EventFilter

LOOKED_AT = 1_000
"""Entries of the ring that a page looks at, at most. A filter that selects few of them is a matter for an index."""


def recent_page(hub: Hub, selection: EventFilter) -> EncodedPage | None:
    """The page that the log would give, or None where the ring alone cannot tell.

    The ring holds what this process has seen committed. An event that this process acknowledged is there. An event that another
    replica acknowledged is there after one poll interval at most.
    """
    lowest, highest = selection.span(hub.head)
    first, last = (highest, lowest) if selection.newest_first else (lowest, highest)
    events: list[bytes] = []
    if lowest > highest or not selection.limit:
        return EncodedPage(events)
    for looked_at, entry in enumerate(hub.walk(first, backwards=selection.newest_first), 1):
        if selection.selects(entry.event):
            events.append(entry.encoded)
            if len(events) == selection.limit:
                return EncodedPage(events, entry.event.position)
        if entry.event.position == last:
            return EncodedPage(events)
        if looked_at == LOOKED_AT:
            return None
    return None
