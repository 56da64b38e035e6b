"""The listener: two lines, and what crews and flows do becomes events."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from crewai import Agent, Crew, Flow, Task
from crewai.events import BaseEventListener, crewai_event_bus
from crewai.events.base_events import BaseEvent
from crewai.events.event_bus import CrewAIEventsBus, is_replaying
from crewai.events.event_context import SCOPE_ENDING_EVENTS, SCOPE_STARTING_EVENTS, get_current_parent_id, get_enclosing_parent_id
from crewai.events.types.agent_events import AgentEvaluationCompletedEvent, LiteAgentExecutionStartedEvent
from crewai.events.types.crew_events import CrewKickoffStartedEvent, CrewTestStartedEvent, CrewTrainStartedEvent
from crewai.events.types.flow_events import FlowStartedEvent

from semp_sdk.connectors.crewai import crews, flows
from semp_sdk.connectors.crewai.order import Emissions
from semp_sdk.connectors.crewai.reporter import Reporter, enclosing, told_work
from semp_sdk.connectors.crewai.runs import Run
from semp_sdk.connectors.recording import OnFailure, Recording
from semp_sdk.identifiers import new_id
from semp_sdk.tracing import Trace, current_trace, trace

if TYPE_CHECKING:
    from crewai import RuntimeState

log = logging.getLogger("semp_sdk")

OUTCOMES: Mapping[str, float] = MappingProxyType({"approved": 1.0, "rejected": -1.0})
HANDLERS: dict[type[BaseEvent], Callable[[Reporter, Run, Any, Any], None]] = {**crews.HANDLERS, **flows.HANDLERS}
TOLD = HANDLERS | crews.COUNTED
HEARD = (*HANDLERS, AgentEvaluationCompletedEvent)
BEGINNINGS = (CrewKickoffStartedEvent, CrewTestStartedEvent, CrewTrainStartedEvent, FlowStartedEvent, LiteAgentExecutionStartedEvent)
"""What people start. Where CrewAI lost the end of something before, it takes these for a part of it."""
LEFT = 10_000
"""Works without an end in runs that are over, of which nothing more is told, at most."""
WAIT = 5.0
"""Seconds that feedback, and what is emitted within a run, waits for what happened before."""


class SempListener(BaseEventListener):
    """Tells of every crew, flow and lone agent of this process, from now on until it is closed.

    Its work is done in CrewAI's own threads for listeners; nothing it does can fail a run, and a service that is away costs a run
    nothing, see `Recording`. Each run is a trace: the one of the code that starts it, see `semp_sdk.tracing.trace`, else a new one.
    """

    def __init__(
        self,
        url: str = "http://localhost:5000",
        *,
        scope: str = "crew",
        trace_id: str | None = None,
        parents: Sequence[str] = (),
        content: bool = False,
        outcomes: Mapping[str, float] = OUTCOMES,
        capacity: int = 10_000,
        penalty: float = 0.5,
        on_failure: OnFailure = "penalty",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Listens at once. One is enough for a process: two tell everything twice.

        Args:
            url: the service.
            scope: of crews; tasks and flows have scopes of their own below it.
            trace_id: of all runs. None: see above.
            parents: what runs in the trace `trace_id` follow from.
            content: whether payloads tell what went in and came out, cut to a readable length; else only that something did.
            outcomes: what an outcome of human feedback in a flow is worth, -1..1. Others are told, and move no signal.
            capacity, penalty, on_failure, headers: see `Recording`.

        Raises:
            ValueError: the URL is none.
        """
        self.recording = Recording(
            url, agent_id="crew", scope=scope, trace_id=trace_id, parents=parents, content=content, capacity=capacity,
            penalty=penalty, on_failure=on_failure, headers=headers,
        )  # fmt: skip
        self._trace_id = trace_id
        self._reporter = Reporter(self.recording, outcomes)
        self._lock = threading.Lock()
        self._emissions = Emissions()
        self._runs: dict[str, Run] = {}
        self._left: OrderedDict[str, bool] = OrderedDict()
        super().__init__()

    def setup_listeners(self, crewai_event_bus: CrewAIEventsBus) -> None:
        """Called by CrewAI's base class."""
        for kind in HEARD:
            crewai_event_bus.register_handler(kind, self._heard)

    def scored(self, score: float, of: Crew | Task | Agent | Flow[Any], **payload: Any) -> str | None:
        """Feedback on the newest run of a crew, task, agent or flow: a reward of 0..1, a penalty below 0. Answers the event's id.

        None, if nothing is known to have ended: of the newest 1,000 the listener remembers how. Waits for what CrewAI has still to
        deliver, 5 s at most.
        """
        _delivered(time.monotonic() + WAIT)
        with self._lock:
            ended = self._reporter.ended(_subject_of(of))
            if ended is not None:
                return self._reporter.score(ended, score, **payload)
        log.warning("there is no run of this %s to score", type(of).__name__)
        return None

    @contextmanager
    def here(self) -> Generator[Trace | None]:
        """`with listener.here():` in a tool, a guardrail or a method of a flow: what is emitted inside is part of the run.

        Events that `semp_sdk.Client` emits belong to the run's trace and follow from the call, check or method they are emitted in, or
        from what has happened in it since; the client sends them once the service has those. Gives None, and changes nothing, where nothing
        that is told of is running.
        """
        _delivered(time.monotonic() + WAIT)
        with self._lock:
            around = [begun for begun in (get_current_parent_id(), get_enclosing_parent_id()) if begun and begun in self._runs]
            # that of a guardrail, which is not listened to, is known only with what comes after it
            run = self._runs[around[0]] if around else None
            work = None if run is None else told_work(run, around[0])
            parents = () if work is None else work.following()
        if run is None or work is None:
            yield None
            return
        with trace(run.trace_id, parents) as found:
            try:
                yield found
            finally:
                now = current_trace()
        if now is not None and now.id == run.trace_id and now.parents != parents:
            with self._lock:
                for event in now.parents:
                    work.happened(parents, event)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything that happened so far was answered. False: `timeout` seconds were not enough."""
        deadline = None if timeout is None else time.monotonic() + timeout
        return _delivered(deadline) and self.recording.flush(_left(deadline))

    def close(self) -> None:
        """Listen no more, and send what waits. Safe to repeat."""
        _delivered(time.monotonic() + WAIT)
        for kind in HEARD:
            crewai_event_bus.off(kind, self._heard)
        self.recording.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _heard(self, source: Any, event: BaseEvent, state: RuntimeState | None) -> None:
        try:
            if not is_replaying():
                with self._lock:
                    self._hear(source, event, state)
        except Exception:
            log.exception("an event of CrewAI could not be told: %s", event.type)

    def _hear(self, source: Any, event: BaseEvent, state: RuntimeState | None) -> None:
        sorted_to = [self._sort(each) for each in self._emissions.take(event, state)]
        run = self._runs.get(event.event_id) or self._run_around(event)
        if run is not None and not run.trace_id:
            self._place(run, source)
        for each in dict.fromkeys([*sorted_to, run]):
            while each is not None and each.trace_id and each.queue:
                self._tell(each, each.queue.popleft(), event, source)
        if isinstance(event, AgentEvaluationCompletedEvent):
            crews.evaluated(self._reporter, event)
        begun = None if run is None else run.works.get(event.event_id)
        if begun is not None and begun.kind in ("crew", "flow") and begun.id == event.event_id:
            begun.source = source
            begun.subject = _subject_of(source)

    def _sort(self, event: BaseEvent) -> Run | None:
        """To the run it belongs to. A run is told of from when one of its events is heard where it happened: its trace is known there."""
        starts = event.type in SCOPE_STARTING_EVENTS
        run = self._run_around(event)
        if run is None and starts and type(event) in HANDLERS:
            late = self._left.get(event.parent_event_id or "")
            if late or (late is not None and type(event) not in BEGINNINGS):
                self._leave(event.event_id, late=True)
                return None
            run = Run(event.event_id)
        if run is None:
            return None
        if starts:
            self._runs[event.event_id] = run
            run.starts.add(event.event_id)
        run.queue.append(event)
        return run

    def _run_around(self, event: BaseEvent) -> Run | None:
        return self._runs.get(event.parent_event_id or "") or self._runs.get(event.started_event_id or "")

    def _place(self, run: Run, source: Any) -> None:
        """In a trace: the one given, that of the code that runs, that of the flow this one resumes, or a new one."""
        here = current_trace()
        resumed = self._reporter.ended(_subject_of(source))
        if resumed is not None and not resumed.paused:
            resumed = None
        run.trace_id = self._trace_id or (here.id if here else resumed.trace_id if resumed else new_id())
        if resumed is not None and resumed.trace_id == run.trace_id:
            run.parents = (resumed.event,)
        elif here is not None and here.id == run.trace_id and here.parents:
            run.parents = here.parents
        else:
            run.parents = self.recording.parents

    def _tell(self, run: Run, event: BaseEvent, heard: BaseEvent, source: Any) -> None:
        tell = TOLD.get(type(event))
        try:
            if tell is not None:
                tell(self._reporter, run, event, source if event is heard else None)
        except Exception:
            log.exception("an event of CrewAI could not be told: %s", event.type)
        if event.type in SCOPE_STARTING_EVENTS and event.event_id not in run.works and (around := enclosing(run, event)) is not None:
            run.works[event.event_id] = around
        if event.type in SCOPE_ENDING_EVENTS and event.started_event_id in run.starts:
            self._runs.pop(event.started_event_id, None)
            run.starts.discard(event.started_event_id)
            run.works.pop(event.started_event_id, None)
        if run.root not in run.works:
            self._free(run)

    def _free(self, run: Run) -> None:
        run.queue.clear()
        for start in run.starts | {run.root}:
            self._runs.pop(start, None)
        for start in run.starts:
            self._leave(start, late=False)

    def _leave(self, start: str, *, late: bool) -> None:
        self._left[start] = late
        if len(self._left) > LEFT:
            self._left.popitem(last=False)


def _subject_of(thing: Any) -> str:
    found = getattr(thing, "flow_id", None) or getattr(thing, "id", None)
    return str(found) if found else ""


def _delivered(deadline: float | None) -> bool:
    """Whether CrewAI delivered all events, and those that listeners emitted on hearing of them, as evaluators do."""
    return crewai_event_bus.flush(_left(deadline)) and crewai_event_bus.flush(_left(deadline))


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
