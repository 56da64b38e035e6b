"""Why a database cannot be used, in words for the operator of the service. Clients only learn that it is not available."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from typing import cast
from urllib.parse import urlsplit

from neo4j import exceptions

from semp.domain.errors import CredentialsRefused


def shown_uri(uri: str) -> str:
    """Scheme, host and port of a URI, safe to print: the rest may hold a password."""
    try:
        parts = urlsplit(uri)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return "the given address"


def cause_of(error: BaseException) -> str:
    """The cause of an error in words: that of the first error in the chain which is specific. The driver wraps errors several times."""
    errors = list(_chain(error))
    for part in errors:
        words = _in_words(part)
        if words:
            return words
    # For the routers of a cluster, the driver gives the cause only as text.
    text = " ".join(str(part) for part in errors)
    if "Name or service not known" in text or "nodename nor servname" in text or "Cannot resolve address" in text:
        return "its name is not known"
    if re.search(r"refused|Connect call failed", text):
        return "connection refused"
    if any(isinstance(part, TimeoutError) for part in errors) or "timed out" in text.lower():
        return "no answer in time"
    if any(isinstance(part, exceptions.ServiceUnavailable | exceptions.SessionExpired) for part in errors):
        return "it answers, but not as a Neo4j that is ready; the default port of Bolt is 7687"
    return str(error)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, its causes, and the members of exception groups, which the driver raises for several servers."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for part in cast("BaseExceptionGroup[BaseException]", error).exceptions:
                yield from _chain(part)
        error = error.__cause__ or error.__context__


def _in_words(error: BaseException) -> str | None:
    """The cause in words, without looking at the errors behind it; None when this error does not say enough."""
    match error:
        case CredentialsRefused():
            return f"{error}; they come from SEMP_NEO4J_USER and SEMP_NEO4J_PASSWORD"
        case ssl.SSLCertVerificationError():
            return f"its TLS certificate is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {(error.reason or str(error)).replace('_', ' ').lower()}; without TLS write bolt:// or neo4j://"
        case socket.gaierror():
            return "its name is not known"
        case ConnectionRefusedError():
            return "connection refused"
        case OSError() if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
            return (error.strerror or "no route to it").lower()
        case exceptions.Neo4jError() if error.code:
            return f"it answered {error.code}"
        case _:
            return None
