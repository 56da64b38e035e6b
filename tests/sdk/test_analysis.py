"""The analysis of a mirror's graph, with results computed by hand for small graphs."""

from __future__ import annotations

from typing import Any, cast

import networkx as nx
import pandas as pd
import pytest
from semp_sdk import Client, Mirror
from semp_sdk.analysis import bottlenecks, influence, reward_flow, rework, similarity, unanswered


def graph_of(*events: tuple[str, str, str, str, str, dict[str, Any]]) -> nx.MultiDiGraph[str]:
    """A graph of events given as (id, type, agent, scope, ids of causes, more attributes), one second apart."""
    graph = cast("Any", nx.MultiDiGraph())  # its stubs have no edges with a key and data
    for position, (name, kind, agent, scope, causes, more) in enumerate(events, 1):
        node = {
            "type": kind, "scope": scope, "trace_id": "t", "agent_id": agent, "position": position,
            "timestamp": f"2025-01-01T00:00:{position:02d}.000Z",
        }  # fmt: skip
        graph.add_node(name, **node | more)
        graph.add_edges_from((name, cause, "PARENT", {"type": "PARENT"}) for cause in causes.split())
    return graph


def proposal(name: str, agent: str, causes: str = "", scope: str = "s", **more: Any) -> tuple[str, str, str, str, str, dict[str, Any]]:
    return name, "proposal", agent, scope, causes, {"action": name, **more}


def ready(name: str, agent: str, causes: str = "", scope: str = "s", **more: Any) -> tuple[str, str, str, str, str, dict[str, Any]]:
    return name, "ready", agent, scope, causes, {"status": "done", **more}


def judged(name: str, value: float, agent: str, causes: str = "", scope: str = "s") -> tuple[str, str, str, str, str, dict[str, Any]]:
    return name, "reward" if value >= 0 else "penalty", agent, scope, causes, {"value": value}


def outcome(name: str, status: str, causes: str = "", scope: str = "s") -> tuple[str, str, str, str, str, dict[str, Any]]:
    return name, "test", "tester", scope, causes, {"status": status}


NOTHING = graph_of()


def test_influence_is_pagerank_on_causes() -> None:
    """Events r1 and r2 follow from p. The comment below computes their ranks."""
    graph = graph_of(proposal("p", "ann"), ready("r1", "bob", "p"), ready("r2", "cleo", "p"))
    rows = influence(graph, damping=0.5)
    # p = c + 0.5 * (r1 + r2), r1 = r2 = c, where c = (1 - 0.5) / 3 + 0.5 * p / 3; sums to 1: p = 2 c, so c = 1/4
    assert [(row.agent_id, round(row.influence, 5), row.events, row.top_event) for row in rows] == [
        ("ann", 0.5, 1, "p"), ("bob", 0.25, 1, "r1"), ("cleo", 0.25, 1, "r2")
    ]  # fmt: skip
    assert influence(NOTHING) == []


def test_influence_of_an_agent_is_that_of_its_events() -> None:
    graph = graph_of(proposal("p", "ann"), ready("r1", "ann", "p"), ready("r2", "bob", "r1"))
    rows = influence(graph)
    assert [row.agent_id for row in rows] == ["ann", "bob"]
    assert sum(row.influence for row in rows) == pytest.approx(1)
    assert rows[0].events == 2
    assert rows[0].top_event == "p"


def test_a_bottleneck_is_an_event_on_many_shortest_paths() -> None:
    """a, b <- c <- d, e: of the 4 * 3 ordered pairs of other events, the four from {d, e} to {a, b} pass c."""
    graph = graph_of(
        proposal("a", "x"), proposal("b", "x"), ready("c", "y", "a b"), ready("d", "x", "c"), ready("e", "x", "c"), ready("z", "x")
    )  # fmt: skip
    [row] = bottlenecks(graph)
    assert (row.id, row.agent_id, row.type, row.scope, row.position, row.sampled) == ("c", "y", "ready", "s", 3, False)
    assert row.betweenness == pytest.approx(4 / (5 * 4))
    assert bottlenecks(NOTHING) == []


def test_an_estimate_is_the_same_for_the_same_seed_and_near_the_exact_value() -> None:
    chain = graph_of(proposal("e0", "a"), *[ready(f"e{number}", "a", f"e{number - 1}") for number in range(1, 60)])
    exact = {row.id: row.betweenness for row in bottlenecks(chain, limit=None)}
    estimate = bottlenecks(chain, limit=None, exact_up_to=10, samples=30, seed=4)
    assert estimate == bottlenecks(chain, limit=None, exact_up_to=10, samples=30, seed=4)
    assert all(row.sampled for row in estimate)
    assert estimate != bottlenecks(chain, limit=None, exact_up_to=10, samples=30, seed=5)
    assert max(abs(row.betweenness - exact[row.id]) for row in estimate) < 0.15
    assert len(bottlenecks(chain, limit=3)) == 3


def test_rework_counts_proposals_that_follow_from_setbacks() -> None:
    """Of four proposals in scope s, two follow from a failed test or a penalty. A passed test, or another scope, does not count."""
    graph = graph_of(
        proposal("one", "a"),
        outcome("failed", "failed", "one"),
        judged("blamed", -0.2, "c", "failed"),
        proposal("two", "a", "blamed"),
        ready("done", "a", "two"),
        judged("again", -0.1, "c", "done"),
        ready("noted", "b", "again"),
        proposal("three", "b", "noted"),
        outcome("passed", "passed", "three"),
        proposal("next", "b", "passed"),
        proposal("elsewhere", "b", "failed", scope="other"),
        ready("nothing", "b", scope="quiet"),
    )
    assert [tuple(row) for row in rework(graph)] == [("s", 4, 3, 2, 0.5, 2), ("other", 1, 0, 0, 0.0, 0)]
    assert rework(NOTHING) == []


def test_the_longest_rework_is_along_one_chain() -> None:
    graph = graph_of(
        proposal("a1", "a"), judged("a2", -1, "c", "a1"), proposal("a3", "a", "a2"),
        proposal("b1", "a"), judged("b2", -1, "c", "b1"), proposal("b3", "a", "b2"),
        proposal("both", "a", "a3 b3"),
    )  # fmt: skip
    [row] = rework(graph)
    assert (row.proposals, row.rework, row.longest) == (5, 2, 1)


def test_rewards_flow_to_the_nearest_proposals() -> None:
    graph = graph_of(
        proposal("far", "zoe"),
        proposal("p", "ann", "far"),
        proposal("q", "bob"),
        ready("built", "dan", "p q"),
        judged("good", 0.6, "cleo", "built"),  # shared by ann and bob; the proposal of zoe is not the nearest
        judged("bad", -0.4, "cleo", "p"),
        judged("own", 0.1, "ann", "p"),
    )
    rows = reward_flow(graph)
    assert [(row.from_agent, row.to_agent, row.rewards, row.penalties) for row in rows] == [
        ("cleo", "ann", 1, 1), ("cleo", "bob", 1, 0), ("ann", "ann", 1, 0)
    ]  # fmt: skip
    assert [row.rewarded for row in rows] == pytest.approx([0.3, 0.3, 0.1])
    assert [row.penalised for row in rows] == pytest.approx([0.4, 0, 0])
    assert [row.net for row in rows] == pytest.approx([-0.1, 0.3, 0.1])
    assert reward_flow(NOTHING) == []


def test_a_reward_without_causes_is_for_the_newest_proposal_of_its_trace_and_scope_or_for_nobody() -> None:
    graph = graph_of(
        judged("early", 0.2, "cleo"), proposal("p", "ann"), proposal("q", "bob"), judged("late", 0.5, "cleo"),
        judged("elsewhere", 0.1, "cleo", scope="other"), proposal("r", "ann"),
    )  # fmt: skip
    assert [(row.from_agent, row.to_agent, row.rewards) for row in reward_flow(graph)] == [("cleo", "bob", 1), ("cleo", None, 2)]


def test_an_agent_with_several_nearest_proposals_gets_all_their_shares_of_one_reward() -> None:
    graph = graph_of(proposal("p", "ann"), proposal("q", "ann"), proposal("o", "bob"), judged("good", 0.9, "cleo", "p q o"))
    rows = reward_flow(graph)
    assert [(row.to_agent, row.rewards) for row in rows] == [("ann", 1), ("bob", 1)]
    assert [row.rewarded for row in rows] == pytest.approx([0.6, 0.3])


def test_unanswered_proposals() -> None:
    graph = graph_of(
        proposal("heard", "ann"), proposal("alone", "ann"), proposal("talk", "bob"), ready("r", "cleo", "heard"), ready("m", "bob", "talk")
    )
    [row] = unanswered(graph)
    assert (row.id, row.action, row.agent_id, row.position, row.age) == ("alone", "alone", "ann", 2, 3.0)
    assert [row.id for row in unanswered(graph, by_others=True)] == ["alone", "talk"]
    assert unanswered(NOTHING) == []


def test_similarity_of_traces() -> None:
    graph = graph_of(
        proposal("a1", "x", trace_id="A"), ready("a2", "x", "a1", trace_id="A"),
        proposal("b1", "y", trace_id="B"), ready("b2", "z", "b1", trace_id="B"),
        proposal("c1", "y", trace_id="C"), ready("c2", "y", trace_id="C"),
        ready("d1", "y", scope="other", trace_id="D"),
    )  # fmt: skip
    # C has the same events as A without edges. Each of the 2 events is described at 3 distances: the proposal is alike at all 3,
    # ready only at distance 0. So 4 descriptions are shared, of 6 + 6 - 4.
    assert [(row.trace_a, row.trace_b, row.similarity) for row in similarity(graph)] == [("A", "B", 1.0), ("A", "C", 0.5), ("B", "C", 0.5)]
    assert [row.similarity for row in similarity(graph, hops=0)] == [1.0, 1.0, 1.0]
    assert [(row.trace_a, row.trace_b) for row in similarity(graph, of="C", limit=1)] == [("C", "A")]
    assert similarity(graph, of="D") == []
    assert similarity(NOTHING) == []
    with pytest.raises(ValueError, match="trace"):
        similarity(graph, of="nothing")


def test_too_many_traces_are_refused_and_not_truncated() -> None:
    graph = graph_of(*[proposal(f"p{number}", "a", trace_id=f"t{number}") for number in range(1_001)])
    with pytest.raises(ValueError, match="1001 traces"):
        similarity(graph)
    assert len(similarity(graph, of="t5", limit=None)) == 1_000


async def test_the_rows_for_a_real_mirror_become_a_table(client: Client) -> None:
    with client.trace("analysed"):
        plan = await client.emit("proposal", "work", {"action": "plan"}, agent_id="ann")
        await client.emit("test", "work", {"status": "failed"})
        await client.emit("penalty", "work", {"value": 0.5}, agent_id="cleo")
        await client.emit("proposal", "work", {"action": "plan again"}, agent_id="bob")
    graph = (await Mirror.fetch(client, trace_id="analysed")).graph
    for rows in (influence(graph), bottlenecks(graph), rework(graph), reward_flow(graph), unanswered(graph)):
        table = pd.DataFrame(rows)
        assert list(table.columns) == list(rows[0]._fields)
        assert len(table) == len(rows)
    [flow] = reward_flow(graph)
    assert (flow.from_agent, flow.to_agent, flow.penalised) == ("cleo", "ann", 0.5)
    assert [row.rework for row in rework(graph)] == [1]
    assert plan.id in graph
