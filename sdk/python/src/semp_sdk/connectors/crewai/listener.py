"""The listener that records crews and flows as events."""

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
from semp_sdk.connectors.crewai.reporter import Reporter, enclosing, reported_span
from semp_sdk.connectors.crewai.runs import Run
from semp_sdk.connectors.recording import OnFailure, Recording
from semp_sdk.identifiers import new_id
from semp_sdk.tracing import Trace, current_trace, trace

if TYPE_CHECKING:
    from crewai import RuntimeState

log = logging.getLogger("semp_sdk")

OUTCOMES: Mapping[str, float] = MappingProxyType({"approved": 1.0, "rejected": -1.0})
HANDLERS: dict[type[BaseEvent], Callable[[Reporter, Run, Any, Any], None]] = {**crews.HANDLERS, **flows.HANDLERS}
REPORTERS = HANDLERS | crews.COUNTED
LISTENED = (*HANDLERS, AgentEvaluationCompletedEvent)
ROOTS = (CrewKickoffStartedEvent, CrewTestStartedEvent, CrewTrainStartedEvent, FlowStartedEvent, LiteAgentExecutionStartedEvent)
"""What people start. When CrewAI has lost the end of an earlier span, it takes these for children of that span."""
MAX_ABANDONED = 10_000
"""Spans without an end, in runs that have ended, that are remembered at most. Their later children are not reported."""
WAIT = 5.0
"""Seconds that feedback, and `here`, wait at most for CrewAI to deliver earlier events."""


class SempListener(BaseEventListener):
    """Records every crew, flow and lone agent of this process, from now on until it is closed.

    It runs in CrewAI's own listener threads. It never makes a run fail, and a service that is away does not slow a run down, see
    `Recording`. Each run is a trace: the trace of the code that starts it, see `semp_sdk.tracing.trace`, else a new one.
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
        """Starts to listen. Use one per process: two record everything twice.

        Args:
            url: the service.
            scope: scope of crews; tasks and flows have scopes of their own below it.
            trace_id: trace of all runs. None: see above.
            parents: parents of runs in the trace `trace_id`.
            content: whether payloads contain inputs and outputs, cut to a readable length.
            outcomes: value of each outcome of human feedback in a flow, -1..1. Other outcomes are recorded and move no signal.
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
        self._abandoned: OrderedDict[str, bool] = OrderedDict()
        super().__init__()

    def setup_listeners(self, crewai_event_bus: CrewAIEventsBus) -> None:
        """Called by CrewAI's base class."""
        for kind in LISTENED:
            crewai_event_bus.register_handler(kind, self._on_event)

    def scored(self, score: float, of: Crew | Task | Agent | Flow[Any], **payload: Any) -> str | None:
        """Feedback on the newest run of a crew, task, agent or flow: a reward of 0..1, a penalty below 0. Returns the event's id.

        Returns None when no ended run of it is remembered; the listener remembers the newest 1,000. Waits up to 5 s for events that
        CrewAI has not delivered yet.
        """
        _delivered(time.monotonic() + WAIT)
        with self._lock:
            ended = self._reporter.ended(_subject_of(of))
            if ended is not None:
                return self._reporter.score(ended, score, **payload)
        log.warning("no ended run of this %s is known, so it cannot be scored", type(of).__name__)
        return None

    @contextmanager
    def here(self) -> Generator[Trace | None]:
        """`with listener.here():` in a tool, a guardrail or a method of a flow: events emitted inside are part of the run.

        Events emitted by `semp_sdk.Client` belong to the run's trace. They follow from the call, check or method that emits them, or from
        the newest events inside it; the client sends them once the service has those. Gives None, and changes nothing, when no recorded
        span is running.
        """
        _delivered(time.monotonic() + WAIT)
        with self._lock:
            around = [begun for begun in (get_current_parent_id(), get_enclosing_parent_id()) if begun and begun in self._runs]
            # the start of a guardrail is not listened to, so it is known only with the events after it
            run = self._runs[around[0]] if around else None
            span = None if run is None else reported_span(run, around[0])
            parents = () if span is None else span.following()
        if run is None or span is None:
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
                    span.happened(parents, event)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until the service has answered every event so far. Returns False when that takes longer than `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        return _delivered(deadline) and self.recording.flush(_remaining(deadline))

    def close(self) -> None:
        """Stop listening, and send pending events. Safe to repeat."""
        _delivered(time.monotonic() + WAIT)
        for kind in LISTENED:
            crewai_event_bus.off(kind, self._on_event)
        self.recording.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_event(self, source: Any, event: BaseEvent, state: RuntimeState | None) -> None:
        try:
            if not is_replaying():
                with self._lock:
                    self._handle(source, event, state)
        except Exception:
            log.exception("an event of CrewAI could not be recorded: %s", event.type)

    def _handle(self, source: Any, event: BaseEvent, state: RuntimeState | None) -> None:
        sorted_to = [self._assign(each) for each in self._emissions.take(event, state)]
        run = self._runs.get(event.event_id) or self._run_of(event)
        if run is not None and not run.trace_id:
            self._set_trace(run, source)
        for each in dict.fromkeys([*sorted_to, run]):
            while each is not None and each.trace_id and each.queue:
                self._report(each, each.queue.popleft(), event, source)
        if isinstance(event, AgentEvaluationCompletedEvent):
            crews.evaluated(self._reporter, event)
        begun = None if run is None else run.spans.get(event.event_id)
        if begun is not None and begun.kind in ("crew", "flow") and begun.id == event.event_id:
            begun.source = source
            begun.subject = _subject_of(source)

    def _assign(self, event: BaseEvent) -> Run | None:
        """Add the event to the queue of its run. The queue is processed once the run's trace is known, from an event of its own thread."""
        starts = event.type in SCOPE_STARTING_EVENTS
        run = self._run_of(event)
        if run is None and starts and type(event) in HANDLERS:
            late = self._abandoned.get(event.parent_event_id or "")
            if late or (late is not None and type(event) not in ROOTS):
                self._abandon(event.event_id, late=True)
                return None
            run = Run(event.event_id)
        if run is None:
            return None
        if starts:
            self._runs[event.event_id] = run
            run.starts.add(event.event_id)
        run.queue.append(event)
        return run

    def _run_of(self, event: BaseEvent) -> Run | None:
        return self._runs.get(event.parent_event_id or "") or self._runs.get(event.started_event_id or "")

    def _set_trace(self, run: Run, source: Any) -> None:
        """The run's trace: the configured one, that of the running code, that of the flow it resumes, or a new one."""
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

    def _report(self, run: Run, event: BaseEvent, heard: BaseEvent, source: Any) -> None:
        report = REPORTERS.get(type(event))
        try:
            if report is not None:
                report(self._reporter, run, event, source if event is heard else None)
        except Exception:
            log.exception("an event of CrewAI could not be recorded: %s", event.type)
        if event.type in SCOPE_STARTING_EVENTS and event.event_id not in run.spans and (around := enclosing(run, event)) is not None:
            run.spans[event.event_id] = around
        if event.type in SCOPE_ENDING_EVENTS and event.started_event_id in run.starts:
            self._runs.pop(event.started_event_id, None)
            run.starts.discard(event.started_event_id)
            run.spans.pop(event.started_event_id, None)
        if run.root not in run.spans:
            self._drop(run)

    def _drop(self, run: Run) -> None:
        run.queue.clear()
        for start in run.starts | {run.root}:
            self._runs.pop(start, None)
        for start in run.starts:
            self._abandon(start, late=False)

    def _abandon(self, start: str, *, late: bool) -> None:
        self._abandoned[start] = late
        if len(self._abandoned) > MAX_ABANDONED:
            self._abandoned.popitem(last=False)


def _subject_of(thing: Any) -> str:
    found = getattr(thing, "flow_id", None) or getattr(thing, "id", None)
    return str(found) if found else ""


def _delivered(deadline: float | None) -> bool:
    """Whether CrewAI delivered all events in time, also those that listeners emitted in response, as evaluators do."""
    return crewai_event_bus.flush(_remaining(deadline)) and crewai_event_bus.flush(_remaining(deadline))


def _remaining(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
