"""The server at `/mcp`: its sessions, from the first request to the stop of the service."""

from __future__ import annotations

import asyncio

from litestar.types import ASGIApp, Receive, Scope, Send
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from semp.api.direct import MAX_BODY
from semp.mcp.server import mcp_server
from semp.mcp.service import Service
from semp.mcp.within import Within

MAX_SESSIONS = 1_000
"""Sessions of clients of the 2025 revisions, at most; further ones are answered 503. Later revisions have none."""
IDLE = 30 * 60.0
"""Seconds without a request or an open stream after which a session ends."""


class Sessions:
    """Runs until it is closed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._stop = asyncio.Event()
        self._manager: StreamableHTTPSessionManager | None = None
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._running = asyncio.create_task(self._run(started))  # what it enters has to be left by the same task
        await started

    async def _run(self, started: asyncio.Future[None]) -> None:
        service = Service("http://semp", Within(self._app), within=True)  # never closed: calls may end after the sessions
        self._manager = StreamableHTTPSessionManager(
            mcp_server(service), max_request_body_size=MAX_BODY, max_sessions=MAX_SESSIONS, session_idle_timeout=IDLE
        )
        async with self._manager.run():
            started.set_result(None)
            await self._stop.wait()
            service.ended.set()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        assert self._manager is not None
        await self._manager.handle_request(scope, receive, send)  # type: ignore[arg-type]

    async def close(self) -> None:
        """End every session; its streams end with it."""
        self._stop.set()
        if self._running is not None:
            await self._running
