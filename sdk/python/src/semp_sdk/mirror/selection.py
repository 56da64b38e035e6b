"""Which events a mirror holds, and where it reads them."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any, Protocol

import msgspec

from semp_sdk.moments import Moment, timestamp_text

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
    """Everything that is given must hold; nothing given is the whole log."""

    trace_id: str | None = None
    scope: str | None = None
    """A scope or a glob."""
    lineage_of: str | None = None
    """An event: itself, what led to it and what it led to. Stands alone."""
    since: int | str | None = None
    """The first position, or time (as events carry it), that is inside."""
    until: int | str | None = None
    """The first one that is not."""

    @classmethod
    def of(
        cls, trace_id: str | None, scope: str | None, lineage_of: str | None, since: Moment | None, until: Moment | None
    ) -> Selection:  # fmt: skip
        """Check and normalise.

        Raises:
            ValueError: a lineage with something else, a scope that is neither one nor a glob, or a time that is none or has no zone.
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
        """Whether every position within the bounds is inside."""
        return self.trace_id is None and self.scope is None

    def begins(self, position: int, timestamp: str) -> bool:
        """Whether this is not before the beginning."""
        return self.since is None or (position >= self.since if isinstance(self.since, int) else timestamp >= self.since)

    def ended(self, position: int, timestamp: str) -> bool:
        """Whether this, and all that comes later, is past the end."""
        return self.until is not None and (position >= self.until if isinstance(self.until, int) else timestamp >= self.until)


class Source(Protocol):
    """A way to read the log. What it reads is what was committed."""

    page_size: int
    """Events that `page` gives at most."""

    async def head(self) -> Head: ...

    async def timestamp(self, position: int) -> str:
        """Of the event at a position that exists."""
        ...

    async def page(self, wanted: Selection, after: int, last: int) -> list[Row]:
        """The oldest events of trace and scope with after < position <= last, in order."""
        ...

    def lineage(self, event_id: str, last: int) -> AsyncGenerator[list[Row]]:
        """The event, its ancestors and descendants up to a position, each once, in any order.

        Raises:
            NotFound: there is no such event.
        """
        ...


async def before(source: Source, edge: int | str, head: int) -> int:
    """The last position ahead of an edge, 0 when none is, by bisection: timestamps never run backwards along positions."""
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
