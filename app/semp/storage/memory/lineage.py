"""Lineage in memory, on networkx."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

import networkx as nx

from semp.domain.errors import QueryTooLarge
from semp.domain.event_types import ENDING
from semp.domain.events import Event
from semp.domain.scopes import Glob
from semp.engine.records import Counted, Direction, Entry, LineageFilter, Relative


class MemoryLineage:
    """Implements `semp.engine.ports.LineageReader`."""

    def __init__(self) -> None:
        self.causality: nx.DiGraph[str] = nx.DiGraph()
        """Graph of event ids. Edges lead from an event to each of its causes, like PARENT in Neo4j."""
        self.log: list[Entry] = []

    def entry(self, event_id: str) -> Entry:
        return self.causality.nodes[event_id]["entry"]

    async def count(self, event_id: str, direction: Direction, selection: LineageFilter) -> Counted | None:
        if event_id not in self.causality:
            return None
        backwards, ends = direction in ("ancestors", "roots"), direction in ("roots", "impact")
        reached = self.reach(event_id, backwards, selection.depth)
        within_budget = _within_budget(reached, selection, ends=ends)
        count = sum(relative.event.id in within_budget for relative in self._selected(event_id, direction, selection))
        return Counted(count, len(reached) - (not ends) <= selection.budget)

    async def relatives(self, event_id: str, direction: Direction, selection: LineageFilter) -> list[Relative]:
        if event_id not in self.causality:
            return []
        backwards, ends = direction in ("ancestors", "roots"), direction in ("roots", "impact")
        within_budget = _within_budget(self.reach(event_id, backwards, selection.depth), selection, ends=ends)
        found = [relative for relative in self._selected(event_id, direction, selection) if relative.event.id in within_budget]
        return page_nearest_first(found, selection, newest_first=backwards)

    def _selected(self, event_id: str, direction: Direction, selection: LineageFilter) -> list[Relative]:
        """The events of one direction that match the filter. Its `after`, `limit` and `budget` are not applied."""
        backwards = direction in ("ancestors", "roots")
        ends = direction in ("roots", "impact")
        until = selection.until if selection.until is not None and not backwards else len(self.log)
        selected = selector(selection.types, selection.scope)
        relatives: list[Relative] = []
        for relative, depth in self.reach(event_id, backwards, selection.depth).items():
            event = self.entry(relative).event
            if event.position > until or not selected(event) or (depth == 0 and not ends):
                continue
            if ends and (event.parent_ids if backwards else self._has_effect(relative, until)):
                continue
            relatives.append(Relative(event, depth))
        return relatives

    def _has_effect(self, event_id: str, until: int) -> bool:
        return any(self.entry(effect).event.position <= until for effect in self.causality.predecessors(event_id))

    def reach(self, event_id: str, backwards: bool, depth: int | None = None) -> dict[str, int]:
        """The shortest distance, in PARENT hops, of each event that is reachable; the event itself at 0. Empty when it does not exist.

        Args:
            backwards: towards causes; else towards effects.
            depth: hops at most, None for no bound.
        """
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
        return page_nearest_first(self._open(event_id, selection), selection, newest_first=False)

    def _open(self, event_id: str, selection: LineageFilter) -> list[Relative]:
        until = len(self.log) if selection.until is None else selection.until
        selected = selector(None, selection.scope)
        entries = [(self.entry(relative), depth) for relative, depth in self.reach(event_id, False).items()]
        reached = [(entry, depth) for entry, depth in entries if depth and entry.event.position <= until]
        ended = {proposal.position for entry, _ in reached if entry.event.type in ENDING for proposal in entry.nearest}
        return [
            Relative(entry.event, depth)
            for entry, depth in reached
            if entry.event.type == "proposal" and entry.event.position not in ended and selected(entry.event)
        ]

    def _on_paths(self, cause: str, effect: str, selection: LineageFilter) -> tuple[list[Relative], bool]:
        """The events on the paths, nearest to the cause first, and whether the budget was enough for all of them."""
        if cause not in self.causality or effect not in self.causality:
            return [], True
        first, last = self.entry(cause).event.position, self.entry(effect).event.position
        effects = [
            (event, depth) for event, depth in self.reach(cause, False, selection.depth).items() if self.entry(event).event.position <= last
        ]
        causes = [event for event in self.reach(effect, True) if self.entry(event).event.position >= first]
        causes_within_budget = set(causes[: selection.budget])
        on_paths = [
            Relative(self.entry(event).event, depth) for event, depth in effects[: selection.budget] if event in causes_within_budget
        ]
        selected = selector(selection.types, selection.scope)
        complete = max(len(effects), len(causes)) <= selection.budget
        return _nearest_first([relative for relative in on_paths if selected(relative.event)], newest_first=False), complete

    async def count_between(self, cause: str, effect: str, selection: LineageFilter) -> Counted:
        on_paths, complete = self._on_paths(cause, effect, selection)
        return Counted(len(on_paths), complete)

    async def between(self, cause: str, effect: str, selection: LineageFilter) -> list[Relative]:
        return _page(self._on_paths(cause, effect, selection)[0], selection.after, selection.limit, newest_first=False)

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
        latest = [event for event in common if common.isdisjoint(self.causality.predecessors(event))]
        relatives = [Relative(self.entry(event).event, max(causes[event] for causes in reached)) for event in latest]
        selected = selector(selection.types, selection.scope)
        within_depth = [relative for relative in relatives if selection.depth is None or relative.depth <= selection.depth]
        return _nearest_first([relative for relative in within_depth if selected(relative.event)], newest_first=True)


def _within_budget(reached: dict[str, int], selection: LineageFilter, *, ends: bool) -> set[str]:
    """The events that the budget allows, of those reached, which come nearest first. `ends`: the event itself counts too."""
    return set(islice((relative for relative, depth in reached.items() if depth or ends), selection.budget))


def selector(types: Sequence[str] | None, scope: Glob | None) -> Callable[[Event], bool]:
    """A function that tells whether an event has one of the types and matches the scope. None, or no types, matches every event."""
    return lambda event: (not types or event.type in types) and (scope is None or scope.matches(event.scope))


def page_nearest_first(relatives: list[Relative], selection: LineageFilter, *, newest_first: bool) -> list[Relative]:
    """The page of `relatives` that the filter's `after` and `limit` select: nearest first, at the same depth by position."""
    return _page(_nearest_first(relatives, newest_first=newest_first), selection.after, selection.limit, newest_first=newest_first)


def _nearest_first(relatives: list[Relative], *, newest_first: bool) -> list[Relative]:
    return sorted(relatives, key=lambda relative: (relative.depth, _sign(newest_first) * relative.event.position))


def _page(relatives: list[Relative], after: tuple[int, int] | None, limit: int, *, newest_first: bool) -> list[Relative]:
    sign = _sign(newest_first)
    previous = (after[0], sign * after[1]) if after else (-1, 0)
    return [relative for relative in relatives if (relative.depth, sign * relative.event.position) > previous][:limit]


def _sign(newest_first: bool) -> int:
    return -1 if newest_first else 1
