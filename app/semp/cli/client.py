"""The HTTP client of every command. A failed request raises one error, whose message says in one line what failed at which URL."""

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
"""Seconds without a byte of the answer after which a request fails. The service itself answers or refuses earlier."""
LONGEST_PAUSE = 30.0
"""Maximum seconds between two attempts, even if Retry-After asks for more."""
TEMPORARY = (502, 503, 504)
"""Statuses after which a request may succeed later."""

T = TypeVar("T")
Query = Mapping[str, Any]


class Refused(SempError):
    """The service refused the request. The message is the service's own. `field`: the first field that the answer names, or empty."""

    def __init__(self, status: int, message: str, field: str = "") -> None:
        self.status = status
        self.field = field
        super().__init__(message)


class NotTheService(SempError):
    """Something else answers at the URL, such as a gateway. `status` is the status of its answer."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class Unreachable(SempError):
    """Nothing answers at the URL, and nothing has answered since the command began."""


class Away(SempError):
    """The service cannot answer now. It says so itself, or it has answered this command before. `pause`: seconds until the next attempt."""

    def __init__(self, message: str, pause: float = 1.0) -> None:
        self.pause = pause
        super().__init__(message)


class Reply(NamedTuple):
    """An answer as JSON, and the query parameters of the next page; `following` is empty on the last page."""

    body: bytes
    following: dict[str, str]


class Ready(msgspec.Struct):
    """The log's epoch, and the position of its newest event."""

    epoch: str
    position: int


class Client:
    """A client of one service. Requests raise Refused, NotTheService, Unreachable or Away; all of them are SempErrors.

    Args:
        url: base URL of the service. A user and password in it are sent as HTTP Basic authentication and never shown.
        patience: maximum seconds for which `patiently` repeats a request while the service is not available.

    Raises:
        SempError: the URL cannot be used.
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
            trust_env=False,  # `parse_address` has chosen the proxy; credentials of ~/.netrc must not be sent
            verify=httpx.create_ssl_context(),  # this still reads SSL_CERT_FILE and SSL_CERT_DIR
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
        """GET a path. Parameters that are None or empty lists are left out."""
        with self._transport_errors():
            return self._reply(self._http.get(path, params=_parameters(query)))

    def post(self, path: str, body: bytes, content_type: str, query: Query | None = None) -> Reply:
        """POST a body to a path. Parameters that are None or empty lists are left out."""
        with self._transport_errors():
            return self._reply(self._http.post(path, params=_parameters(query), content=body, headers={"content-type": content_type}))

    @contextmanager
    def stream(self, path: str, query: Query, headers: Mapping[str, str], silence: float) -> Generator[httpx.Response]:
        """GET a path and give the open response, to be read as data arrives.

        Args:
            silence: seconds without a byte after which the connection counts as lost.
        """
        timeout = httpx.Timeout(silence, connect=CONNECT_SECONDS)
        request = self._http.stream("GET", path, params=_parameters(query), headers=dict(headers), timeout=timeout)
        with self._transport_errors(), request as response:
            if not response.is_success or not response.headers.get("content-type", "").startswith("text/event-stream"):
                response.read()
                self._reply(response)
                raise self._not_the_service(response)
            self._answered = True
            yield response

    def ready(self) -> Ready:
        """The log's epoch and newest position. Raises Away while the database is not available."""
        return self.decode(self.get("/health/ready"), Ready)

    def decode(self, reply: Reply, kind: type[T]) -> T:
        """Decode an answer as a value of this type. Raises NotTheService when it is of another type."""
        try:
            return msgspec.json.decode(reply.body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise NotTheService(200, f"{self.url} is no SEL/SEMP service, or one of another version: {error}") from None

    def patiently(self, ask: Callable[[bool], T]) -> T:
        """Make a request, and repeat it while the service is not available, for at most `patience` seconds.

        The first time it has to wait, it says so on standard error.

        Args:
            ask: makes the request. Its argument is True when the request was made before, so that its outcome may have been lost.

        Raises:
            Away: the service was not available in time.
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
                        say(f"waiting for the service, at most {self.patience:g} s: {away}", style="yellow")
                remaining = deadline - now
                if remaining <= 0:
                    gave_up = f"; gave up after {self.patience:g} s" if self.patience > 0 else ""
                    raise Away(f"{away}{gave_up}", away.pause) from None
                time.sleep(min(away.pause, remaining))

    def wait_ready(self) -> Ready:
        """Like `ready`, but waits for the service as `patiently` does."""
        return self.patiently(lambda _: self.ready())

    @contextmanager
    def _transport_errors(self) -> Generator[None]:
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
            reason = message or f"it answered {_status(response)}"
            raise Away(f"{self.url}: {reason}", pause_of(response.headers.get("retry-after")))
        if message is not None:
            self._answered = True
            raise Refused(status, message, _first_field(response.content))
        raise self._not_the_service(response)

    def _not_the_service(self, response: httpx.Response) -> NotTheService:
        status = response.status_code
        if response.is_redirect:
            target = without_secrets(response.headers["location"])
            text = f"{self.url} answered {_status(response)}: it points to {target}; if the service is there, give that URL"
            return NotTheService(status, text)
        kind = response.headers.get("content-type", "").partition(";")[0].strip() or "no content type"
        answer = f"{response.request.method} {response.request.url.path} was answered {_status(response)} with {kind}{self.address.through}"
        advice = "; you can put a user and password into the URL or into SEMP_URL" if status == 401 else ""
        return NotTheService(status, f"{self.url} is no SEL/SEMP service: {answer}{advice}")


def _status(response: httpx.Response) -> str:
    try:
        return f"{response.status_code} {HTTPStatus(response.status_code).phrase}"
    except ValueError:
        return str(response.status_code)


def _message(body: bytes) -> str | None:
    """The message of the service's error answer; None when the body is no such answer."""
    try:
        message = msgspec.json.decode(body, type=dict[str, Any]).get("message")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return message if isinstance(message, str) else None


def _first_field(body: bytes) -> str:
    """The first field that an error answer names; empty when it names none."""
    try:
        return msgspec.json.decode(body, type=_Fields).errors[0].field
    except (msgspec.MsgspecError, IndexError):
        return ""


class _Field(msgspec.Struct):
    field: str


class _Fields(msgspec.Struct):
    errors: list[_Field]


def pause_of(retry_after: str | None, now: datetime | None = None) -> float:
    """Seconds to wait for a `Retry-After` header.

    Args:
        retry_after: seconds or an HTTP date (RFC 9110, section 10.2.3).
        now: the present, for a date; default: the system clock.

    Returns:
        0..LONGEST_PAUSE; 1 when the header is missing or invalid.
    """
    text = (retry_after or "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text, re.ASCII):
        return min(float(text), LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 1.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - (now or datetime.now(UTC))).total_seconds()), LONGEST_PAUSE)


def _parameters(query: Query | None) -> dict[str, Any]:
    """Query parameters without those that are None or empty lists. httpx repeats a list's name for each value."""
    return {name: value for name, value in (query or {}).items() if value is not None and value != []}
