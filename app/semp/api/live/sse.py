"""`/api/stream`: live delivery over server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Parameter, QueryParameter
from litestar.response import Stream

from semp.api.errors import responses
from semp.api.live.frames import Renderer, signal_text
from semp.api.live.query import position_of
from semp.api.live.subscriber import CODES
from semp.api.params import Position
from semp.api.security.credentials import principal_of
from semp.domain.event_types import EventType
from semp.domain.interests import Interest
from semp.engine.environment import Environment
from semp.engine.live.follow import Ended, Follow

HEARTBEAT = 15.0
"""Seconds without a message after which a comment is sent, so that proxies and clients see that the connection is alive."""
_encode = msgspec.json.Encoder().encode


async def body(follow: Follow) -> AsyncGenerator[bytes]:
    """The body of the stream: what a `Follow` delivers, as server-sent events.

    The last event is `close`. Its data has the code that a WebSocket would be closed with.
    """
    renderer = Renderer(follow.changes, follow.epoch)
    position = follow.position
    yield b"retry: 1000\nid: %b:%d\n\n" % (follow.epoch.encode(), position)
    try:
        async with aclosing(follow.parts()) as parts:
            async for part in parts:
                if isinstance(part, Ended):
                    yield _closing(CODES[part.why], part.why.value, part.position)
                    return
                # Signals come before the events of their part, so they carry the position before it: to resume there sends them again.
                moved = b"".join([renderer.sent_event(signal_text(signal), position) for signal in part.moved])
                yield moved + part.span.once("streamed", renderer.streamed) or b":\n\n"
                position = part.span.last
    except asyncio.CancelledError as error:
        # The client has left. anyio keeps the first error of the chain in a frame that an error without a chain refers to: all frames of
        # the stream would wait for the garbage collector.
        raise asyncio.CancelledError(*error.args) from error


def _closing(code: int, reason: str, position: int) -> bytes:
    return b"event: close\ndata: %b\n\n" % _encode({"code": code, "reason": reason, "position": position})


Filter = Annotated[
    list[str] | None, Parameter(required=False, description="Only events with this value; may be repeated for alternatives.")
]


def stream_route(environment: Environment) -> Any:
    """`/stream`."""

    @get(
        "/stream",
        operation_id="streamEvents",
        summary="Follow the log as server-sent events",
        tags=["Live"],
        media_type="text/event-stream",
        responses={
            200: ResponseSpec(
                data_container=str,
                description="Messages as on the WebSocket. `id` is `epoch:position`: a client can resume after it.",
                generate_examples=False,
                media_type="text/event-stream",
                examples=[Example(value='id: 630eb68f-e0fa-5ecc-887a-7c7a62614681:7\ndata: {"type":"event","data":{}}\n\n')],
            ),
            **responses(400, 409, 503),
        },
    )
    async def stream(
        request: Request[Any, Any, Any],
        in_scope: Annotated[
            list[str] | None,
            QueryParameter(name="scope", required=False, description="A scope or a glob; may be repeated for alternatives."),
        ] = None,
        types: Annotated[
            list[EventType] | None, QueryParameter(name="type", required=False, description="Only these types; may be repeated.")
        ] = None,
        trace_id: Filter = None,
        agent_id: Filter = None,
        after: Position = None,
        epoch: Annotated[str | None, Parameter(required=False, description="Epoch of the log that `after` belongs to.")] = None,
        signals: Annotated[Literal["0", "1"] | None, Parameter(required=False, description="1 to receive changes of signals too.")] = None,
    ) -> Stream:
        """Like `/ws`, for clients that only listen. `Last-Event-ID` resumes the stream; a browser's EventSource sends it by itself.

        When the service ends the stream, it sends the event `close` with `code`, `reason` and `position`: 1001 the service stops,
        1011 a defect, 1013 the database is not available, 4008 the client was too slow (reconnect after any of these), 4009 the log was
        replaced. The status is 409 when the position belongs to another log.
        """
        seen = request.headers.get("last-event-id")
        follow = await environment.acting(principal_of(request.scope)).follow(
            Interest.of(in_scope or (), types or (), trace_id or (), agent_id or ()),
            after=position_of(seen.rpartition(":")[2], "last-event-id") if seen else after,
            epoch=(seen.rpartition(":")[0] if seen else epoch) or None,
            signals=signals == "1",
            quiet=HEARTBEAT,
        )
        return Stream(body(follow), media_type="text/event-stream", headers={"cache-control": "no-store", "x-accel-buffering": "no"})

    return stream
