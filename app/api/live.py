"""Plain live delivery: every new event to every WebSocket, one message each."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from app.engine.environment import Environment
from app.engine.hub import FellBehind, GoingAway, HistoryReset, Subscription

GOING_AWAY = 1001
TOO_SLOW = 4008
CANNOT_RESUME = 4009
SEND_TIMEOUT = 20.0
"""Seconds a peer may take nothing at all before it is closed as too slow."""


def live_route(environment: Environment) -> Any:
    """`/ws`."""

    @websocket("/ws")
    async def broadcast(socket: WebSocket[Any, Any, Any]) -> None:
        """`{"type":"event","data":{...}}` for every event committed after the connection was accepted, in log order.

        A reader that is too slow is closed with 4008 and its position as the reason; when the log was replaced, with 4009.
        What a client sends is read and ignored.
        """
        await socket.accept()
        with environment.hub.subscribe() as subscription:
            deliver = asyncio.create_task(_deliver(socket, subscription))
            listen = asyncio.create_task(_listen(socket))
            _, pending = await asyncio.wait({deliver, listen}, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            await asyncio.gather(deliver, listen, return_exceptions=True)

    return broadcast


async def _listen(socket: WebSocket[Any, Any, Any]) -> None:
    try:
        while True:
            if (await socket.receive())["type"] == "websocket.disconnect":
                return
    except WebSocketDisconnect:
        return


async def _deliver(socket: WebSocket[Any, Any, Any], subscription: Subscription) -> None:
    given = subscription.position
    try:
        while True:
            for frame in await subscription.next():
                async with asyncio.timeout(SEND_TIMEOUT):
                    await socket.send_data(frame)
                given += 1
    except (FellBehind, TimeoutError):
        await _close(socket, TOO_SLOW, f"too slow; last position {given}")
    except GoingAway:
        await _close(socket, GOING_AWAY, f"the service stops; last position {given}")
    except HistoryReset:
        await _close(socket, CANNOT_RESUME, "the log was replaced; read the state again")


async def _close(socket: WebSocket[Any, Any, Any], code: int, reason: str) -> None:
    async with asyncio.timeout(1.0):
        await socket.close(code, reason)
