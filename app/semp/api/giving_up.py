"""A request whose client has closed the connection is given up: its task is cancelled, so that it frees what it holds or waits for.

A read ends in the database too. An append that still waits for a transaction is dropped; one that was sent is committed all the same.
"""

from __future__ import annotations

import asyncio
from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send

_TASK, _GONE = "semp.task", "semp.gone"
STREAM = "/api/stream"
"""A stream notices by itself that its client has gone."""


def give_up(scope: Any) -> None:
    """To be called when the connection of a request is lost: cancels its task, if it is one of the API's and is being handled."""
    task: asyncio.Task[Any] | None = scope.pop(_TASK, None)
    if task is not None:
        scope[_GONE] = True
        task.cancel()


async def until_given_up(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Handle a request, and end quietly when it is given up. Every request to `/api` but the stream can be."""
    if scope["type"] != "http" or not scope["path"].startswith("/api/") or scope["path"] == STREAM:
        await app(scope, receive, send)
        return
    state: Any = scope
    state[_TASK] = task = asyncio.current_task()
    try:
        await app(scope, receive, send)
    except asyncio.CancelledError:
        if _GONE not in state:
            raise
        if task is not None:
            task.uncancel()
    finally:
        state.pop(_TASK, None)
