"""The address of a service: its URL without secrets, the credentials, and the proxy to use."""

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
    """A proxy that the environment names. `url` has no secrets; `credentials` are sent only to the proxy."""

    url: str
    variable: str
    """The environment variable that names it, for messages."""
    credentials: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def for_httpx(self) -> httpx.Proxy:
        """The proxy as httpx takes it."""
        return httpx.Proxy(self.url, auth=self.credentials)


@dataclass(frozen=True)
class Address:
    """A service's address. Messages may show `url`, but never `credentials`."""

    url: str
    """Without user, password and trailing slash."""
    host: str
    credentials: tuple[str, str] | None = field(default=None, repr=False)
    """User and password of the URL, sent as HTTP Basic authentication."""
    proxy: Proxy | None = None
    has_port: bool = True

    @property
    def on_this_machine(self) -> bool:
        """Whether the host is this machine, see `is_loopback`."""
        return is_loopback(self.host)

    @property
    def through(self) -> str:
        """The proxy that requests go through, as part of a message; empty when there is none."""
        return f" (through the proxy {self.proxy.url} of {self.proxy.variable})" if self.proxy else ""


def parse_address(url: str) -> Address:
    """Parse the URL of a service, and find the proxy that the environment names for it.

    Raises:
        SempError: the URL or the proxy cannot be used. The message contains no password.
    """
    text = url.strip()
    parts = _split(text)
    if parts is None or not parts.hostname or not re.fullmatch(r"[a-z][a-z0-9+.-]*://.*", text, re.IGNORECASE | re.DOTALL):
        raise SempError(f"{without_secrets(text)!r} is not the URL of a service; write it as {EXAMPLE}")
    if parts.scheme not in ("http", "https"):
        raise SempError(f"{without_secrets(text)}: the scheme must be http or https, not {parts.scheme}; write it as {EXAMPLE}")
    if parts.query or parts.fragment:
        raise SempError(f"{without_secrets(text)}: the URL of a service has no ? and no #; write it as {EXAMPLE}")
    host = parts.hostname
    url_host = f"[{host}]" if ":" in host else host
    port = "" if parts.port is None else f":{parts.port}"
    return Address(
        url=f"{parts.scheme}://{url_host}{port}{parts.path.rstrip('/')}",
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
    """A URL, valid or not, without user and password."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}" if separator else url.rpartition("@")[2]


def is_loopback(host: str) -> bool:
    """Whether the host is this machine: localhost, a name below it, 127.0.0.0/8, ::1, or the unspecified address (0.0.0.0, ::)."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback or address.is_unspecified)


def _proxy(scheme: str, host: str, port: int | None) -> Proxy | None:
    """The proxy for a host, from HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, or from the system settings on macOS."""
    proxies = getproxies()
    kind = scheme if proxies.get(scheme) else "all"
    value = proxies.get(kind)
    if not value or proxy_bypass(host if port is None else f"{host}:{port}"):
        return None
    variable = f"{kind.upper()}_PROXY"
    parts = _split(value if "://" in value else f"http://{value}")
    if parts is None or not parts.hostname or parts.scheme not in ("http", "https"):
        raise SempError(
            f"the proxy {without_secrets(value)} of {variable} cannot be used: only http:// and https:// proxies can. "
            f"Set one of these, or add {host} to NO_PROXY"
        )
    url_host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Proxy(f"{parts.scheme}://{url_host}{'' if parts.port is None else f':{parts.port}'}", variable, _credentials(parts))
