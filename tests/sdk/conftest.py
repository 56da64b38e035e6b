"""The SDK from this checkout, a client of the real service, and a proxy in front of it that can misbehave."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Service

SOURCE = Path(__file__).parents[2] / "sdk" / "python" / "src"
if str(SOURCE) not in sys.path:
    sys.path.insert(0, str(SOURCE))

from semp_sdk import Client, Stream  # noqa: E402

WITHIN = 30.0
Fault = Callable[["Exchange"], Awaitable[None]]


class Exchange:
    """One request that a proxy has read, and the ways to answer it."""

    def __init__(self, upstream: tuple[str, int], head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        self.upstream = upstream
        self.head = head
        self.body = body
        self.writer = writer

    async def forward(self) -> bytes:
        """The service's answer, of which the client has seen nothing yet."""
        reader, writer = await asyncio.open_connection(*self.upstream)
        first, _, rest = self.head.partition(b"\r\n")
        writer.write(first + b"\r\nconnection: close\r\n" + rest + self.body)
        answer = await reader.read()
        writer.close()
        return answer

    def drop(self) -> None:
        self.writer.transport.abort()


class Proxy:
    """Forwards requests, one a connection; the next faults are taken from `faults` first."""

    def __init__(self, service: Service) -> None:
        host, _, port = service.url.removeprefix("http://").partition(":")
        self.upstream = host, int(port)
        self.faults: list[Fault] = []
        self.requests: list[bytes] = []
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
            exchange = Exchange(self.upstream, head, await reader.readexactly(int(fields.get(b"content-length", 0))), writer)
            self.requests.append(head.split(b"\r\n")[0])
            if self.faults:
                await self.faults.pop(0)(exchange)
            else:
                writer.write(await exchange.forward())

    def posts(self) -> list[bytes]:
        return [line for line in self.requests if line.startswith(b"POST")]


@asynccontextmanager
async def listening(handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncGenerator[str]:
    """A TCP server on a free port; its URL."""
    running: set[asyncio.Task[Any]] = set()

    async def track(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await handle(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            writer.close()
            running.discard(task)

    server = await asyncio.start_server(track, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@pytest.fixture
async def proxy(service: Service) -> AsyncIterator[Proxy]:
    found = Proxy(service)
    async with listening(found.handle) as found.url:
        yield found


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    async with Client(service.url, agent_id="tester") as found:
        yield found


async def positions(stream: Stream[Any], count: int) -> list[int]:
    found: list[int] = []
    async with asyncio.timeout(WITHIN):
        async for item in stream:
            found.append(item.position)
            if len(found) == count:
                break
    return found
