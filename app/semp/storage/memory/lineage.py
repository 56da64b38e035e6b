"""Lineage and traces in memory, on networkx."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

import networkx as nx

from semp.domain.errors import QueryTooLarge
from semp.domain.event_types import ENDING, EventType
from semp.domain.events import Event
from semp.domain.scopes import Glob
from semp.domain.traces import TraceEvent
from semp.engine.records import Counted, Direction, Entry, LineageFilter, Relative, TraceFilter, TraceSpan


class MemoryLineage:
    """Implements `semp.engine.ports.LineageReader` and `TraceReader`."""

    def __init__(self) -> None:
        self.causality: nx.DiGraph[str] = nx.DiGraph()
        """Event ids, with edges from child to cause, as PARENT in Neo4j."""
        self.log: list[Entry] = []

    def entry(self, event_id: str) -> Entry:
        return self.causality.nodes[event_id]["entry"]

    async def count(self, event_id: str, direction: Direction, selection: LineageFilter) -> Counted | None:
        if event_id not in self.causality:
            return None
        backwards, ends = direction in ("ancestors", "roots"), direction in ("roots", "impact")
        reached = self.reach(event_id, backwards, selection.depth)
        within = set(islice((found for found, depth in reached.items() if depth or ends), selection.budget))
        count = sum(found.event.id in within for found in self._chosen(event_id, direction, selection))
        return Counted(count, len(reached) - (not ends) <= selection.budget)

    async def relatives(self, event_id: str, direction: Direction, selection: LineageFilter) -> list[Relative]:
        if event_id not in self.causality:
            return []
        return in_pages(self._chosen(event_id, direction, selection), selection, newest_first=direction in ("ancestors", "roots"))

    def _chosen(self, event_id: str, direction: Direction, selection: LineageFilter) -> list[Relative]:
        backwards = direction in ("ancestors", "roots")
        ends = direction in ("roots", "impact")
        until = selection.until if selection.until is not None and not backwards else len(self.log)
        chosen = selector(selection.types, selection.scope)
        found: list[Relative] = []
        for relative, depth in self.reach(event_id, backwards, selection.depth).items():
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

    async def count_open(self, event_id: str, selection: LineageFilter) -> Counted | None:
        if event_id not in self.causality:
            return None
        reached = len(self.reach(event_id, False)) - 1
        return Counted(min(len(self._open(event_id, selection)), selection.budget), reached <= selection.budget)

    async def nearest_open(self, event_id: str, selection: LineageFilter) -> list[Relative]:
        return in_pages(self._open(event_id, selection), selection, newest_first=False)

    def _open(self, event_id: str, selection: LineageFilter) -> list[Relative]:
        until = len(self.log) if selection.until is None else selection.until
        chosen = selector(None, selection.scope)
        found = [(self.entry(relative), depth) for relative, depth in self.reach(event_id, False).items()]
        reached = [(entry, depth) for entry, depth in found if depth and entry.event.position <= until]
        ended = {proposal.position for entry, _ in reached if entry.event.type in ENDING for proposal in entry.nearest}
        return [
            Relative(entry.event, depth)
            for entry, depth in reached
            if entry.event.type == "proposal" and entry.event.position not in ended and chosen(entry.event)
        ]

    def _ways(self, cause: str, effect: str, selection: LineageFilter) -> tuple[list[Relative], bool]:
        """What is on the ways, nearest to the cause first, and whether the budget allowed for all of it."""
        if cause not in self.causality or effect not in self.causality:
            return [], True
        first, last = self.entry(cause).event.position, self.entry(effect).event.position
        later = [found for found in self.reach(cause, False, selection.depth).items() if self.entry(found[0]).event.position <= last]
        earlier = [found for found in self.reach(effect, True) if self.entry(found).event.position >= first]
        causes = set(earlier[: selection.budget])
        found = [Relative(self.entry(event).event, depth) for event, depth in later[: selection.budget] if event in causes]
        chosen = selector(selection.types, selection.scope)
        complete = max(len(later), len(earlier)) <= selection.budget
        return _nearest([one for one in found if chosen(one.event)], newest_first=False), complete

    async def count_between(self, cause: str, effect: str, selection: LineageFilter) -> Counted:
        found, complete = self._ways(cause, effect, selection)
        return Counted(len(found), complete)

    async def between(self, cause: str, effect: str, selection: LineageFilter) -> list[Relative]:
        return _page(self._ways(cause, effect, selection)[0], selection.after, selection.limit, newest_first=False)

    async def shortest_path(self, cause: str, effect: str) -> list[str]:
        try:
            return nx.shortest_path(self.causality, effect, cause)[::-1]
        except (nx.NetworkXNoPath, nx.NodeNotFound):
            return []

    async def common_causes(self, ids: Sequence[str], selection: LineageFilter) -> list[Relative]:
        reached = [self.reach(event_id, True) for event_id in ids]
        if max(map(len, reached), default=0) - 1 > selection.budget:
            raise QueryTooLarge(
                f"more than {selection.budget:,} events led to one of these; common causes can be found within the budget only"
            )
        common = set[str].intersection(*[set(causes) for causes in reached])
        lowest = [event for event in common if common.isdisjoint(self.causality.predecessors(event))]
        found = [Relative(self.entry(event).event, max(causes[event] for causes in reached)) for event in lowest]
        chosen = selector(selection.types, selection.scope)
        near = [one for one in found if chosen(one.event) and (selection.depth is None or one.depth <= selection.depth)]
        return _nearest(near, newest_first=True)

    async def traces(self, selection: TraceFilter) -> list[TraceSpan]:
        events = [entry.event for entry in self.log[: selection.until]]
        newest = {event.trace_id: event for event in events}
        selected = selector(selection.types, selection.scope)
        matching = {event.trace_id for event in events if selected(event)}
        chosen = [event for event in newest.values() if selection.first <= event.position < selection.before and event.trace_id in matching]
        found: list[TraceSpan] = []
        for last in sorted(chosen, key=lambda event: -event.position)[: selection.limit]:
            own = [event for event in events if event.trace_id == last.trace_id]
            found.append(TraceSpan(last.trace_id, len(own), own[0].position, last.position, own[0].timestamp, last.timestamp))
        return found

    async def trace_events(
        self, trace_id: str, after: int, limit: int, *, types: Sequence[EventType] | None = None, scope: Glob | None = None
    ) -> list[TraceEvent]:
        chosen = selector(types, scope)
        own = [entry for entry in self.log[after:] if entry.event.trace_id == trace_id and chosen(entry.event)][:limit]
        return [
            TraceEvent(
                entry.event.id, entry.event.type, entry.event.scope, entry.event.agent_id, entry.event.parent_ids,
                entry.event.timestamp, entry.event.position, entry.value,
            )
            for entry in own
        ]  # fmt: skip


def selector(types: Sequence[str] | None, scope: Glob | None) -> Callable[[Event], bool]:
    return lambda event: (not types or event.type in types) and (scope is None or scope.matches(event.scope))


def in_pages(found: list[Relative], selection: LineageFilter, *, newest_first: bool) -> list[Relative]:
    """A page of them, nearest first."""
    return _page(_nearest(found, newest_first=newest_first), selection.after, selection.limit, newest_first=newest_first)


def _nearest(found: list[Relative], *, newest_first: bool) -> list[Relative]:
    return sorted(found, key=lambda relative: (relative.depth, _sign(newest_first) * relative.event.position))


def _page(found: list[Relative], after: tuple[int, int] | None, limit: int, *, newest_first: bool) -> list[Relative]:
    sign = _sign(newest_first)
    place = (after[0], sign * after[1]) if after else (-1, 0)
    return [relative for relative in found if (relative.depth, sign * relative.event.position) > place][:limit]


def _sign(newest_first: bool) -> int:
    return -1 if newest_first else 1
