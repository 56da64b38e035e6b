"""The service as the tools see it: requests of its REST API, over the network or, where it is this process, without one."""

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
"""Seconds without a byte of an answer after which it is given up; the service itself answers or refuses long before."""
CLOSING = b"event: close"
CONTINUED = ("before", "after", "until", "at", "cursor")
"""Parameters with which a `Link` header leads to the next page."""

Query = Mapping[str, Any]
Message = dict[str, Any]
"""A message of the live stream: `type` (`event` or `signal`) and `data`."""


class Refused(SempError):
    """The service did not do what was asked: its status and its own words, `{"message", "errors"?: [{"field", "reason"}]}`.

    Status 503 where it could not be reached.
    """

    def __init__(self, status: int, body: Mapping[str, Any], retry_after: int | None = None) -> None:
        self.status = status
        self.body = body
        self.retry_after = retry_after
        super().__init__(str(body.get("message", status)))


class Answer(NamedTuple):
    """JSON, and what to ask with for the page after it: empty when this is the last."""

    body: bytes
    following: dict[str, str | int]


class Service:
    """One service. Every method raises Refused.

    Args:
        url: its base URL.
        transport: how it is reached where that is not the network.
        within: whether it is this process, so that it is gone for good once it stops.
        auth: user and password for HTTP Basic authentication.
        proxy: what is in between; proxies that the environment names are left alone.
    """

    def __init__(
        self,
        url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        within: bool = False,
        auth: tuple[str, str] | None = None,
        proxy: httpx.Proxy | None = None,
    ) -> None:
        self.url = url
        self.within = within
        self.ended = asyncio.Event()
        """Set once it has stopped, where it is this process."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=8)
        self._client = httpx.AsyncClient(
            base_url=url, transport=transport, timeout=PATIENCE, limits=limits, auth=auth, proxy=proxy, trust_env=False,
            verify=httpx.create_ssl_context() if transport is None else True,
        )  # fmt: skip

        self._principal: Principal | None = None

    def acting(self, principal: Principal | None) -> Service:
        """The same service, asked as this principal: within this process. Over the network there is none; a connection says who asks."""
        bound = copy.copy(self)
        bound._principal = principal
        return bound

    @property
    def _asking(self) -> dict[str, Any]:
        if self._principal is not None:
            return {KEY: self._principal}
        if self.within:
            raise RuntimeError("within this process every request is somebody's")
        return {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get(self, path: str, query: Query | None = None) -> Answer:
        """What the path answers; parameters that are None are left out."""
        with self._reaching():
            return _answer(await self._client.get(path, params=_sent(query or {}), extensions=self._asking))

    async def post(self, path: str, body: bytes) -> Answer:
        headers = {"content-type": "application/json"}
        with self._reaching():
            return _answer(await self._client.post(path, content=body, headers=headers, extensions=self._asking))

    async def follow(self, query: Query) -> AsyncGenerator[list[Message]]:
        """What happens from now on, as much at a time as came together. The first list is empty and says that nothing is missed from here.

        Ends when the service ends it: it stops, or the reader was too slow. Close it (`contextlib.aclosing`) to leave early.
        """
        with self._reaching():
            async with self._client.stream("GET", "/api/stream", params=_sent(query), extensions=self._asking) as response:
                if response.is_error:
                    await response.aread()
                    _answer(response)
                async for blocks in _blocks(response.aiter_bytes()):
                    told = [block for block in blocks if not block.startswith(CLOSING)]
                    yield [msgspec.json.decode(block.partition(b"data: ")[2]) for block in told if b"data: " in block]
                    if len(told) < len(blocks):
                        return

    @contextlib.contextmanager
    def _reaching(self) -> Any:
        try:
            yield
        except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            why = str(error) or type(error).__name__
            text = f"no answer from the service at {self.url}: {why}; is it running? It is started with `semp serve`"
            raise Refused(503, {"message": text}) from None


async def _blocks(chunks: AsyncIterator[bytes]) -> AsyncGenerator[list[bytes]]:
    """The whole server-sent events of each chunk; heartbeats give empty lists."""
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n\n")
        yield whole


def _sent(query: Query) -> dict[str, Any]:
    """As it goes into a URL; httpx repeats the name for each value of a list."""
    return {name: int(value) if isinstance(value, bool) else value for name, value in query.items() if value is not None}


def _answer(response: httpx.Response) -> Answer:
    if response.is_success and response.headers.get("content-type", "").startswith("application/json"):
        link = response.links.get("next", {}).get("url", "")
        found = parse_qsl(urlsplit(link).query)
        return Answer(response.content, {name: _number(value) for name, value in found if name in CONTINUED})
    try:
        body = msgspec.json.decode(response.content, type=dict[str, Any])
    except msgspec.MsgspecError:
        body = {"message": f"{response.url.host} is no SEL/SEMP service: it answered {response.status_code} without JSON"}
    seconds = response.headers.get("retry-after", "")
    raise Refused(response.status_code, body, int(seconds) if seconds.isdecimal() else None)


def _number(value: str) -> str | int:
    return int(value) if value.isdecimal() else value
