"""An httpx transport to an ASGI application of this process, without a socket. Routes, checks and answers are as over the network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx

from semp.api.security.credentials import KEY


class InProcessTransport(httpx.AsyncBaseTransport):
    """Passes each request to the application. The body of the answer is streamed, one piece at a time.

    A request acts as the principal in its extension KEY.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange = _Exchange(self._app, request, await request.aread())
        try:
            status, headers = await exchange.started
        except BaseException:
            exchange.abandon()
            raise
        return httpx.Response(status, headers=headers, stream=exchange)


class _Exchange(httpx.AsyncByteStream):
    """An open request, and the body of its answer. The application waits until each piece that it sends is read (backpressure)."""

    def __init__(self, app: Any, request: httpx.Request, body: bytes) -> None:
        self.started: asyncio.Future[tuple[int, list[tuple[bytes, bytes]]]] = asyncio.get_running_loop().create_future()
        self._body = body
        self._body_received = False
        self._disconnected = asyncio.Event()
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self._running = asyncio.create_task(self._run(app, _scope(request)))

    async def _run(self, app: Any, scope: dict[str, Any]) -> None:
        failure: Exception = RuntimeError("the application sent no answer")
        try:
            await app(scope, self._receive, self._send)
        except Exception as error:
            failure = error
            if self.started.done():
                raise
        finally:
            if not self.started.done():
                self.started.set_exception(failure)
            if not self._disconnected.is_set():
                await self._pieces.put(None)

    async def _receive(self) -> dict[str, Any]:
        if not self._body_received:
            self._body_received = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._disconnected.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            if not self.started.done():
                self.started.set_result((message["status"], list(message.get("headers", []))))
        elif (piece := message.get("body", b"")) and not self._disconnected.is_set():
            await self._pieces.put(piece)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) is not None:
            yield piece

    def abandon(self) -> None:
        """Cancel the request. An append that was submitted may still be committed."""
        self._disconnected.set()
        self._running.cancel()

    async def aclose(self) -> None:
        """Disconnect from the application, and wait until it has ended."""
        self._disconnected.set()
        while not self._pieces.empty():
            self._pieces.get_nowait()
        await asyncio.wait({self._running})


def _scope(request: httpx.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.url.path,
        "raw_path": request.url.raw_path.partition(b"?")[0],
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": None,
        "server": (request.url.host, 80),
        **({KEY: request.extensions[KEY]} if KEY in request.extensions else {}),
    }
