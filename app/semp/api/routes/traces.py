"""Traces: the list of the latest, the summary of one, and one as a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import msgspec
from litestar import Request, Response, Router, get
from litestar.params import Parameter

from semp.api.errors import responses
from semp.api.examples import TRACE, TRACE_GRAPH, TRACE_SUMMARY, success
from semp.api.params import MAX_PAGE, InPath, Limit, Position, ScopeGlob, Types, WithPayload, given, rest_of_path, valid_glob
from semp.api.security.credentials import principal_of
from semp.api.text_paths import GRAPH, TRACES
from semp.domain.errors import NotFound
from semp.domain.event_types import EventType
from semp.domain.events import Event
from semp.domain.traces import TraceEvent, TraceSummary
from semp.engine.environment import Environment
from semp.engine.records import EventFilter, TraceFilter, TraceSpan

MAX_GRAPH = 10_000
"""Maximum number of events in a page of a graph."""
MAX_LINKS = 20_000
"""Maximum number of edges in a page of a graph."""


class GraphEvent(msgspec.Struct):
    """A node: an event. It has `payload` only with `payload=1`."""

    id: str
    type: EventType
    scope: str
    agent_id: str
    timestamp: str
    position: int
    payload: Annotated[msgspec.Raw | msgspec.UnsetType, msgspec.Meta(extra_json_schema={"type": "object"})] = msgspec.UNSET


class GraphLink(msgspec.Struct):
    """An edge from an event to one of its parents."""

    source: str
    target: str
    type: str = "PARENT"


class TraceGraph(msgspec.Struct):
    """Node-link JSON: `networkx.node_link_graph(answer, edges="edges")` reads it. A parent in another trace has an edge, but no node."""

    nodes: list[GraphEvent]
    edges: list[GraphLink]
    graph: dict[str, Any]
    directed: bool = True
    multigraph: bool = False

    def add(self, events: Sequence[Event | TraceEvent], limit: int, *, payload: bool = False) -> bool:
        """Add events until the page is full. Returns whether it is, and events are left over."""
        for one in events:
            if len(self.nodes) == limit or (self.nodes and len(self.edges) + len(one.parent_ids) > MAX_LINKS):
                return True
            content = one.payload if payload and isinstance(one, Event) else msgspec.UNSET
            self.nodes.append(GraphEvent(one.id, one.type, one.scope, one.agent_id, one.timestamp, one.position, content))
            self.edges += [GraphLink(one.id, parent) for parent in one.parent_ids]
        return False


GraphLimit = Annotated[int, Parameter(ge=1, le=MAX_GRAPH, description="Maximum number of events in a page.")]


def trace_routes(environment: Environment) -> Router:
    """`/traces` and the paths below it."""

    @get(
        "/traces",
        operation_id="listTraces",
        summary="The latest traces",
        responses={200: success(list[TraceSpan], [TRACE]), **responses(400, 503)},
    )
    async def list_traces(
        request: Request[Any, Any, Any],
        limit: Limit = 100,
        types: Types = None,
        in_scope: ScopeGlob = None,
        before: Position = None,
        until: Position = None,
    ) -> Response[list[TraceSpan]]:
        """Ordered by their newest event, newest first. With `type` or `scope`: only traces that have such an event. A page may hold fewer
        than `limit` traces although more follow; only a missing `Link` header means the end. Later pages leave out events that arrived
        after the first page."""
        gate = environment.acting(principal_of(request.scope))
        head = await gate.stored_head() if until is None else until
        selection = TraceFilter(
            before=head + 1 if before is None else before, until=head, types=types or (), scopes=given(valid_glob(in_scope)), limit=limit
        )
        found = await gate.traces(selection)
        headers = _next(request, before=found.next, until=head) if found.next is not None else {}
        return Response(found.traces, headers=headers)

    @get(
        "/traces/{trace_id:str}",
        operation_id="getTrace",
        summary="A trace at a glance",
        responses={200: success(TraceSummary, TRACE_SUMMARY), **responses(400, 404, 503)},
    )
    async def get_trace(request: Request[Any, Any, Any], trace_id: InPath) -> TraceSummary:  # noqa: ARG001 - for the document
        """Its agents, duration, first and last events, rewards and penalties, and the critical path: the chain of causes that determined
        the duration, with each agent's time on it. A summary covers the oldest 50,000 events."""
        gate = environment.acting(principal_of(request.scope))
        full_trace_id = rest_of_path(request, TRACES)
        summary = await gate.trace_summary(full_trace_id)
        if summary is None:
            raise NotFound(f"no event has the trace_id {full_trace_id}")
        return summary

    @get(
        "/traces/{trace_id:str}/graph",
        operation_id="getTraceGraph",
        summary="A trace as a graph",
        responses={200: success(TraceGraph, TRACE_GRAPH), **responses(400, 404, 503)},
    )
    async def get_graph(
        request: Request[Any, Any, Any],
        trace_id: InPath,  # noqa: ARG001 - for the document
        limit: GraphLimit = 1_000,
        types: Types = None,
        in_scope: ScopeGlob = None,
        payload: WithPayload = 0,
        after: Position = None,
    ) -> Response[TraceGraph]:
        """Node-link JSON for networkx, ordered by position. A `Link` header leads to the next page. With payloads or filters a
        page holds at most 1,000 events, and may hold fewer although more follow. It holds at most 20,000 edges."""
        gate = environment.acting(principal_of(request.scope))
        full_trace_id = rest_of_path(request, TRACES).removesuffix(GRAPH)
        answer = TraceGraph([], [], {"trace_id": full_trace_id})
        if payload or types or in_scope is not None:
            limit = min(limit, MAX_PAGE)
            selection = EventFilter(
                trace_ids=(full_trace_id,), types=types or (), scopes=given(valid_glob(in_scope)), after=after, newest_first=False,
                limit=limit + 1,
            )  # fmt: skip
            page = await gate.page(selection)
            full = answer.add(page.events, limit, payload=bool(payload))
            following = page.next
        else:
            full, following = False, None
            async for events in gate.trace_pages(full_trace_id, after or 0, limit + 1):
                full = answer.add(events, limit)
                if full:
                    break
        if not answer.nodes and after is None and not await gate.has_trace(full_trace_id):
            raise NotFound(f"no event has the trace_id {full_trace_id}")
        if full:
            following = answer.nodes[-1].position
        answer.graph["truncated"] = following is not None
        return Response(answer, headers=_next(request, after=following) if following is not None else {})

    return Router("/", route_handlers=[list_traces, get_trace, get_graph], tags=["Traces"])


def _next(request: Request[Any, Any, Any], **place: int) -> dict[str, str]:
    """A `Link` header to the page that begins at `place`; the request's other parameters stay as they are."""
    query = [(name, value) for name, value in request.query_params.multi_items() if name not in place]
    query += [(name, str(position)) for name, position in place.items()]
    path = request.scope.get("raw_path", b"").decode("ascii").partition("?")[0] or quote(request.url.path)
    return {"link": f'<{path}?{urlencode(query)}>; rel="next"'}
