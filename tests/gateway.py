"""An HTTP server in front of a service that passes requests on, unless a test wants something else to happen to them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import httpx


class Asked(NamedTuple):
    """A request."""

    method: str
    path: str
    """With its query."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


class Reply(NamedTuple):
    """What the gateway answers instead of the service."""

    status: int
    body: bytes = b"<html><body>nothing here</body></html>"
    headers: tuple[tuple[str, str], ...] = (("content-type", "text/html"),)


LOSE = Reply(0)
"""Pass the request on, and close the connection instead of passing on the answer."""
DROP = Reply(-1)
"""Close the connection without passing the request on."""

Rule = Callable[[Asked], Reply | None]


class Gateway:
    """One server. `rule` decides what happens to a request; None passes it on."""

    def __init__(self, target: str, rule: Rule = lambda _: None) -> None:
        self.rule: Rule = rule
        self.asked: list[Asked] = []
        self._client = httpx.Client(base_url=target, timeout=60)
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                gateway.answer(self)

            def do_POST(self) -> None:
                gateway.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self._client.close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        asked = Asked(handler.command, handler.path, {name.lower(): value for name, value in handler.headers.items()}, body)
        self.asked.append(asked)
        reply = self.rule(asked)
        if reply is DROP:
            handler.close_connection = True
            return
        if reply is None or reply is LOSE:
            passed = {name: value for name, value in asked.headers.items() if name in ("content-type", "last-event-id")}
            with self._client.stream(asked.method, asked.path, content=body, headers=passed) as found:
                if reply is LOSE:
                    found.read()
                    handler.close_connection = True
                elif "event-stream" in found.headers["content-type"]:
                    self._pass_on(handler, found)
                else:
                    kept = tuple((name, found.headers[name]) for name in ("content-type", "link", "retry-after") if name in found.headers)
                    self._send(handler, Reply(found.status_code, found.read(), kept))
            return
        self._send(handler, reply)

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.send_response(reply.status)
        for name, value in (*reply.headers, ("content-length", str(len(reply.body)))):
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply.body)

    def _pass_on(self, handler: BaseHTTPRequestHandler, found: httpx.Response) -> None:
        """A stream, until the rule no longer lets its chunks pass: it is asked for each, as a request of the method STREAM."""
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.end_headers()
        with suppress(OSError, httpx.TransportError):  # whoever read it has gone, or the test is over
            for chunk in found.iter_raw():
                if self.rule(Asked("STREAM", handler.path, {}, chunk)) is not None:
                    return
                handler.wfile.write(chunk)
                handler.wfile.flush()


@contextmanager
def gateway(target: str, rule: Rule = lambda _: None) -> Generator[Gateway]:
    """A gateway that runs during the block."""
    made = Gateway(target, rule)
    made.server.daemon_threads = True
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        made.close()
        thread.join()
