"""Traces in memory."""

from __future__ import annotations

from bisect import bisect_right
from itertools import islice

from semp.domain.traces import TraceEvent
from semp.engine.records import Entry, EventFilter, TraceFilter, TracePage, TraceSpan
from semp.storage.memory.pages import Index


class MemoryTraces:
    """Implements `semp.engine.ports.TraceReader`."""

    log: list[Entry]
    by_trace: Index

    async def traces(self, selection: TraceFilter) -> TracePage:
        wanted = EventFilter(types=selection.types, scopes=selection.scopes)
        own = {trace: positions[: bisect_right(positions, selection.until)] for trace, positions in self.by_trace.items()}
        latest = sorted(((positions[-1], trace) for trace, positions in own.items() if positions), reverse=True)
        matching = (
            trace
            for last, trace in latest
            if last < selection.before and any(wanted.selects(self.log[position - 1].event) for position in own[trace])
        )
        spans = [self._span(trace, own[trace]) for trace in islice(matching, selection.limit)]
        return TracePage(spans, spans[-1].last if spans and len(spans) == selection.limit else None)

    def _span(self, trace: str, positions: list[int]) -> TraceSpan:
        first, last = self.log[positions[0] - 1].event, self.log[positions[-1] - 1].event
        return TraceSpan(trace, len(positions), first.position, last.position, first.timestamp, last.timestamp)

    async def trace_events(self, trace_id: str, after: int, limit: int) -> list[TraceEvent]:
        positions = self.by_trace.get(trace_id, [])
        begin = bisect_right(positions, after)
        own = [self.log[position - 1] for position in positions[begin : begin + limit]]
        return [
            TraceEvent(
                entry.event.id, entry.event.type, entry.event.scope, entry.event.agent_id, entry.event.parent_ids,
                entry.event.timestamp, entry.event.position, entry.value,
            )
            for entry in own
        ]  # fmt: skip
