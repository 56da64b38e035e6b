"""Explains to a person why an HTTP request got no answer."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

import httpx

from semp.cli.address import Address


def cause_of(error: httpx.TransportError, address: Address) -> str:
    """The cause of a failed request, and advice. The text contains no secrets."""
    chain = list(_chain(error))
    return f"{_cause(error, chain, address)}{address.through}{_advice(chain, address)}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _cause(error: httpx.TransportError, chain: list[BaseException], address: Address) -> str:
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its TLS certificate is not trusted: {one.verify_message}; SSL_CERT_FILE can name the authority that signed it"
        if isinstance(one, ssl.SSLError):
            reason = (one.reason or str(one)).replace("_", " ").lower()
            return f"TLS failed: {reason}" + ("; try http://" if "wrong version" in reason or "record layer" in reason else "")
        if isinstance(one, socket.gaierror):
            return f"the name {address.host if address.proxy is None else address.proxy.url} is not known"
        if isinstance(one, ConnectionRefusedError):
            return "connection refused"
    match error:
        case httpx.ConnectTimeout():
            return "it could not be connected to in time"
        case httpx.TimeoutException():
            return "the answer took too long"
        case httpx.ProxyError():
            return f"the proxy answered {error}"
        case httpx.RemoteProtocolError() if "disconnected" in str(error) or "incomplete" in str(error):
            return "the connection was closed before the answer was complete"
        case httpx.RemoteProtocolError():
            return f"the server there does not speak HTTP ({error}); if it speaks TLS, write https://"
        case _:
            return next((one.strerror for one in chain if isinstance(one, OSError) and one.strerror), str(error) or type(error).__name__)


def _advice(chain: list[BaseException], address: Address) -> str:
    refused = any(isinstance(one, OSError) and one.errno == errno.ECONNREFUSED for one in chain)
    if not refused or address.proxy is not None:
        return ""
    if not address.has_port:
        return "; the URL names no port, and by default the service listens on 5000"
    return "; is it running? Start it with `make run` or `semp serve`" if address.on_this_machine else "; is it running?"
