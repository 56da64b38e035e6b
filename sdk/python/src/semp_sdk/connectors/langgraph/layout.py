"""The edges of a compiled graph, and which of them a node has taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, cast

from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel import Pregel
from langgraph.types import Command, Send

AnyGraph = Pregel[Any, Any, Any, Any]
Target = str | Send
"""The next node: by name, or by a `Send`, which gives it an input of its own."""
UNNAMED = "condition"
"""The name that LangGraph gives a route without one, such as a lambda."""


class Layout:
    """The edges of a graph as it was built. Only graphs built by a StateGraph have edges that are known."""

    def __init__(self, graph: AnyGraph) -> None:
        self.edges: dict[str, list[str]] = defaultdict(list)
        """Unconditional edges: node to its next nodes."""
        self.joins: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        """Joins by each node that takes part: all nodes waited for, and the node that waits."""
        self.waits: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        """Joins by the node that waits: the nodes it waits for, one tuple a join."""
        self.name = graph.get_name()
        self._routes: dict[str, dict[str, Any]] = {}
        self._nodes = graph.nodes
        self._inner: dict[str, Layout | None] = {}
        if isinstance(graph, CompiledStateGraph):
            for start, end in sorted(graph.builder.edges):
                self.edges[start].append(end)
            for starts, end in graph.builder.waiting_edges:
                self.waits[end].append(starts)
                for start in starts:
                    self.joins[start].append((starts, end))
            self._routes = {node: dict(routes) for node, routes in graph.builder.branches.items()}

    def has(self, node: str) -> bool:
        """Whether there is such a node."""
        return node in self._nodes

    def before(self, node: str) -> list[str]:
        """The nodes that may lead to this one by an edge, a join, or a route with declared targets."""
        found = [start for start, ends in self.edges.items() if node in ends]
        found += [start for starts in self.waits.get(node, ()) for start in starts]
        found += [start for start, routes in self._routes.items() if any(node in (one.ends or {}).values() for one in routes.values())]
        return list(dict.fromkeys(found))

    def inner(self, node: str) -> Layout | None:
        """The layout of the graph that a node runs; None when it is not visible from outside."""
        if node not in self._inner:
            inner = cast("Sequence[Any]", self._nodes[node].subgraphs) if node in self._nodes else ()
            graphs: list[AnyGraph] = [graph for graph in inner if isinstance(graph, Pregel)]
            self._inner[node] = Layout(graphs[0]) if graphs else None
        return self._inner[node]

    def routed(self, node: str, route: str, result: object) -> list[Target]:
        """The targets of a conditional edge for this result; empty when the node has no such edge."""
        routes = self._routes.get(node, {})
        spec = routes.get(route) or routes.get(UNNAMED)
        if spec is None:
            return []
        found: list[Target] = []
        for one in _each(result):
            target = one if isinstance(one, Send) or not spec.ends else spec.ends.get(one)
            if isinstance(target, str | Send):
                found.append(target)
        return found


def commanded(output: object) -> list[Target]:
    """The targets that a node's output names itself, by `Command` and `Send`."""
    return [*_commanded(output)]


def _commanded(output: object) -> Iterator[Target]:
    if isinstance(output, Send):
        yield output
        return
    for one in _each(output):
        if isinstance(one, Command):
            goto: Any = cast("Any", one).goto
            yield from [goto] if isinstance(goto, str | Send) else goto


def _each(value: object) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list | tuple) else [value]


def target_name(target: Target) -> str:
    """Name of the target node."""
    return target.node if isinstance(target, Send) else target
