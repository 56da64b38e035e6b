"""Where a service is and how it is reached: its URL without secrets, credentials, and the proxy in between."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from semp.domain.errors import SempError

EXAMPLE = "http://127.0.0.1:5000"


@dataclass(frozen=True)
class Proxy:
    """A proxy of the environment. `url` has no secrets; `credentials` are sent to the proxy alone."""

    url: str
    variable: str
    """Which setting named it, for messages."""
    credentials: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def for_httpx(self) -> httpx.Proxy:
        """The same for the HTTP library."""
        return httpx.Proxy(self.url, auth=self.credentials)


@dataclass(frozen=True)
class Address:
    """A service's address. Only `url` may be shown."""

    url: str
    """Without user, password and trailing slash."""
    host: str
    credentials: tuple[str, str] | None = field(default=None, repr=False)
    """User and password of the URL, sent as HTTP Basic authentication."""
    proxy: Proxy | None = None
    has_port: bool = True

    @property
    def on_this_machine(self) -> bool:
        """Whether the host is a loopback address, or a name of one."""
        return is_loopback(self.host)

    @property
    def through(self) -> str:
        """For messages: which proxy is in between, if there is one."""
        return f" (through the proxy {self.proxy.url} of {self.proxy.variable})" if self.proxy else ""


def parse_address(url: str) -> Address:
    """Read the URL of a service, and find the proxy that the environment names for it.

    Raises:
        SempError: the URL or the proxy cannot be used. The message holds no password.
    """
    text = url.strip()
    parts = _split(text)
    if parts is None or not parts.hostname or not re.fullmatch(r"[a-z][a-z0-9+.-]*://.*", text, re.IGNORECASE | re.DOTALL):
        raise SempError(f"{without_secrets(text)!r} is not the URL of a service; write it as {EXAMPLE}")
    if parts.scheme not in ("http", "https"):
        raise SempError(f"{without_secrets(text)}: {parts.scheme} is no scheme of a service; write it as {EXAMPLE}")
    if parts.query or parts.fragment:
        raise SempError(f"{without_secrets(text)}: the URL of a service has no ? and no #; write it as {EXAMPLE}")
    host = parts.hostname
    where = f"[{host}]" if ":" in host else host
    port = "" if parts.port is None else f":{parts.port}"
    return Address(
        url=f"{parts.scheme}://{where}{port}{parts.path.rstrip('/')}",
        host=host,
        credentials=_credentials(parts),
        proxy=None if is_loopback(host) else _proxy(parts.scheme, host, parts.port),
        has_port=parts.port is not None,
    )


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        if parts.port == 0:
            return None
        if parts.scheme in ("http", "https"):
            httpx.URL(text)
    except (ValueError, httpx.InvalidURL):
        return None
    return parts


def _credentials(parts: SplitResult) -> tuple[str, str] | None:
    if not parts.username and not parts.password:
        return None
    return unquote(parts.username or ""), unquote(parts.password or "")


def without_secrets(url: str) -> str:
    """The URL, or what was meant to be one, without user and password."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}" if separator else url.rpartition("@")[2]


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its own name or number: localhost, 127.0.0.0/8, ::1, and the unspecified address."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        number = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(number, "ipv4_mapped", None)
    return bool((mapped or number).is_loopback or number.is_unspecified)


def _proxy(scheme: str, host: str, port: int | None) -> Proxy | None:
    """The proxy for a host from HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, or the system's settings on macOS."""
    named = getproxies()
    kind = scheme if named.get(scheme) else "all"
    value = named.get(kind)
    if not value or proxy_bypass(host if port is None else f"{host}:{port}"):
        return None
    variable = f"{kind.upper()}_PROXY"
    whole = value if "://" in value else f"http://{value}"
    parts = _split(whole)
    if parts is None or not parts.hostname or parts.scheme not in ("http", "https"):
        raise SempError(
            f"the proxy {without_secrets(value)} of {variable} cannot be used: only http:// and https:// proxies can. "
            f"Name one of these, or add {host} to NO_PROXY"
        )
    where = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Proxy(f"{parts.scheme}://{where}{'' if parts.port is None else f':{parts.port}'}", variable, _credentials(parts))
