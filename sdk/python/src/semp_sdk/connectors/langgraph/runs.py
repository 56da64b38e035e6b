"""Runs of graphs: their traces, their state while they are open, and what is remembered when they have ended."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec

from semp_sdk.connectors.langgraph.steps import Span, Steps
from semp_sdk.identifiers import new_id
from semp_sdk.tracing import current_trace

KEPT = 1_000
"""Threads, and runs without a thread, whose last event is remembered; beyond it the oldest is forgotten."""


class Attempt(msgspec.Struct, frozen=True):
    """An attempt at a task that did not complete."""

    event: str
    """The event it ended with."""
    failures: int


class PastRun(msgspec.Struct):
    """What is remembered of a thread's last run, or of a run without a thread."""

    trace_id: str
    action: str
    """The graph's name."""
    last: str
    """The event it ended with."""
    steps: dict[str, Steps]
    """Where it stopped, by namespace; empty when it completed."""
    attempts: dict[str, Attempt]
    """The last attempt of each task that did not complete, by namespace."""


class Run:
    """One call of a graph, and everything it calls."""

    def __init__(self, span: Span, key: str, graph: str | None, past: PastRun | None) -> None:
        self.span = span
        self.key = key
        """Its thread, or its own id when it has none."""
        self._graph = graph
        self.past = past
        self.steps: dict[str, Steps] = {"": Steps(span)}
        """The executions of graphs in this run, by namespace."""
        self.attempts: dict[str, Attempt] = {}
        self.interrupted = False
        self._resumed = False

    @property
    def graph(self) -> str:
        """Name of the watched graph that this is a run of; empty when it is not known."""
        layout = self.steps[""].layout
        return self._graph or (layout.name if layout is not None else "")

    def resume(self) -> None:
        """Continue where the run before on this thread stopped."""
        if not self._resumed and self.past is not None and self.past.steps:
            self._resumed = True
            self.attempts = dict(self.past.attempts)
            self.steps[""].resume(self.past.steps[""])

    def attempted(self, namespace: str, event: str, status: str) -> None:
        """A task, by its namespace, has ended with this event. Unless it completed, it may be tried again."""
        if status == "completed":
            self.attempts.pop(namespace, None)
        elif namespace:
            before = self.attempts.get(namespace)
            self.attempts[namespace] = Attempt(event, (before.failures if before is not None else 0) + (status == "failed"))

    def open_steps(self, namespace: str, owner: Span) -> Steps:
        """A graph starts inside a span."""
        found = Steps(owner)
        if self._resumed and self.past is not None and namespace in self.past.steps:
            found.resume(self.past.steps[namespace])
        self.steps[namespace] = found
        return found


class Runs:
    """Decides which trace a run belongs to and what it follows from. Remembers `KEPT` threads at most, and forgets the oldest first."""

    def __init__(self, trace_id: str | None, parents: tuple[str, ...]) -> None:
        self._trace_id = trace_id
        self._parents = parents
        self._past: OrderedDict[str, dict[str, PastRun]] = OrderedDict()
        """Runs by thread and graph name, newest last."""

    def begin(self, key: str, graph: str | None) -> tuple[str, tuple[str, ...], PastRun | None]:
        """Trace, parents and predecessor of a run that the running code starts.

        The trace is the configured one, else that of the running code, else that of the run before on the same thread, else a new one. The
        run follows from the configured parents or those of the running code, and from the run before on the same thread: the last run of
        the same graph, or of any graph when `graph` is None.
        """
        past = self.last(key) if graph is None else self._past.get(key, {}).get(graph)
        here = current_trace()
        if self._trace_id is not None:
            trace_id, parents = self._trace_id, self._parents
            if not parents and here is not None and here.id == trace_id:
                parents = here.parents
        elif here is not None:
            trace_id, parents = here.id, here.parents
        else:
            trace_id, parents = (past.trace_id if past is not None else new_id()), ()
        return trace_id, tuple(dict.fromkeys([*parents, *([past.last] if past is not None else ())])), past

    def end(self, run: Run, last: str, completed: bool) -> None:
        """A run has ended with this event."""
        steps, attempts = ({}, {}) if completed else (run.steps, run.attempts)
        pasts = self._past.setdefault(run.key, {})
        pasts.pop(run.graph, None)
        pasts[run.graph] = PastRun(run.span.trace_id, run.span.action, last, steps, attempts)
        self._past.move_to_end(run.key)
        if len(self._past) > KEPT:
            self._past.popitem(last=False)

    def last(self, key: str | None) -> PastRun | None:
        """What is remembered of this run or thread; of the run that ended last when `key` is None."""
        pasts = next(reversed(self._past.values()), None) if key is None else self._past.get(key)
        return next(reversed(pasts.values())) if pasts else None


def thread_of(metadata: Mapping[str, Any] | None) -> str | None:
    """The thread of a run."""
    found = (metadata or {}).get("thread_id")
    return None if found is None else str(found)
