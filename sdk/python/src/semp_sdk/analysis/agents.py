"""Agents: whose events influence others, and who rewards whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from semp_sdk.extras import extra

if TYPE_CHECKING:
    import networkx as nx


class Influence(NamedTuple):
    """An agent's share of the influence on all events."""

    agent_id: str
    influence: float
    """0..1; the sum over all agents is 1."""
    events: int
    top_event: str
    """The id of its most influential event."""


class Flow(NamedTuple):
    """Rewards and penalties from one agent for proposals of another."""

    from_agent: str
    to_agent: str | None
    """None: no proposal in the graph receives them."""
    rewards: int
    penalties: int
    """Events, each counted once for every agent it reached."""
    rewarded: float
    penalised: float
    """Sums of sizes, 0 or more."""
    net: float
    """`rewarded` - `penalised`."""


def influence(graph: nx.MultiDiGraph[str], *, damping: float = 0.85) -> list[Influence]:
    """Whose events influence the work: PageRank along causes, summed by agent, most influential first.

    A random reader starts at any event. With probability `damping` it moves to one of the event's causes, all equally likely, else to any
    event. An event's rank is the fraction of time that the reader is there. So an event is influential when influential events follow from
    it, and an event with many causes shares its influence among them. Long chains by a single agent count too.

    L. Page, S. Brin, R. Motwani, T. Winograd, "The PageRank Citation Ranking", 1999. About 50 passes over the edges, O(V + E) each.

    Args:
        damping: 0..1, below 1; larger looks further back.
    """
    ranks: dict[str, float] = extra("networkx").pagerank(graph, alpha=damping)
    totals: dict[str, float] = {}
    events: dict[str, list[str]] = {}
    for event, rank in ranks.items():
        agent = graph.nodes[event]["agent_id"]
        totals[agent] = totals.get(agent, 0.0) + rank
        events.setdefault(agent, []).append(event)
    found = [
        Influence(agent, total, len(events[agent]), max(events[agent], key=lambda event: (ranks[event], event)))
        for agent, total in totals.items()
    ]
    return sorted(found, key=lambda row: (-row.influence, row.agent_id))


def reward_flow(graph: nx.MultiDiGraph[str]) -> list[Flow]:
    """Who rewards and who penalises whose proposals, largest amount first.

    A reward or penalty goes to the nearest proposals among its causes (all at the smallest distance), as in the service. Its size is
    divided equally among them, so that sums stay the same. Without a proposal among its causes it goes to the newest earlier proposal of
    its trace and scope; without any, it has no receiver. (A `payload.action` that names another signal, and `payload.credit`, are ignored.)

    O(V + E), times the number of proposals that are equally near.
    """
    nearest = nearest_proposals(graph)
    newest: dict[tuple[str, str], str] = {}
    given: dict[tuple[str, str | None], list[list[float]]] = {}
    for event in in_order(graph):
        node = graph.nodes[event]
        place = node["trace_id"], node["scope"]
        if node["type"] == "proposal":
            newest[place] = event
        if node["type"] not in ("reward", "penalty"):
            continue
        proposals = nearest[event] or ([newest[place]] if place in newest else [])
        receivers: list[str | None] = [graph.nodes[proposal]["agent_id"] for proposal in proposals] or [None]
        for receiver in set(receivers):
            part = node["value"] * receivers.count(receiver) / len(receivers)
            given.setdefault((node["agent_id"], receiver), [[], []])[node["type"] == "penalty"].append(part)
    found = [
        Flow(giver, receiver, len(rewards), len(penalties), sum(rewards), 0 - sum(penalties), sum(rewards) + sum(penalties))
        for (giver, receiver), (rewards, penalties) in given.items()
    ]
    return sorted(found, key=lambda row: (-(row.rewarded + row.penalised), row.from_agent, row.to_agent or ""))


def in_order(graph: nx.MultiDiGraph[str]) -> list[str]:
    """Events by position, causes first."""
    return sorted(graph, key=lambda event: graph.nodes[event]["position"])


def nearest_proposals(graph: nx.MultiDiGraph[str]) -> dict[str, list[str]]:
    """For each event, the nearest proposals among its causes, in order of position. A proposal does not count for itself."""
    found: dict[str, list[str]] = {}
    distances: dict[str, int] = {}
    for event in in_order(graph):
        best: dict[str, None] = {}
        least = 0
        for cause in graph.successors(event):
            if graph.nodes[cause]["type"] == "proposal":
                near, distance = [cause], 1
            elif found[cause]:
                near, distance = found[cause], distances[cause] + 1
            else:
                continue
            if not best or distance < least:
                best, least = dict.fromkeys(near), distance
            elif distance == least:
                best.update(dict.fromkeys(near))
        found[event] = sorted(best, key=lambda proposal: graph.nodes[proposal]["position"])
        distances[event] = least
    return found
