"""Events: append one or many, read pages of the log."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urlencode

import msgspec
from litestar import MediaType, Request, Response, Router, get
from litestar.openapi.spec import Example
from litestar.params import Body, Parameter, QueryParameter
from litestar.routes import HTTPRoute

from semp.api.batches import MAX_BATCH_BODY, drafts_of
from semp.api.direct import JSON, Answer, Incoming, decode, direct_post
from semp.api.errors import responses
from semp.api.examples import EVENT, NEW_EVENT, RECORDED, created, success
from semp.api.params import MAX_PAGE, InPath, Limit, Named, Position, ScopeGlob, Types, given, rest_of_path, valid_glob
from semp.api.security.credentials import principal_of
from semp.domain.errors import FieldError, InvalidInput, NotFound
from semp.domain.events import Event, NewEvent, draft
from semp.domain.scopes import Glob
from semp.domain.signals import Move
from semp.engine.environment import Environment
from semp.engine.planning import Recorded
from semp.engine.records import EncodedPage, EventFilter

NDJSON = "application/x-ndjson"


class RecordedEvent(Event):
    """A stored event, and the signals that it moved."""

    signals: list[Move] = msgspec.field(default_factory=list[Move])
    moved: Annotated[str | msgspec.UnsetType, msgspec.Meta(description="Why the event moved no signal; absent when it moved one.")] = (
        msgspec.UNSET
    )


class BatchSummary(msgspec.Struct):
    """A batch answered with `return=minimal`: number of events, number of new ones, smallest and largest position."""

    count: int
    created: int
    """Events that this request stored. The others were already in the log, or are repeated in the batch."""
    first: int
    last: int


_read_event = msgspec.json.Decoder(NewEvent).decode
_encode = msgspec.json.Encoder().encode

Returned = Annotated[
    Literal["full", "minimal"],
    QueryParameter(name="return", required=False, description="`minimal` returns only counts and positions. Default: `full`."),
]


def recorded_json(recorded: Recorded) -> bytes:
    """The stored event as JSON, with the signals it moved. The event is not encoded again: it was encoded when its append was planned."""
    if recorded.unmoved is None:
        return b'%b,"signals":%b}' % (recorded.encoded[:-1], _encode(recorded.moves))
    return b'%b,"signals":%b,"moved":%b}' % (recorded.encoded[:-1], _encode(recorded.moves), _encode(recorded.unmoved))


def page_answer(request: Request[Any, Any, Any], page: EncodedPage, selection: EventFilter, query: dict[str, Any]) -> Response[list[Event]]:
    """A page of events as an array, with a `Link` header to the next one where more may follow.

    Args:
        query: query parameters of the link, without the position; those that are None are left out.
    """
    headers: dict[str, str] = {}
    if page.next is not None:
        query = {name: value for name, value in query.items() if value is not None}
        query["before" if selection.newest_first else "after"] = page.next
        path = request.scope.get("raw_path", b"").decode("ascii").partition("?")[0] or request.url.path
        headers["link"] = f'<{path}?{urlencode(query, doseq=True)}>; rel="next"'
    array: Any = b"[%b]" % b",".join(page.events)
    return Response(array, headers=headers, media_type=MediaType.JSON)


def event_routes(environment: Environment) -> Router:
    """`/events` and the paths below it."""

    @direct_post(
        "/events",
        body=Annotated[NewEvent, Body(examples=[Example(value=NEW_EVENT)])],
        answer=RecordedEvent,
        operation_id="appendEvent",
        summary="Append an event",
        responses={
            **created(RecordedEvent, RECORDED),
            **responses(400, 409, 413, 415, 503),
        },
    )
    async def append_event(incoming: Incoming) -> Answer:
        """201 after the event is committed. The same `id` with the same content again is answered 200, with the stored event."""
        new = decode(_read_event, incoming.body)
        [recorded] = await environment.acting(principal_of(incoming.scope)).append([draft(new)])
        return Answer(201 if recorded.created else 200, recorded_json(recorded))

    @direct_post(
        "/events/batch",
        body=Annotated[list[NewEvent], Body(examples=[Example(value=[NEW_EVENT])])],
        answer=list[RecordedEvent] | BatchSummary,
        accepts=(JSON, NDJSON),
        max_body=MAX_BATCH_BODY,
        parameters={"return_": Returned},
        operation_id="appendBatch",
        summary="Append up to 10,000 events together or not at all",
        responses={**created(list[RecordedEvent] | BatchSummary, [RECORDED]), **responses(400, 409, 413, 415, 503)},
    )  # fmt: skip
    async def append_batch(incoming: Incoming) -> Answer:
        """Takes a JSON array or NDJSON (`application/x-ndjson`). Parents may be earlier events of the batch. An error names the index."""
        query = parse_qs(incoming.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        form = query.get("return", ["full"])[-1]
        if form not in ("full", "minimal"):
            raise InvalidInput(FieldError("return", "expected full or minimal"))
        gate = environment.acting(principal_of(incoming.scope))
        drafts = await drafts_of(incoming.body, incoming.content_type == NDJSON, gate.pace)
        recorded = await gate.append(drafts, batch=True)
        new = sum(answer.created for answer in recorded)
        status = 201 if new else 200
        if form == "minimal":
            positions = [answer.event.position for answer in recorded]
            return Answer(status, _encode(BatchSummary(len(recorded), new, min(positions), max(positions))))
        parts = [b",".join(map(recorded_json, part)) async for part in gate.pace.slices(recorded)]
        return Answer(status, b"[%b]" % b",".join(parts))

    @get(
        "/events",
        operation_id="listEvents",
        summary="Read a page of the log",
        responses={200: success(list[Event], [EVENT]), **responses(400, 503)},
    )
    async def list_events(
        request: Request[Any, Any, Any],
        limit: Limit = 100,
        types: Types = None,
        in_scope: ScopeGlob = None,
        trace_id: Named = None,
        agent_id: Named = None,
        before: Position = None,
        after: Position = None,
        order: Annotated[Literal["asc", "desc"], Parameter(description="By position; `desc` is newest first.")] = "desc",
    ) -> Response[list[Event]]:
        """Newest first unless `order=asc`. `before` and `after` are positions. A page with several filters may hold fewer than `limit`
        events, or none, although more follow; only a missing `Link` header means the end."""
        selection = EventFilter(
            types=types or (), scopes=given(valid_glob(in_scope)), trace_ids=given(trace_id), agent_ids=given(agent_id),
            before=before, after=after, newest_first=order == "desc", limit=limit,
        )  # fmt: skip
        query: dict[str, Any] = {
            "limit": limit, "type": types, "scope": in_scope, "trace_id": trace_id, "agent_id": agent_id,
            "before": before, "after": after, "order": order,
        }  # fmt: skip
        return page_answer(request, await environment.acting(principal_of(request.scope)).encoded_page(selection), selection, query)

    @get(
        "/events/scope/{path:path}",
        operation_id="listEventsOfScope",
        summary="Read one scope's events",
        responses={200: success(list[Event], [EVENT]), **responses(400, 503)},
    )
    async def list_scope(
        request: Request[Any, Any, Any],
        path: InPath,  # noqa: ARG001 - read from the raw path
        limit: Limit = 100,
        before: Position = None,
    ) -> Response[list[Event]]:
        """Events of exactly this scope, newest first. A full page has a `Link` header to the next page."""
        scope = Glob.parse(rest_of_path(request, "/api/events/scope/"))
        if not scope.exact:
            raise InvalidInput(FieldError("scope", "expected one scope; for globs use /api/events?scope="))
        selection = EventFilter(scopes=(scope,), limit=limit, before=before)
        return page_answer(
            request, await environment.acting(principal_of(request.scope)).encoded_page(selection), selection, {"limit": limit}
        )

    @get(
        "/events/trace/{path:path}",
        operation_id="listEventsOfTrace",
        summary="Read one trace's events",
        responses={200: success(list[Event], [EVENT]), **responses(400, 503)},
    )
    async def list_trace(
        request: Request[Any, Any, Any],
        path: InPath,  # noqa: ARG001 - read from the raw path
        limit: Limit = MAX_PAGE,
        after: Position = None,
    ) -> Response[list[Event]]:
        """The events of the trace in log order. A full page has a `Link` header to the next page."""
        selection = EventFilter(trace_ids=(rest_of_path(request, "/api/events/trace/"),), limit=limit, after=after, newest_first=False)
        return page_answer(
            request, await environment.acting(principal_of(request.scope)).encoded_page(selection), selection, {"limit": limit}
        )

    @get(
        "/events/{event_id:str}",
        operation_id="getEvent",
        summary="Read one event",
        responses={200: success(Event, EVENT), **responses(400, 404, 503)},
    )
    async def get_event(request: Request[Any, Any, Any], event_id: InPath) -> Event:
        """The event as it was stored."""
        found = await environment.acting(principal_of(request.scope)).events([event_id.lower()])
        if not found:
            raise NotFound(f"no event has the id {event_id}")
        return found[event_id.lower()]

    return without_options(
        Router("/", route_handlers=[append_event, append_batch, list_events, list_scope, list_trace, get_event], tags=["Events"])
    )


def without_options(router: Router) -> Router:
    """The router without Litestar's generated OPTIONS handlers.

    Where two handlers share a path, Litestar keeps the OPTIONS handler of the first, which knows only the first handler's methods. When
    there is none, the app generates one that knows all methods of the path.
    """
    router.routes = [
        HTTPRoute(path=route.path, route_handlers=[handler for handler in route.route_handlers if "OPTIONS" not in handler.http_methods])
        for route in router.routes
        if isinstance(route, HTTPRoute)
    ]
    return router
