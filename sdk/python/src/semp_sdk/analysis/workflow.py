"""The flow of work: bottlenecks, rework, and proposals that nobody answered."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from semp_sdk.analysis.agents import in_order
from semp_sdk.extras import extra

if TYPE_CHECKING:
    import networkx as nx


class Bottleneck(NamedTuple):
    """An event that many shortest paths pass."""

    id: str
    betweenness: float
    """0..1: the fraction of all ordered pairs of other events whose shortest paths pass this one."""
    agent_id: str
    type: str
    scope: str
    position: int
    sampled: bool
    """Whether the value is an estimate."""


class Rework(NamedTuple):
    """How often work in a scope had to be proposed again."""

    scope: str
    proposals: int
    setbacks: int
    """Penalties and failed tests."""
    rework: int
    """Proposals that follow from a setback."""
    share: float
    """`rework` / `proposals`, 0..1."""
    longest: int
    """Longest series of rework along one chain of causes."""


class Unanswered(NamedTuple):
    """A proposal without effects."""

    id: str
    scope: str
    action: str
    agent_id: str
    trace_id: str
    timestamp: str
    position: int
    age: float
    """Seconds from it to the newest event of the graph."""


def bottlenecks(
    graph: nx.MultiDiGraph[str], *, limit: int | None = 20, exact_up_to: int = 2_000, samples: int = 200, seed: int = 0
) -> list[Bottleneck]:
    """The events that most shortest paths from effects to causes pass: betweenness centrality, greatest first, without zeros.

    Betweenness of an event: the fraction of all ordered pairs of other events whose shortest paths along causes pass it; when a pair has
    several shortest paths, the fraction of those. U. Brandes, "A Faster Algorithm for Betweenness Centrality", 2001; O(V * E).

    Above `exact_up_to` events the value is estimated from the paths that start at `samples` random events (U. Brandes, C. Pich, "Centrality
    Estimation in Large Networks", 2007): O(samples * E). The same graph and `seed` give the same estimate.

    Args:
        limit: largest number of rows; None for all.
        samples: 2 or more.
    """
    networkx = extra("networkx")
    sampled = len(graph) > exact_up_to
    plain = networkx.DiGraph(graph)
    found: dict[str, float] = networkx.betweenness_centrality(plain, k=min(samples, len(graph)) if sampled else None, seed=seed)
    rows = [
        Bottleneck(event, value, node["agent_id"], node["type"], node["scope"], node["position"], sampled)
        for event, value in found.items()
        if value > 0
        for node in [graph.nodes[event]]
    ]
    return sorted(rows, key=lambda row: (-row.betweenness, row.position))[:limit]


def rework(graph: nx.MultiDiGraph[str]) -> list[Rework]:
    """How often proposals follow from setbacks, by scope, most rework first. Scopes without a proposal or setback are left out.

    A setback is a penalty, or a test with the status `failed`. A proposal is rework when one of its causes in the same scope is a setback,
    with no other proposal between the two. So each proposal counts at most once. Only links by causes count, not the order in time.
    O(V + E).
    """
    counts: dict[str, list[int]] = {}
    troubled: dict[str, bool] = {}
    rounds: dict[str, int] = {}
    for event in in_order(graph):
        node = graph.nodes[event]
        scope, kind = node["scope"], node["type"]
        causes = [cause for cause in graph.successors(event) if graph.nodes[cause]["scope"] == scope]
        after_trouble = any(troubled[cause] for cause in causes)
        setback = kind == "penalty" or (kind == "test" and node["status"] == "failed")
        again = kind == "proposal" and after_trouble
        troubled[event] = kind != "proposal" and (after_trouble or setback)
        rounds[event] = max((rounds[cause] + (again and troubled[cause]) for cause in causes), default=0)
        if kind == "proposal" or setback:
            count = counts.setdefault(scope, [0, 0, 0, 0])
            count[0] += kind == "proposal"
            count[1] += setback
            count[2] += again
            count[3] = max(count[3], rounds[event])
    rows = [
        Rework(scope, proposals, setbacks, repeated, repeated / proposals if proposals else 0.0, longest)
        for scope, (proposals, setbacks, repeated, longest) in counts.items()
    ]
    return sorted(rows, key=lambda row: (-row.rework, -row.setbacks, row.scope))


def unanswered(graph: nx.MultiDiGraph[str], *, by_others: bool = False) -> list[Unanswered]:
    """Proposals that no event names as a cause, oldest first. O(V + E).

    Args:
        by_others: also those that only events of the proposing agent itself follow from.
    """
    order = in_order(graph)
    newest = datetime.fromisoformat(graph.nodes[order[-1]]["timestamp"]) if order else None
    rows: list[Unanswered] = []
    for event in order:
        node = graph.nodes[event]
        if node["type"] != "proposal":
            continue
        agents = {graph.nodes[answer]["agent_id"] for answer in graph.predecessors(event)}
        if agents and not (by_others and agents == {node["agent_id"]}):
            continue
        assert newest is not None
        age = (newest - datetime.fromisoformat(node["timestamp"])).total_seconds()
        rows.append(
            Unanswered(event, node["scope"], node["action"], node["agent_id"], node["trace_id"], node["timestamp"], node["position"], age)
        )
    return rows
