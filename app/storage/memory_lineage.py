"""Lineage and traces in memory, on networkx."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import networkx as nx

from app.domain.events import Event
from app.domain.scopes import glob_regex
from app.domain.traces import TraceEvent
from app.engine.ports import Direction, Entry, LineageFilter, Relative, TraceSpan


class MemoryLineage:
    """Implements `app.engine.ports.LineageReader` and `TraceReader`."""

    def __init__(self) -> None:
        self.causality: nx.DiGraph[str] = nx.DiGraph()
        """Event ids, with edges from child to cause, as PARENT in Neo4j."""
        self.log: list[Entry] = []

    def entry(self, event_id: str) -> Entry:
        return self.causality.nodes[event_id]["entry"]

    async def count(self, event_id: str, direction: Direction, wanted: LineageFilter) -> int | None:
        return len(self._chosen(event_id, direction, wanted)) if event_id in self.causality else None

    async def relatives(self, event_id: str, direction: Direction, wanted: LineageFilter) -> list[Relative]:
        if event_id not in self.causality:
            return []
        return in_pages(self._chosen(event_id, direction, wanted), wanted, newest_first=direction in ("ancestors", "roots"))

    def _chosen(self, event_id: str, direction: Direction, wanted: LineageFilter) -> list[Relative]:
        backwards = direction in ("ancestors", "roots")
        ends = direction in ("roots", "impact")
        until = wanted.until if wanted.until is not None and not backwards else len(self.log)
        chosen = selector(wanted.types, wanted.scope)
        found: list[Relative] = []
        for relative, depth in self.reach(event_id, backwards, wanted.depth).items():
            event = self.entry(relative).event
            if event.position > until or not chosen(event) or (depth == 0 and not ends):
                continue
            if ends and (event.parent_ids if backwards else self._led_on(relative, until)):
                continue
            found.append(Relative(event, depth))
        return found

    def _led_on(self, event_id: str, until: int) -> bool:
        return any(self.entry(later).event.position <= until for later in self.causality.predecessors(event_id))

    def reach(self, event_id: str, backwards: bool, depth: int | None = None) -> dict[str, int]:
        """Depths of everything reachable, the event itself included."""
        if event_id not in self.causality:
            return {}
        graph = self.causality if backwards else self.causality.reverse(copy=False)
        return nx.single_source_shortest_path_length(graph, event_id, cutoff=depth)

    def _ways(self, cause: str, effect: str) -> list[Relative]:
        causes = self.reach(effect, True)
        found = [Relative(self.entry(event).event, depth) for event, depth in self.reach(cause, False).items() if event in causes]
        return _nearest(found, newest_first=False)

    async def count_between(self, cause: str, effect: str) -> int:
        return len(self._ways(cause, effect))

    async def between(self, cause: str, effect: str, after: tuple[int, int] | None, limit: int) -> list[Relative]:
        return _page(self._ways(cause, effect), after, limit, newest_first=False)

    async def shortest_path(self, cause: str, effect: str) -> list[str]:
        if not self._ways(cause, effect):
            return []
        return nx.shortest_path(self.causality, effect, cause)[::-1]

    async def common_causes(self, ids: Sequence[str]) -> list[Relative]:
        reached = [self.reach(event_id, True) for event_id in ids]
        common = set[str].intersection(*[set(causes) for causes in reached])
        lowest = [event for event in common if common.isdisjoint(self.causality.predecessors(event))]
        found = [Relative(self.entry(event).event, max(causes[event] for causes in reached)) for event in lowest]
        return _nearest(found, newest_first=True)

    async def traces(self, first: int, before: int, limit: int) -> list[TraceSpan]:
        newest = {entry.event.trace_id: entry.event for entry in self.log}
        chosen = sorted((event for event in newest.values() if first <= event.position < before), key=lambda event: -event.position)
        found: list[TraceSpan] = []
        for last in chosen[:limit]:
            own = [entry.event for entry in self.log if entry.event.trace_id == last.trace_id]
            found.append(TraceSpan(last.trace_id, len(own), own[0].position, last.position, own[0].timestamp, last.timestamp))
        return found

    async def trace_events(self, trace_id: str, after: int, limit: int) -> list[TraceEvent]:
        own = [entry for entry in self.log[after:] if entry.event.trace_id == trace_id][:limit]
        return [
            TraceEvent(
                entry.event.id, entry.event.type, entry.event.scope, entry.event.agent_id, entry.event.parent_ids,
                entry.event.timestamp, entry.event.position, entry.value,
            )
            for entry in own
        ]  # fmt: skip


def selector(types: Sequence[str] | None, scope: str | None) -> Callable[[Event], bool]:
    pattern = re.compile(glob_regex(scope)) if scope is not None else None
    return lambda event: (not types or event.type in types) and (pattern is None or pattern.fullmatch(event.scope) is not None)


def in_pages(found: list[Relative], wanted: LineageFilter, *, newest_first: bool) -> list[Relative]:
    """A page of them, nearest first."""
    return _page(_nearest(found, newest_first=newest_first), wanted.after, wanted.limit, newest_first=newest_first)


def _nearest(found: list[Relative], *, newest_first: bool) -> list[Relative]:
    return sorted(found, key=lambda relative: (relative.depth, _sign(newest_first) * relative.event.position))


def _page(found: list[Relative], after: tuple[int, int] | None, limit: int, *, newest_first: bool) -> list[Relative]:
    sign = _sign(newest_first)
    place = (after[0], sign * after[1]) if after else (-1, 0)
    return [relative for relative in found if (relative.depth, sign * relative.event.position) > place][:limit]


def _sign(newest_first: bool) -> int:
    return -1 if newest_first else 1
