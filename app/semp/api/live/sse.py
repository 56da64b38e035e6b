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
from semp.api.live.frames import Renderer
from semp.api.live.query import Wanted, position_of
from semp.api.live.subscriber import CODES, TRY_LATER, check_place
from semp.api.params import Position
from semp.domain.errors import StoreUnavailable
from semp.domain.event_types import EventType
from semp.domain.interests import Interest
from semp.engine.environment import Environment
from semp.engine.live.history import missed
from semp.engine.live.hub import End, Span, Subscription

HEARTBEAT = 15.0
"""Seconds without news after which a comment is sent, so that proxies and clients see that the connection lives."""
_encode = msgspec.json.Encoder().encode


class Outlet:
    """Implements `semp.engine.live.hub.Sink` for a reader that asks for the next piece. Holds one at most."""

    form = "streamed"

    def __init__(self, environment: Environment, renderer: Renderer, wanted: Wanted) -> None:
        self._environment = environment
        self._renderer = renderer
        self._wanted = wanted
        self._subscription = Subscription(self, wanted.interest, signals=wanted.signals)
        self._piece = b""
        self._ended: tuple[End, int] | None = None
        self._news = asyncio.Event()
        self._subscription.ready = False

    def render(self, span: Span) -> bytes:
        return self._renderer.streamed(span)

    def send(self, rendered: bytes) -> int:
        self._piece = rendered
        self._subscription.ready = False
        self._news.set()
        return len(rendered)

    def finish(self, rest: bytes) -> None:
        """`send` takes everything."""

    def end(self, why: End, position: int) -> None:
        self._ended = why, position
        self._news.set()

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The stream's body. Ends with a message of the event `close`, which holds the code a WebSocket would be closed with."""
        environment = self._environment
        position = begin = environment.hub.head if self._wanted.after is None else self._wanted.after
        try:
            yield b"retry: 1000\nid: %b:%d\n\n" % (environment.ledger.state.epoch.encode(), position)
            async with aclosing(missed(environment.storage, environment.hub, self._wanted.interest, position)) as spans:
                async for span in spans:
                    yield self._moved(position + (position > begin), span.last, position) + self._renderer.streamed(span)
                    position = span.last
            if position == begin and self._wanted.after is not None:  # it may have missed what followed the last event it saw
                self._piece = self._moved(position, position, position)
            async for piece in self._live(position):
                yield piece
        except StoreUnavailable:
            yield _closing(TRY_LATER, "the database is not available", position)
        finally:
            environment.hub.detach(self._subscription)

    async def _live(self, position: int) -> AsyncGenerator[bytes]:
        hub = self._environment.hub
        hub.attach(self._subscription, position)
        while True:
            if not self._piece:
                hub.resume(self._subscription)
                await self._wait()
            piece, self._piece = self._piece, b""
            if piece:
                yield piece
            elif self._ended is not None:
                why, last = self._ended
                yield _closing(CODES[why], why.value, last)
                return
            else:
                yield b":\n\n"

    def _moved(self, first: int, last: int, position: int) -> bytes:
        """Signals that moved last at one of these positions, ahead of the events there; resuming after the position repeats them."""
        found = self._renderer.moved_since(self._wanted.interest, first, last) if self._wanted.signals else []
        return b"".join([self._renderer.sent_event(text, position) for text in found])

    async def _wait(self) -> None:
        self._news.clear()
        if self._piece or self._ended:
            return
        try:
            await asyncio.wait_for(self._news.wait(), HEARTBEAT)
        except TimeoutError:
            return


def _closing(code: int, reason: str, position: int) -> bytes:
    return b"event: close\ndata: %b\n\n" % _encode({"code": code, "reason": reason, "position": position})


Filter = Annotated[list[str] | None, Parameter(required=False, description="May be repeated: any of the values.")]


def stream_route(environment: Environment) -> Any:
    """`/stream`."""
    renderer = Renderer(environment)

    @get(
        "/stream",
        operation_id="streamEvents",
        summary="Follow the log as server-sent events",
        tags=["Live"],
        media_type="text/event-stream",
        responses={
            200: ResponseSpec(
                data_container=str,
                description="Messages as on the WebSocket; `id` is `epoch:position`, the place to resume after.",
                generate_examples=False,
                media_type="text/event-stream",
                examples=[Example(value='id: 630eb68f-e0fa-5ecc-887a-7c7a62614681:7\ndata: {"type":"event","data":{}}\n\n')],
            ),
            **responses(400, 409, 503),
        },
    )
    async def stream(
        request: Request[Any, Any, Any],
        in_scope: Annotated[list[str] | None, QueryParameter(name="scope", required=False, description="Scopes or globs: any.")] = None,
        types: Annotated[list[EventType] | None, QueryParameter(name="type", required=False, description="Any of these types.")] = None,
        trace_id: Filter = None,
        agent_id: Filter = None,
        after: Position = None,
        epoch: Annotated[str | None, Parameter(required=False, description="The log that position belongs to.")] = None,
        signals: Annotated[Literal["0", "1"] | None, Parameter(required=False, description="1: changes of signals too.")] = None,
    ) -> Stream:
        """Like `/ws`, for clients that only listen. `Last-Event-ID` resumes, as browsers' EventSource sends it by itself.

        An answer that was 200 ends with a message of the event `close`, whose data holds `code`, `reason` and `position`: 1001 the
        service stops, 1013 the database is away, 4008 too slow (all: reconnect), 4009 the log was replaced. 409 before that: the
        position belongs to another log.
        """
        seen = request.headers.get("last-event-id")
        wanted = Wanted(
            interest=Interest.of(in_scope or (), types or (), trace_id or (), agent_id or ()),
            after=position_of(seen.rpartition(":")[2], "last-event-id") if seen else after,
            epoch=(seen.rpartition(":")[0] if seen else epoch) or None,
            signals=signals == "1",
        )
        await check_place(environment, wanted)
        outlet = Outlet(environment, renderer, wanted)
        return Stream(outlet.pieces(), media_type="text/event-stream", headers={"cache-control": "no-store", "x-accel-buffering": "no"})

    return stream
