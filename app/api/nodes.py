"""The users' own graph, beside the log."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get
from litestar.openapi.spec import Example
from litestar.params import Body

from app.api.direct import Answer, Incoming, decode, direct_post
from app.api.errors import responses
from app.api.events import InPath
from app.api.examples import NEW_EDGE, NEW_NODE, NODE, created, success
from app.domain.errors import FieldError, IdConflict, InvalidInput, NotFound
from app.domain.events import Id, Name, canonical, new_id, stored_text
from app.engine.environment import Environment
from app.engine.ports import GraphEdge, GraphNode


class NewNode(msgspec.Struct, forbid_unknown_fields=True):
    """A node as a client sends it."""

    type: Annotated[Name, msgspec.Meta(examples=["file"])]
    data: Annotated[dict[str, Any], msgspec.Meta(examples=[{"path": "src/login.py"}])] = msgspec.field(default_factory=dict[str, Any])
    id: Annotated[Id | None, msgspec.Meta(description="The client's own UUID; makes a retry safe.")] = None


class NewEdge(msgspec.Struct, forbid_unknown_fields=True):
    """An edge from the node in the path."""

    to: Id
    type: Annotated[Name, msgspec.Meta(examples=["depends_on"])]


class NodeAnswer(msgspec.Struct):
    """A node with its edges."""

    id: str
    type: str
    data: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object"})]
    edges: list[GraphEdge]


_read_node = msgspec.json.Decoder(NewNode).decode
_read_edge = msgspec.json.Decoder(NewEdge).decode
_encode = msgspec.json.Encoder().encode


def node_routes(environment: Environment) -> Router:
    """`/nodes` and what is below it."""

    @direct_post(
        "/nodes",
        body=Annotated[NewNode, Body(examples=[Example(value=NEW_NODE)])],
        answer=NodeAnswer,
        operation_id="createNode",
        summary="Store a graph node",
        responses={**created(NodeAnswer, NODE), **responses(400, 409, 413, 415, 503)},
    )
    async def create_node(incoming: Incoming) -> Answer:
        """201 with the node. Sending the same `id` with the same content again answers 200."""
        new = decode(_read_node, incoming.body)
        node_id = new.id.lower() if new.id else new_id()
        data = stored_text(new.data, "data")
        node, created = await environment.storage.put_node(node_id, new.type, data)
        if created:
            return Answer(201, _encode(node))
        if node.type != new.type or canonical(bytes(node.data)) != canonical(data.encode()):
            raise IdConflict(node_id, what="a node")
        return Answer(200, _encode(await _node(environment, node_id)))

    @get(
        "/nodes/{node_id:str}",
        operation_id="getNode",
        summary="Read a graph node",
        responses={
            200: success(NodeAnswer, NODE),
            **responses(400, 404, 503),
        },
    )
    async def get_node(node_id: InPath) -> NodeAnswer:
        """The node with its edges, by target and type."""
        return _answer(await _node(environment, node_id.lower()))

    @direct_post(
        "/nodes/{node_id:str}/edges",
        body=Annotated[NewEdge, Body(examples=[Example(value=NEW_EDGE)])],
        answer=NodeAnswer,
        parameters={"node_id": InPath},
        operation_id="addEdge",
        summary="Link two graph nodes",
        responses={
            201: success(NodeAnswer, NODE),
            **responses(400, 404, 413, 415, 503),
        },
    )
    async def add_edge(incoming: Incoming) -> Answer:
        """201 with the node the edge leaves from. The same edge twice is one edge."""
        edge = decode(_read_edge, incoming.body)
        node_id = str(incoming.scope["path_params"]["node_id"]).lower()
        if not await environment.storage.add_edge(node_id, edge.to.lower(), edge.type):
            await _node(environment, node_id)
            raise InvalidInput(FieldError("to", f"no node has the id {edge.to}"))
        return Answer(201, _encode(await _node(environment, node_id)))

    return Router("/", route_handlers=[create_node, get_node, add_edge], tags=["Graph nodes"])


async def _node(environment: Environment, node_id: str) -> GraphNode:
    found = await environment.storage.node(node_id)
    if found is None:
        raise NotFound(f"no node has the id {node_id}")
    return found


def _answer(node: GraphNode) -> NodeAnswer:
    return NodeAnswer(node.id, node.type, node.data, node.edges)
