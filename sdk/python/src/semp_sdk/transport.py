"""HTTP requests with retries. Every request is safe to repeat."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple, NoReturn
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from semp_sdk.errors import Conflict, InvalidEvent, NotAllowed, NotFound, SempError, ServiceFault, TooLarge, Unavailable
from semp_sdk.events import ErrorBody
from semp_sdk.retry import REQUESTS, Backoff

if TYPE_CHECKING:
    from aiohttp import ClientSession

log = logging.getLogger("semp_sdk")

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed. 500 is one of them because ids make the repetition harmless."""
LONGEST_WAIT = 3600.0
"""Upper bound of `Retry-After` in seconds, so that a wrong value cannot stop an outbox for ever."""
Query = Mapping[str, str | int | float | Iterable[str] | None]

_NEXT = re.compile(r'<(/[^>]*)>\s*;\s*rel="?next"?')
_read_error = msgspec.json.Decoder(ErrorBody).decode


def base_of(url: str) -> str:
    """`http://host:port/prefix` of any address of the service: with or without `/api`, `/ws` or a last slash, ws:// as well.

    Raises:
        ValueError: it is no such address.
    """
    found = urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}.get(found.scheme, found.scheme)
    if scheme not in ("http", "https") or not found.netloc:
        raise ValueError(f"{url!r} is no address such as http://localhost:5000")
    path = found.path.rstrip("/")
    for end in ("/api", "/ws"):
        path = path.removesuffix(end)
    return f"{scheme}://{found.netloc}{path}"


def segment(text: str) -> str:
    """Text as one segment of a path."""
    return quote(text, safe="")


def query_string(query: Query) -> str:
    """Parameters that are not None, iterables as repeated ones; with the question mark, or empty."""
    pairs = [
        (name, str(value))
        for name, given in query.items()
        if given is not None
        for value in ([given] if isinstance(given, str | int | float) else given)
    ]
    return f"?{urlencode(pairs)}" if pairs else ""


class Answer(NamedTuple):
    """A successful answer: its body, and path and query of the next page (None on the last page)."""

    body: bytes
    following: str | None


class Transport:
    """One keep-alive connection pool. Belongs to the event loop it is first used on."""

    def __init__(self, base: str, *, timeout: float = 60.0, backoff: Backoff = REQUESTS, headers: Mapping[str, str] | None = None) -> None:
        """`timeout`: seconds for one attempt of a request, connecting included."""
        self.base = base
        self.timeout = timeout
        self.backoff = backoff
        self.headers = dict(headers or {})
        self._session: ClientSession | None = None

    async def close(self) -> None:
        """Close the connections. Safe to repeat."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def get(self, path: str, query: Query | None = None, *, patience: float) -> bytes:
        """The body of a successful answer; see `exchange`."""
        return await self.request("GET", path + query_string(query or {}), patience=patience)

    async def request(self, method: str, target: str, body: bytes | None = None, *, patience: float) -> bytes:
        """The body of a successful answer; see `exchange`."""
        return (await self.exchange(method, target, body, patience=patience)).body

    async def exchange(self, method: str, target: str, body: bytes | None = None, *, patience: float) -> Answer:
        """Send the request until it is answered, for `patience` seconds at most (`math.inf`: for ever).

        Waits between attempts as long as `Retry-After` says, else by the backoff; both with jitter.

        Raises:
            Unavailable: no answer within `patience` seconds.
            InvalidEvent, TooLarge, Conflict, NotFound, NotAllowed, ServiceFault: the service refused the request.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        delays = self.backoff.delays()
        while True:
            try:
                return await self._try(method, target, body, min(self.timeout, max(0.05, deadline - loop.time())))
            except (Unavailable, ServiceFault) as error:
                if isinstance(error, ServiceFault) and error.status != 500:
                    raise
                asked = error.retry_after if isinstance(error, Unavailable) else None
                delay = next(delays) if asked is None else self.backoff.spread(asked)
                if loop.time() + delay >= deadline:
                    raise
                log.info("%s %s: %s; again in %.1f s", method, target.partition("?")[0], error, delay)
            await asyncio.sleep(delay)

    async def _try(self, method: str, target: str, body: bytes | None, timeout: float) -> Answer:
        from aiohttp import ClientError, ClientTimeout
        from yarl import URL

        session = self._session = self._session or self._open()
        headers = {"content-type": "application/json"} if body is not None else None
        url = URL(self.base + target, encoded=True)
        try:
            async with session.request(
                method, url, data=body, headers=headers, timeout=ClientTimeout(total=timeout), allow_redirects=False
            ) as response:
                answer = await response.read()
                if response.status >= 300:
                    refuse(response.status, answer, response.headers.get("retry-after"))
                return Answer(answer, next_page(response.headers.get("link")))
        except TimeoutError:
            raise Unavailable(f"no answer from {self.base} within {timeout:.1f} s") from None
        except (ClientError, OSError) as error:
            raise Unavailable(f"cannot reach {self.base}: {type(error).__name__}: {error}") from error

    def _open(self) -> ClientSession:
        from aiohttp import ClientSession, DummyCookieJar

        return ClientSession(headers={"user-agent": "semp-sdk-python", **self.headers}, cookie_jar=DummyCookieJar())


def next_page(link: str | None) -> str | None:
    """Path and query of the next page, from a `Link` header; None when there is none."""
    found = _NEXT.search(link) if link is not None else None
    return found[1] if found is not None else None


def refuse(status: int, answer: bytes, retry_after: str | None = None) -> NoReturn:
    """Raise the error for an answer with this status."""
    try:
        body = _read_error(answer)
    except (msgspec.MsgspecError, RecursionError):  # the answer of a proxy, not of the service
        body = ErrorBody(f"status {status}")
    raise error_of(status, body, _seconds(retry_after))


def error_of(status: int, body: ErrorBody, retry_after: float | None = None) -> SempError:
    """The error for a status."""
    match status:
        case 400 | 415 | 422:
            return InvalidEvent(body.message, body.errors)
        case 413:
            return TooLarge(body.message, body.errors)
        case 401 | 403:
            return NotAllowed(body.message)
        case 404 | 405:
            return NotFound(body.message)
        case 409:
            return Conflict(body.message, body.errors)
        case _ if status in RETRIED and status != 500:
            return Unavailable(body.message, body.retry_after if retry_after is None else retry_after)
        case _:
            return ServiceFault(f"{status}: {body.message}", status)


def _seconds(text: str | None) -> float | None:
    """`Retry-After` in seconds, also when it is a date; None when it is neither."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return min(float(text), LONGEST_WAIT)
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        return min(max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()), LONGEST_WAIT)
    except (ValueError, TypeError):
        return None
