"""Lineage: the causes of an event, and its consequences."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get

from semp.api.errors import responses
from semp.api.examples import LINEAGE, success
from semp.api.params import Budget, Cursor, Depth, InPath, PageSize, ScopeGlob, Types, WithCount, WithPayload, valid_glob
from semp.api.security.credentials import principal_of
from semp.domain.errors import FieldError, InvalidInput, NotFound
from semp.domain.event_types import EventType
from semp.domain.events import Event
from semp.engine.environment import Environment
from semp.engine.lineage import Asked
from semp.engine.records import NODE_BUDGET, Counted, Direction, LineageFilter, Relative


class LineageNode(msgspec.Struct):
    """An event in a lineage. It has `payload` only with `payload=1`, and `relation` only in answers with ancestors and descendants."""

    id: str
    type: EventType
    scope: str
    trace_id: str
    agent_id: str
    parent_ids: list[str]
    timestamp: str
    position: int
    depth: Annotated[int, msgspec.Meta(ge=0, description="PARENT hops on the shortest path.")]
    relation: Literal["ancestor", "descendant"] | msgspec.UnsetType = msgspec.UNSET
    payload: Annotated[msgspec.Raw | msgspec.UnsetType, msgspec.Meta(extra_json_schema={"type": "object"})] = msgspec.UNSET


class LineageAnswer(msgspec.Struct, kw_only=True):
    """Nearest first. `count` is the number of all events that match the depth and filters, not only of this page; if the budget ended the
    search, it is a lower bound. `count=0` leaves it out. `truncated` means that there is more: a `Link` header leads to the next page,
    unless the budget ended the search."""

    count: int | msgspec.UnsetType = msgspec.UNSET
    truncated: bool
    nodes: list[LineageNode]


Kind = Direction | Literal["lineage"]
ROUTES: dict[Kind, tuple[str, str, str]] = {
    "ancestors": (
        "listAncestors",
        "What led to an event",
        "Every event reachable along PARENT, once, at its shortest distance. The ancestors of an event never change.",
    ),
    "descendants": (
        "listDescendants",
        "What an event led to",
        "Every event that has this one among its ancestors, once, at its shortest distance. "
        "Later pages leave out events that arrived after the first page.",
    ),
    "lineage": (
        "listLineage",
        "What led to an event and what it led to",
        "Ancestors and descendants in one list, nearest first. `relation` tells them apart.",
    ),
    "roots": (
        "listRoots",
        "The first causes of an event",
        "Its ancestors that have no parents. If the event itself has no parents: the event, at depth 0.",
    ),
    "impact": (
        "listImpact",
        "Where an event's consequences end so far",
        "Its descendants that have no children yet. If the event itself has no children: the event, at depth 0.",
    ),
}


def lineage_routes(environment: Environment) -> Router:
    """`/events/{id}/open`, and `/events/{id}/` followed by each name in ROUTES."""

    def route(kind: Kind) -> Any:
        operation, summary, text = ROUTES[kind]

        async def handler(
            request: Request[Any, Any, Any],
            event_id: InPath,
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
            selection = LineageFilter(
                depth=depth,
                types=types,
                scope=valid_glob(in_scope),
                until=place.until,
                after=place.after,
                limit=limit and limit + 1,
                payload=bool(payload),
                budget=budget,
            )
            head = gate.state.head
            origin_id = event_id.lower()
            asked = Asked(place.counted, bool(count), head)
            origin: Event | None = None
            if kind == "lineage":
                origin = (await gate.events([origin_id])).get(origin_id)
                relatives, counted = await gate.around(origin, selection, asked) if origin is not None else ([], None)
            else:
                relatives, counted = await gate.lineage(origin_id, kind, selection, asked)
            if not relatives and counted is None and not await gate.events([origin_id]):
                raise NotFound(f"no event has the id {event_id}")
            until = place.until or max([head, *[relative.event.position for relative in relatives]])
            return page(request, counted, relatives, limit, until=until, payload=bool(payload), count=bool(count), origin=origin)

        handler.__doc__ = text
        return get(
            f"/events/{{event_id:str}}/{kind}",
            name=operation, operation_id=operation, summary=summary,
            responses={200: success(LineageAnswer, LINEAGE), **responses(400, 404, 503)},
        )(handler)  # fmt: skip

    @get(
        "/events/{event_id:str}/open",
        operation_id="listOpen",
        summary="Proposals that an event led to and that are still open",
        responses={200: success(LineageAnswer, LINEAGE), **responses(400, 404, 503)},
    )
    async def list_open(
        request: Request[Any, Any, Any],
        event_id: InPath,
        limit: PageSize = 100,
        in_scope: ScopeGlob = None,
        payload: WithPayload = 0,
        budget: Budget = NODE_BUDGET,
        cursor: Cursor = None,
    ) -> Response[LineageAnswer]:
        """The proposals among its descendants that are neither ended nor cancelled: the work to stop. A `ready` ends the proposals that are
        nearest among its causes; a `cancel` cancels them."""
        place = read_cursor(cursor)
        selection = LineageFilter(
            scope=valid_glob(in_scope),
            until=place.until,
            after=place.after,
            limit=limit and limit + 1,
            payload=bool(payload),
            budget=budget,
        )
        gate = environment.acting(principal_of(request.scope))
        head = gate.state.head
        proposals, counted = await gate.open(event_id.lower(), selection, Asked(place.counted, True, head))
        if counted is None:
            raise NotFound(f"no event has the id {event_id}")
        until = place.until or max([head, *[relative.event.position for relative in proposals]])
        return page(request, counted, proposals, limit, until=until, payload=bool(payload))

    return Router("/", route_handlers=[*[route(kind) for kind in ROUTES], list_open], tags=["Lineage"])


class Place(msgspec.Struct, frozen=True):
    """Where a page begins."""

    after: tuple[int, int] | None = None
    """Depth and position of the last node of the previous page."""
    until: int | None = None
    """Newest position that is included."""
    counted: Counted | None = None
    """What the first page counted."""

    def text(self) -> str:
        """The place as a cursor. A last number of 0 marks an incomplete count."""
        numbers = [*(self.after or (0, 0))]
        if self.until is not None:
            numbers.append(self.until)
            if self.counted is not None:
                numbers += [self.counted.count] if self.counted.complete else [self.counted.count, 0]
        return ":".join(map(str, numbers))


def read_cursor(text: str | None) -> Place:
    """Parse the cursor of a `Link` header; None is the first page.

    Raises:
        InvalidInput: the text is not such a cursor.
    """
    if text is None:
        return Place()
    parts = text.split(":")
    if not 2 <= len(parts) <= 5 or not all(part.isdecimal() for part in parts):
        raise InvalidInput(FieldError("cursor", "expected the cursor of a Link header"))
    depth, position, *rest = map(int, parts)
    return Place((depth, position), rest[0] if rest else None, Counted(rest[1], complete=len(rest) == 2) if len(rest) > 1 else None)


def page(
    request: Request[Any, Any, Any],
    counted: Counted | None,
    relatives: list[Relative],
    limit: int,
    *,
    payload: bool,
    count: bool = True,
    until: int | None = None,
    origin: Event | None = None,
) -> Response[LineageAnswer]:
    """The answer for one page, with a `Link` header when there is another page.

    Args:
        relatives: the nodes from the begin of the page on; more than `limit` of them mean that there is another page.
        payload: whether to include payloads.
        count: whether to include the count.
        until: newest position that is included, for the link.
        origin: the event that each node's `relation` refers to; None leaves `relation` out.
    """
    shown = relatives[:limit]
    more = len(relatives) > limit > 0
    headers: dict[str, str] = {}
    if more:
        last = shown[-1]
        query = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        query.append(("cursor", Place((last.depth, last.event.position), until, counted).text()))
        headers["link"] = f'<{request.url.path}?{urlencode(query)}>; rel="next"'
    truncated = more or (counted is not None and not counted.complete)
    nodes = [_node(relative, payload, origin) for relative in shown]
    shown_count = counted.count if count and counted is not None else msgspec.UNSET
    return Response(LineageAnswer(count=shown_count, truncated=truncated, nodes=nodes), headers=headers)


def _node(relative: Relative, payload: bool, origin: Event | None) -> LineageNode:
    event = relative.event
    relation = msgspec.UNSET if origin is None else "ancestor" if event.position < origin.position else "descendant"
    return LineageNode(
        event.id, event.type, event.scope, event.trace_id, event.agent_id, event.parent_ids, event.timestamp, event.position,
        relative.depth, relation, event.payload if payload else msgspec.UNSET,
    )  # fmt: skip
