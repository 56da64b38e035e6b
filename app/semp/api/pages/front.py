"""The front page at `/`, which names the service and links to its parts; and `/api/version`."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import MediaType, Request, Response, Router, get

from semp import __version__
from semp.api.errors import responses
from semp.api.examples import success

PROTOCOL = 1
"""Newest version of the messages on `/ws`, as a client asks for it (`?v=1`)."""
_LINKS = {
    "documentation": "schema",
    "openapi": "schema/openapi.json",
    "events": "api/events",
    "signals": "api/signals",
    "traces": "api/traces",
    "stream": "api/stream",
    "live": "ws",
    "mcp": "mcp",
    "health": "health/ready",
    "metrics": "metrics",
    "version": "api/version",
}
_SHOWN = {
    "schema": "the API, to read and to try",
    "api/events": "the newest events",
    "api/signals": "signals, strongest first",
    "api/traces": "the newest traces",
    "health/ready": "is it ready?",
    "metrics": "metrics for Prometheus",
}
_STYLE = (
    "body{font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;color-scheme:light dark}code{font-size:.95em}"
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


class Version(msgspec.Struct):
    """Name and version of the service. `protocol` is the newest version of the messages on `/ws`."""

    name: str
    version: str
    protocol: int


def version_route() -> Any:
    """`/api/version`."""

    @get(
        "/version",
        operation_id="version",
        summary="Which version of the service answers?",
        tags=["Health"],
        responses={200: success(Version, {"name": "SEL/SEMP", "version": "0.1.0", "protocol": 1}), **responses()},
        sync_to_thread=False,
    )
    def version() -> Version:
        """`version` is the version of the service, `protocol` the newest version of the messages on `/ws`."""
        return Version("SEL/SEMP", __version__, PROTOCOL)

    return version


def front_route() -> Router:
    """`/`."""

    @get("/", include_in_schema=False, sync_to_thread=False)
    def front(request: Request[Any, Any, Any]) -> Response[Any]:
        """An HTML page when the client accepts `text/html`, else JSON."""
        if "text/html" in request.headers.get("accept", ""):
            return Response(_page(), media_type=MediaType.HTML, headers={"content-security-policy": _POLICY, "vary": "Accept"})
        links = {name: str(request.base_url) + path for name, path in _LINKS.items()}
        return Response({"name": "SEL/SEMP", "version": __version__, "links": links}, headers={"vary": "Accept"})

    return Router("/", route_handlers=[front])


def _page() -> str:
    shown = "".join(f'<li><a href="{path}">/{path}</a>: {what}</li>' for path, what in _SHOWN.items())
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>SEL/SEMP</title><style>{_STYLE}</style></head><body><h1>SEL/SEMP</h1>"
        f"<p>A shared environment for teams of AI agents, version {__version__}. It is running and takes events.</p><ul>{shown}</ul>"
        f"<p>A first event: <code>POST api/events</code>; live events at <code>/ws</code>, "
        f"tools for models at <code>/mcp</code>.</p></body></html>"
    )
