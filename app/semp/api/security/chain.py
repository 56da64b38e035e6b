"""The one chain in front of HTTP, WebSockets and `/mcp`: allowed hosts, origins, and the headers of every answer.

It wraps the whole application, so nothing is reached without it: documents, metrics and unknown paths neither.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
from litestar.types import ASGIApp, LifeSpanScope, Message, Receive, Scope, Send

from semp.api.errors import ErrorBody
from semp.api.security.headers import with_policies
from semp.api.security.hosts import Hosts
from semp.api.security.origins import Origins, allowing_headers, preflight_headers
from semp.domain.errors import FieldError

NOT_ALLOWED = 4001
"""Code that a WebSocket of a page that may not connect is closed with."""
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Edge:
    """Who may come in, and by which name."""

    hosts: Hosts = field(default_factory=Hosts)
    origins: Origins = field(default_factory=Origins)


class Chain:
    """An ASGI application in front of another one."""

    def __init__(self, app: ASGIApp, edge: Edge) -> None:
        self.app = app
        self.edge = edge

    async def __call__(self, scope: Scope | LifeSpanScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)  # type: ignore[arg-type]
            return
        asked = dict(scope["headers"])
        allowing: list[tuple[bytes, bytes]] = []

        async def answer(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                message["headers"] = with_policies([*message.get("headers", ()), *allowing])  # type: ignore[typeddict-item,typeddict-unknown-key]
            await send(message)

        host = asked.get(b"host", b"").decode("latin-1")
        if host and (not self.edge.hosts.allows(host) or _repeated(scope)):
            await _refuse(
                scope, receive, answer, 421, FieldError("host", f"{host[:256]} is no name of this service; --allowed-host adds one")
            )
            return
        if (found := asked.get(b"origin")) is not None:
            origin = found.decode("latin-1")
            if not self.edge.origins.allows(origin, host):
                await _turn_away(scope, receive, answer)
                return
            allowing = allowing_headers(origin)
            if scope["type"] == "http" and scope["method"] == "OPTIONS" and b"access-control-request-method" in asked:
                await answer({"type": "http.response.start", "status": 204, "headers": preflight_headers(asked)})
                await answer({"type": "http.response.body", "body": b"", "more_body": False})
                return
        await self.app(scope, receive, answer)  # type: ignore[arg-type]


def _repeated(scope: Scope) -> bool:
    return sum([name == b"host" for name, _ in scope["headers"]]) > 1


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, why: FieldError) -> None:
    body = _encode(ErrorBody(f"{why.field}: {why.reason}", [why]))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    kind = "http.response"
    if scope["type"] == "websocket":
        await receive()
        kind = "websocket.http.response"
    await send({"type": f"{kind}.start", "status": status, "headers": headers})  # type: ignore[arg-type,misc]
    await send({"type": f"{kind}.body", "body": body, "more_body": False})  # type: ignore[arg-type,misc]


async def _turn_away(scope: Scope, receive: Receive, send: Send) -> None:
    """A page is told by a status; one that opens a WebSocket by a code, since it cannot see the status of a handshake."""
    if scope["type"] != "websocket":
        why = FieldError("origin", "pages of other sites may not use this service; --cors-origin allows one")
        await _refuse(scope, receive, send, 403, why)
        return
    await receive()
    await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
    await send({"type": "websocket.close", "code": NOT_ALLOWED, "reason": "pages of other sites may not connect"})
