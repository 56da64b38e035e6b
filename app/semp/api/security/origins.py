"""Which web pages may use this service. The same rule holds for REST, server-sent events, `/ws` and `/mcp`.

A browser lets any page send requests and open WebSockets to any host, including loopback; only the `Origin` header tells which site the
page belongs to. Programs other than browsers send no `Origin`, so the rule does not affect them.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from semp.api.security.hosts import is_loopback, name_of
from semp.domain.errors import FieldError, InvalidInput

LOOPBACK = "loopback"
"""Allows the pages of every server on the browser's own machine, on any port."""
ANY = "*"
"""Allows every page."""
_PORTS = {"http": 80, "https": 443}
EXPOSED = "Link, Retry-After, ETag, Mcp-Session-Id"
"""Headers of an answer that a page of another origin may read, in addition to those that CORS always allows."""
MAX_AGE = 600
"""Seconds that a browser may cache the answer to a preflight."""


class Origins:
    """The origins whose pages may use this service: the service's own, and those in `allowed`.

    Args:
        allowed: origins such as https://app.example.com, or LOOPBACK or ANY.

    Raises:
        InvalidInput: one of them is not an origin.
    """

    def __init__(self, allowed: Iterable[str] = (LOOPBACK,)) -> None:
        self._allowed: set[str] = set()
        for origin in allowed:
            self._allowed.add(origin if origin in (LOOPBACK, ANY) else _checked(origin))

    def allows(self, origin: str, host: str) -> bool:
        """Whether pages of an origin may use this service.

        Args:
            origin: the `Origin` header.
            host: the `Host` header, already checked by `Hosts`.
        """
        if ANY in self._allowed:
            return True
        parts = _parts(origin)
        if parts is None:
            return False
        scheme, name, port = parts
        if "{}://{}:{}".format(*parts) in self._allowed or (LOOPBACK in self._allowed and is_loopback(name)):
            return True
        if name != name_of(host):
            return False
        return port == (urlsplit(f"//{host}").port or _PORTS[scheme])


def allowing_headers(origin: str) -> list[tuple[bytes, bytes]]:
    """Headers that let a page of this origin read the answer."""
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", EXPOSED.encode()),
        (b"vary", b"Origin"),
    ]


def preflight_headers(request_headers: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """Headers of the answer to a preflight from an allowed origin. They allow every header asked for: each request is checked by itself."""
    headers = [
        (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE, OPTIONS"),
        (b"access-control-allow-headers", request_headers.get(b"access-control-request-headers", b"content-type")),
        (b"access-control-max-age", b"%d" % MAX_AGE),
    ]
    if b"access-control-request-private-network" in request_headers:
        headers.append((b"access-control-allow-private-network", b"true"))
    return headers


def _parts(origin: str) -> tuple[str, str, int] | None:
    try:
        url = urlsplit(origin)
        port = url.port
    except ValueError:
        return None
    if url.scheme not in _PORTS or not url.hostname or url.path or url.query or url.fragment or url.username is not None:
        return None
    return url.scheme, url.hostname, port or _PORTS[url.scheme]


def _checked(origin: str) -> str:
    parts = _parts(origin.strip().lower().removesuffix("/"))
    if parts is None:
        raise InvalidInput(
            FieldError("--cors-origin", f"expected an origin such as https://app.example.com, {LOOPBACK} or *, not {origin!r}")
        )
    return "{}://{}:{}".format(*parts)
