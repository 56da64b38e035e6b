"""Host names under which this service may be addressed. A malicious page can point its own host name at this machine (DNS rebinding);
requests under such a name are refused."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from semp.domain.errors import FieldError, InvalidInput

_WILDCARDS = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not bound to


class Hosts:
    """The names that a `Host` header may hold: names and addresses of loopback, the address listened on, and the names allowed in addition.

    When the service listens on more than loopback, any IP address is allowed too: only names can be rebound.

    Args:
        listen: the address or name that the service listens on.
        allowed: further names. `*.example.com` allows every name below example.com, `*` allows any name.

    Raises:
        InvalidInput: an allowed name is not a host name, or has a port or a path.
    """

    def __init__(self, listen: str = "127.0.0.1", allowed: Iterable[str] = ()) -> None:
        names = [name.strip().lower() for name in allowed]
        for name in names:
            literal = name.removeprefix("*.") if name != "*" else "any"
            if not literal or any(mark in literal for mark in "/@ ,*[]") or (":" in literal and not _is_address(literal)):
                raise InvalidInput(FieldError("--allowed-host", f"expected a name such as semp.example.com, not {name!r}"))
        self._any = "*" in names
        self._names = {"localhost", listen.lower(), *[name for name in names if not name.startswith("*.")]} - set(_WILDCARDS)
        self._below = tuple(name[1:] for name in names if name.startswith("*."))
        self._addresses = not is_loopback(listen)
        self._recent: str | None = None
        """The last header that was allowed, so that it is not parsed again: most requests have the same one."""

    def allows(self, host: str) -> bool:
        """Whether a `Host` header, with or without a port, names this service."""
        if host == self._recent:
            return True
        allowed = self._check(host)
        if allowed:
            self._recent = host
        return allowed

    def _check(self, host: str) -> bool:
        name = name_of(host)
        if name is None:
            return False
        if self._any or name in self._names or name.endswith(self._below):
            return True
        return is_loopback(name) or (self._addresses and _is_address(name))


def name_of(host: str) -> str | None:
    """The name or address in a `Host` header, in lower case, without its port; None when it is malformed."""
    if host.startswith("["):
        name, bracket, port = host[1:].partition("]")
        if not bracket or not _is_address(name) or (port and not _is_port(port.removeprefix(":") if port[0] == ":" else "x")):
            return None
        return name.lower()
    name, colon, port = host.partition(":")
    if not name or (colon and not _is_port(port)) or any(mark in name for mark in "/@ ,[]"):
        return None
    return name.lower().removesuffix(".")


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) < 65_536


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(name: str) -> bool:
    """Whether the text is `localhost`, a name below it, or a loopback address."""
    if name.lower().endswith(".localhost"):
        return True
    try:
        return name.lower() == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
