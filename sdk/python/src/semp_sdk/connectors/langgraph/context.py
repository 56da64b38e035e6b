"""For code inside a node or a tool: its place in the run, and feedback on other nodes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType

from langchain_core.callbacks import BaseCallbackManager
from langgraph.config import get_config

from semp_sdk.connectors.langgraph.recorder import GraphRecorder
from semp_sdk.connectors.langgraph.reporter import Frame
from semp_sdk.connectors.texts import excerpt
from semp_sdk.tracing import Trace, current_trace, follow, trace


class Place:
    """Where the running code is in a run, see `here`."""

    def __init__(self, recorder: GraphRecorder, frame: Frame) -> None:
        self._recorder = recorder
        self._frame = frame
        self.id = frame.span.trace_id
        """The run's trace."""
        self.agent_id = frame.span.agent_id
        self.parents = tuple(frame.span.frontier)
        """Parents of the next event emitted here."""

    def follow(self, event_id: str) -> None:
        """From now on, the rest of this node or tool follows from this event."""
        with self._recorder.reporter.lock:
            self._frame.span.follow(self.parents, [event_id])
        self.parents = (event_id,)
        follow(event_id)


class here:  # noqa: N801
    """`with here() as place:` or `async with`, in a node or tool of a recorded graph: events emitted inside are part of the run.

    Events emitted by `semp_sdk.Client` belong to the run's trace. They follow from the node's proposal, or from the newest events inside
    the node; the client sends them once the service has those. To store an event by other means, first call
    `recorder.recording.flush()`, because the service must have the parents; then send the event with
    `trace_id=place.id, parent_ids=place.parents`; then call `place.follow(id)`. `place` is None, and nothing changes, when no recorded
    graph is running.
    """

    def __init__(self) -> None:
        self._found = _running()
        self._place: Place | None = None
        self._inside: AbstractContextManager[Trace] | None = None

    def __enter__(self) -> Place | None:
        if self._found is not None:
            self._place = Place(*self._found)
            self._inside = trace(self._place.id, self._place.parents)
            self._inside.__enter__()
        return self._place

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        place, inside = self._place, self._inside
        if place is None or inside is None:
            return
        now = current_trace()
        inside.__exit__(kind, error, traceback)
        if now is not None and now.id == place.id and len(now.parents) == 1 and now.parents != place.parents:
            place.follow(now.parents[0])

    async def __aenter__(self) -> Place | None:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.__exit__(kind, error, traceback)


def scored(score: float, *, of: str, reason: str | None = None) -> bool:
    """Feedback of the running node on another one of the same graph: a reward (0..1) or a penalty (below 0) of that node's signal.

    It follows from the running node and from how the other one ended last. False: no recorded graph is running.
    """
    found = _running()
    if found is None:
        return False
    recorder, frame = found
    payload = {} if reason is None else {"reason": excerpt(reason)}
    with recorder.reporter.lock:
        span, graph_steps = frame.span, frame.graph_steps
        last = graph_steps.last.get(of) if graph_steps is not None else None
        scope = graph_steps.owner.inner_scope if graph_steps is not None else span.scope
        parents = [*span.frontier, *([last] if last is not None else [])]
        event = recorder.recording.scored(
            score, parents, action=of, scope=scope, agent_id=span.agent_id, trace_id=span.trace_id, **payload
        )  # fmt: skip
        span.follow(span.frontier, [event])
    return True


def _running() -> tuple[GraphRecorder, Frame] | None:
    try:
        callbacks = get_config().get("callbacks")
    except RuntimeError:
        return None
    if not isinstance(callbacks, BaseCallbackManager) or callbacks.parent_run_id is None:
        return None
    for handler in callbacks.handlers:
        if isinstance(handler, GraphRecorder) and (frame := handler.reporter.frames.get(callbacks.parent_run_id)):
            return handler, frame
    return None
