"""Runs: their traces, what is kept of them while they last, and the little that is kept afterwards."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec

from semp_sdk.connectors.langgraph.steps import Steps, Work
from semp_sdk.identifiers import new_id
from semp_sdk.tracing import current_trace

KEPT = 1_000
"""Threads, and runs without a thread, whose last event is remembered."""


class Try(msgspec.Struct, frozen=True):
    """A task that was begun and did not come to its end."""

    event: str
    """What it ended in."""
    failures: int


class Past(msgspec.Struct):
    """What is kept of a thread's last run, or of a run without a thread."""

    trace_id: str
    action: str
    """The graph's name."""
    last: str
    """The event it ended in."""
    steps: dict[str, Steps]
    """Where it has stopped, by namespace; empty when it was completed."""
    tries: dict[str, Try]
    """Of each task that did not come to its end, by namespace."""


class Run:
    """One call of a graph, with everything that it called in turn."""

    def __init__(self, work: Work, key: str, graph: str | None, past: Past | None) -> None:
        self.work = work
        self.key = key
        """Its thread, or its own id where it has none."""
        self._graph = graph
        self.past = past
        self.steps: dict[str, Steps] = {"": Steps(work)}
        """The executions of graphs in it, by namespace."""
        self.tries: dict[str, Try] = {}
        self.interrupted = False
        self._resumed = False

    @property
    def graph(self) -> str:
        """The watched graph that it is a run of, by its name; nothing where none is known."""
        layout = self.steps[""].layout
        return self._graph or (layout.name if layout is not None else "")

    def resume(self) -> None:
        """It goes on where the run before on its thread has stopped."""
        if not self._resumed and self.past is not None and self.past.steps:
            self._resumed = True
            self.tries = dict(self.past.tries)
            self.steps[""].resume(self.past.steps[""])

    def tried(self, namespace: str, event: str, status: str) -> None:
        """A task, by its namespace, has ended in this event; what did not come to its end may be tried again."""
        if status == "completed":
            self.tries.pop(namespace, None)
        elif namespace:
            before = self.tries.get(namespace)
            self.tries[namespace] = Try(event, (before.failures if before is not None else 0) + (status == "failed"))

    def open_steps(self, namespace: str, owner: Work) -> Steps:
        """A graph begins inside a piece of work."""
        found = Steps(owner)
        if self._resumed and self.past is not None and namespace in self.past.steps:
            found.resume(self.past.steps[namespace])
        self.steps[namespace] = found
        return found


class Runs:
    """Which trace a run belongs to and what it follows from; at most `KEPT` threads are remembered, the oldest are forgotten first."""

    def __init__(self, trace_id: str | None, parents: tuple[str, ...]) -> None:
        self._trace_id = trace_id
        self._parents = parents
        self._past: OrderedDict[str, dict[str, Past]] = OrderedDict()
        """By thread and graph, the newest last."""

    def begin(self, key: str, graph: str | None) -> tuple[str, tuple[str, ...], Past | None]:
        """Trace, causes and past of a run that starts in the running code.

        The trace is the one given, else that of the running code, else that of the run before on the same thread, else a new one. The run
        follows from what was given or what the running code follows from, and from the run before on the same thread: of the same graph,
        or of any where `graph` is None, since it is not known.
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
        """A run has ended in this event."""
        steps, tries = ({}, {}) if completed else (run.steps, run.tries)
        pasts = self._past.setdefault(run.key, {})
        pasts.pop(run.graph, None)
        pasts[run.graph] = Past(run.work.trace_id, run.work.action, last, steps, tries)
        self._past.move_to_end(run.key)
        if len(self._past) > KEPT:
            self._past.popitem(last=False)

    def last(self, key: str | None) -> Past | None:
        """What is known of the run or thread, None for the one that ended last."""
        pasts = next(reversed(self._past.values()), None) if key is None else self._past.get(key)
        return next(reversed(pasts.values())) if pasts else None


def thread_of(metadata: Mapping[str, Any] | None) -> str | None:
    """The thread of a run."""
    found = (metadata or {}).get("thread_id")
    return None if found is None else str(found)
