"""The callback handler that records what graphs do, and the graph that carries it."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from langchain_core.messages import BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langgraph.callbacks import GraphCallbackHandler, GraphInterruptEvent, GraphResumeEvent
from langgraph.constants import START

from semp_sdk.connectors.langgraph.layout import AnyGraph, Layout
from semp_sdk.connectors.langgraph.reporter import Reporter, task_of
from semp_sdk.connectors.recording import OnFailure, Recording
from semp_sdk.connectors.texts import excerpt
from semp_sdk.tracing import Trace

log = logging.getLogger("semp_sdk")

P = ParamSpec("P")
H = TypeVar("H", bound="GraphRecorder")
G = TypeVar("G", bound=AnyGraph)
NODE = "graph:step:"
FIRST_PART = "seq:step:1"
PART = "seq:step:"


def guarded(hook: Callable[Concatenate[H, P], None]) -> Callable[Concatenate[H, P], None]:
    """A hook that one thread at a time may run. An exception of the hook itself is logged and not raised."""

    @functools.wraps(hook)
    def safe(self: H, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with self.reporter.lock:
                hook(self, *args, **kwargs)
        except Exception:
            log.warning("a step of a graph's run could not be recorded", exc_info=True)

    return safe


class GraphRecorder(GraphCallbackHandler):
    """Records runs of graphs as events: `graph.invoke(..., {"callbacks": [recorder]})`, or `recorder.watch(graph)` once.

    Any number of runs may be active at once, in any threads and event loops. When a run ends, its state is dropped. Two things are kept
    for the newest 1,000 threads: the last event, because the next run on that thread follows from it, and where an interrupted run
    stopped.
    """

    run_inline = True

    def __init__(
        self,
        url: str = "http://localhost:5000",
        *,
        scope: str = "langgraph",
        agent_id: str = "langgraph",
        graph: AnyGraph | None = None,
        trace_id: str | None = None,
        parents: Sequence[str] | None = None,
        content: bool = False,
        penalty: float = 0.5,
        on_failure: OnFailure = "penalty",
        capacity: int = 10_000,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Nothing is connected before the first run.

        Args:
            scope: scope of the nodes' events. Events inside a node get the scope `scope.node`.
            agent_id: agent of the runs themselves. Each node is an agent with the node's name.
            graph: the graph to be run; its edges decide which node follows from which. Without it a node follows from all nodes of the
                step before. The same holds for a graph inside a node that is not visible from outside and not watched.
            trace_id: trace of every run. None: the trace of the code that starts the run (see `semp_sdk.tracing.trace`), else the trace
                of the run before on the same thread, else a new one.
            parents: parents of every run. None: the parents in the trace of the code that starts the run. A run on a thread also follows
                from the run before.

        The others are those of `Recording`.

        Raises:
            ValueError: the URL is none.
        """
        super().__init__()
        self.recording = Recording(
            url, agent_id=agent_id, scope=scope, trace_id=trace_id, parents=(), capacity=capacity, content=content,
            penalty=penalty, on_failure=on_failure, headers=headers,
        )  # fmt: skip
        self.reporter = Reporter(self.recording, trace_id, tuple(parents or ()))
        if graph is not None:
            self.reporter.layouts.append(Layout(graph))

    def watch(self, graph: G) -> G:
        """The graph, recorded however it is called: invoke, stream, batch, with and without asyncio.

        A recorder may watch several graphs. Give them different names: of two graphs with the same name that share node names, only the
        one watched last gets the right edges. Runs of graphs with different names do not follow one another on a thread; a run that was
        given a name of its own follows the thread's last run.
        """
        self.reporter.layouts.append(Layout(graph))
        return graph.with_config({"callbacks": [self]})

    def last(self, of: str | None = None) -> Trace | None:
        """The trace and the last event of a run that has ended; the next run on its thread follows from that event.

        `of`: the thread of the run, or its run id if it had no thread; None: the run that ended last. Returns None when no such run is
        remembered. The event may still be pending, see `recording.flush`.
        """
        with self.reporter.lock:
            past = self.reporter.runs.last(of)
        return None if past is None else Trace(past.trace_id, (past.last,))

    def scored(self, score: float, *, of: str | None = None, reason: str | None = None, agent_id: str | None = None) -> bool:
        """Feedback on a whole run after it has ended: a reward (0..1) or a penalty (below 0) of the graph's own signal.

        `of`: the thread of the run, or its run id if it had no thread; None: the run that ended last. Returns False when no such run is
        remembered.
        """
        with self.reporter.lock:
            past = self.reporter.runs.last(of)
        if past is None:
            return False
        payload = {} if reason is None else {"reason": excerpt(reason)}
        self.recording.scored(score, [past.last], action=past.action, agent_id=agent_id, trace_id=past.trace_id, **payload)
        return True

    # Graphs and nodes

    @guarded
    def on_chain_start(
        self, serialized: dict[str, Any], inputs: dict[str, Any], *, run_id: UUID, parent_run_id: UUID | None = None,
        tags: list[str] | None = None, metadata: dict[str, Any] | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        name = str(kwargs.get("name") or (serialized or {}).get("name") or "graph")
        parent = self.reporter.frames.get(parent_run_id) if parent_run_id is not None else None
        part = next((tag for tag in tags or () if tag.startswith((NODE, PART))), "")
        if parent is None:
            self.reporter.begin_run(run_id, name, metadata or {}, inputs)
        elif part.startswith(NODE) and name != START:
            self.reporter.begin_node(run_id, parent, name, metadata or {}, inputs)
        elif (task := task_of(metadata)) and task != parent.span.namespace:
            self.reporter.begin_task(run_id, parent, name, task, inputs)
        else:
            self.reporter.begin_part(run_id, parent, name, part not in ("", FIRST_PART))

    @guarded
    def on_chain_end(self, outputs: dict[str, Any], *, run_id: UUID, **_: Any) -> None:
        self.reporter.end(run_id, outputs)

    @guarded
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self.reporter.end(run_id, None, error)

    @guarded
    def on_interrupt(self, event: GraphInterruptEvent) -> None:
        found = self.reporter.frames.get(event.run_id) if event.run_id is not None else None
        if found is not None and found.kind == "run":
            found.run.interrupted = True

    @guarded
    def on_resume(self, event: GraphResumeEvent) -> None:
        found = self.reporter.frames.get(event.run_id) if event.run_id is not None else None
        if found is not None and found.kind == "run":
            found.run.resume()

    # Calls of tools, models and retrievers

    @guarded
    def on_tool_start(
        self, serialized: dict[str, Any], input_str: str, *, run_id: UUID, parent_run_id: UUID | None = None,
        inputs: dict[str, Any] | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        name = kwargs.get("name") or serialized.get("name") or "tool"
        self._call(run_id, parent_run_id, name, inputs or input_str, kwargs.get("tool_call_id"), kind="tool")

    @guarded
    def on_tool_end(self, output: Any, *, run_id: UUID, **_: Any) -> None:
        refused = isinstance(output, ToolMessage) and output.status == "error"
        self.reporter.end(run_id, output, str(output.text) if refused else None)

    @guarded
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self.reporter.end(run_id, None, error)

    @guarded
    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], *, run_id: UUID, parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        asked = messages[0] if messages else []
        self._call(
            run_id, parent_run_id, _model(serialized, metadata, kwargs), asked[-1].text if asked else "", kind="model", messages=len(asked)
        )  # fmt: skip

    @guarded
    def on_llm_start(
        self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        self._call(run_id, parent_run_id, _model(serialized, metadata, kwargs), prompts[-1] if prompts else "", kind="model")

    @guarded
    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        answer = response.generations[0][0] if response.generations and response.generations[0] else None
        message = answer.message if isinstance(answer, ChatGeneration) else None
        usage: Mapping[str, Any] = getattr(message, "usage_metadata", None) or {}
        calls: Sequence[Mapping[str, Any]] = getattr(message, "tool_calls", None) or ()
        payload: dict[str, Any] = {key: usage[key] for key in ("input_tokens", "output_tokens") if key in usage}
        if calls:
            payload["tool_calls"] = len(calls)
        call_ids = [str(call["id"]) for call in calls if call.get("id")]
        self.reporter.end(run_id, answer.text if answer is not None else "", None, call_ids, **payload)

    @guarded
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self.reporter.end(run_id, None, error)

    @guarded
    def on_retriever_start(
        self, serialized: dict[str, Any], query: str, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        self._call(run_id, parent_run_id, kwargs.get("name") or (serialized or {}).get("name") or "retriever", query, kind="retriever")

    @guarded
    def on_retriever_end(self, documents: Sequence[Any], *, run_id: UUID, **_: Any) -> None:
        self.reporter.end(run_id, documents, documents=len(documents))

    @guarded
    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self.reporter.end(run_id, None, error)

    def _call(
        self, run_id: UUID, parent_run_id: UUID | None, action: object, given: object, tool_call: str | None = None, **payload: Any
    ) -> None:
        parent = self.reporter.frames.get(parent_run_id) if parent_run_id is not None else None
        if parent is not None:
            self.reporter.begin_call(run_id, parent, str(action), given, tool_call, **payload)


def _model(serialized: Mapping[str, Any] | None, metadata: Mapping[str, Any] | None, more: Mapping[str, Any]) -> object:
    return (metadata or {}).get("ls_model_name") or more.get("name") or (serialized or {}).get("name") or "model"


def recorded(graph: G, url: str = "http://localhost:5000", **options: Any) -> G:
    """The graph, with its runs recorded as events at the service with this URL; `options` are those of `GraphRecorder`.

    Raises:
        ValueError: the URL is none.
    """
    return GraphRecorder(url, **options).watch(graph)
