"""Summary of a trace: which agents took part, how long it took, and which chain of causes decided that. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from semp.domain.clock import from_text
from semp.domain.event_types import EventType

SHOWN = 1_000
"""Ids, scopes or steps that one list of a summary has, at most. Counts are of all of them."""


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


def critical_path(events: Sequence[TraceEvent]) -> list[TraceEvent]:
    """The chain of causes that ends in the newest event. The step before an event is its latest parent: the event waited for that one.

    Parents in other traces are not followed. This is the critical path of a directed acyclic graph of activities, followed backwards
    from its end (J. E. Kelley and M. R. Walker, "Critical-Path Planning and Scheduling", 1959).

    Args:
        events: a trace in order of position.
    """
    known = {event.id: event for event in events}
    chain: list[TraceEvent] = []
    step: TraceEvent | None = events[-1] if events else None
    while step is not None:
        chain.append(step)
        causes = [known[parent] for parent in step.parent_ids if parent in known]
        step = max(causes, key=lambda cause: cause.position, default=None)
    chain.reverse()
    return chain


def summarize(trace_id: str, events: Sequence[TraceEvent], *, truncated: bool = False) -> TraceSummary:
    """Sum up a trace.

    Args:
        events: at least one, in order of position.
    """
    known = {event.id for event in events}
    caused = {parent for event in events for parent in event.parent_ids}
    chain = critical_path(events)
    times = [from_text(event.timestamp) for event in chain]
    durations = [0.0, *[(later - earlier) / 1000 for earlier, later in pairwise(times)]]
    total = (times[-1] - times[0]) / 1000
    critical = dict.fromkeys([event.agent_id for event in events], 0.0)
    for event, seconds in zip(chain, durations, strict=True):
        critical[event.agent_id] += seconds
    agents = [
        AgentShare(agent, count, critical[agent], critical[agent] / total if total else 0.0)
        for agent, count in Counter(event.agent_id for event in events).most_common()
    ]
    steps = [
        Step(event.id, event.type, event.scope, event.agent_id, event.timestamp, event.position, seconds)
        for event, seconds in zip(chain, durations, strict=True)
    ]
    return TraceSummary(
        trace_id=trace_id,
        events=len(events),
        truncated=truncated,
        started=events[0].timestamp,
        ended=events[-1].timestamp,
        duration=(from_text(events[-1].timestamp) - from_text(events[0].timestamp)) / 1000,
        types=dict(Counter(event.type for event in events).most_common()),
        scopes=dict(Counter(event.scope for event in events).most_common(SHOWN)),
        agents=agents,
        roots=_ends([event.id for event in events if known.isdisjoint(event.parent_ids)]),
        leaves=_ends([event.id for event in events if event.id not in caused]),
        rewards=_tally(events, "reward"),
        penalties=_tally(events, "penalty"),
        critical_path=CriticalPath(len(steps), total, steps[-SHOWN:]),
    )


def _ends(ids: list[str]) -> Ends:
    return Ends(len(ids), ids[:SHOWN])


def _tally(events: Sequence[TraceEvent], kind: EventType) -> Tally:
    values = [event.value for event in events if event.type == kind]
    return Tally(len(values), sum(values))
