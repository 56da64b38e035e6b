"""Which events a mirror selects, and the protocol of sources that it reads them from."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any, Protocol

import msgspec

from semp_sdk.timestamps import Moment, timestamp_text

_GLOB = re.compile(r"([A-Za-z0-9_-]+|\*)(\.([A-Za-z0-9_-]+|\*))*(\.\*\*)?|\*\*")


class Row(msgspec.Struct, gc=False):
    """An event as it is read for a mirror."""

    id: str
    type: str
    scope: str
    trace_id: str
    agent_id: str
    parent_ids: list[str]
    timestamp: str
    payload: dict[str, Any]
    position: int


class Head(msgspec.Struct, frozen=True):
    """Which log it is, and its newest position."""

    epoch: str
    position: int


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """All given fields must match; without any, it is the whole log."""

    trace_id: str | None = None
    scope: str | None = None
    """A scope or a glob."""
    lineage_of: str | None = None
    """Id of an event: the event, its ancestors and its descendants. Cannot be combined with other fields."""
    since: int | str | None = None
    """First position, or time (formatted as in events), that is included."""
    until: int | str | None = None
    """First position or time that is excluded."""

    @classmethod
    def of(
        cls, trace_id: str | None, scope: str | None, lineage_of: str | None, since: Moment | None, until: Moment | None
    ) -> Selection:  # fmt: skip
        """Check and normalise.

        Raises:
            ValueError: `lineage_of` is combined with another field, the scope is invalid, or a time is invalid or has no time zone.
        """
        if scope is not None and _GLOB.fullmatch(scope) is None:
            raise ValueError(f"{scope!r} is neither a scope such as ui.login nor a glob such as ui.* or ui.**")
        if lineage_of is not None and (trace_id, scope, since, until) != (None, None, None, None):
            raise ValueError("the lineage of an event stands alone: give neither trace_id, scope, since nor until")
        return cls(
            trace_id=trace_id, scope=scope, lineage_of=lineage_of.lower() if lineage_of is not None else None,
            since=_edge(since), until=_edge(until),
        )  # fmt: skip

    @property
    def dense(self) -> bool:
        """Whether every position within the bounds is selected."""
        return self.trace_id is None and self.scope is None

    def begins(self, position: int, timestamp: str) -> bool:
        """Whether this event is not before `since`."""
        return self.since is None or (position >= self.since if isinstance(self.since, int) else timestamp >= self.since)

    def ended(self, position: int, timestamp: str) -> bool:
        """Whether this event, and so every later one, is at or after `until`."""
        return self.until is not None and (position >= self.until if isinstance(self.until, int) else timestamp >= self.until)


class Source(Protocol):
    """Reads committed events of the log."""

    page_size: int
    """Largest number of events that `page` returns."""

    async def head(self) -> Head: ...

    async def timestamp(self, position: int) -> str:
        """Timestamp of the event at this position, which must exist."""
        ...

    async def page(self, selection: Selection, after: int, last: int, /) -> list[Row]:
        """The oldest events of the selection's trace and scope with after < position <= last, in order."""
        ...

    def lineage(self, event_id: str, last: int) -> AsyncGenerator[list[Row]]:
        """The event, its ancestors and descendants up to a position, each once, in any order.

        Raises:
            NotFound: there is no such event.
        """
        ...


async def before(source: Source, edge: int | str, head: int) -> int:
    """The last position before an edge (a position or time), 0 when there is none. Found by bisection: timestamps never decrease."""
    if isinstance(edge, int):
        return max(0, min(head, edge - 1))
    low, high = 0, head
    while low < high:
        middle = (low + high + 1) // 2
        if await source.timestamp(middle) < edge:
            low = middle
        else:
            high = middle - 1
    return low


def _edge(moment: Moment | None) -> int | str | None:
    return timestamp_text(moment) if isinstance(moment, str | datetime) else moment
