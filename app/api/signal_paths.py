"""Paths below `/api/signals`: a pattern may be any text, slashes included, and still be followed by `/explain`.

Litestar's router sees paths decoded, where `a%2Fb` and `a/b` are the same, and a parameter that takes slashes takes all that follows.
So before it routes, what stands for the pattern is made one segment again; the routes read it from the raw path.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from litestar import Litestar
from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, Receive, Scope, Send

PREFIX = "/api/signals/"
EXPLAIN = "/explain"


class App(Litestar):
    """The application, with those paths."""

    async def __call__(self, scope: Scope | LifeSpanScope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            scope["path"] = one_segment(scope["raw_path"].decode("latin-1").partition("?")[0])
        await super().__call__(scope, receive, send)


def one_segment(raw: str) -> str:
    """`/api/signals/ui/a/b%2Fc/explain` gives `/api/signals/ui/a%2Fb%252Fc/explain`: scope, pattern and what is asked of it."""
    signal_scope, slash, pattern = raw.removeprefix(PREFIX).partition("/")
    if not pattern:
        return unquote(raw)
    end = EXPLAIN if pattern.endswith(EXPLAIN) and pattern != EXPLAIN else ""
    return f"{PREFIX}{unquote(signal_scope).replace('/', '%2F')}{slash}{quote(pattern.removesuffix(end), safe='')}{end}"
