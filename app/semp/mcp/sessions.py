"""The MCP server at `/mcp` and its sessions. It runs from the first request until the service stops."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send
from mcp.server.streamable_http import StreamableHTTPServerTransport
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from semp.api.direct import MAX_BODY
from semp.mcp.in_process import InProcessTransport
from semp.mcp.server import mcp_server
from semp.mcp.service import Service

MAX_SESSIONS = 1_000
"""Maximum number of sessions; a further one ends the idlest. Only the protocol's 2025 revisions have sessions."""
IDLE = 30 * 60.0
"""Seconds without a request or an open stream after which a session ends."""


class _Manager(StreamableHTTPSessionManager):
    """The SDK's sessions, except that a new one ends the idlest where the SDK would refuse it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._used: set[str] = set()
        """Sessions that were used after they were opened. They end later than those that a client only opened."""

    async def _handle_stateful_request(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        session = dict(scope["headers"]).get(b"mcp-session-id", b"").decode("latin-1")
        if session in self._server_instances:
            self._used.add(session)
        await super()._handle_stateful_request(scope, receive, send)  # type: ignore[arg-type]

    def _admit_session(self, requestor: Any) -> StreamableHTTPServerTransport | None:
        if len(self._server_instances) >= MAX_SESSIONS:
            self._end_idlest()
        return super()._admit_session(requestor)

    def _end_idlest(self) -> None:
        """End the session that is idle for longest, if one is: one with a request or an open stream is not."""
        idle = [
            (session in self._used, transport.idle_scope.deadline, session)
            for session, transport in self._server_instances.items()
            if transport.idle_scope is not None and transport.idle_scope.deadline < math.inf
        ]
        if not idle:
            return
        *_, session = min(idle)
        scope = self._server_instances.pop(session).idle_scope
        self._session_owners.pop(session, None)
        self._used.discard(session)
        assert scope is not None
        scope.cancel()

    async def _discard_session(self, session_id: str, transport: StreamableHTTPServerTransport) -> None:
        self._used.discard(session_id)
        await super()._discard_session(session_id, transport)


class Sessions:
    """The MCP server at `/mcp`. Call `start` before `handle`, and `close` at the end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._stop = asyncio.Event()
        self._manager: StreamableHTTPSessionManager | None = None
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the server. Returns when it takes requests."""
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._running = asyncio.create_task(self._run(started))  # one task must enter and leave the session manager's task group
        await started

    async def _run(self, started: asyncio.Future[None]) -> None:
        service = Service("http://semp", InProcessTransport(self._app), in_process=True)  # not closed: calls may outlive the sessions
        self._manager = _Manager(mcp_server(service), max_request_body_size=MAX_BODY, max_sessions=MAX_SESSIONS, session_idle_timeout=IDLE)
        async with self._manager.run():
            started.set_result(None)
            await self._stop.wait()
            service.ended.set()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request."""
        assert self._manager is not None
        await self._manager.handle_request(scope, receive, send)  # type: ignore[arg-type]

    async def close(self) -> None:
        """End every session and its streams."""
        self._stop.set()
        if self._running is not None:
            await self._running
