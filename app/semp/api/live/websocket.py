"""`/ws`: delivers events as they are committed, or after a position. Clients that ask for version 1 may send commands."""

from __future__ import annotations

from typing import Any

from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from semp.api.live.commands import Commands
from semp.api.live.frames import message
from semp.api.live.query import FollowRequest, from_query
from semp.api.live.subscriber import BAD_REQUEST, CANNOT_RESUME, TRY_LATER, Subscriber, close_reason
from semp.api.live.wire import LiveProtocol, wire_of
from semp.api.security.credentials import principal_of
from semp.domain.errors import CannotResume, InvalidInput, StoreUnavailable
from semp.engine.environment import Environment
from semp.engine.live.follow import Follow


def live_route(environment: Environment) -> Any:
    """`/ws`."""

    @websocket("/ws")
    async def live(socket: WebSocket[Any, Any, Any]) -> None:
        """Sends `{"type":"event","data":{...}}` for every event that the query selects, in log order, without gap or repeat.

        When that cannot be kept up, the socket is closed with a code: 1001 the service stops, 1011 a defect, 1013 the database is not
        available, 4008 the client is too slow, 4009 the log was replaced. The reason then ends with the last position that was sent.
        4000 means that the query was invalid. Pages of other sites are refused before they reach this, see `semp.api.security`.
        """
        await socket.accept()
        wire = wire_of(socket.scope)
        request = _request(wire, socket.scope["query_string"])
        if request is None:
            return
        subscriber = Subscriber(environment.acting(principal_of(socket.scope)), wire, batch=request.batch, signals=request.signals)
        follow = await _follow(subscriber, request)
        if follow is None:
            return
        if request.version:
            wire.write(message("hello", epoch=follow.epoch, position=follow.position))
        subscriber.start(follow)
        try:
            await _listen(socket, Commands(subscriber) if request.version else None)
        finally:
            subscriber.stop()

    return live


def _request(wire: LiveProtocol, query: bytes) -> FollowRequest | None:
    """What the client asks for. When the query is invalid, closes the socket and returns None."""
    try:
        return from_query(query)
    except InvalidInput as error:
        wire.close(BAD_REQUEST, close_reason(error))
    return None


async def _follow(subscriber: Subscriber, request: FollowRequest) -> Follow | None:
    """Begin to follow the log. When that is not possible, closes the socket and returns None."""
    try:
        return await subscriber.follow(request)
    except CannotResume as error:
        subscriber.wire.close(CANNOT_RESUME, str(error))
    except StoreUnavailable:
        subscriber.wire.close(TRY_LATER, "the database is not available")
    return None


async def _listen(socket: WebSocket[Any, Any, Any], commands: Commands | None) -> None:
    """Read from the client until the connection ends. With `commands` None, everything it sends is ignored."""
    try:
        while (received := await socket.receive())["type"] != "websocket.disconnect":
            if commands is not None:
                await commands.handle(received.get("text") or (received.get("bytes") or b"").decode(errors="replace"))
    except WebSocketDisconnect:
        return
