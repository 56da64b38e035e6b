"""Live delivery as tests read it: WebSockets with a library and by hand, and server-sent events."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.answers import metrics
from tests.conftest import Service
from tests.raw_http import Connection, connection
from tests.waiting import eventually

WITHIN = 30.0
"""Seconds within which messages must come."""


def subscribe(service: Service, **query: Any) -> ClientConnection:
    """A WebSocket to `/ws` with these query parameters."""
    address = f"{service.websocket_url}?{urlencode(query, doseq=True)}" if query else service.websocket_url
    return connect(address, max_size=None, compression=None)


def receive(subscriber: ClientConnection, count: int) -> list[Any]:
    """The next messages."""
    deadline = time.monotonic() + WITHIN
    return [json.loads(subscriber.recv(timeout=max(0.1, deadline - time.monotonic()))) for _ in range(count)]


def receive_events(subscriber: ClientConnection, count: int) -> list[Any]:
    """The events of the next messages; each message must be an event alone."""
    messages = receive(subscriber, count)
    for message in messages:
        assert set(message) == {"type", "data"}, message
        assert message["type"] == "event"
    return [message["data"] for message in messages]


def receive_to_the_end(subscriber: ClientConnection) -> tuple[list[Any], int, str]:
    """All messages that still come, and the code and the reason with which the service closes."""
    messages: list[Any] = []
    try:
        while True:
            messages.append(json.loads(subscriber.recv(timeout=WITHIN)))
    except ConnectionClosed as error:
        return (messages, error.rcvd.code, error.rcvd.reason) if error.rcvd else pytest.fail("it broke instead of being closed")


def subscribers(service: Service) -> int:
    """How many WebSockets and event streams the service counts."""
    return int(metrics(service)["semp_subscribers"])


def wait_for_subscribers(service: Service, count: int) -> None:
    eventually(f"{count} subscribers", lambda: subscribers(service) == count, WITHIN)


# WebSockets by hand


def upgrade_request(path: str = "/ws", host: str = "localhost") -> bytes:
    """The request that opens a WebSocket."""
    return (
        f"GET {path} HTTP/1.1\r\nhost: {host}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
    ).encode()


@contextmanager
def silent_websocket(service: Service) -> Generator[Connection]:
    """A WebSocket by hand, past its handshake. It reads nothing and answers nothing by itself, neither a ping nor a close."""
    with connection(service, WITHIN) as silent:
        silent.send(upgrade_request())
        received = b""
        while b"\r\n\r\n" not in received:
            received += silent.socket.recv(1)
        assert received.startswith(b"HTTP/1.1 101")
        yield silent


def client_frame(opcode: int, data: bytes, masked: bool = True) -> bytes:
    """A WebSocket frame as a client sends it, of at most 65,535 bytes; unmasked, it breaks the protocol."""
    key = os.urandom(4)
    size = len(data) if len(data) < 126 else 126
    head = bytes([0x80 | opcode, (0x80 if masked else 0) | size]) + (len(data).to_bytes(2, "big") if size == 126 else b"")
    return head + (key + bytes(byte ^ key[index % 4] for index, byte in enumerate(data)) if masked else data)


def server_frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The opcode and the content of each WebSocket frame that a server sent."""
    while data:
        size, start = data[1], 2
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10], "big"), 10
        yield data[0] & 0x0F, data[start : start + size]
        data = data[start + size :]


# Server-sent events


@contextmanager
def event_stream(service: Service, last_event_id: str | None = None, **query: Any) -> Generator[Iterator[dict[str, str]]]:
    """The messages of `/api/stream`, each as its fields."""
    headers = {"last-event-id": last_event_id} if last_event_id else {}
    with httpx.stream("GET", f"{service.url}/api/stream", params=query, headers=headers, timeout=WITHIN) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield stream_messages(answer.iter_lines())


def stream_messages(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """Messages of an event stream, from its lines."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif fields:
            yield fields
            fields = {}


def stream_events(messages: Iterator[dict[str, str]], count: int) -> list[Any]:
    """The events of the next messages of an event stream."""
    return [json.loads(next(messages)["data"])["data"] for _ in range(count)]
