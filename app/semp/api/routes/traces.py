"""Traces: the latest, one at a glance, and one as a graph."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

import msgspec
from litestar import Request, Response, Router, get
from litestar.params import Parameter

from semp.api.errors import responses
from semp.api.examples import TRACE, TRACE_GRAPH, TRACE_SUMMARY, success
from semp.api.params import MAX_PAGE, InPath, Limit, Position, ScopeGlob, Types, WithPayload, rest_of_path, valid_glob
from semp.api.security.credentials import principal_of
from semp.api.text_paths import GRAPH, TRACES
from semp.domain.errors import NotFound
from semp.domain.event_types import EventType
from semp.domain.traces import TraceSummary, summarize
from semp.engine.environment import Environment
from semp.engine.records import TraceFilter, TraceSpan

BUDGET = 50_000
"""Events of a trace that a summary reads, at most."""
WINDOW = 10_000
WINDOWS = 10
"""Positions that are searched for traces at once, and how often, for one page."""
MAX_GRAPH = 10_000


class GraphEvent(msgspec.Struct):
    """A node: an event; `payload` only when asked for."""

    id: str
    type: EventType
    scope: str
    agent_id: str
    timestamp: str
    position: int
    payload: Annotated[msgspec.Raw | msgspec.UnsetType, msgspec.Meta(extra_json_schema={"type": "object"})] = msgspec.UNSET


class GraphLink(msgspec.Struct):
    """An edge from an event to one of its causes."""

    source: str
    target: str
    type: str = "PARENT"


class TraceGraph(msgspec.Struct):
    """Node-link JSON: `networkx.node_link_graph(answer, edges="edges")` reads it. A cause in another trace is an edge's target only."""

    nodes: list[GraphEvent]
    edges: list[GraphLink]
    graph: dict[str, Any]
    directed: bool = True
    multigraph: bool = False


GraphLimit = Annotated[int, Parameter(ge=1, le=MAX_GRAPH, description="Events in a page, at most.")]


def trace_routes(environment: Environment) -> Router:
    """`/traces` and what is below it."""

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
        """By their newest event, newest first; with `type` or `scope`, those that have such an event. A page may hold fewer than `limit`
        though more follow: the `Link` header tells. Its pages leave out what arrived after the first one."""
        gate = environment.acting(principal_of(request.scope))
        found: list[TraceSpan] = []
        scope = valid_glob(in_scope)
        head = await gate.stored_head() if until is None else until
        edge = head + 1 if before is None else before
        for _ in range(WINDOWS):
            first = max(1, edge - WINDOW)
            selection = TraceFilter(first=first, before=edge, until=head, types=types, scope=scope, limit=limit - len(found))
            found += await gate.traces(selection)
            edge = found[-1].last if len(found) == limit else first
            if edge <= 1 or len(found) == limit:
                break
        headers = _next(request, before=edge, until=head) if edge > 1 else {}
        return Response(found, headers=headers)

    @get(
        "/traces/{trace_id:str}",
        operation_id="getTrace",
        summary="A trace at a glance",
        responses={200: success(TraceSummary, TRACE_SUMMARY), **responses(400, 404, 503)},
    )
    async def get_trace(request: Request[Any, Any, Any], trace_id: InPath) -> TraceSummary:  # noqa: ARG001 - for the document
        """Who took part, how long it took, where it began and ended, what was rewarded, and the critical path: the chain of causes
        that decided its duration, with each agent's time on it."""
        gate = environment.acting(principal_of(request.scope))
        exactly = rest_of_path(request, TRACES)
        events = await gate.trace_events(exactly, 0, BUDGET + 1)
        if not events:
            raise NotFound(f"no event has the trace_id {exactly}")
        return summarize(exactly, events[:BUDGET], truncated=len(events) > BUDGET)

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
        """Node-link JSON that networkx reads, in order of position; a `Link` header leads to the next part. With payloads a part holds at
        most 1,000 events."""
        gate = environment.acting(principal_of(request.scope))
        exactly = rest_of_path(request, TRACES).removesuffix(GRAPH)
        limit = min(limit, MAX_PAGE) if payload else limit
        events = await gate.trace_events(exactly, after or 0, limit + 1, types=types, scope=valid_glob(in_scope))
        if not events and after is None and not await gate.trace_events(exactly, 0, 1):
            raise NotFound(f"no event has the trace_id {exactly}")
        shown, truncated = events[:limit], len(events) > limit
        whole = await gate.events([one.id for one in shown]) if payload else {}
        nodes = [
            GraphEvent(
                one.id, one.type, one.scope, one.agent_id, one.timestamp, one.position,
                whole[one.id].payload if payload else msgspec.UNSET,
            )
            for one in shown
        ]  # fmt: skip
        edges = [GraphLink(one.id, parent) for one in shown for parent in one.parent_ids]
        headers = _next(request, after=shown[-1].position) if truncated else {}
        return Response(TraceGraph(nodes, edges, {"trace_id": exactly, "truncated": truncated}), headers=headers)

    return Router("/", route_handlers=[list_traces, get_trace, get_graph], tags=["Traces"])


def _next(request: Request[Any, Any, Any], **place: int) -> dict[str, str]:
    """A `Link` header to the part that begins there, with everything else as it was asked."""
    query = [(name, value) for name, value in request.query_params.multi_items() if name not in place]
    query += [(name, str(position)) for name, position in place.items()]
    path = request.scope.get("raw_path", b"").decode("ascii").partition("?")[0] or quote(request.url.path)
    return {"link": f'<{path}?{urlencode(query)}>; rel="next"'}
