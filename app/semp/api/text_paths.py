"""Paths with a free-text parameter that may contain slashes: `/api/signals/{scope}/{pattern}/explain`, `/api/traces/{id}/graph`.

Litestar's router sees decoded paths, where `a%2Fb` and `a/b` are the same. Its `path` parameter takes slashes, but then also takes the
`/explain` or `/graph` that follows. So the text is encoded as one segment before routing; the routes read the original from the raw path.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, Receive, Scope, Send

from semp.api import shortcuts

SIGNALS, EXPLAIN = "/api/signals/", "/explain"
TRACES, GRAPH = "/api/traces/", "/graph"


class App(shortcuts.App):
    """An application that routes these paths."""

    async def __call__(self, scope: Scope | LifeSpanScope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend) -> None:
        if scope["type"] == "http" and scope["path"].startswith((SIGNALS, TRACES)):
            scope["path"] = one_segment(scope["raw_path"].decode("latin-1").partition("?")[0])
        await super().__call__(scope, receive, send)


def one_segment(raw: str) -> str:
    """The path with its text encoded as one segment: `/api/signals/ui/a/b%2Fc/explain` gives `/api/signals/ui/a%2Fb%252Fc/explain`.

    Args:
        raw: the path as the client sent it, percent-encoded, without the query.
    """
    if raw.startswith(TRACES):
        return TRACES + _segment(raw.removeprefix(TRACES), GRAPH)
    signal_scope, slash, pattern = raw.removeprefix(SIGNALS).partition("/")
    if not pattern:
        return unquote(raw)
    return f"{SIGNALS}{unquote(signal_scope).replace('/', '%2F')}{slash}{_segment(pattern, EXPLAIN)}"


def _segment(text: str, ending: str) -> str:
    end = ending if text.endswith(ending) and text != ending else ""
    return f"{quote(text.removesuffix(end), safe='')}{end}"
