"""The users' own graph of nodes and edges, stored beside the log, and how its nodes are linked to events."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.openapi.spec import Example
from litestar.params import Body, Parameter

from semp.api.direct import Answer, Incoming, decode, direct_post
from semp.api.errors import responses
from semp.api.examples import LINEAGE, LINKED_NODE, NEW_EDGE, NEW_NODE, NODE, created, success
from semp.api.params import Budget, Cursor, Depth, InPath, PageSize, ScopeGlob, Types, WithCount, WithPayload, valid_glob
from semp.api.routes.lineage import LineageAnswer, page, read_cursor
from semp.api.security.credentials import principal_of
from semp.domain.errors import FieldError, IdConflict, InvalidInput, NotFound
from semp.domain.events import MAX_NAME, Id, Name, canonical, new_id, stored_text
from semp.engine.environment import Environment
from semp.engine.gate import Gate
from semp.engine.lineage import Asked
from semp.engine.records import NODE_BUDGET, GraphEdge, GraphNode, LineageFilter, Side


class NewNode(msgspec.Struct, forbid_unknown_fields=True):
    """A node as a client sends it."""

    type: Annotated[Name, msgspec.Meta(examples=["file"])]
    data: Annotated[dict[str, Any], msgspec.Meta(examples=[{"path": "src/login.py"}])] = msgspec.field(default_factory=dict[str, Any])
    id: Annotated[Id | None, msgspec.Meta(description="A UUID that the client chose; it makes a retry safe.")] = None


class NewEdge(msgspec.Struct, forbid_unknown_fields=True):
    """An edge from the node in the path, to another node or to an event."""

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


class LinkedNodeAnswer(msgspec.Struct):
    """A node as seen from an event it is linked to; `edge` is the type of the link."""

    id: str
    type: str
    data: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object"})]
    edge: str


EdgeType = Annotated[str | None, Parameter(required=False, max_length=MAX_NAME, description="Only links of this type. Default: all.")]
SIDES: dict[Side, tuple[str, str, str, str]] = {
    "provenance": (
        "provenance",
        "listProvenance",
        "What led to an artefact",
        "The events that its node is linked to, at depth 0, and all their ancestors, each once at its shortest distance.",
    ),
    "consequences": (
        "descendants",
        "listDescendantsOfNode",
        "What an artefact led to",
        "The events that its node is linked to, at depth 0, and all their descendants, each once at its shortest distance.",
    ),
}


def node_routes(environment: Environment) -> Router:
    """`/nodes` and the paths below it, and `/events/{id}/nodes`."""

    @direct_post(
        "/nodes",
        body=Annotated[NewNode, Body(examples=[Example(value=NEW_NODE)])],
        answer=NodeAnswer,
        operation_id="createNode",
        summary="Store a graph node",
        responses={**created(NodeAnswer, NODE), **responses(400, 409, 413, 415, 503)},
    )
    async def create_node(incoming: Incoming) -> Answer:
        """201 with the node. The same `id` with the same content again is answered 200."""
        new = decode(_read_node, incoming.body)
        node_id = new.id.lower() if new.id else new_id()
        data = stored_text(new.data, "data")
        gate = environment.acting(principal_of(incoming.scope))
        node, created = await gate.put_node(node_id, new.type, data)
        if created:
            return Answer(201, _encode(node))
        if node.type != new.type or canonical(bytes(node.data)) != canonical(data.encode()):
            raise IdConflict(node_id, what="a node")
        return Answer(200, _encode(await _node(gate, node_id)))

    @get(
        "/nodes/{node_id:str}",
        operation_id="getNode",
        summary="Read a graph node",
        responses={
            200: success(NodeAnswer, NODE),
            **responses(400, 404, 503),
        },
    )
    async def get_node(request: Request[Any, Any, Any], node_id: InPath) -> NodeAnswer:
        """The node with its edges, ordered by target and type."""
        gate = environment.acting(principal_of(request.scope))
        return _answer(await _node(gate, node_id.lower()))

    @direct_post(
        "/nodes/{node_id:str}/edges",
        body=Annotated[NewEdge, Body(examples=[Example(value=NEW_EDGE)])],
        answer=NodeAnswer,
        parameters={"node_id": InPath},
        operation_id="addEdge",
        summary="Link a graph node to another, or to an event",
        responses={
            201: success(NodeAnswer, NODE),
            **responses(400, 404, 413, 415, 503),
        },
    )
    async def add_edge(incoming: Incoming) -> Answer:
        """201 with the node that the edge starts from. An edge that is added twice is stored once."""
        edge = decode(_read_edge, incoming.body)
        node_id = str(incoming.scope["path_params"]["node_id"]).lower()
        gate = environment.acting(principal_of(incoming.scope))
        if not await gate.add_edge(node_id, edge.to.lower(), edge.type):
            await _node(gate, node_id)
            raise InvalidInput(FieldError("to", f"neither a node nor an event has the id {edge.to}"))
        return Answer(201, _encode(await _node(gate, node_id)))

    def side_route(side: Side) -> Any:
        path, operation, summary, text = SIDES[side]

        async def handler(
            request: Request[Any, Any, Any],
            node_id: InPath,
            edge: EdgeType = None,
            depth: Depth = None,
            limit: PageSize = 100,
            types: Types = None,
            in_scope: ScopeGlob = None,
            payload: WithPayload = 0,
            budget: Budget = NODE_BUDGET,
            count: WithCount = 1,
            cursor: Cursor = None,
        ) -> Response[LineageAnswer]:
            gate = environment.acting(principal_of(request.scope))
            place = read_cursor(cursor)
            until = place.until or gate.state.head
            node = await _node(gate, node_id.lower())
            selection = LineageFilter(
                depth=depth, types=types, scope=valid_glob(in_scope), until=until, after=place.after, limit=limit and limit + 1,
                payload=bool(payload), budget=budget,
            )  # fmt: skip
            relatives, counted = await gate.linked(node.id, side, edge, selection, Asked(place.counted, bool(count), gate.state.head))
            return page(request, counted, relatives, limit, until=until, payload=bool(payload), count=bool(count))

        handler.__doc__ = text
        return get(
            f"/nodes/{{node_id:str}}/{path}",
            name=operation, operation_id=operation, summary=summary,
            responses={200: success(LineageAnswer, LINEAGE), **responses(400, 404, 503)},
        )(handler)  # fmt: skip

    @get(
        "/events/{event_id:str}/nodes",
        operation_id="listNodesOfEvent",
        summary="The graph nodes linked to an event",
        responses={200: success(list[LinkedNodeAnswer], [LINKED_NODE]), **responses(400, 404, 503)},
    )
    async def list_nodes_of_event(request: Request[Any, Any, Any], event_id: InPath) -> list[LinkedNodeAnswer]:
        """Ordered by type of the link, then by id."""
        gate = environment.acting(principal_of(request.scope))
        stored_id = event_id.lower()
        if not await gate.events([stored_id]):
            raise NotFound(f"no event has the id {event_id}")
        return [LinkedNodeAnswer(node.id, node.type, node.data, node.edge) for node in await gate.nodes_of(stored_id)]

    handlers = [create_node, get_node, add_edge, side_route("provenance"), side_route("consequences"), list_nodes_of_event]
    return Router("/", route_handlers=handlers, tags=["Graph nodes"])


async def _node(gate: Gate, node_id: str) -> GraphNode:
    node = await gate.node(node_id)
    if node is None:
        raise NotFound(f"no node has the id {node_id}")
    return node


def _answer(node: GraphNode) -> NodeAnswer:
    return NodeAnswer(node.id, node.type, node.data, node.edges)
