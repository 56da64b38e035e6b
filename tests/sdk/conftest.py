"""The SDK from this checkout, a client of the real service, and a proxy in front of it that makes faults."""

from __future__ import annotations

import asyncio
import subprocess
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
"""Seconds within which something must happen."""
Fault = Callable[["Exchange"], Awaitable[None]]
"""What the proxy does with one request instead of answering it."""


class Exchange:
    """One request that the proxy has read, and the ways to treat it."""

    def __init__(self, upstream: tuple[str, int], head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        self.upstream = upstream
        self.head = head
        self.body = body
        self.writer = writer

    async def forward(self) -> bytes:
        """Pass the request on to the service; its answer, which the client does not get yet."""
        reader, writer = await asyncio.open_connection(*self.upstream)
        first, _, rest = self.head.partition(b"\r\n")
        writer.write(first + b"\r\nconnection: close\r\n" + rest + self.body)
        answer = await reader.read()
        writer.close()
        return answer

    def drop(self) -> None:
        """Break the connection to the client."""
        self.writer.transport.abort()


class Proxy:
    """Forwards requests, one for each connection. While there are `faults`, each request gets the next of them instead."""

    def __init__(self, service: Service) -> None:
        host, _, port = service.url.removeprefix("http://").partition(":")
        self.upstream = host, int(port)
        self.faults: list[Fault] = []
        self.requests: list[bytes] = []
        """The first line of every request."""
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
        """The first line of every POST."""
        return [line for line in self.requests if line.startswith(b"POST")]


@asynccontextmanager
async def listening(handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncGenerator[str]:
    """The URL of a TCP server on a free port. At the end of the block, connections that are still open are closed."""
    handlers: set[asyncio.Task[Any]] = set()

    async def track(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            await handle(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            writer.close()
            handlers.discard(task)

    server = await asyncio.start_server(track, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"
    finally:
        server.close()
        for task in handlers:
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


@pytest.fixture
async def proxy(service: Service) -> AsyncIterator[Proxy]:
    """A proxy in front of the service."""
    proxy = Proxy(service)
    async with listening(proxy.handle) as proxy.url:
        yield proxy


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    """A client of the service."""
    async with Client(service.url, agent_id="tester") as client:
        yield client


async def positions(stream: Stream[Any], count: int) -> list[int]:
    """Read this many items of a stream, or fewer if it ends; their positions."""
    read: list[int] = []
    async with asyncio.timeout(WITHIN):
        async for item in stream:
            read.append(item.position)
            if len(read) == count:
                break
    return read


async def emit_many(client: Client, count: int, scope: str) -> list[int]:
    """Emit this many events at once; their positions."""
    emitted = await asyncio.gather(*(client.emit("ready", scope, {"status": "x"}, trace_id="many") for _ in range(count)))
    return [event.position or 0 for event in emitted]


def lines_until_killed(code: str, count: int) -> list[str]:
    """Run Python code in a process, and kill it with SIGKILL once it has printed this many lines; all lines that it printed."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(count)]
        process.kill()
        lines += [line for line in process.stdout if line.endswith("\n")]
    return [line.strip() for line in lines]
