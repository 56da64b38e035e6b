"""The HTTP client of every command: an answer, or one error that says in a line what went wrong and at which URL."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec

from semp.cli.address import Address, parse_address, without_secrets
from semp.cli.failures import cause_of
from semp.cli.terminal import say
from semp.domain.errors import SempError

CONNECT_SECONDS = 10.0
READ_SECONDS = 120.0
"""Without a byte of an answer it is given up then; the service itself answers or refuses before."""
LONGEST_PAUSE = 30.0
"""Seconds between two tries, at most, whatever Retry-After says."""
TEMPORARY = (502, 503, 504)

T = TypeVar("T")
Query = Mapping[str, Any]


class Refused(SempError):
    """The service answered, and said no; the message is its own."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class NotTheService(SempError):
    """What answers at the URL is something else, such as a gateway. `status` is what it answered."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class Unreachable(SempError):
    """Nothing answers at the URL, and nothing has since the command began."""


class Away(SempError):
    """The service cannot answer now: it says so, or it did answer before and does not any more. `pause`: seconds until the next try."""

    def __init__(self, message: str, pause: float = 1.0) -> None:
        self.pause = pause
        super().__init__(message)


class Reply(NamedTuple):
    """JSON, and what to ask with for the page after it: empty when this is the last."""

    body: bytes
    following: dict[str, str]


class Ready(msgspec.Struct):
    """Where the log stands."""

    epoch: str
    position: int


class Client:
    """One service.

    Args:
        url: its base URL; user and password in it are sent as HTTP Basic authentication and never shown.
        patience: seconds a request is repeated while the service is away, before `patiently` gives up.

    Raises:
        SempError: the URL cannot be used. Requests raise Refused, NotTheService, Unreachable or Away, all of them SempErrors.
    """

    def __init__(self, url: str, patience: float = 0.0) -> None:
        self.address: Address = parse_address(url)
        self.patience = patience
        self._answered = False
        proxy = self.address.proxy
        self._http = httpx.Client(
            base_url=self.address.url,
            auth=self.address.credentials,
            proxy=proxy.for_httpx if proxy else None,
            trust_env=False,  # the proxy is chosen here; credentials of ~/.netrc are nobody's wish
            verify=httpx.create_ssl_context(),  # this one does look at SSL_CERT_FILE and SSL_CERT_DIR
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def url(self) -> str:
        """The service's URL, without secrets."""
        return self.address.url

    def get(self, path: str, query: Query | None = None) -> Reply:
        """What the path answers; parameters that are None are left out."""
        with self._reaching():
            return self._reply(self._http.get(path, params=_sent(query)))

    def post(self, path: str, body: bytes, content_type: str, query: Query | None = None) -> Reply:
        with self._reaching():
            return self._reply(self._http.post(path, params=_sent(query), content=body, headers={"content-type": content_type}))

    @contextmanager
    def stream(self, path: str, query: Query, headers: Mapping[str, str], silence: float) -> Generator[httpx.Response]:
        """An open answer, to be read as it comes.

        Args:
            silence: seconds without a byte after which the connection is taken for dead.
        """
        timeout = httpx.Timeout(silence, connect=CONNECT_SECONDS)
        with self._reaching(), self._http.stream("GET", path, params=_sent(query), headers=dict(headers), timeout=timeout) as response:
            if not response.is_success or not response.headers.get("content-type", "").startswith("text/event-stream"):
                response.read()
                self._reply(response)
                raise self._not_the_service(response)
            self._answered = True
            yield response

    def ready(self) -> Ready:
        """Where the log stands; Away while the database is."""
        return self.decode(self.get("/health/ready"), Ready)

    def decode(self, reply: Reply, kind: type[T]) -> T:
        """The answer as a value of this type."""
        try:
            return msgspec.json.decode(reply.body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise NotTheService(200, f"{self.url} is no SEL/SEMP service, or one of another version: {error}") from None

    def patiently(self, ask: Callable[[bool], T]) -> T:
        """Repeat the request while the service is away, for `patience` seconds at most; on standard error once, that it waits.

        Args:
            ask: makes the request; is told whether it was made before, so that its outcome may have been lost.
        """
        deadline: float | None = None
        while True:
            try:
                return ask(deadline is not None)
            except Away as away:
                now = time.monotonic()
                if deadline is None:
                    deadline = now + self.patience
                    if self.patience > 0:
                        say(f"waiting for the service, {self.patience:g} s at most: {away}", style="yellow")
                left = deadline - now
                if left <= 0:
                    gave_up = f"; gave up after {self.patience:g} s" if self.patience > 0 else ""
                    raise Away(f"{away}{gave_up}", away.pause) from None
                time.sleep(min(away.pause, left))

    def wait_ready(self) -> Ready:
        """`ready`, patiently."""
        return self.patiently(lambda _: self.ready())

    @contextmanager
    def _reaching(self) -> Generator[None]:
        try:
            yield
        except httpx.TransportError as error:
            message = f"no answer from the service at {self.url}: {cause_of(error, self.address)}"
            raise (Away(message) if self._answered else Unreachable(message)) from None
        except (httpx.InvalidURL, httpx.HTTPError) as error:
            raise NotTheService(200, f"{self.url}: the answer cannot be read: {error}") from None

    def _reply(self, response: httpx.Response) -> Reply:
        status = response.status_code
        is_json = response.headers.get("content-type", "").partition(";")[0].strip() == "application/json"
        if response.is_success and is_json:
            self._answered = True
            link = response.links.get("next", {}).get("url", "")
            return Reply(response.content, dict(parse_qsl(urlsplit(link).query)))
        message = _message(response.content) if is_json else None
        if status in TEMPORARY and (message is not None or self._answered):
            self._answered = True
            said = message or f"it answered {_status(response)}"
            raise Away(f"{self.url}: {said}", pause_of(response.headers.get("retry-after")))
        if message is not None:
            self._answered = True
            raise Refused(status, message)
        raise self._not_the_service(response)

    def _not_the_service(self, response: httpx.Response) -> NotTheService:
        status = response.status_code
        if response.is_redirect:
            target = without_secrets(response.headers["location"])
            text = f"{self.url} answered {_status(response)}: it points to {target}; if the service is there, give that URL"
            return NotTheService(status, text)
        kind = response.headers.get("content-type", "").partition(";")[0].strip() or "nothing that has a type"
        said = f"{response.request.method} {response.request.url.path} was answered {_status(response)} with {kind}{self.address.through}"
        more = "; a user and password can stand in the URL or in SEMP_URL" if status == 401 else ""
        return NotTheService(status, f"{self.url} is no SEL/SEMP service: {said}{more}")


def _status(response: httpx.Response) -> str:
    try:
        return f"{response.status_code} {HTTPStatus(response.status_code).phrase}"
    except ValueError:
        return str(response.status_code)


def _message(body: bytes) -> str | None:
    """The service's own words for an error."""
    try:
        found = msgspec.json.decode(body, type=dict[str, Any]).get("message")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return found if isinstance(found, str) else None


def pause_of(retry_after: str | None, now: datetime | None = None) -> float:
    """Seconds that a Retry-After asks for, given as seconds or as an HTTP date: 0..LONGEST_PAUSE, and 1 where it cannot be read."""
    text = (retry_after or "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text, re.ASCII):
        return min(float(text), LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 1.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - (now or datetime.now(UTC))).total_seconds()), LONGEST_PAUSE)


def _sent(query: Query | None) -> dict[str, Any]:
    """As it goes into a URL; the name is repeated for each value of a list."""
    return {name: value for name, value in (query or {}).items() if value is not None and value != []}
