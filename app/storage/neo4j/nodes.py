"""The users' own graph in Neo4j."""

from __future__ import annotations

import msgspec

from app.domain.events import new_id
from app.engine.ports import GraphEdge, GraphNode
from app.storage.neo4j.connection import Connection


class Neo4jNodes:
    """Implements `app.engine.ports.NodeStore`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def put_node(self, node_id: str, node_type: str, data: str) -> tuple[GraphNode, bool]:
        [row] = await self.connection.run("put_node", id=node_id, type=node_type, data=data, token=new_id())
        return GraphNode(row[0], row[1], msgspec.Raw(row[2].encode()), []), row[3]

    async def node(self, node_id: str) -> GraphNode | None:
        found = await self.connection.run("node", id=node_id)
        if not found:
            return None
        row = found[0]
        return GraphNode(row[0], row[1], msgspec.Raw(row[2].encode()), [GraphEdge(*edge) for edge in sorted(row[3])])

    async def add_edge(self, node_id: str, to: str, edge_type: str) -> bool:
        return bool(await self.connection.run("add_edge", **{"from": node_id, "to": to, "type": edge_type}))
