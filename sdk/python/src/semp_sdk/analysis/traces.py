"""Traces: which ones went alike."""

from __future__ import annotations

from collections import Counter
from heapq import nsmallest
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from semp_sdk.analysis.agents import in_order

if TYPE_CHECKING:
    import networkx as nx

MOST_TRACES = 1_000
"""Traces that are compared each with each, at most: half a million pairs."""


class Likeness(NamedTuple):
    """How alike two traces are."""

    trace_a: str
    trace_b: str
    similarity: float
    """0..1; 1: the same kinds of events in the same scopes follow from one another in the same way."""


def similarity(graph: nx.MultiDiGraph[str], *, of: str | None = None, hops: int = 2, limit: int | None = 100) -> list[Likeness]:
    """How alike traces are in what followed from what, most alike first; pairs with nothing in common are left out.

    Each event is described by its type and scope, and then by what it follows from: `hops` times, a description is extended by those of
    the event's causes in the same trace. The similarity of two traces is how much their descriptions of all lengths overlap: for each
    description the smaller of its two numbers, summed, over the sum of the larger ones. Agents, times and payloads do not count.

    Descriptions: Weisfeiler-Lehman subtrees (N. Shervashidze et al., "Weisfeiler-Lehman Graph Kernels", 2011), along causes only. Their
    overlap: weighted Jaccard index (Ruzicka). O(hops * (V + E)), and for each pair O(events of the smaller trace).

    Args:
        of: compare this trace with every other, instead of each with each.
        hops: 0 or more; 0 compares numbers of events by type and scope.
        limit: rows at most, None for all.

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
