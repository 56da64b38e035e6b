"""A REST client of minimal cost: one keep-alive connection, one request at a time."""

from __future__ import annotations

import http.client
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Any
from urllib.parse import urlencode

import msgspec

BATCH = 1_000
PATIENCE = 600.0
"""Seconds a request may take."""


class Rest:
    """A client of the service on a port of this machine."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def get(self, path: str, **query: object) -> Any:
        """The decoded answer of a GET.

        Raises:
            AssertionError: the status was not 200.
        """
        status, body = self._ask("GET", f"{path}?{urlencode(query)}" if query else path)
        assert status == 200, f"{path}: {status} {body[:500].decode(errors='replace')}"
        return msgspec.json.decode(body)

    def text(self, path: str) -> bytes:
        """The body of a GET, as it is."""
        return self._ask("GET", path)[1]

    def post(self, path: str, body: object) -> Any:
        """The decoded answer of a POST.

        Raises:
            AssertionError: the status was not 201.
        """
        status, answer = self._ask("POST", path, msgspec.json.encode(body))
        assert status == 201, f"{path}: {status} {answer[:500].decode(errors='replace')}"
        return msgspec.json.decode(answer)

    def store(self, events: Iterable[dict[str, Any]]) -> None:
        """Append events in order, in batches. The next batch is encoded while one is stored."""
        remaining = iter(events)
        with ThreadPoolExecutor(1) as one:
            pending: Future[None] | None = None
            while batch := list(islice(remaining, BATCH)):
                body = msgspec.json.encode(batch)
                if pending is not None:
                    pending.result()
                pending = one.submit(self._post, body)
            if pending is not None:
                pending.result()

    def _post(self, body: bytes) -> None:
        status, text = self._ask("POST", "/api/events/batch?return=minimal", body)
        assert status in (200, 201), text[:500].decode(errors="replace")

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Send a request, and once more if the service had closed the idle connection: all requests here may be repeated."""
        try:
            self.connection.request(method, path, body, {"content-type": "application/json"} if body else {})
            answer = self.connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            self.connection.close()
            self.connection.request(method, path, body, {"content-type": "application/json"} if body else {})
            answer = self.connection.getresponse()
        return answer.status, answer.read()


@contextmanager
def asking(port: int) -> Generator[Rest]:
    """A client for the duration of a block."""
    rest = Rest(port)
    try:
        yield rest
    finally:
        rest.connection.close()
