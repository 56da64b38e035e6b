"""Work begins, ends and is judged: what all of CrewAI's events come down to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crewai.events.base_events import BaseEvent

from semp_sdk.connectors.crewai.runs import Ended, Kind, Run, Work
from semp_sdk.connectors.recording import Recording
from semp_sdk.connectors.texts import excerpt

KEPT = 1_000
"""Crews, tasks, agents and flows that are over and can still be scored, at most."""


class Reporter:
    """Tells of the works of runs. Not safe to use from two threads at once."""

    def __init__(self, recording: Recording, outcomes: Mapping[str, float]) -> None:
        self.recording = recording
        self.outcomes = outcomes
        self._ended: OrderedDict[str, Ended] = OrderedDict()

    def begin(
        self, run: Run, event: BaseEvent, kind: Kind, action: str, *, scope: str | None = None, agent: str | None = None,
        parents: Sequence[str] | None = None, subject: str = "", **payload: Any,
    ) -> Work:  # fmt: skip
        """Work begins with this event."""
        work = self.untold(run, event, kind, action, scope=scope, agent=agent, subject=subject)
        self.propose(run, work, work.first if parents is None else parents, **payload)
        return work

    def untold(
        self, run: Run, event: BaseEvent, kind: Kind, action: str, *, scope: str | None = None, agent: str | None = None, subject: str = ""
    ) -> Work:
        """Work begins that may turn out to be nobody's business."""
        within = enclosing(run, event)
        work = Work(
            id=event.event_id, kind=kind, action=action, scope=scope or (within.scope if within else self.recording.scope),
            agent=agent or (within.agent if within else self.recording.agent_id), within=within, began=event.timestamp,
            first=within.following() if within else run.parents, subject=subject,
        )  # fmt: skip
        run.works[event.event_id] = work
        return work

    def propose(self, run: Run, work: Work, parents: Sequence[str], **payload: Any) -> None:
        """Tell that the work began."""
        work.proposal = self.recording.started(
            work.action, parents=parents, scope=work.scope, agent_id=work.agent, trace_id=run.trace_id, **payload
        )  # fmt: skip
        if work.within is not None:
            work.within.opened(parents, work.proposal)
        work.first = work.before = (work.proposal,)

    def end(self, run: Run, event: BaseEvent, kind: Kind, *, subject: str = "", **told: Any) -> tuple[Work, str] | None:
        """Work ends with this event, see `close`."""
        work = ending(run, event, kind, subject)
        return None if work is None else self.close(run, work, event, **told)

    def close(
        self, run: Run, work: Work, event: BaseEvent, *, error: BaseException | str | None = None, status: str = "completed", **payload: Any
    ) -> tuple[Work, str] | None:
        """This work ends now. Answers it and what was told of its end; None, if it was never told of."""
        run.works.pop(work.id, None)
        if work.id == run.root:
            self._abandon(run, work, event)
        if work.within is not None:
            work.within.tally.update(work.tally)
        if work.proposal is None:
            return None
        told: dict[str, Any] = {
            "scope": work.scope, "agent_id": work.agent, "trace_id": run.trace_id,
            **payload, **work.tally, "seconds": seconds(work.began, event.timestamp),
        }  # fmt: skip
        if error is None:
            end = self.recording.ended(work.action, work.outcome(), status=status, **told)
        else:
            end = self.recording.failed(work.action, work.outcome(), error, **told)
        if work.within is not None:
            work.within.closed(work.proposal, end)
        if work.subject:
            self.remember(work.subject, Ended(end, run.trace_id, work.scope, work.action, status == "paused"))
        return work, end

    def _abandon(self, run: Run, root: Work, event: BaseEvent) -> None:
        """Nobody waits any more for what is still going on when its run is over, and CrewAI says of some of it only that it began."""
        for work in reversed(list(dict.fromkeys(run.works.values()))):  # what is inside began later
            if work is not root:
                self.close(run, work, event, status="abandoned")

    def remember(self, subject: str, ended: Ended) -> None:
        """Keep what feedback needs, of the newest ones."""
        self._ended[subject] = ended
        self._ended.move_to_end(subject)
        if len(self._ended) > KEPT:
            self._ended.popitem(last=False)

    def ended(self, subject: str) -> Ended | None:
        """How the crew, task, agent or flow of this id ended last."""
        return self._ended.get(subject)

    def score(self, ended: Ended, score: float, *, agent: str | None = None, **payload: Any) -> str:
        """Feedback on something that is over."""
        return self.recording.scored(
            score, [ended.event], action=ended.action, scope=ended.scope, agent_id=agent, trace_id=ended.trace_id, **payload
        )  # fmt: skip

    def shown(self, **content: Any) -> dict[str, str]:
        """What went in or came out, where the recording may tell it."""
        if not self.recording.content:
            return {}
        return {name: excerpt(value) for name, value in content.items() if value not in (None, "", {}, [])}


def enclosing(run: Run, event: BaseEvent) -> Work | None:
    """The work an event happened in, that was told if there is one."""
    return told_work(run, event.parent_event_id or "")


def told_work(run: Run, begun: str) -> Work | None:
    """The work that began with this event of CrewAI, or the first around it that was told if there is one."""
    work = run.works.get(begun)
    while work is not None and work.proposal is None and work.within is not None:
        work = work.within
    return work


def ending(run: Run, event: BaseEvent, kind: Kind, subject: str) -> Work | None:
    """The work that ends with an event, also where an exception left works inside it without an end."""
    work = run.works.get(event.started_event_id or "") or run.works.get(event.parent_event_id or "")
    while work is not None and (work.kind != kind or (subject and work.subject != subject)):
        work = work.within
    return work


def seconds(began: datetime, ended: datetime) -> float:
    """Between two times, to the millisecond."""
    return round((ended - began).total_seconds(), 3)
