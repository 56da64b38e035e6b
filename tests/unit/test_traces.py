"""Summaries of traces, against graphs worked out by hand."""

from __future__ import annotations

import pytest
from semp.domain.clock import to_text
from semp.domain.event_types import EventType
from semp.domain.traces import SHOWN, Summing, TraceEvent, TraceSummary


def at(position: int, seconds: float, agent: str, parents: list[int], kind: EventType = "ready", value: float = 0.0) -> TraceEvent:
    moment = to_text(1_700_000_000_000 + int(seconds * 1000))
    return TraceEvent(f"e{position}", kind, f"s.{agent}", agent, [f"e{parent}" for parent in parents], moment, position, value)


TRACE = [
    at(1, 0, "ann", [], "proposal"),
    at(2, 2, "bob", [1]),
    at(3, 10, "cid", [1]),
    at(4, 11, "bob", [2], "test"),
    at(5, 12, "ann", [2, 3], "reward", 0.5),  # the second cause came last, so the path goes through it
    at(6, 12.5, "dan", [], "penalty", 0.25),
    at(7, 20, "bob", [5, 6], "reward", 0.25),  # 6 came after 5, so the path goes through 6, which has no cause
]


def summarize(trace_id: str, events: list[TraceEvent], *, truncated: bool = False) -> TraceSummary:
    """Two events, and then one step, at a time."""
    summing = Summing(trace_id)
    for begin in range(0, len(events), 2):
        summing.add(events[begin : begin + 2])
    while summing.follow(1):
        pass
    return summing.summary(truncated=truncated)


def critical_path(events: list[TraceEvent]) -> list[str]:
    return [step.id for step in summarize("t", events).critical_path.steps]


def test_the_critical_path_takes_the_cause_that_came_last() -> None:
    assert critical_path(TRACE[:5]) == ["e1", "e3", "e5"]
    assert critical_path(TRACE) == ["e6", "e7"]


def test_a_summary_shares_the_time_of_the_path_among_its_agents() -> None:
    found = summarize("t", TRACE[:5])
    assert (found.events, found.duration, found.truncated) == (5, 12.0, False)
    assert (found.critical_path.count, found.critical_path.seconds) == (3, 12.0)
    assert [step.seconds for step in found.critical_path.steps] == [0.0, 10.0, 2.0]
    shares = {agent.agent_id: (agent.events, agent.critical_seconds, agent.critical_share) for agent in found.agents}
    assert shares == {"ann": (2, 2.0, pytest.approx(2 / 12)), "bob": (2, 0.0, 0.0), "cid": (1, 10.0, pytest.approx(10 / 12))}
    assert found.agents[0].events == 2


def test_a_summary_counts_ends_types_and_rewards() -> None:
    found = summarize("t", TRACE, truncated=True)
    assert found.roots.ids == ["e1", "e6"]
    assert found.leaves.ids == ["e4", "e7"]
    assert (found.rewards.count, found.rewards.total) == (2, 0.75)
    assert (found.penalties.count, found.penalties.total) == (1, 0.25)
    assert found.types == {"ready": 2, "reward": 2, "proposal": 1, "test": 1, "penalty": 1}
    assert found.scopes == {"s.bob": 3, "s.ann": 2, "s.cid": 1, "s.dan": 1}
    assert (found.started, found.ended) == (TRACE[0].timestamp, TRACE[-1].timestamp)
    assert found.truncated


def test_causes_in_other_traces_make_a_root() -> None:
    found = summarize("t", [at(5, 1, "ann", [2]), at(6, 4, "bob", [5])])
    assert (found.roots.ids, found.leaves.ids) == (["e5"], ["e6"])
    assert found.critical_path.seconds == 3.0


def test_one_event_alone_takes_no_time() -> None:
    found = summarize("t", TRACE[:1])
    assert (found.duration, found.critical_path.count, found.agents[0].critical_share) == (0.0, 1, 0.0)


def test_very_long_lists_are_cut_but_counted() -> None:
    chain = [at(n, n, "ann", [n - 1] if n > 1 else []) for n in range(1, SHOWN + 11)]
    found = summarize("t", chain)
    assert (found.critical_path.count, len(found.critical_path.steps)) == (SHOWN + 10, SHOWN)
    assert found.critical_path.steps[-1].id == chain[-1].id
    wide = summarize("t", [at(n, n, f"agent {n}", []) for n in range(1, SHOWN + 11)])
    assert (wide.roots.count, wide.leaves.count) == (SHOWN + 10, SHOWN + 10)
    assert len(wide.roots.ids) == len(wide.leaves.ids) == len(wide.scopes) == len(wide.agents) == SHOWN
