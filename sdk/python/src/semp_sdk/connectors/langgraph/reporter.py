"""Spans of runs, recorded as events when they start and end."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast
from uuid import UUID

import msgspec
from langgraph.errors import GraphBubbleUp, GraphInterrupt, ParentCommand

from semp_sdk.connectors.langgraph.layout import Layout, Target, commanded, target_name
from semp_sdk.connectors.langgraph.runs import Attempt, Run, Runs, thread_of
from semp_sdk.connectors.langgraph.steps import Span, Steps
from semp_sdk.connectors.recording import Recording
from semp_sdk.connectors.texts import excerpt, scope_of

Failure = BaseException | str | None
"""Why a span failed; None when it completed."""


class Frame(msgspec.Struct, eq=False):
    """A callback run of LangChain: a whole run, a node, a call, a route of a node, or another runnable."""

    kind: Literal["run", "node", "call", "route", "plain"]
    name: str
    run: Run
    span: Span
    """Its own span, or the span it is part of."""
    graph_steps: Steps | None = None
    """The steps of the graph that this node, or the node around it, belongs to."""
    steps: Steps | None = None
    """The steps of this graph itself, when it is one."""


class Reporter:
    """Records open spans, found by the ids of callback runs. Take `lock` around each call."""

    def __init__(self, recording: Recording, trace_id: str | None, parents: tuple[str, ...]) -> None:
        self.recording = recording
        self.layouts: list[Layout] = []
        """Layouts of the watched graphs."""
        self.runs = Runs(trace_id, parents)
        self.frames: dict[UUID, Frame] = {}
        self.lock = threading.RLock()

    # Beginnings

    def begin_run(self, run_id: UUID, name: str, metadata: Mapping[str, Any], given: object) -> None:
        """A run of the whole graph."""
        key = thread_of(metadata) or str(run_id)
        graph = name if any(layout.name == name for layout in self.layouts) else None
        trace_id, parents, past = self.runs.begin(key, graph)
        scope = self.recording.scope
        span = Span(name, self.recording.agent_id, scope, scope, trace_id, parents)
        self._start(span, given)
        run = Run(span, key, graph, past)
        self.frames[run_id] = Frame("run", name, run, span, steps=run.steps[""])

    def begin_node(self, run_id: UUID, parent: Frame, name: str, metadata: Mapping[str, Any], given: object) -> None:
        """A node of a graph. A graph inside another begins with its first node."""
        namespace = str(metadata.get("langgraph_checkpoint_ns") or "")
        path: tuple[Any, ...] = tuple(metadata.get("langgraph_path") or ())
        step = int(metadata.get("langgraph_step") or 0)
        run, owner = parent.run, parent.span
        steps = parent.steps or run.open_steps(namespace.rpartition("|")[0], owner)
        if not steps.spans:
            parent.steps, steps.layout = steps, self._layout_of(parent, name)
        tried = run.attempts.get(namespace)
        parents = steps.causes(name, path, step, given, tried.event if tried is not None else None)
        span = Span(name, name, owner.inner_scope, scope_of(owner.inner_scope, name), owner.trace_id, parents)
        span.path, span.namespace, span.step = path, namespace, step
        self._start(span, given, step=step, **_attempt(tried))
        steps.started(span)
        self.frames[run_id] = Frame("node", name, run, span, graph_steps=steps)

    def _layout_of(self, graph: Frame, node: str) -> Layout | None:
        """The layout of the graph of which this node is the first to start, found by names; None when no name fits."""
        outer = graph.graph_steps.layout if graph.graph_steps is not None else None
        seen = outer.inner(graph.span.action) if outer is not None else None
        known = [seen] if seen is not None else []
        known += [layout for layout in reversed(self.layouts) if graph.kind == "run" or layout is not graph.run.steps[""].layout]
        having = [layout for layout in known if layout.has(node)]
        named = [layout for layout in having if layout.name == graph.name]
        return next(iter(named or (having if graph.kind == "run" else ())), None)

    def begin_call(self, run_id: UUID, parent: Frame, action: str, given: object, tool_call: str | None = None, **payload: Any) -> None:
        """A call of a tool, a model or a retriever.

        `tool_call`: the id of a tool call that a model asked for. It follows from the model's answer; a retry follows from the failed call.
        """
        owner = parent.span
        parents = owner.frontier if tool_call is None else [owner.asked.get(tool_call, owner.proposal)]
        span = Span(action, owner.agent_id, owner.inner_scope, scope_of(owner.inner_scope, action), owner.trace_id, parents)
        span.caller, span.tool_call = owner, tool_call
        self._start(span, given, **payload)
        self.frames[run_id] = Frame("call", action, parent.run, span)

    def begin_task(self, run_id: UUID, parent: Frame, name: str, namespace: str, given: object) -> None:
        """A task that a workflow of the functional API calls."""
        owner = parent.span
        tried = parent.run.attempts.get(namespace)
        parents = owner.frontier if tried is None else [tried.event]
        span = Span(name, name, owner.inner_scope, scope_of(owner.inner_scope, name), owner.trace_id, parents)
        span.caller, span.namespace = owner, namespace
        self._start(span, given, **_attempt(tried))
        self.frames[run_id] = Frame("call", name, parent.run, span, graph_steps=parent.graph_steps)

    def begin_part(self, run_id: UUID, parent: Frame, name: str, is_writer: bool) -> None:
        """Any other runnable. `is_writer`: it is one of those that write where a node leads."""
        kind = "route" if is_writer and parent.kind == "node" else "plain"
        self.frames[run_id] = Frame(kind, name, parent.run, parent.span, graph_steps=parent.graph_steps)

    def _start(self, span: Span, given: object, **payload: Any) -> None:
        if self.recording.content:
            payload["input"] = excerpt(given)
        proposal = self.recording.started(
            span.action, parents=span.parents, scope=span.scope, agent_id=span.agent_id, trace_id=span.trace_id, **payload
        )  # fmt: skip
        span.starts(proposal)

    # Ends

    def end(self, run_id: UUID, output: object, error: Failure = None, call_ids: Sequence[str] = (), **payload: Any) -> None:
        """The callback run with this id has ended. `call_ids`: ids of the tool calls that its answer asks for."""
        frame = self.frames.pop(run_id, None)
        if frame is None:
            return
        span, steps, graph_steps = frame.span, frame.steps, frame.graph_steps
        if steps is not None and steps.leaves:
            span.follow(steps.base, steps.leaves)
        if frame.kind == "run":
            event, status = self._finish(span, output, error, payload, "interrupted" if frame.run.interrupted else "completed")
            self.runs.end(frame.run, event, status == "completed")
        elif frame.kind == "node" and graph_steps is not None:
            self._end_node(frame.run, graph_steps, span, output, error)
        elif frame.kind == "route" and graph_steps is not None and graph_steps.layout is not None:
            span.targets += graph_steps.layout.routed(span.action, frame.name, output)
        elif frame.kind == "call" and span.caller is not None:
            event, status = self._finish(span, output, error, payload)
            span.caller.follow(span.parents, [event])
            span.caller.asked.update(dict.fromkeys(call_ids, event))
            if span.tool_call is not None and status != "completed":
                span.caller.asked[span.tool_call] = event
            frame.run.attempted(span.namespace, event, status)

    def _end_node(self, run: Run, graph_steps: Steps, span: Span, output: object, error: Failure) -> None:
        command: object = cast("object", error.args[0]) if isinstance(error, ParentCommand) else output
        targets: list[Target] = [*span.targets, *commanded(command)]
        leads = {"next": list(dict.fromkeys(map(target_name, targets)))} if targets else {}
        event, status = self._finish(span, output, error, {"step": span.step, **leads})
        graph_steps.ended(span, event, targets if status == "completed" else None)
        run.attempted(span.namespace, event, status)

    def _finish(self, span: Span, output: object, error: Failure, payload: Mapping[str, Any], status: str = "completed") -> tuple[str, str]:
        """Record how the span ended; returns the event's id and the status."""
        facts: dict[str, Any] = {"seconds": span.seconds, **payload}
        if isinstance(error, GraphInterrupt):
            status = "interrupted"
            if self.recording.content:
                facts["output"] = excerpt([one.value for one in error.args[0]])
        elif isinstance(error, GraphBubbleUp):
            status = "completed" if isinstance(error, ParentCommand) else "stopped"
        elif isinstance(error, str | Exception):
            status = "failed"
        elif error is not None:
            status = "cancelled"
        elif self.recording.content:
            facts["output"] = excerpt(output)
        where: dict[str, Any] = {"scope": span.scope, "agent_id": span.agent_id, "trace_id": span.trace_id}
        if isinstance(error, str | Exception) and status == "failed":
            return self.recording.failed(span.action, span.causes, error, **where, **facts), status
        return self.recording.ended(span.action, span.causes, status=status, **where, **facts), status


def _attempt(tried: Attempt | None) -> dict[str, int]:
    return {"attempt": tried.failures + 1} if tried is not None and tried.failures else {}


def task_of(metadata: Mapping[str, Any] | None) -> str:
    """The namespace of the functional API's task that this metadata belongs to; empty when it belongs to a node."""
    path = (metadata or {}).get("langgraph_path") or ()
    return str((metadata or {}).get("langgraph_checkpoint_ns") or "") if len(path) == 4 and path[3] is True else ""
