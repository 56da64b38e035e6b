"""Lineage: what led to an event, and what it led to."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get
from litestar.params import Parameter

from app.api.errors import responses
from app.api.events import MAX_PAGE, InPath, ScopeGlob, Types, valid_glob
from app.api.examples import LINEAGE, success
from app.domain.errors import FieldError, InvalidInput, NotFound
from app.domain.events import Event, EventType
from app.engine.environment import Environment
from app.engine.ports import Direction, LineageFilter, Relative


class LineageNode(msgspec.Struct):
    """An event of a lineage; `payload` only when asked for."""

    id: str
    type: EventType
    scope: str
    trace_id: str
    agent_id: str
    parent_ids: list[str]
    timestamp: str
    position: int
    depth: Annotated[int, msgspec.Meta(ge=1, description="PARENT hops by the shortest way.")]
    payload: Annotated[msgspec.Raw | msgspec.UnsetType, msgspec.Meta(extra_json_schema={"type": "object"})] = msgspec.UNSET


class LineageAnswer(msgspec.Struct):
    """Nearest first. `count` is exact for the depth and filters asked, whatever the page; `truncated`: this page is not the last."""

    count: int
    truncated: bool
    nodes: list[LineageNode]


Depth = Annotated[int | None, Parameter(ge=1, le=1_000_000, required=False, description="PARENT hops at most; default: no bound.")]
PageSize = Annotated[int, Parameter(ge=0, le=MAX_PAGE, description="Nodes in a page, at most; 0 for the count alone.")]
Cursor = Annotated[
    str | None,
    Parameter(required=False, pattern=r"^[0-9]{1,9}:[0-9]{1,18}$", description="From a `Link` header: depth and position last seen."),
]
WithPayload = Annotated[int, Parameter(ge=0, le=1, description="1 to include payloads.")]


def lineage_routes(environment: Environment) -> Router:
    """`/events/{id}/ancestors` and `/descendants`."""

    async def answer(
        request: Request[Any, Any, Any], event_id: str, direction: Direction, wanted: LineageFilter, payload: bool
    ) -> Response[LineageAnswer]:
        store = environment.storage
        count = await store.count(event_id, direction, wanted)
        if count is None:
            raise NotFound(f"no event has the id {event_id}")
        if count == 0 or wanted.limit == 0:
            return Response(LineageAnswer(count, False, []))
        more = await store.relatives(event_id, direction, msgspec.structs.replace(wanted, limit=wanted.limit + 1))
        found = more[: wanted.limit]
        truncated = len(more) > wanted.limit
        headers = {"link": _next(request, found[-1])} if truncated else None
        return Response(LineageAnswer(count, truncated, [_node(relative, payload) for relative in found]), headers=headers)

    def documented(direction: Direction, operation: str, summary: str, text: str) -> Any:
        async def handler(
            request: Request[Any, Any, Any],
            event_id: InPath,
            depth: Depth = None,
            limit: PageSize = 100,
            types: Types = None,
            in_scope: ScopeGlob = None,
            payload: WithPayload = 0,
            cursor: Cursor = None,
        ) -> Response[LineageAnswer]:
            wanted = LineageFilter(depth=depth, types=types, scope=valid_glob(in_scope), after=_cursor(cursor), limit=limit)
            return await answer(request, event_id.lower(), direction, wanted, bool(payload))

        handler.__doc__ = text
        return get(
            f"/events/{{event_id:str}}/{direction}",
            name=operation, operation_id=operation, summary=summary,
            responses={200: success(LineageAnswer, LINEAGE), **responses(400, 404, 503)},
        )(handler)  # fmt: skip

    ancestors = documented(
        "ancestors",
        "listAncestors",
        "What led to an event",
        "Every event reachable along PARENT, once, at its shortest distance; its ancestors never change.",
    )
    descendants = documented(
        "descendants",
        "listDescendants",
        "What an event led to",
        "Every event that has this one among its ancestors, once, at its shortest distance.",
    )
    return Router("/", route_handlers=[ancestors, descendants], tags=["Lineage"])


def _cursor(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    depth, _, position = text.partition(":")
    if not (depth.isdecimal() and position.isdecimal()):
        raise InvalidInput(FieldError("cursor", "expected what a Link header gave"))
    return int(depth), int(position)


def _next(request: Request[Any, Any, Any], last: Relative) -> str:
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    query.append(("cursor", f"{last.depth}:{last.event.position}"))
    return f'<{request.url.path}?{urlencode(query)}>; rel="next"'


def _node(relative: Relative, payload: bool) -> LineageNode:
    event: Event = relative.event
    return LineageNode(
        event.id, event.type, event.scope, event.trace_id, event.agent_id, event.parent_ids, event.timestamp, event.position,
        relative.depth, event.payload if payload else msgspec.UNSET,
    )  # fmt: skip
