"""Pieces of work, told as they begin and end."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast
from uuid import UUID

import msgspec
from langgraph.errors import GraphBubbleUp, GraphInterrupt, ParentCommand

from semp_sdk.connectors.langgraph.layout import Layout, Way, commanded, name_of_way
from semp_sdk.connectors.langgraph.runs import Run, Runs, Try, thread_of
from semp_sdk.connectors.langgraph.steps import Steps, Work
from semp_sdk.connectors.recording import Recording
from semp_sdk.connectors.texts import excerpt, scope_of

Failure = BaseException | str | None
"""Why something did not come to its end, None when it did."""


class Frame(msgspec.Struct, eq=False):
    """What a callback run is: a whole run, a node, a call, a route that decides where its node leads, or another runnable."""

    kind: Literal["run", "node", "call", "route", "plain"]
    name: str
    run: Run
    work: Work
    """The piece of work that it is, or that it is part of."""
    among: Steps | None = None
    """The steps of the graph whose node this is, or is part of."""
    steps: Steps | None = None
    """The steps of the graph that this is."""


class Reporter:
    """What is under way, by the ids of callback runs. Safe to use from any thread."""

    def __init__(self, recording: Recording, trace_id: str | None, parents: tuple[str, ...]) -> None:
        self.recording = recording
        self.layouts: list[Layout] = []
        """Of the graphs that are watched."""
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
        work = Work(name, self.recording.agent_id, scope, scope, trace_id, parents)
        self._start(work, given)
        run = Run(work, key, graph, past)
        self.frames[run_id] = Frame("run", name, run, work, steps=run.steps[""])

    def begin_node(self, run_id: UUID, parent: Frame, name: str, metadata: Mapping[str, Any], given: object) -> None:
        """A node of a graph. A graph inside another begins with its first node."""
        namespace = str(metadata.get("langgraph_checkpoint_ns") or "")
        path: tuple[Any, ...] = tuple(metadata.get("langgraph_path") or ())
        step = int(metadata.get("langgraph_step") or 0)
        run, owner = parent.run, parent.work
        steps = parent.steps or run.open_steps(namespace.rpartition("|")[0], owner)
        if not steps.works:
            parent.steps, steps.layout = steps, self._layout_of(parent, name)
        tried = run.tries.get(namespace)
        parents = steps.causes(name, path, step, given, tried.event if tried is not None else None)
        work = Work(name, name, owner.inside, scope_of(owner.inside, name), owner.trace_id, parents)
        work.path, work.namespace, work.step = path, namespace, step
        self._start(work, given, step=step, **_attempt(tried))
        steps.started(work)
        self.frames[run_id] = Frame("node", name, run, work, among=steps)

    def _layout_of(self, graph: Frame, node: str) -> Layout | None:
        """The layout of the graph of which this node is the first to start, as far as it can be told from names."""
        outer = graph.among.layout if graph.among is not None else None
        seen = outer.inner(graph.work.action) if outer is not None else None
        known = [seen] if seen is not None else []
        known += [layout for layout in reversed(self.layouts) if graph.kind == "run" or layout is not graph.run.steps[""].layout]
        having = [layout for layout in known if layout.has(node)]
        named = [layout for layout in having if layout.name == graph.name]
        return next(iter(named or (having if graph.kind == "run" else ())), None)

    def begin_call(self, run_id: UUID, parent: Frame, action: str, given: object, tool_call: str | None = None, **payload: Any) -> None:
        """A call of a tool, a model or a retriever. `tool_call`: the id of what a model has asked for, which follows from its answer;
        a try after a failed one follows from that."""
        owner = parent.work
        parents = owner.tips if tool_call is None else [owner.asked.get(tool_call, owner.proposal)]
        work = Work(action, owner.agent_id, owner.inside, scope_of(owner.inside, action), owner.trace_id, parents)
        work.caller, work.tool_call = owner, tool_call
        self._start(work, given, **payload)
        self.frames[run_id] = Frame("call", action, parent.run, work)

    def begin_task(self, run_id: UUID, parent: Frame, name: str, namespace: str, given: object) -> None:
        """A task that a workflow of the functional API calls."""
        owner = parent.work
        tried = parent.run.tries.get(namespace)
        parents = owner.tips if tried is None else [tried.event]
        work = Work(name, name, owner.inside, scope_of(owner.inside, name), owner.trace_id, parents)
        work.caller, work.namespace = owner, namespace
        self._start(work, given, **_attempt(tried))
        self.frames[run_id] = Frame("call", name, parent.run, work, among=parent.among)

    def begin_part(self, run_id: UUID, parent: Frame, name: str, is_writer: bool) -> None:
        """Another runnable. `is_writer`: it is one of those that write what a node leads to."""
        kind = "route" if is_writer and parent.kind == "node" else "plain"
        self.frames[run_id] = Frame(kind, name, parent.run, parent.work, among=parent.among)

    def _start(self, work: Work, given: object, **payload: Any) -> None:
        if self.recording.content:
            payload["input"] = excerpt(given)
        told = self.recording.started(
            work.action, parents=work.parents, scope=work.scope, agent_id=work.agent_id, trace_id=work.trace_id, **payload
        )  # fmt: skip
        work.starts(told)

    # Ends

    def end(self, run_id: UUID, output: object, error: Failure = None, asks: Sequence[str] = (), **payload: Any) -> None:
        """What began under this id has ended. `asks`: ids of the tool calls that it asks for."""
        frame = self.frames.pop(run_id, None)
        if frame is None:
            return
        work, steps, among = frame.work, frame.steps, frame.among
        if steps is not None and steps.leaves:
            work.follow(steps.base, steps.leaves)
        if frame.kind == "run":
            event, status = self._finish(work, output, error, payload, "interrupted" if frame.run.interrupted else "completed")
            self.runs.end(frame.run, event, status == "completed")
        elif frame.kind == "node" and among is not None:
            self._end_node(frame.run, among, work, output, error)
        elif frame.kind == "route" and among is not None and among.layout is not None:
            work.ways += among.layout.routed(work.action, frame.name, output)
        elif frame.kind == "call" and work.caller is not None:
            event, status = self._finish(work, output, error, payload)
            work.caller.follow(work.parents, [event])
            work.caller.asked.update(dict.fromkeys(asks, event))
            if work.tool_call is not None and status != "completed":
                work.caller.asked[work.tool_call] = event
            frame.run.tried(work.namespace, event, status)

    def _end_node(self, run: Run, among: Steps, work: Work, output: object, error: Failure) -> None:
        command: object = cast("object", error.args[0]) if isinstance(error, ParentCommand) else output
        ways: list[Way] = [*work.ways, *commanded(command)]
        leads = {"next": list(dict.fromkeys(map(name_of_way, ways)))} if ways else {}
        event, status = self._finish(work, output, error, {"step": work.step, **leads})
        among.ended(work, event, ways if status == "completed" else None)
        run.tried(work.namespace, event, status)

    def _finish(self, work: Work, output: object, error: Failure, payload: Mapping[str, Any], status: str = "completed") -> tuple[str, str]:
        """Tell how it ended; the event, and the status."""
        told: dict[str, Any] = {"seconds": work.seconds, **payload}
        if isinstance(error, GraphInterrupt):
            status = "interrupted"
            if self.recording.content:
                told["output"] = excerpt([one.value for one in error.args[0]])
        elif isinstance(error, GraphBubbleUp):
            status = "completed" if isinstance(error, ParentCommand) else "stopped"
        elif isinstance(error, str | Exception):
            status = "failed"
        elif error is not None:
            status = "cancelled"
        elif self.recording.content:
            told["output"] = excerpt(output)
        where: dict[str, Any] = {"scope": work.scope, "agent_id": work.agent_id, "trace_id": work.trace_id}
        if isinstance(error, str | Exception) and status == "failed":
            return self.recording.failed(work.action, work.causes, error, **where, **told), status
        return self.recording.ended(work.action, work.causes, status=status, **where, **told), status


def _attempt(tried: Try | None) -> dict[str, int]:
    return {"attempt": tried.failures + 1} if tried is not None and tried.failures else {}


def task_of(metadata: Mapping[str, Any] | None) -> str:
    """The namespace of the task of the functional API that this metadata is of, nothing when it is of a node."""
    path = (metadata or {}).get("langgraph_path") or ()
    return str((metadata or {}).get("langgraph_checkpoint_ns") or "") if len(path) == 4 and path[3] is True else ""
