"""What follows from what in a run: spans, and the steps of a graph."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from langgraph.types import Send

from semp_sdk.connectors.langgraph.layout import Layout, Target

ERROR_HANDLER = "node_error_handler"
PUSH = "__pregel_push"
End = tuple[int, str]
"""The step in which a node ended, and the event it ended with."""


class Span:
    """An open span: a run, a node, a call of a tool, a model or a retriever."""

    def __init__(self, action: str, agent_id: str, scope: str, inner_scope: str, trace_id: str, parents: Sequence[str]) -> None:
        self.action = action
        self.agent_id = agent_id
        self.scope = scope
        self.inner_scope = inner_scope
        """Scope of the events inside it."""
        self.trace_id = trace_id
        self.parents = tuple(parents)
        self.began = time.perf_counter()
        self.proposal = ""
        self.frontier: list[str] = []
        """Parents of the next step inside it."""
        self.targets: list[Target] = []
        """Targets that its routes have chosen so far."""
        self.caller: Span | None = None
        """The span that made this call; None for runs and for nodes of a graph."""
        self.asked: dict[str, str] = {}
        """Parent of each tool call inside it, by the call's id: the model's answer that asked for it, or the failed call before a retry."""
        self.tool_call: str | None = None
        """The id of the tool call, when the span is one."""
        self.path: tuple[Any, ...] = ()
        self.namespace = ""
        self.step = 0

    def starts(self, proposal: str) -> None:
        """Its proposal was recorded."""
        self.proposal = proposal
        self.frontier = [proposal]

    def follow(self, before: Iterable[str], after: Iterable[str]) -> None:
        """A step inside it followed from the events `before` and ended with the events `after`, which take their place."""
        gone = set(before)
        self.frontier = list(dict.fromkeys([*(tip for tip in self.frontier if tip not in gone), *after]))

    @property
    def causes(self) -> list[str]:
        """Parents of its end: its proposal, and the last events inside it."""
        return list(dict.fromkeys([self.proposal, *self.frontier]))

    @property
    def seconds(self) -> float:
        """Seconds since it started."""
        return round(time.perf_counter() - self.began, 6)


class Steps:
    """One execution of a graph inside a span: which events each node follows from.

    A node follows from every node that led to it since it last ran: by an edge, a route, a command, a join or a `Send`. When the layout is
    not known, it follows from all nodes that ended in the step before. A cached node does not run and leaves no event: when only cached
    nodes led to a node, it follows from what led to those. A node never follows from another node of the same step; they run in parallel.
    """

    def __init__(self, owner: Span) -> None:
        self.owner = owner
        self.layout: Layout | None = None
        self.base = tuple(owner.frontier)
        """Parents of the first nodes."""
        self.leaves: dict[str, None] = {}
        """Events that no other event follows from yet."""
        self.last: dict[str, str] = {}
        """The event that each node's newest run ended with."""
        self.spans: dict[tuple[Any, ...], Span] = {}
        """The newest span of each task."""
        self._direct: dict[str, list[End]] = defaultdict(list)
        self._joins: dict[tuple[tuple[str, ...], str], dict[str, list[End]]] = defaultdict(lambda: defaultdict(list))
        self._sends: list[tuple[str, Any, End]] = []
        self._recent: dict[int, list[str]] = defaultdict(list)
        self._resumed_at: int | None = None
        self._resumed = False

    def resume(self, other: Steps) -> None:
        """Continue where another execution of the same graph stopped."""
        self._direct, self._joins, self._sends, self.last = other._direct, other._joins, other._sends, other.last
        self._resumed = True

    def causes(self, node: str, path: tuple[Any, ...], step: int, given: object, failed_attempt: str | None) -> list[str]:
        """Parents of a node that starts now. `given`: its input. `failed_attempt`: the event that the attempt before ended with."""
        if ERROR_HANDLER in path and (failed := self.spans.get(path[:-2])):
            return list(failed.frontier)
        if failed_attempt is not None:
            found = [failed_attempt]
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

    def started(self, span: Span) -> None:
        """A node has started."""
        self.spans[span.path[:3]] = span
        for parent in span.parents:
            self.leaves.pop(parent, None)

    def ended(self, span: Span, event: str, targets: Sequence[Target] | None) -> None:
        """A node has ended with this event. `targets`: where it leads besides its edges; None when it failed and leads nowhere."""
        node = span.action
        for cause in span.causes:
            self.leaves.pop(cause, None)
        span.frontier = [event]
        self.leaves[event] = None
        if targets is None:
            return
        self.last[node] = event
        self._recent[span.step].append(event)
        for old in [number for number in self._recent if number < span.step - 1]:
            del self._recent[old]
        end = (span.step, event)
        for target in targets:
            if isinstance(target, Send):
                self._sends.append((target.node, target.arg, end))
            else:
                self._direct[target].append(end)
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
        """Parents of a node that no recorded node led to: the nodes before it were cached, so what led to those counts."""
        found: list[str] = []
        for start in self.layout.before(node) if self.layout is not None else ():
            if start in seen:
                continue
            seen.add(start)
            ended = [event for (_, end), ends in self._joins.items() if end == node for event in _newest(ends[start], step)]
            found += ended or _newest(self._direct[start], step - 1) or self._skipped(start, step - 1, seen)
        return found

    def _sent(self, node: str, given: object, step: int) -> list[str]:
        """The event whose node sent this input by `Send`: found by the object itself, or, once state was stored and loaded, all senders."""
        for number, (target, sent, (_, event)) in enumerate(self._sends):
            if target == node and sent is given:
                del self._sends[number]
                return [event]
        return [event for target, _, (sent_in, event) in self._sends if target == node and sent_in < step]


def _taken(ends: list[End], step: int) -> list[str]:
    """Remove and return the events of earlier steps."""
    found = [event for number, event in ends if number < step]
    ends[:] = [end for end in ends if end[0] >= step]
    return found


def _newest(ends: Sequence[End], step: int) -> list[str]:
    """The events of the newest earlier step. They stay in, because a cached node may lead to several nodes."""
    last = max((number for number, _ in ends if number < step), default=None)
    return [event for number, event in ends if number == last]
