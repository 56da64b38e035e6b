"""The direct POST routes, reached by their path alone, without Litestar's routing and its layers of middleware: a fifth of a POST's time.

Only successful answers take this way. After an error, the request goes through Litestar all the same: the route raises the error again
there, and the exception handlers of the app answer it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, LifeSpanReceive, LifeSpanScope, LifeSpanSend, Receive, Scope, Send

from semp.api.direct import FAILED, Direct


class App(Litestar):
    """A Litestar application with shortcuts.

    Args:
        middleware: ASGI middleware for all routes; shortcuts go through it too.
        more: further arguments of `Litestar`.
    """

    def __init__(self, *, middleware: Sequence[Callable[[ASGIApp], ASGIApp]], **more: Any) -> None:
        super().__init__(middleware=list(middleware), **more)
        self._shortcuts: dict[str, ASGIApp] = {}
        for route in self.routes:
            for direct in _direct_posts(route):
                shortcut: ASGIApp = direct
                for wrap in reversed(middleware):
                    shortcut = wrap(shortcut)
                self._shortcuts[route.path] = shortcut

    async def __call__(self, scope: Scope | LifeSpanScope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and (shortcut := self._shortcuts.get(scope["path"])) is not None:
            try:
                await shortcut(scope, receive, send)  # type: ignore[arg-type]
                return
            except Exception as error:
                scope[FAILED] = error  # type: ignore[literal-required]
        await super().__call__(scope, receive, send)


def _direct_posts(route: Any) -> list[ASGIApp]:
    """The route as a `direct_post` made it; empty when it is of another kind or has parameters in its path."""
    if not isinstance(route, HTTPRoute) or route.path_parameters:
        return []
    made = [made for handler in route.route_handlers for made in handler.middleware or ()]
    return [one(route) for one in made if isinstance(one, partial) and one.func is Direct]  # type: ignore[arg-type]
