"""Flows, their methods, and their questions to people."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import Any

from crewai.events.base_events import BaseEvent
from crewai.events.types.flow_events import (
    FlowFailedEvent,
    FlowFinishedEvent,
    FlowInputReceivedEvent,
    FlowInputRequestedEvent,
    FlowPausedEvent,
    FlowStartedEvent,
    HumanFeedbackReceivedEvent,
    HumanFeedbackRequestedEvent,
    MethodExecutionFailedEvent,
    MethodExecutionFinishedEvent,
    MethodExecutionPausedEvent,
    MethodExecutionStartedEvent,
)

from semp_sdk.connectors.crewai.reporter import Reporter, enclosing
from semp_sdk.connectors.crewai.runs import Ended, Run, Span
from semp_sdk.connectors.texts import scope_of

HUMAN = "human"


def flow_started(reporter: Reporter, run: Run, event: FlowStartedEvent, _: Any) -> None:
    """Reported with its first method: CrewAI's agents and memories are flows too, but report no methods, and so are left out."""
    scope = scope_of(reporter.recording.scope, event.flow_name)
    reporter.begin_unreported(run, event, "flow", "kickoff", scope=scope, agent=event.flow_name)


def flow_finished(reporter: Reporter, run: Run, event: FlowFinishedEvent, _: Any) -> None:
    reporter.end(run, event, "flow", **reporter.content(output=event.result))


def flow_failed(reporter: Reporter, run: Run, event: FlowFailedEvent, _: Any) -> None:
    reporter.end(run, event, "flow", error=event.error)


def flow_paused(reporter: Reporter, run: Run, event: FlowPausedEvent, _: Any) -> None:
    reporter.end(run, event, "flow", status="paused")


def method_started(reporter: Reporter, run: Run, event: MethodExecutionStartedEvent, source: Any) -> None:
    flow = run.spans.get(event.parent_event_id or "")
    if flow is None or flow.kind != "flow":
        return
    if flow.proposal is None:
        reporter.propose(run, flow, flow.first)
    causes = method_causes(flow, definition_of(source or flow.source, event.method_name), event.triggered_by_event_id)
    reporter.begin(run, event, "method", event.method_name, parents=causes, **reporter.content(input=event.params))


def method_finished(reporter: Reporter, run: Run, event: MethodExecutionFinishedEvent, source: Any) -> None:
    result = event.result.value if isinstance(event.result, enum.Enum) else event.result
    flow = run.spans.get(event.parent_event_id or "")
    definition = definition_of(source or (flow.source if flow else None), event.method_name)
    asked = getattr(definition, "human_feedback", None)
    routes = isinstance(result, str) and (getattr(definition, "router", False) or bool(asked and asked.emit))
    route = {"route": result[:200]} if routes else {}
    ended = reporter.end(run, event, "method", **route, **reporter.content(output=result))
    if ended is None:
        return
    span, end = ended
    flow = span.parent
    if flow is not None:
        flow.ends |= {event.event_id: end, event.method_name: end, **({result: end} if routes else {})}
    if asked and result in reporter.outcomes:
        judged = Ended(end, run.trace_id, span.scope, span.action, False)
        score = reporter.score(judged, reporter.outcomes[result], agent=HUMAN, outcome=result)
        if flow is not None:
            flow.happened((end,), score)


def method_failed(reporter: Reporter, run: Run, event: MethodExecutionFailedEvent, _: Any) -> None:
    reporter.end(run, event, "method", error=event.error)


def method_paused(reporter: Reporter, run: Run, event: MethodExecutionPausedEvent, _: Any) -> None:
    reporter.end(run, event, "method", status="paused")


def question_asked(reporter: Reporter, run: Run, event: HumanFeedbackRequestedEvent | FlowInputRequestedEvent, _: Any) -> None:
    action = "human_feedback" if isinstance(event, HumanFeedbackRequestedEvent) else "ask"
    parent = enclosing(run, event)
    if parent is not None:
        content = reporter.content(input=event.message)
        run.spans[_open_question(parent)] = reporter.begin(run, event, "question", action, agent=HUMAN, method=event.method_name, **content)


def question_answered(reporter: Reporter, run: Run, event: HumanFeedbackReceivedEvent | FlowInputReceivedEvent, _: Any) -> None:
    parent = enclosing(run, event)
    question = None if parent is None else run.spans.pop(_open_question(parent), None)
    if question is None:
        return
    if isinstance(event, HumanFeedbackReceivedEvent):
        reporter.close(run, question, event, **reporter.content(output=event.feedback))
    else:
        status = "completed" if event.response else "unanswered"
        reporter.close(run, question, event, status=status, **reporter.content(output=event.response))


def _open_question(parent: Span) -> str:
    return f"{parent.id} asks"


def definition_of(flow: Any, method: str) -> Any:
    """A flow's definition of a method; None when it is not known."""
    return getattr(getattr(flow, "_definition", None), "methods", {}).get(method)


def method_causes(flow: Span, definition: Any, trigger: str | None) -> tuple[str, ...]:
    """Ends of the methods that started this one; for a fan-in all of them, for a first method the flow's own proposal."""
    cause = flow.ends.get(trigger or "")
    condition = getattr(definition, "listen", None) or getattr(definition, "start", None)
    if isinstance(condition, (str, dict)) and (cause or getattr(definition, "start", None) is not True):
        causes = [flow.ends[name] for name in _needed(condition, flow.ends, cause) if name in flow.ends]
    else:
        causes = []
    # when one method starts several, CrewAI names the router that ran last as the trigger
    return tuple(dict.fromkeys(causes or ([cause] if cause else []))) or flow.first


def _needed(condition: Any, ends: dict[str, str], cause: str | None) -> list[str]:
    """The names in a condition that make it true, given the event that caused it."""
    if isinstance(condition, str):
        return [condition]
    needed: list[str] = []
    for operator, branches in condition.items():
        if operator == "and":
            needed += [name for branch in branches for name in _needed(branch, ends, cause)]
        else:
            found = [(branch, _needed(branch, ends, cause)) for branch in branches]
            by_cause = (names for branch, names in found if any(cause and ends.get(name) == cause for name in _names(branch)))
            known = [names for _, names in found if all(name in ends for name in names)]
            newest = max(known, key=lambda names: max((ends[name] for name in names), default=""), default=found[0][1])
            needed += next(by_cause, newest)
    return needed


def _names(condition: Any) -> Iterator[str]:
    if isinstance(condition, str):
        yield condition
    else:
        for branches in condition.values():
            for branch in branches:
                yield from _names(branch)


HANDLERS: dict[type[BaseEvent], Callable[[Reporter, Run, Any, Any], None]] = {
    FlowStartedEvent: flow_started,
    FlowFinishedEvent: flow_finished,
    FlowFailedEvent: flow_failed,
    FlowPausedEvent: flow_paused,
    MethodExecutionStartedEvent: method_started,
    MethodExecutionFinishedEvent: method_finished,
    MethodExecutionFailedEvent: method_failed,
    MethodExecutionPausedEvent: method_paused,
    HumanFeedbackRequestedEvent: question_asked,
    HumanFeedbackReceivedEvent: question_answered,
    FlowInputRequestedEvent: question_asked,
    FlowInputReceivedEvent: question_answered,
}
