"""Which web pages may use this service. One rule for REST, server-sent events, `/ws` and `/mcp`.

Browsers let any page send requests and open WebSockets to anywhere, loopback included, and say only in `Origin` whose page it is. Programs
send no `Origin`, and are not concerned.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from semp.api.security.hosts import is_loopback, name_of
from semp.domain.errors import FieldError, InvalidInput

LOOPBACK = "loopback"
ANY = "*"
_PORTS = {"http": 80, "https": 443}
EXPOSED = "Link, Retry-After, ETag, Mcp-Session-Id"
"""Headers of an answer that a page may read beside the plain ones."""
MAX_AGE = 600
"""Seconds that a browser may remember what a preflight said."""


class Origins:
    """Pages of this service's own host, and those that were allowed.

    Args:
        allowed: origins such as https://app.example.com; `loopback`: every page served from the reader's own machine, whatever its port;
            `*`: every page of the web.

    Raises:
        InvalidInput: one of them is no origin.
    """

    def __init__(self, allowed: Iterable[str] = (LOOPBACK,)) -> None:
        self._allowed: set[str] = set()
        for origin in allowed:
            self._allowed.add(origin if origin in (LOOPBACK, ANY) else _checked(origin))

    def allows(self, origin: str, host: str) -> bool:
        """Whether a page may ask.

        Args:
            origin: the `Origin` header.
            host: the `Host` header, already found to be a name of this service.
        """
        if ANY in self._allowed:
            return True
        parts = _parts(origin)
        if parts is None:
            return False
        scheme, name, port = parts
        if "{}://{}:{}".format(*parts) in self._allowed or (LOOPBACK in self._allowed and is_loopback(name)):
            return True
        own = urlsplit(f"//{host}")
        return name == name_of(host) and port == (own.port or _PORTS[scheme])


def allowing_headers(origin: str) -> list[tuple[bytes, bytes]]:
    """Headers of an answer that a page of another origin may read."""
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", EXPOSED.encode()),
        (b"vary", b"Origin"),
    ]


def preflight_headers(asked: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """Headers of the answer to a preflight: any method and header that it asks for; each request is checked by itself."""
    found = [
        (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE, OPTIONS"),
        (b"access-control-allow-headers", asked.get(b"access-control-request-headers", b"content-type")),
        (b"access-control-max-age", b"%d" % MAX_AGE),
    ]
    if b"access-control-request-private-network" in asked:
        found.append((b"access-control-allow-private-network", b"true"))
    return found


def _parts(origin: str) -> tuple[str, str, int] | None:
    try:
        found = urlsplit(origin)
        port = found.port
    except ValueError:
        return None
    if found.scheme not in _PORTS or not found.hostname or found.path or found.query or found.fragment or found.username is not None:
        return None
    return found.scheme, found.hostname, port or _PORTS[found.scheme]


def _checked(origin: str) -> str:
    parts = _parts(origin.strip().lower().removesuffix("/"))
    if parts is None:
        raise InvalidInput(
            FieldError("--cors-origin", f"expected an origin such as https://app.example.com, {LOOPBACK} or *, not {origin!r}")
        )
    return "{}://{}:{}".format(*parts)
