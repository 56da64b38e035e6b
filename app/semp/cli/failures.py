"""Why an HTTP request got no answer, in words for a person."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

import httpx

from semp.cli.address import Address


def cause_of(error: httpx.TransportError, address: Address) -> str:
    """The cause, and what to look at; without secrets."""
    found = list(_chain(error))
    return f"{_cause(error, found, address)}{address.through}{_advice(found, address)}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _cause(error: httpx.TransportError, found: list[BaseException], address: Address) -> str:
    for one in found:
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its TLS certificate is not trusted: {one.verify_message}; SSL_CERT_FILE can name the authority that signed it"
        if isinstance(one, ssl.SSLError):
            spoken = (one.reason or str(one)).replace("_", " ").lower()
            return f"TLS failed: {spoken}" + ("; try http://" if "wrong version" in spoken or "record layer" in spoken else "")
        if isinstance(one, socket.gaierror):
            return f"the name {address.host if address.proxy is None else address.proxy.url} is not known"
        if isinstance(one, ConnectionRefusedError):
            return "connection refused"
    match error:
        case httpx.ConnectTimeout():
            return "no connection in time"
        case httpx.TimeoutException():
            return "it took too long"
        case httpx.ProxyError():
            return f"the proxy said {error}"
        case httpx.RemoteProtocolError() if "disconnected" in str(error) or "incomplete" in str(error):
            return "the connection was closed before the answer was whole"
        case httpx.RemoteProtocolError():
            return f"what is there does not speak HTTP ({error}); if it speaks TLS, write https://"
        case _:
            return next((one.strerror for one in found if isinstance(one, OSError) and one.strerror), str(error) or type(error).__name__)


def _advice(found: list[BaseException], address: Address) -> str:
    refused = any(isinstance(one, OSError) and one.errno == errno.ECONNREFUSED for one in found)
    if not refused or address.proxy is not None:
        return ""
    if not address.has_port:
        return "; the URL names no port, and the service listens on 5000 unless told otherwise"
    return "; is it running? Start it with `make run` or `semp serve`" if address.on_this_machine else "; is it running?"
