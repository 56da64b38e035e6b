"""The service as the tools use it: a client of its REST API, over the network or inside the same process."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec

from semp.api.security.credentials import KEY
from semp.domain.errors import SempError
from semp.engine.access import Principal

PATIENCE = 60.0
"""Seconds without a byte of the answer after which a request fails. The service itself answers or refuses long before."""
CLOSE_EVENT = b"event: close"
NEXT_PAGE = ("before", "after", "until", "at", "cursor")
"""Query parameters of a `Link` header that select the next page."""

Query = Mapping[str, Any]
Message = dict[str, Any]
"""A message of the live stream: `type` (`event` or `signal`) and `data`."""


class Refused(SempError):
    """The service refused a request. `status` and `body` are its answer: `{"message", "errors"?: [{"field", "reason"}]}`.

    When the service could not be reached, the status is 503. `retry_after` is in seconds.
    """

    def __init__(self, status: int, body: Mapping[str, Any], retry_after: int | None = None) -> None:
        self.status = status
        self.body = body
        self.retry_after = retry_after
        super().__init__(str(body.get("message", status)))


class Answer(NamedTuple):
    """An answer as JSON, and the query parameters of the next page; `following` is empty on the last page."""

    body: bytes
    following: dict[str, str | int]


class Service:
    """A client of one service. `get`, `post` and `follow` raise Refused.

    Args:
        url: base URL of the service, without secrets, since error messages show it.
        transport: how to reach the service; None for the network.
        in_process: whether the service is this process. Then it does not come back after it stopped.
        auth: user and password for HTTP Basic authentication.
        proxy: the proxy to use. Proxies named by environment variables are not used.
    """

    def __init__(
        self,
        url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        in_process: bool = False,
        auth: tuple[str, str] | None = None,
        proxy: httpx.Proxy | None = None,
    ) -> None:
        self.url = url
        self.in_process = in_process
        self.ended = asyncio.Event()
        """Set when an in-process service stops."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=8)
        self._client = httpx.AsyncClient(
            base_url=url, transport=transport, timeout=PATIENCE, limits=limits, auth=auth, proxy=proxy, trust_env=False,
            verify=httpx.create_ssl_context() if transport is None else True,
        )  # fmt: skip

        self._principal: Principal | None = None

    def acting(self, principal: Principal | None) -> Service:
        """A client of the same service that acts as this principal.

        In-process requests need a principal. Over the network it is None: the service derives the principal from the connection.
        """
        bound = copy.copy(self)
        bound._principal = principal
        return bound

    @property
    def _extensions(self) -> dict[str, Any]:
        if self._principal is not None:
            return {KEY: self._principal}
        if self.in_process:
            raise RuntimeError("an in-process request needs a principal")
        return {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get(self, path: str, query: Query | None = None) -> Answer:
        """GET a path. Parameters that are None are left out."""
        with self._transport_errors():
            return _answer(await self._client.get(path, params=_parameters(query or {}), extensions=self._extensions))

    async def post(self, path: str, body: bytes) -> Answer:
        """POST a JSON body to a path."""
        headers = {"content-type": "application/json"}
        with self._transport_errors():
            return _answer(await self._client.post(path, content=body, headers=headers, extensions=self._extensions))

    async def follow(self, query: Query) -> AsyncGenerator[list[Message]]:
        """Live messages from now on, in lists of those that arrived together. The first list is empty; no message after it is missed.

        Ends when the service ends the stream: the service stops, or the reader was too slow. Close the generator (`contextlib.aclosing`)
        to leave early.
        """
        with self._transport_errors():
            async with self._stream("/api/stream", query) as response:
                if response.is_error:
                    await response.aread()
                    _answer(response)
                async for blocks in _blocks(response.aiter_bytes()):
                    messages = [block for block in blocks if not block.startswith(CLOSE_EVENT)]
                    yield [msgspec.json.decode(block.partition(b"data: ")[2]) for block in messages if b"data: " in block]
                    if len(messages) < len(blocks):
                        return

    @contextlib.asynccontextmanager
    async def _stream(self, path: str, query: Query) -> AsyncGenerator[httpx.Response]:
        request = self._client.build_request("GET", path, params=_parameters(query), extensions=self._extensions)
        response = await self._client.send(request, stream=True)
        try:
            yield response
        finally:
            await response.aclose()
            _release(response)

    @contextlib.contextmanager
    def _transport_errors(self) -> Any:
        try:
            yield
        except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            why = str(error) or type(error).__name__
            text = f"no answer from the service at {self.url}: {why}; is it running? `semp serve` starts it"
            raise Refused(503, {"message": text}) from None


async def _blocks(chunks: AsyncIterator[bytes]) -> AsyncGenerator[list[bytes]]:
    """The server-sent events that each chunk completes. An event may be a comment or have no data."""
    rest = b""
    async for chunk in chunks:
        *complete, rest = (rest + chunk).split(b"\n\n")
        yield complete


def _parameters(query: Query) -> dict[str, Any]:
    """Query parameters as httpx takes them: booleans as 0 or 1, without those that are None. httpx repeats a list's name for each value."""
    return {name: int(value) if isinstance(value, bool) else value for name, value in query.items() if value is not None}


def _release(response: httpx.Response) -> None:
    """Let the memory of a response that was read or closed be freed: it and its stream refer to each other."""
    response.stream = httpx.ByteStream(b"")


def _answer(response: httpx.Response) -> Answer:
    """What the service answered, from a response that was read.

    Raises:
        Refused: the status is that of an error, or the body is not JSON.
    """
    _release(response)
    if response.is_success and response.headers.get("content-type", "").startswith("application/json"):
        link = response.links.get("next", {}).get("url", "")
        parameters = parse_qsl(urlsplit(link).query)
        return Answer(response.content, {name: _number(value) for name, value in parameters if name in NEXT_PAGE})
    try:
        body = msgspec.json.decode(response.content, type=dict[str, Any])
    except msgspec.MsgspecError:
        body = {"message": f"{response.url.host} is no SEL/SEMP service: its answer {response.status_code} is not JSON"}
    seconds = response.headers.get("retry-after", "")
    raise Refused(response.status_code, body, int(seconds) if seconds.isdecimal() else None)


def _number(value: str) -> str | int:
    return int(value) if value.isdecimal() else value
