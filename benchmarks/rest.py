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
        self.connection.request("GET", f"{path}?{urlencode(query)}")
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200, f"{path}: {answer.status} {body[:500].decode(errors='replace')}"
        return msgspec.json.decode(body)

    def offers(self, path: str) -> bool:
        """Whether the service has this path in its OpenAPI document."""
        return path in self.get("/schema/openapi.json")["paths"]

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
        self.connection.request("POST", "/api/events/batch?return=minimal", body, {"content-type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status in (200, 201), text[:500].decode(errors="replace")


@contextmanager
def asking(port: int) -> Generator[Rest]:
    """A client, closed at the end."""
    rest = Rest(port)
    try:
        yield rest
    finally:
        rest.connection.close()
