"""Every lineage answer compared with what networkx computes, on random graphs with about a hundred merges."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import Any

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.answers import pages
from tests.conftest import Service
from tests.events import Event, append, new_event, new_id, unique
from tests.strategies import selects

KINDS = ("ancestors", "descendants", "roots", "impact", "lineage")
FILTERS: tuple[dict[str, Any], ...] = (
    {}, {"depth": 1}, {"depth": 3}, {"depth": 40}, {"type": ["test"]}, {"type": ["ready", "test"]}, {"scope": "o.a"}, {"scope": "o.**"},
    {"scope": "o.*", "depth": 5}, {"scope": "o.a", "type": ["ready"], "depth": 9},
)  # fmt: skip
SCOPES = ("o", "o.a", "o.b", "o.a.x")
SUPPRESSED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example, HealthCheck.filter_too_much]
"""Each example is a graph that a service stores, so it is large and slow."""


@dataclass(frozen=True)
class Shape:
    """How a random graph is made."""

    seed: int
    size: int
    """How many events."""
    reach: int
    """A parent is one of this many events before its child."""
    merges: float
    """The probability that an event has two to four parents; otherwise it has one or none."""


SHAPES = st.builds(Shape, st.integers(0, 2**32 - 1), st.integers(200, 320), st.integers(2, 60), st.floats(0.55, 0.95))


class History:
    """Random events, in the log and in a graph with an edge from each event to its parents."""

    def __init__(self, service: Service, shape: Shape) -> None:
        self.rng = random.Random(shape.seed)
        self.graph: nx.DiGraph[str] = nx.DiGraph()
        self.order: list[str] = []
        self.events: dict[str, Event] = {}
        self.trace = unique("oracle trace")
        for _ in range(shape.size):
            near = self.order[-shape.reach :]
            count = self.rng.randint(2, 4) if self.rng.random() < shape.merges else self.rng.choice((0, 1, 1, 1))
            parents = self.rng.sample(near, min(count, len(near)))
            kind, payload = self.rng.choice((("ready", {"status": "x"}), ("test", {"status": "passed"})))
            event = new_event(
                kind, payload, *parents, id=new_id(), scope=self.rng.choice(SCOPES),
                trace_id=self.trace + self.rng.choice(("", "", " apart")), agent_id=self.rng.choice(("ann", "bob")),
            )  # fmt: skip
            self.order.append(event["id"])
            self.events[event["id"]] = event
            self.graph.add_node(event["id"])
            self.graph.add_edges_from((event["id"], parent) for parent in parents)
        self.number = {event_id: number for number, event_id in enumerate(self.order)}
        append(service, [self.events[event_id] for event_id in self.order])

    @property
    def merges(self) -> int:
        """How many events have several parents."""
        return sum(parents > 1 for _, parents in self.graph.out_degree())

    def selected(self, event_id: str, depth: int, query: dict[str, Any]) -> bool:
        """Whether the filters of a request select an event at this distance."""
        event = self.events[event_id]
        return (
            depth <= query.get("depth", len(self.order))
            and event["type"] in query.get("type", ["ready", "test"])
            and selects(query.get("scope", "**"), event["scope"])
        )

    def relatives(self, event_id: str, kind: str, query: dict[str, Any]) -> list[tuple[str, int]]:
        """Ids and distances, in the order in which the service has to list them."""
        if kind == "lineage":
            both = self.relatives(event_id, "ancestors", query) + self.relatives(event_id, "descendants", query)
            return sorted(both, key=lambda node: node[1])
        graph = self.graph if kind in ("ancestors", "roots") else self.graph.reverse(copy=False)
        ends = kind in ("roots", "impact")
        distances: dict[str, int] = nx.single_source_shortest_path_length(graph, event_id)
        found = [
            (other, depth)
            for other, depth in distances.items()
            if (ends or depth) and (not ends or graph.out_degree(other) == 0) and self.selected(other, depth, query)
        ]
        sign = -1 if graph is self.graph else 1
        return sorted(found, key=lambda one: (one[1], sign * self.number[one[0]]))

    def between(self, cause: str, effect: str) -> list[tuple[str, int]]:
        """The events on any path from the cause to the effect, both included, with their distances from the cause."""
        distances: dict[str, int] = nx.single_source_shortest_path_length(self.graph.reverse(copy=False), cause)
        inner = ({effect} | nx.descendants(self.graph, effect)) & set(distances)
        return sorted(((one, distances[one]) for one in inner), key=lambda one: (one[1], self.number[one[0]]))

    def common_causes(self, ids: list[str]) -> set[str]:
        """The lowest common causes, computed by their definition."""
        common = set[str].intersection(*[{one} | nx.descendants(self.graph, one) for one in ids])
        return {cause for cause in common if not any(cause in nx.descendants(self.graph, other) for other in common)}


def read(service: Service, path: str, **query: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All pages, and the nodes of all pages."""
    found = pages(service, path, **query)
    return found, [node for page in found for node in page["nodes"]]


@pytest.mark.timeout(600)
@settings(max_examples=4, deadline=None, suppress_health_check=SUPPRESSED)
@given(shape=SHAPES)
def test_every_lineage_answer_is_what_networkx_computes(service: Service, shape: Shape) -> None:
    history = History(service, shape)
    assert history.merges > 80
    rng = history.rng
    for kind in KINDS:
        for query in FILTERS:
            event_id = rng.choice(history.order)
            expected = history.relatives(event_id, kind, query)
            limit, count = rng.choice((1000, 1000, 97, 40)), rng.choice((0, 1, 1))
            listed, nodes = read(service, f"/api/events/{event_id}/{kind}", **query, limit=limit, count=count)
            assert [(node["id"], node["depth"]) for node in nodes] == expected, (kind, query, event_id)
            assert [page.get("count") for page in listed] == [len(expected) if count else None] * len(listed), (kind, query, event_id)
            assert [page["truncated"] for page in listed] == [True] * (len(listed) - 1) + [False]
            assert all(len(page["nodes"]) == limit for page in listed[:-1])
            if kind == "lineage":
                sides = {"ancestor": nx.descendants(history.graph, event_id), "descendant": nx.ancestors(history.graph, event_id)}
                assert all(node["id"] in sides[node["relation"]] for node in nodes)
    for _ in range(12):
        effect = rng.choice(history.order)
        cause = rng.choice(sorted({effect} | nx.descendants(history.graph, effect)) if rng.random() < 0.8 else history.order)
        cause, effect = sorted((cause, effect), key=history.number.__getitem__)
        expected = history.between(cause, effect)
        listed, nodes = read(service, "/api/paths", **{"from": effect, "to": cause}, limit=50)
        assert [(node["id"], node["depth"]) for node in nodes] == expected
        assert {page["count"] for page in listed} == {len(expected)}
        shortest = listed[0]["shortest"]
        assert len(shortest) == (nx.shortest_path_length(history.graph, effect, cause) + 1 if expected else 0)
        assert all(history.graph.has_edge(later, earlier) for earlier, later in itertools.pairwise(shortest))
        assert not shortest or (shortest[0], shortest[-1]) == (cause, effect)
    for _ in range(15):
        asked = rng.sample(history.order[-120:], rng.choice((2, 2, 3)))
        listed, nodes = read(service, "/api/common-causes", ids=",".join(asked))
        assert {node["id"] for node in nodes} == history.common_causes(asked)
        assert len(nodes) == listed[0]["count"]


@settings(max_examples=4, deadline=None, suppress_health_check=SUPPRESSED)
@given(shape=SHAPES)
def test_the_ends_and_the_graph_of_a_trace_are_what_networkx_computes(service: Service, shape: Shape) -> None:
    history = History(service, shape)
    inside = history.graph.subgraph([one for one in history.order if history.events[one]["trace_id"] == history.trace])
    path = f"/api/traces/{history.trace.replace(' ', '%20')}"
    summary = service.client.get(path).raise_for_status().json()
    assert summary["events"] == len(inside)
    assert summary["roots"]["count"] == sum(parents == 0 for _, parents in inside.out_degree())
    assert summary["leaves"]["count"] == sum(children == 0 for _, children in inside.in_degree())
    steps = [step["id"] for step in summary["critical_path"]["steps"]]
    assert all(inside.has_edge(later, earlier) for earlier, later in itertools.pairwise(steps))
    assert steps[-1] == [one for one in history.order if one in inside][-1], "the critical path ends with the newest event of the trace"
    assert inside.out_degree(steps[0]) == 0
    listed = pages(service, f"{path}/graph", limit=90)
    assert {node["id"] for page in listed for node in page["nodes"]} == set(inside)
    edges = {(edge["source"], edge["target"]) for page in listed for edge in page["edges"]}
    assert edges == {(later, earlier) for later, earlier in history.graph.edges if later in inside}
