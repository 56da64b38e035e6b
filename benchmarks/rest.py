"""A client that costs next to nothing: one kept connection, one request at a time."""

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
    """Asks the service on a port of this machine."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def get(self, path: str, **query: object) -> Any:
        """The answer, decoded; it must be a 200."""
        status, body = self._ask("GET", f"{path}?{urlencode(query)}")
        assert status == 200, f"{path}: {status} {body[:500].decode(errors='replace')}"
        return msgspec.json.decode(body)

    def post(self, path: str, body: object) -> Any:
        """The answer, decoded; it must be a 201."""
        status, answer = self._ask("POST", path, msgspec.json.encode(body))
        assert status == 201, f"{path}: {status} {answer[:500].decode(errors='replace')}"
        return msgspec.json.decode(answer)

    def store(self, events: Iterable[dict[str, Any]]) -> None:
        """Append them in order, the next batch being made ready while one is stored."""
        remaining = iter(events)
        with ThreadPoolExecutor(1) as one:
            under_way: Future[None] | None = None
            while batch := list(islice(remaining, BATCH)):
                body = msgspec.json.encode(batch)
                if under_way is not None:
                    under_way.result()
                under_way = one.submit(self._post, body)
            if under_way is not None:
                under_way.result()

    def _post(self, body: bytes) -> None:
        status, text = self._ask("POST", "/api/events/batch?return=minimal", body)
        assert status in (200, 201), text[:500].decode(errors="replace")

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Asked again where the service had closed the connection, as it does after some idle seconds: all of it may be repeated."""
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
    """A client, closed at the end."""
    rest = Rest(port)
    try:
        yield rest
    finally:
        rest.connection.close()
