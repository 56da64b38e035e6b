"""Pages of the log in memory."""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from semp.domain.events import Event
from semp.engine.records import LOOKED_AT, Entry, EventFilter, Page

Positions = Sequence[int]
Index = defaultdict[str, list[int]]


class MemoryPages:
    """The part of `semp.engine.ports.EventLog` that reads pages."""

    log: list[Entry]

    def __init__(self) -> None:
        self.by_type: Index = defaultdict(list)
        self.by_scope: Index = defaultdict(list)
        self.by_trace: Index = defaultdict(list)
        self.by_agent: Index = defaultdict(list)

    def index(self, event: Event) -> None:
        """Note the position of an event that was appended."""
        self.by_type[event.type].append(event.position)
        self.by_scope[event.scope].append(event.position)
        self.by_trace[event.trace_id].append(event.position)
        self.by_agent[event.agent_id].append(event.position)

    async def page(self, selection: EventFilter) -> Page:
        events: list[Event] = []
        given = sum(map(bool, (selection.types, selection.scopes, selection.trace_ids, selection.agent_ids)))
        for looked_at, position in enumerate(self._positions(selection) if selection.limit else (), 1):
            event = self.log[position - 1].event
            if selection.selects(event):
                events.append(event)
                if len(events) == selection.limit:
                    break
            if looked_at == LOOKED_AT and given > 1:
                return Page.of(events, selection.limit, position)
        return Page.of(events, selection.limit)

    def _positions(self, selection: EventFilter) -> Iterable[int]:
        """The positions that the shortest index gives, in the order of the page."""
        whole: list[Positions] = [range(1, len(self.log) + 1)]
        paths = [whole]
        for index, values in ((self.by_type, selection.types), (self.by_trace, selection.trace_ids), (self.by_agent, selection.agent_ids)):
            if values:
                paths.append([index.get(value, ()) for value in set(values)])
        if selection.scopes:
            paths.append([found for scope, found in self.by_scope.items() if any(glob.matches(scope) for glob in selection.scopes)])
        spans = [[_Span.of(positions, selection) for positions in path] for path in paths]
        shortest = min(spans, key=lambda path: sum(len(span.indices) for span in path))
        return heapq.merge(*[span.walk(selection.newest_first) for span in shortest], reverse=selection.newest_first)


@dataclass(frozen=True)
class _Span:
    """A part of an index."""

    positions: Positions
    indices: range

    @classmethod
    def of(cls, positions: Positions, selection: EventFilter) -> _Span:
        """The positions between the filter's `after` and `before`."""
        first = 0 if selection.after is None else bisect_right(positions, selection.after)
        last = len(positions) if selection.before is None else bisect_left(positions, selection.before)
        return cls(positions, range(first, last))

    def walk(self, backwards: bool) -> Iterator[int]:
        return map(self.positions.__getitem__, reversed(self.indices) if backwards else self.indices)
