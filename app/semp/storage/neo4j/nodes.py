"""The users' own graph in Neo4j."""

from __future__ import annotations

import msgspec

from semp.domain.events import new_id
from semp.engine.records import Counted, GraphEdge, GraphNode, LineageFilter, LinkedNode, Relative, Side
from semp.storage.neo4j import rows
from semp.storage.neo4j.connection import Connection
from semp.storage.neo4j.lineage import counted, parameters_with_until


class Neo4jNodes:
    """Implements `semp.engine.ports.NodeStore`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def put_node(self, node_id: str, node_type: str, data: str) -> tuple[GraphNode, bool]:
        [row] = await self.connection.run("put_node", id=node_id, type=node_type, data=data, token=new_id())
        return GraphNode(row[0], row[1], msgspec.Raw(row[2].encode()), []), row[3]

    async def node(self, node_id: str) -> GraphNode | None:
        result = await self.connection.run("node", id=node_id)
        if not result:
            return None
        row = result[0]
        return GraphNode(row[0], row[1], msgspec.Raw(row[2].encode()), [GraphEdge(*edge) for edge in sorted(row[3])])

    async def add_edge(self, node_id: str, to: str, edge_type: str) -> bool:
        return bool(await self.connection.run("add_edge", **{"from": node_id, "to": to, "type": edge_type}))

    async def nodes_of(self, event_id: str) -> list[LinkedNode]:
        result = await self.connection.run("nodes_of_event", id=event_id)
        result.sort(key=lambda row: (row[3], row[0]))
        return [LinkedNode(row[0], row[1], msgspec.Raw(row[2].encode()), row[3]) for row in result]

    async def count_linked(self, node_id: str, side: Side, edge: str | None, selection: LineageFilter) -> Counted:
        [row] = await self.connection.run_in_turn(
            f"count_{side}", depth=_hops(side, selection), id=node_id, edge=edge, budget=selection.budget + 1,
            **parameters_with_until(selection),
        )  # fmt: skip
        return counted(row, selection.budget)

    async def linked(self, node_id: str, side: Side, edge: str | None, selection: LineageFilter) -> list[Relative]:
        depth, position = selection.after or (-1, 0)
        result = await self.connection.run_in_turn(
            f"nearest_{side}", depth=_hops(side, selection), id=node_id, edge=edge, after_depth=depth, after_position=position,
            limit=selection.limit, budget=selection.budget, payload=selection.payload, **parameters_with_until(selection),
        )  # fmt: skip
        return [Relative(rows.event(row[1:]), row[0]) for row in result]


def _hops(side: Side, selection: LineageFilter) -> int | None:
    """The bound of the query: for provenance, the link from the node to its event counts as a hop."""
    return selection.depth + 1 if selection.depth is not None and side == "provenance" else selection.depth
