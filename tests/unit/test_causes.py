"""Nearest proposals: computed from the parents alone, they agree with a search of the whole graph."""

from __future__ import annotations

import random

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st
from semp.domain.causes import Cause, Proposal, nearest

A, B, C = (Proposal(position, "ui", f"a{position}") for position in (1, 2, 3))


def test_without_parents_or_proposals_there_is_none() -> None:
    assert nearest([]) == ((), 0)
    assert nearest([Cause(7), Cause(8)]) == ((), 0)


def test_a_proposal_among_the_parents_is_one_hop_away() -> None:
    assert nearest([Cause(1, (A,), 0)]) == ((A,), 1)


def test_all_proposals_at_the_smallest_distance_count_and_no_others() -> None:
    assert nearest([Cause(9, (C,), 2), Cause(8, (B, A), 1), Cause(7), Cause(6, (A, C), 1)]) == ((A, B, C), 2)
    assert nearest([Cause(8, (B,), 1), Cause(9, (A,), 5)]) == ((B,), 2)
    assert nearest([Cause(9, (A,), 5), Cause(8, (B,), 1)]) == ((B,), 2)


def search(graph: nx.DiGraph[int], proposals: set[int], event: int) -> tuple[list[int], int]:
    """The nearest proposals and their distance by the definition: a breadth-first search over all causes of the event."""
    away = nx.single_source_shortest_path_length(graph, event)
    reached = {other: distance for other, distance in away.items() if other != event and other in proposals}
    smallest = min(reached.values(), default=0)
    return sorted(other for other, distance in reached.items() if distance == smallest), smallest


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.floats(0.02, 0.6), st.integers(1, 5))
def test_nearest_proposals_from_the_parents_agree_with_a_search_of_the_graph(seed: int, size: int, share: float, most: int) -> None:
    rng = random.Random(seed)
    graph: nx.DiGraph[int] = nx.DiGraph()
    proposals: set[int] = set()
    causes: dict[int, Cause] = {}
    for event in range(1, size + 1):
        parents = rng.sample(range(1, event), min(event - 1, rng.randint(0, most)))
        graph.add_node(event)
        graph.add_edges_from((event, parent) for parent in parents)
        found, distance = nearest(causes[parent] for parent in parents)
        assert ([proposal.position for proposal in found], distance) == search(graph, proposals, event)
        if rng.random() < share:
            proposals.add(event)
            causes[event] = Cause(event, (Proposal(event, "ui", f"a{event}"),), 0)
        else:
            causes[event] = Cause(event, found, distance)
