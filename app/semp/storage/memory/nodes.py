"""The users' own graph in memory, on networkx."""

from __future__ import annotations

import msgspec
import networkx as nx

from semp.engine.records import Counted, GraphEdge, GraphNode, LineageFilter, LinkedNode, Relative, Side
from semp.storage.memory.lineage import MemoryLineage, page_nearest_first, selector

EVENT = "event:"
"""Prefix of the ids of linked events in the graph of nodes, because a node and an event may have the same id."""


class MemoryNodes(MemoryLineage):
    """Implements `semp.engine.ports.NodeStore`."""

    def __init__(self) -> None:
        super().__init__()
        self.artifacts: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        """The users' nodes and the events that they are linked to. The key of an edge is its type."""

    async def put_node(self, node_id: str, node_type: str, data: str) -> tuple[GraphNode, bool]:
        new = node_id not in self.artifacts
        if new:
            self.artifacts.add_node(node_id, type=node_type, data=data)
        stored = self.artifacts.nodes[node_id]
        return GraphNode(node_id, stored["type"], msgspec.Raw(stored["data"].encode()), []), new

    async def node(self, node_id: str) -> GraphNode | None:
        if node_id not in self.artifacts:
            return None
        stored = self.artifacts.nodes[node_id]
        edges = sorted((to.removeprefix(EVENT), kind) for _, to, kind in self.artifacts.out_edges(node_id, keys=True))
        return GraphNode(node_id, stored["type"], msgspec.Raw(stored["data"].encode()), [GraphEdge(*edge) for edge in edges])

    async def add_edge(self, node_id: str, to: str, edge_type: str) -> bool:
        target = to if to in self.artifacts else EVENT + to
        if node_id not in self.artifacts or (target != to and to not in self.causality):
            return False
        self.artifacts.add_edge(node_id, target, key=edge_type)
        return True

    async def nodes_of(self, event_id: str) -> list[LinkedNode]:
        if EVENT + event_id not in self.artifacts:
            return []
        links = sorted((kind, node_id) for node_id, _, kind in self.artifacts.in_edges(EVENT + event_id, keys=True))
        nodes = self.artifacts.nodes
        return [LinkedNode(node_id, nodes[node_id]["type"], msgspec.Raw(nodes[node_id]["data"].encode()), kind) for kind, node_id in links]

    async def count_linked(self, node_id: str, side: Side, edge: str | None, selection: LineageFilter) -> Counted:
        depths = self._depths(node_id, side, edge, selection.depth)
        return Counted(len(self._linked(node_id, side, edge, selection)), len(depths) <= selection.budget)

    async def linked(self, node_id: str, side: Side, edge: str | None, selection: LineageFilter) -> list[Relative]:
        return page_nearest_first(self._linked(node_id, side, edge, selection), selection, newest_first=side == "provenance")

    def _linked(self, node_id: str, side: Side, edge: str | None, selection: LineageFilter) -> list[Relative]:
        """The events on one side of a node that match the filter, within its budget. Its `after` and `limit` are not applied."""
        selected = selector(selection.types, selection.scope)
        until = len(self.log) if selection.until is None else selection.until
        depths = self._depths(node_id, side, edge, selection.depth)
        nearest = sorted(depths, key=lambda event_id: depths[event_id])[: selection.budget]
        relatives = [Relative(self.entry(event_id).event, depths[event_id]) for event_id in nearest]
        return [relative for relative in relatives if relative.event.position <= until and selected(relative.event)]

    def _depths(self, node_id: str, side: Side, edge: str | None, depth: int | None) -> dict[str, int]:
        """The events on one side of a node, each with its shortest distance, in PARENT hops, from an event that is linked to the node."""
        depths: dict[str, int] = {}
        for _, to, kind in self.artifacts.out_edges(node_id, keys=True) if node_id in self.artifacts else ():
            if to.startswith(EVENT) and edge in (None, kind):
                for relative, hops in self.reach(to.removeprefix(EVENT), side == "provenance", depth).items():
                    depths[relative] = min(hops, depths.get(relative, hops))
        return depths
