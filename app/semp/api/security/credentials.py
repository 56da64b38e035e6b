"""The principal of a request or WebSocket. It is determined before the request is handled, and kept in the ASGI scope."""

from __future__ import annotations

from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send

from semp.engine.access import OPEN, Principal

KEY = "semp.principal"
"""Key of the principal in the ASGI scope. A client cannot set it: the server builds the scope, and headers are kept apart in it."""


class Credentials:
    """ASGI middleware for HTTP and WebSocket. There is no access control yet, so every request from outside gets the OPEN principal.

    A scope that already has a principal keeps it. Such a scope was made inside this process, on behalf of a request that already came
    through this middleware.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault(KEY, OPEN)  # type: ignore[typeddict-item]
        await self.app(scope, receive, send)


def principal_of(scope: Any) -> Principal:
    """The principal of a request.

    Raises:
        KeyError: the scope did not come through `Credentials`. A request without a principal is not allowed anything.
    """
    return scope[KEY]
