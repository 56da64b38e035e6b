"""`/mcp` in the application. The protocol's SDK is imported at the first request, in a thread: this takes almost a second and 40 MiB."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from litestar import asgi
from litestar.types import ASGIApp, Receive, Scope, Send

from semp.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from semp.mcp.sessions import Sessions


class Mount:
    """The route `/mcp`, and its sessions, which are to be closed when the service stops."""

    def __init__(self) -> None:
        self._opening: asyncio.Task[Sessions] | None = None
        self._closed = False

    def route(self) -> Any:
        """The route handler of `/mcp`."""

        @asgi("/mcp", copy_scope=True)
        async def mcp(scope: Scope, receive: Receive, send: Send) -> None:
            sessions = await self._open(cast("ASGIApp", scope["litestar_app"]))
            await sessions.handle(scope, receive, send)

        return mcp

    async def _open(self, app: ASGIApp) -> Sessions:
        if self._closed:
            raise StoreUnavailable("the service is stopping")
        if self._opening is None:
            self._opening = asyncio.create_task(_opened(app))
        return await asyncio.shield(self._opening)

    async def close(self) -> None:
        """End every session and refuse further requests."""
        self._closed = True
        if self._opening is not None:
            await (await self._opening).close()


async def _opened(app: ASGIApp) -> Sessions:
    module = await asyncio.to_thread(import_module, "semp.mcp.sessions")
    sessions: Sessions = module.Sessions(app)
    await sessions.start()
    return sessions
