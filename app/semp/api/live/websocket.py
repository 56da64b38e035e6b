"""`/ws`: events as they are committed, or from a position on; commands for clients that ask for version 1."""

from __future__ import annotations

from typing import Any

from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from semp.api.live.commands import Commands
from semp.api.live.frames import message
from semp.api.live.query import FollowRequest, from_query
from semp.api.live.subscriber import BAD_REQUEST, CANNOT_RESUME, TRY_LATER, Subscriber, refused
from semp.api.live.wire import LiveProtocol, wire_of
from semp.api.security.credentials import principal_of
from semp.domain.errors import CannotResume, InvalidInput, StoreUnavailable
from semp.engine.environment import Environment
from semp.engine.live.follow import Follow


def live_route(environment: Environment) -> Any:
    """`/ws`."""

    @websocket("/ws")
    async def live(socket: WebSocket[Any, Any, Any]) -> None:
        """`{"type":"event","data":{...}}` for every event that is wanted, in log order, none left out and none twice.

        Whatever keeps that from being true closes the socket with a code and the last position as part of the reason: 1001 the service
        stops, 4008 too slow, 4009 the log is another one, 1013 the database is away. 4000: the query was bad.
        Pages of other sites do not get here, see `semp.api.security`.
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
    """What the client asks for; None when that cannot be read and the socket was closed."""
    try:
        return from_query(query)
    except InvalidInput as error:
        wire.close(BAD_REQUEST, refused(error))
    return None


async def _follow(subscriber: Subscriber, request: FollowRequest) -> Follow | None:
    """The way along the log from there; None when there is none and the socket was closed."""
    try:
        return await subscriber.follow(request)
    except CannotResume as error:
        subscriber.wire.close(CANNOT_RESUME, str(error))
    except StoreUnavailable:
        subscriber.wire.close(TRY_LATER, "the database is not available")
    return None


async def _listen(socket: WebSocket[Any, Any, Any], commands: Commands | None) -> None:
    """Until the peer or the hub ends it. Without commands, what the client sends is read and ignored."""
    try:
        while (received := await socket.receive())["type"] != "websocket.disconnect":
            if commands is not None:
                await commands.handle(received.get("text") or (received.get("bytes") or b"").decode(errors="replace"))
    except WebSocketDisconnect:
        return
