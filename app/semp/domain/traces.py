"""Summary of a trace: which agents took part, how long it took, and which chain of causes decided that. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice

import msgspec

from semp.domain.clock import from_text
from semp.domain.event_types import EventType

SHOWN = 1_000
"""Ids, scopes, agents or steps that one list of a summary has, at most. Counts are of all of them."""


class TraceEvent(msgspec.Struct, frozen=True, gc=False):
    """The fields of an event that a summary of its trace needs."""

    id: str
    type: EventType
    scope: str
    agent_id: str
    parent_ids: list[str]
    timestamp: str
    position: int
    value: float = 0.0
    """Absolute value of a reward, penalty or cancel, 0..1."""


class Step(msgspec.Struct, frozen=True):
    """An event on the critical path."""

    id: str
    type: EventType
    scope: str
    agent_id: str
    timestamp: str
    position: int
    seconds: float
    """Seconds since the step before, 0 for the first step."""


class CriticalPath(msgspec.Struct, frozen=True):
    """The chain of causes that decided how long a trace took."""

    count: int
    """Steps of the whole path."""
    seconds: float
    """From the first step of the path to its last."""
    steps: list[Step]
    """In order of position; only the newest SHOWN steps of a longer path."""


class AgentShare(msgspec.Struct, frozen=True):
    """What an agent did in a trace."""

    agent_id: str
    events: int
    critical_seconds: float
    """Seconds of the critical path that were spent on steps of this agent: for each, the time since the step before."""
    critical_share: float
    """`critical_seconds` as a part of the path's seconds, 0..1; 0 when the path took no time."""


class Ends(msgspec.Struct, frozen=True):
    """Roots or leaves: how many there are, and the ids of the first SHOWN, in order of position."""

    count: int
    ids: list[str]


class Tally(msgspec.Struct, frozen=True):
    """Rewards or penalties: how many there are, and the sum of their absolute values."""

    count: int
    total: float


class TraceSummary(msgspec.Struct, frozen=True):
    """Figures of a trace. `truncated`: the trace has more events than were read, and only the oldest ones are counted."""

    trace_id: str
    events: int
    truncated: bool
    started: str
    ended: str
    duration: float
    """Seconds from the oldest event to the newest."""
    types: dict[str, int]
    scopes: dict[str, int]
    agents: list[AgentShare]
    roots: Ends
    """Events without a parent in this trace."""
    leaves: Ends
    """Events that are not the parent of another event in this trace."""
    rewards: Tally
    penalties: Tally
    critical_path: CriticalPath


class Summing:
    """Sums up a trace, in steps: first `add` its events, then `follow` the critical path, then `summary`.

    The step before an event is its latest parent: the event waited for that one. Parents in other traces are not followed. This is the
    critical path of a directed acyclic graph of activities, followed backwards from its end (J. E. Kelley and M. R. Walker,
    "Critical-Path Planning and Scheduling", 1959).
    """

    def __init__(self, trace_id: str) -> None:
        self._trace_id = trace_id
        self._events: dict[str, TraceEvent] = {}
        self._latest: dict[str, TraceEvent] = {}
        """By event: the latest of its parents."""
        self._leaves: dict[str, None] = {}
        self._roots = 0
        self._first_roots: list[str] = []
        self._types: Counter[str] = Counter()
        self._scopes: Counter[str] = Counter()
        self._agents: Counter[str] = Counter()
        self._values: dict[EventType, list[float]] = {"reward": [], "penalty": []}
        self._first: TraceEvent | None = None
        self._last: TraceEvent | None = None
        self._step: TraceEvent | None = None
        self._steps = 0
        self._newest_steps: list[Step] = []
        self._milliseconds: Counter[str] = Counter()
        """Time on the critical path, by agent."""

    def __len__(self) -> int:
        return len(self._events)

    def add(self, events: Sequence[TraceEvent]) -> None:
        """Count the next events of the trace, in order of position."""
        for event in events:
            causes = [self._events[parent] for parent in event.parent_ids if parent in self._events]
            if causes:
                self._latest[event.id] = max(causes, key=lambda cause: cause.position)
                for cause in causes:
                    self._leaves.pop(cause.id, None)
            else:
                self._roots += 1
                if self._roots <= SHOWN:
                    self._first_roots.append(event.id)
            self._events[event.id] = event
            self._leaves[event.id] = None
            self._types[event.type] += 1
            self._scopes[event.scope] += 1
            self._agents[event.agent_id] += 1
            if event.type in self._values:
                self._values[event.type].append(event.value)
            self._first = self._first or event
            self._last = self._step = event

    def follow(self, steps: int) -> bool:
        """Go back along the critical path by so many steps, at most. Returns whether there are more."""
        for _ in range(steps):
            if (step := self._step) is None:
                return False
            cause = self._step = self._latest.get(step.id)
            milliseconds = from_text(step.timestamp) - from_text(cause.timestamp) if cause else 0
            self._milliseconds[step.agent_id] += milliseconds
            self._steps += 1
            if self._steps <= SHOWN:
                seconds = milliseconds / 1000
                self._newest_steps.append(Step(step.id, step.type, step.scope, step.agent_id, step.timestamp, step.position, seconds))
        return self._step is not None

    def summary(self, *, truncated: bool) -> TraceSummary:
        """The summary, once `follow` has returned False. There must be at least one event.

        Args:
            truncated: whether the trace has more events than were added.
        """
        assert self._first is not None
        assert self._last is not None
        total = self._milliseconds.total()
        agents = [
            AgentShare(agent, count, self._milliseconds[agent] / 1000, self._milliseconds[agent] / total if total else 0.0)
            for agent, count in self._agents.most_common(SHOWN)
        ]
        return TraceSummary(
            trace_id=self._trace_id,
            events=len(self._events),
            truncated=truncated,
            started=self._first.timestamp,
            ended=self._last.timestamp,
            duration=(from_text(self._last.timestamp) - from_text(self._first.timestamp)) / 1000,
            types=dict(self._types.most_common()),
            scopes=dict(self._scopes.most_common(SHOWN)),
            agents=agents,
            roots=Ends(self._roots, self._first_roots),
            leaves=Ends(len(self._leaves), list(islice(self._leaves, SHOWN))),
            rewards=_tally(self._values["reward"]),
            penalties=_tally(self._values["penalty"]),
            critical_path=CriticalPath(self._steps, total / 1000, self._newest_steps[::-1]),
        )


def _tally(values: list[float]) -> Tally:
    return Tally(len(values), sum(values))
