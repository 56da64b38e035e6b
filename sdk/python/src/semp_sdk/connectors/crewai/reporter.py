"""Spans start, end and are scored: what all of CrewAI's events come down to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crewai.events.base_events import BaseEvent

from semp_sdk.connectors.crewai.runs import Ended, Kind, Run, Span
from semp_sdk.connectors.recording import Recording
from semp_sdk.connectors.texts import excerpt

KEPT = 1_000
"""Ended crews, tasks, agents and flows that can still be scored, at most."""


class Reporter:
    """Records the spans of runs. Not safe to use from two threads at once."""

    def __init__(self, recording: Recording, outcomes: Mapping[str, float]) -> None:
        self.recording = recording
        self.outcomes = outcomes
        self._ended: OrderedDict[str, Ended] = OrderedDict()

    def begin(
        self, run: Run, event: BaseEvent, kind: Kind, action: str, *, scope: str | None = None, agent: str | None = None,
        parents: Sequence[str] | None = None, subject: str = "", **payload: Any,
    ) -> Span:  # fmt: skip
        """A span starts with this event."""
        span = self.begin_unreported(run, event, kind, action, scope=scope, agent=agent, subject=subject)
        self.propose(run, span, span.first if parents is None else parents, **payload)
        return span

    def begin_unreported(
        self, run: Run, event: BaseEvent, kind: Kind, action: str, *, scope: str | None = None, agent: str | None = None, subject: str = ""
    ) -> Span:
        """A span starts, but its proposal is not sent yet: it may never be, see `flows.flow_started`."""
        parent = enclosing(run, event)
        span = Span(
            id=event.event_id, kind=kind, action=action, scope=scope or (parent.scope if parent else self.recording.scope),
            agent=agent or (parent.agent if parent else self.recording.agent_id), parent=parent, began=event.timestamp,
            first=parent.following() if parent else run.parents, subject=subject,
        )  # fmt: skip
        run.spans[event.event_id] = span
        return span

    def propose(self, run: Run, span: Span, parents: Sequence[str], **payload: Any) -> None:
        """Record that the span started."""
        span.proposal = self.recording.started(
            span.action, parents=parents, scope=span.scope, agent_id=span.agent, trace_id=run.trace_id, **payload
        )  # fmt: skip
        if span.parent is not None:
            span.parent.opened(parents, span.proposal)
        span.first = span.before = (span.proposal,)

    def end(self, run: Run, event: BaseEvent, kind: Kind, *, subject: str = "", **payload: Any) -> tuple[Span, str] | None:
        """A span ends with this event, see `close`."""
        span = ending(run, event, kind, subject)
        return None if span is None else self.close(run, span, event, **payload)

    def close(
        self, run: Run, span: Span, event: BaseEvent, *, error: BaseException | str | None = None, status: str = "completed", **payload: Any
    ) -> tuple[Span, str] | None:
        """The span ends now. Returns it and the id of its last event; None when it was never reported."""
        run.spans.pop(span.id, None)
        if span.id == run.root:
            self._abandon(run, span, event)
        if span.parent is not None:
            span.parent.tally.update(span.tally)
        if span.proposal is None:
            return None
        fields: dict[str, Any] = {
            "scope": span.scope, "agent_id": span.agent, "trace_id": run.trace_id,
            **payload, **span.tally, "seconds": seconds(span.began, event.timestamp),
        }  # fmt: skip
        if error is None:
            end = self.recording.ended(span.action, span.outcome(), status=status, **fields)
        else:
            end = self.recording.failed(span.action, span.outcome(), error, **fields)
        if span.parent is not None:
            span.parent.closed(span.proposal, end)
        if span.subject:
            self.remember(span.subject, Ended(end, run.trace_id, span.scope, span.action, status == "paused"))
        return span, end

    def _abandon(self, run: Run, root: Span, event: BaseEvent) -> None:
        """End the spans that are still open when their run ends: nobody waits for them, and CrewAI may never report their ends."""
        for span in reversed(list(dict.fromkeys(run.spans.values()))):  # children started later than their parents
            if span is not root:
                self.close(run, span, event, status="abandoned")

    def remember(self, subject: str, ended: Ended) -> None:
        """Keep what feedback needs, for the newest `KEPT` subjects."""
        self._ended[subject] = ended
        self._ended.move_to_end(subject)
        if len(self._ended) > KEPT:
            self._ended.popitem(last=False)

    def ended(self, subject: str) -> Ended | None:
        """How the newest run of the crew, task, agent or flow with this id ended."""
        return self._ended.get(subject)

    def score(self, ended: Ended, score: float, *, agent: str | None = None, **payload: Any) -> str:
        """Feedback on a span that has ended."""
        return self.recording.scored(
            score, [ended.event], action=ended.action, scope=ended.scope, agent_id=agent, trace_id=ended.trace_id, **payload
        )  # fmt: skip

    def content(self, **content: Any) -> dict[str, str]:
        """Inputs or outputs, if the recording may contain them; else nothing."""
        if not self.recording.content:
            return {}
        return {name: excerpt(value) for name, value in content.items() if value not in (None, "", {}, [])}


def enclosing(run: Run, event: BaseEvent) -> Span | None:
    """The reported span around an event; the nearest span when none around it was reported."""
    return reported_span(run, event.parent_event_id or "")


def reported_span(run: Run, begun: str) -> Span | None:
    """The span that started with this event of CrewAI, or its nearest reported ancestor, if there is one."""
    span = run.spans.get(begun)
    while span is not None and span.proposal is None and span.parent is not None:
        span = span.parent
    return span


def ending(run: Run, event: BaseEvent, kind: Kind, subject: str) -> Span | None:
    """The span that ends with an event, also when an exception left children of it without an end."""
    span = run.spans.get(event.started_event_id or "") or run.spans.get(event.parent_event_id or "")
    while span is not None and (span.kind != kind or (subject and span.subject != subject)):
        span = span.parent
    return span


def seconds(began: datetime, ended: datetime) -> float:
    """Seconds between two times, rounded to milliseconds."""
    return round((ended - began).total_seconds(), 3)
