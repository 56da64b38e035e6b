"""Who asks: the principal of a request or socket, found before anything else is done for it and kept in its ASGI scope."""

from __future__ import annotations

from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send

from semp.engine.access import OPEN, Principal

KEY = "semp.principal"
"""Where the principal stands in the scope. A client has no way to write there: a server fills scopes, and headers stay headers."""


class Credentials:
    """ASGI middleware for HTTP and WebSocket. While there is no access control, whoever comes from outside is the open principal.

    A scope that has its principal already keeps it: it was made inside this process, for a request that came through here before.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault(KEY, OPEN)  # type: ignore[typeddict-item]
        await self.app(scope, receive, send)


def principal_of(scope: Any) -> Principal:
    """Who asks.

    Raises:
        KeyError: the scope did not come through `Credentials`. Nobody in particular may do nothing.
    """
    return scope[KEY]
