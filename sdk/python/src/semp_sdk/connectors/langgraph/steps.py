"""What follows from what in a run: pieces of work, and the steps of a graph."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from langgraph.types import Send

from semp_sdk.connectors.langgraph.layout import Layout, Way

ERROR_HANDLER = "node_error_handler"
PUSH = "__pregel_push"
End = tuple[int, str]
"""The step in which a node has ended, and the event."""


class Work:
    """A piece of work that is under way: a run, a node, a call of a tool or a model."""

    def __init__(self, action: str, agent_id: str, scope: str, inside: str, trace_id: str, parents: Sequence[str]) -> None:
        self.action = action
        self.agent_id = agent_id
        self.scope = scope
        self.inside = inside
        """The scope of what happens in it."""
        self.trace_id = trace_id
        self.parents = tuple(parents)
        self.began = time.perf_counter()
        self.proposal = ""
        self.tips: list[str] = []
        """What the next step in it follows from."""
        self.ways: list[Way] = []
        """Where its routes have led so far."""
        self.caller: Work | None = None
        """Whose steps it is one of, but for the nodes of a graph."""
        self.asked: dict[str, str] = {}
        """What each tool call in it follows from, by the call's id: the answer of a model that asked for it, or its failed try."""
        self.tool_call: str | None = None
        """The id of the tool call that it is."""
        self.path: tuple[Any, ...] = ()
        self.namespace = ""
        self.step = 0

    def starts(self, proposal: str) -> None:
        """Its proposal was told."""
        self.proposal = proposal
        self.tips = [proposal]

    def follow(self, before: Iterable[str], after: Iterable[str]) -> None:
        """Something in it that followed from the events `before` has led to those `after`."""
        gone = set(before)
        self.tips = list(dict.fromkeys([*(tip for tip in self.tips if tip not in gone), *after]))

    @property
    def causes(self) -> list[str]:
        """What its end follows from: its proposal, and what happened in it last."""
        return list(dict.fromkeys([self.proposal, *self.tips]))

    @property
    def seconds(self) -> float:
        """Since it began."""
        return round(time.perf_counter() - self.began, 6)


class Steps:
    """One execution of a graph inside a piece of work: which events each node follows from.

    A node follows from every node that led to it since it ran last: by an edge, a route, a command, a join or an input of its own. Where
    the layout is not known, it follows from all that ended in the step before. A cached node is not run: what it leads to follows from
    what led to it, where nothing else led there. Never from a node of its own step, which runs beside it.
    """

    def __init__(self, owner: Work) -> None:
        self.owner = owner
        self.layout: Layout | None = None
        self.base = tuple(owner.tips)
        """What the first nodes follow from."""
        self.leaves: dict[str, None] = {}
        """Events that have led to nothing yet."""
        self.last: dict[str, str] = {}
        """How each node ended last."""
        self.works: dict[tuple[Any, ...], Work] = {}
        """The last work of each task."""
        self._direct: dict[str, list[End]] = defaultdict(list)
        self._joins: dict[tuple[tuple[str, ...], str], dict[str, list[End]]] = defaultdict(lambda: defaultdict(list))
        self._sends: list[tuple[str, Any, End]] = []
        self._recent: dict[int, list[str]] = defaultdict(list)
        self._resumed_at: int | None = None
        self._resumed = False

    def resume(self, other: Steps) -> None:
        """Go on where another execution of the same graph has stopped."""
        self._direct, self._joins, self._sends, self.last = other._direct, other._joins, other._sends, other.last
        self._resumed = True

    def causes(self, node: str, path: tuple[Any, ...], step: int, given: object, tried: str | None) -> list[str]:
        """What a node that starts now follows from. `given`: its input. `tried`: how its last try ended, if it was tried before."""
        if ERROR_HANDLER in path and (failed := self.works.get(path[:-2])):
            return list(failed.tips)
        if tried is not None:
            found = [tried]
        elif path[:1] == (PUSH,):
            found = self._sent(node, given, step)
        else:
            found = [*_taken(self._direct[node], step), *self._joined(node, step)] or self._skipped(node, step, {node})
        if not found:
            earlier = [number for number in self._recent if number < step]
            found = self._recent[max(earlier)] if earlier else []
        if self._resumed and self._resumed_at in (None, step):
            self._resumed_at = step
            found = [*found, *self.base]
        return list(dict.fromkeys(found or self.base))

    def started(self, work: Work) -> None:
        """A node has started."""
        self.works[work.path[:3]] = work
        for parent in work.parents:
            self.leaves.pop(parent, None)

    def ended(self, work: Work, event: str, ways: Sequence[Way] | None) -> None:
        """A node has ended in this event. `ways`: where it leads besides its edges; None where it has failed and leads nowhere."""
        node = work.action
        for cause in work.causes:
            self.leaves.pop(cause, None)
        work.tips = [event]
        self.leaves[event] = None
        if ways is None:
            return
        self.last[node] = event
        self._recent[work.step].append(event)
        for old in [number for number in self._recent if number < work.step - 1]:
            del self._recent[old]
        end = (work.step, event)
        for way in ways:
            if isinstance(way, Send):
                self._sends.append((way.node, way.arg, end))
            else:
                self._direct[way].append(end)
        if self.layout is not None:
            for target in self.layout.edges.get(node, ()):
                self._direct[target].append(end)
            for join in self.layout.joins.get(node, ()):
                self._joins[join][node].append(end)

    def _joined(self, node: str, step: int) -> list[str]:
        found: list[str] = []
        for starts in self.layout.waits.get(node, ()) if self.layout is not None else ():
            ended = self._joins[starts, node]
            if all(any(number < step for number, _ in ended[start]) for start in starts):
                found += [_taken(ended[start], step)[-1] for start in dict.fromkeys(starts)]
        return found

    def _skipped(self, node: str, step: int, seen: set[str]) -> list[str]:
        """What led to a node that nothing seems to have led to: a node before it was cached, is not told, and stands for what led to it."""
        found: list[str] = []
        for start in self.layout.before(node) if self.layout is not None else ():
            if start in seen:
                continue
            seen.add(start)
            ended = [event for (_, end), ends in self._joins.items() if end == node for event in _newest(ends[start], step)]
            found += ended or _newest(self._direct[start], step - 1) or self._skipped(start, step - 1, seen)
        return found

    def _sent(self, node: str, given: object, step: int) -> list[str]:
        """Who sent a node its input: whoever sent this very object, or whoever sent something, when it was stored and loaded since."""
        for number, (target, sent, (_, event)) in enumerate(self._sends):
            if target == node and sent is given:
                del self._sends[number]
                return [event]
        return [event for target, _, (sent_in, event) in self._sends if target == node and sent_in < step]


def _taken(ends: list[End], step: int) -> list[str]:
    """The events of the steps before this one, which are taken out."""
    found = [event for number, event in ends if number < step]
    ends[:] = [end for end in ends if end[0] >= step]
    return found


def _newest(ends: Sequence[End], step: int) -> list[str]:
    """The events of the last of the steps before this one; left in, since a cached node may lead to several."""
    last = max((number for number, _ in ends if number < step), default=None)
    return [event for number, event in ends if number == last]
