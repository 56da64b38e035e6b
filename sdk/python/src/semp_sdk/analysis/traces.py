"""Traces: which ones are similar."""

from __future__ import annotations

from collections import Counter
from heapq import nsmallest
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from semp_sdk.analysis.agents import in_order

if TYPE_CHECKING:
    import networkx as nx

MOST_TRACES = 1_000
"""Most traces for which all pairs are compared: half a million pairs."""


class Likeness(NamedTuple):
    """Similarity of two traces."""

    trace_a: str
    trace_b: str
    similarity: float
    """0..1; 1 means: events of the same types and scopes follow from one another in the same way."""


def similarity(graph: nx.MultiDiGraph[str], *, of: str | None = None, hops: int = 2, limit: int | None = 100) -> list[Likeness]:
    """Similarity of traces by their causal structure, most similar pairs first. Pairs with nothing in common are left out.

    Each event is labelled by its type and scope. Then, `hops` times, each label is extended by the labels of the event's causes in the
    same trace. The similarity of two traces is the overlap of their labels of all rounds: for each label take its counts in both traces,
    and divide the sum of the smaller counts by the sum of the larger ones. Agents, times and payloads do not count.

    Descriptions: Weisfeiler-Lehman subtrees (N. Shervashidze et al., "Weisfeiler-Lehman Graph Kernels", 2011), along causes only. Their
    overlap: weighted Jaccard index (Ruzicka). O(hops * (V + E)), and for each pair O(events of the smaller trace).

    Args:
        of: compare only this trace with every other one.
        hops: 0 or more; 0 compares numbers of events by type and scope.
        limit: largest number of rows; None for all.

    Raises:
        ValueError: there is no such trace; or there are more than 1,000 and `of` is not given.
    """
    described = _descriptions(graph, hops)
    if of is not None and of not in described:
        raise ValueError(f"no event here is of the trace {of}")
    if of is None and len(described) > MOST_TRACES:
        raise ValueError(f"{len(described)} traces are too many to compare each with each; give `of`, or mirror a part of the log")
    pairs = ((of, other) for other in described if other != of) if of is not None else combinations(described, 2)
    sizes = {trace: count.total() for trace, count in described.items()}
    rows: list[Likeness] = []
    for one, other in pairs:
        shared = _shared(described[one], described[other])
        if shared:
            rows.append(Likeness(one, other, shared / (sizes[one] + sizes[other] - shared)))
    return nsmallest(len(rows) if limit is None else limit, rows, key=lambda row: (-row.similarity, row.trace_a, row.trace_b))


def _descriptions(graph: nx.MultiDiGraph[str], hops: int) -> dict[str, Counter[int]]:
    """How often each description occurs in each trace; equal descriptions have equal numbers."""
    numbers: dict[object, int] = {}
    found: dict[str, Counter[int]] = {}
    order = in_order(graph)
    causes = {
        event: [cause for cause in graph.successors(event) if graph.nodes[cause]["trace_id"] == graph.nodes[event]["trace_id"]]
        for event in order
    }
    labels = {event: numbers.setdefault((graph.nodes[event]["type"], graph.nodes[event]["scope"]), len(numbers)) for event in order}
    for round_ in range(hops + 1):
        if round_:
            labels = {
                event: numbers.setdefault((labels[event], tuple(sorted(labels[cause] for cause in causes[event]))), len(numbers))
                for event in order
            }
        for event in order:
            found.setdefault(graph.nodes[event]["trace_id"], Counter())[labels[event]] += 1
    return found


def _shared(one: Counter[int], other: Counter[int]) -> int:
    small, large = (one, other) if len(one) <= len(other) else (other, one)
    return sum(min(count, large[label]) for label, count in small.items() if label in large)
