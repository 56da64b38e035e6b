"""The one chain in front of HTTP, WebSockets and `/mcp`: it checks hosts and origins, and adds headers to every answer.

It wraps the whole application, so every path goes through it, including documents, metrics and unknown paths.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
from litestar.types import ASGIApp, LifeSpanScope, Message, Receive, Scope, Send

from semp.api.errors import ErrorBody
from semp.api.giving_up import until_given_up
from semp.api.security.headers import with_policies
from semp.api.security.hosts import Hosts
from semp.api.security.origins import Origins, allowing_headers, preflight_headers
from semp.domain.errors import FieldError

NOT_ALLOWED = 4001
"""Close code for a WebSocket from a page whose origin is not allowed."""
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Edge:
    """The host names under which the service may be addressed, and the origins whose pages may use it."""

    hosts: Hosts = field(default_factory=Hosts)
    origins: Origins = field(default_factory=Origins)


class Chain:
    """An ASGI application that wraps another one. It refuses other hosts with 421 and other origins with 403."""

    def __init__(self, app: ASGIApp, edge: Edge) -> None:
        self.app = app
        self.edge = edge

    async def __call__(self, scope: Scope | LifeSpanScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)  # type: ignore[arg-type]
            return
        request_headers = dict(scope["headers"])
        allowing: list[tuple[bytes, bytes]] = []

        async def answer(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                message["headers"] = with_policies([*message.get("headers", ()), *allowing])  # type: ignore[typeddict-item,typeddict-unknown-key]
            await send(message)

        host = request_headers.get(b"host", b"").decode("latin-1")
        if _has_several_hosts(scope) or (host and not self.edge.hosts.allows(host)):
            await _refuse(
                scope, receive, answer, 421, FieldError("host", f"{host[:256]} is not a name of this service; --allowed-host adds one")
            )
            return
        if (raw_origin := request_headers.get(b"origin")) is not None:
            origin = raw_origin.decode("latin-1")
            if not self.edge.origins.allows(origin, host):
                await _refuse_page(scope, receive, answer)
                return
            allowing = allowing_headers(origin)
            if scope["type"] == "http" and scope["method"] == "OPTIONS" and b"access-control-request-method" in request_headers:
                await answer({"type": "http.response.start", "status": 204, "headers": preflight_headers(request_headers)})
                await answer({"type": "http.response.body", "body": b"", "more_body": False})
                return
        await until_given_up(self.app, scope, receive, answer)


def _has_several_hosts(scope: Scope) -> bool:
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


async def _refuse_page(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a page of another site. A WebSocket is accepted and closed with a code, since pages cannot see a handshake's status."""
    if scope["type"] != "websocket":
        why = FieldError("origin", "pages of other sites may not use this service; --cors-origin allows one")
        await _refuse(scope, receive, send, 403, why)
        return
    await receive()
    await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
    await send({"type": "websocket.close", "code": NOT_ALLOWED, "reason": "pages of other sites may not connect"})
