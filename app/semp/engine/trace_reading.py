"""Reading whole traces, page by page, so that neither the database nor the event loop works on many events at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

from semp.domain.traces import Summing, TraceEvent, TraceSummary
from semp.engine.pace import SLICE, Pace
from semp.engine.ports import TraceReader

BUDGET = 50_000
"""Events that a summary reads, at most. The summary of a longer trace covers its oldest events."""


async def trace_pages(store: TraceReader, pace: Pace, trace_id: str, after: int, limit: int) -> AsyncIterator[list[TraceEvent]]:
    """The events of a trace after a position, in order of position, `limit` at most: in lists of SLICE at most, none of them empty."""
    while limit > 0:
        page = await store.trace_events(trace_id, after, min(limit, SLICE))
        if not page:
            return
        yield page
        if len(page) < SLICE:
            return
        limit, after = limit - len(page), page[-1].position
        await pace.turn()


async def trace_summary(store: TraceReader, pace: Pace, trace_id: str) -> TraceSummary | None:
    """A summary of the oldest BUDGET events of a trace; None when it has no events."""
    summing = Summing(trace_id)
    truncated = False
    async for page in trace_pages(store, pace, trace_id, 0, BUDGET + 1):
        truncated = len(summing) + len(page) > BUDGET
        summing.add(page[: BUDGET - len(summing)])
    if not len(summing):
        return None
    while summing.follow(SLICE):
        await pace.turn()
    return summing.summary(truncated=truncated)
