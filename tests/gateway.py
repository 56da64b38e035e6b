"""An HTTP gateway in front of a service. It passes requests on, unless a rule of the test gives another answer."""

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
    """The path with its query."""
    headers: dict[str, str]
    """Header names are in lower case."""
    body: bytes


class Reply(NamedTuple):
    """What the gateway answers instead of the service."""

    status: int
    body: bytes = b"<html><body>nothing here</body></html>"
    headers: tuple[tuple[str, str], ...] = (("content-type", "text/html"),)


LOSE = Reply(0)
"""Pass the request on to the service, but close the connection to the client without its answer."""
DROP = Reply(-1)
"""Close the connection without passing the request on."""

Rule = Callable[[Asked], Reply | None]
"""What to answer a request with; None passes it on."""


class Gateway:
    """The gateway. `asked` holds all requests that it received; `rule` may be replaced while it runs."""

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
                """Print nothing."""

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
            headers = {name: value for name, value in asked.headers.items() if name in ("content-type", "last-event-id")}
            with self._client.stream(asked.method, asked.path, content=body, headers=headers) as answer:
                if reply is LOSE:
                    answer.read()
                    handler.close_connection = True
                elif "event-stream" in answer.headers["content-type"]:
                    self._pass_on(handler, answer)
                else:
                    kept = tuple((name, answer.headers[name]) for name in ("content-type", "link", "retry-after") if name in answer.headers)
                    self._send(handler, Reply(answer.status_code, answer.read(), kept))
            return
        self._send(handler, reply)

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.send_response(reply.status)
        for name, value in (*reply.headers, ("content-length", str(len(reply.body)))):
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply.body)

    def _pass_on(self, handler: BaseHTTPRequestHandler, answer: httpx.Response) -> None:
        """Pass on a stream until the rule answers a chunk. The rule gets each chunk as the body of a request with the method STREAM."""
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.end_headers()
        with suppress(OSError, httpx.TransportError):  # the client or the service closed the connection
            for chunk in answer.iter_raw():
                if self.rule(Asked("STREAM", handler.path, {}, chunk)) is not None:
                    return
                handler.wfile.write(chunk)
                handler.wfile.flush()


@contextmanager
def gateway(target: str, rule: Rule = lambda _: None) -> Generator[Gateway]:
    """A gateway to the service at the URL `target`, which runs during the block."""
    front = Gateway(target, rule)
    front.server.daemon_threads = True
    thread = threading.Thread(target=front.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield front
    finally:
        front.server.shutdown()
        front.server.server_close()
        front.close()
        thread.join()
