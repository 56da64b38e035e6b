"""Plain live delivery at /ws: every new event to every subscriber, in log order, whatever one of them does."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.conftest import Service
from tests.waiting import eventually

WITHIN = 30.0


def new_event(**changes: Any) -> dict[str, Any]:
    event = {"type": "proposal", "scope": "ui", "trace_id": uuid.uuid4().hex, "agent_id": "a", "payload": {"action": "x"}}
    return {**event, **changes}


def post(service: Service, count: int = 1, **changes: Any) -> list[dict[str, Any]]:
    """Stored events as the socket should show them."""
    if count == 1:
        answers = [service.client.post("/api/events", json=new_event(**changes)).json()]
    else:
        answers = service.client.post("/api/events/batch", json=[new_event(**changes) for _ in range(count)]).json()
    return [{name: value for name, value in event.items() if name not in ("signals", "moved")} for event in answers]


def receive(subscriber: ClientConnection, count: int) -> list[dict[str, Any]]:
    """The data of the next frames; each must be an event frame."""
    deadline = time.monotonic() + WITHIN
    found: list[dict[str, Any]] = []
    while len(found) < count:
        frame = json.loads(subscriber.recv(timeout=max(0.1, deadline - time.monotonic())))
        assert set(frame) == {"type", "data"}
        assert frame["type"] == "event"
        found.append(frame["data"])
    return found


def subscribe(service: Service) -> Any:
    return connect(service.websocket_url, max_size=None, compression=None)


def subscribers(service: Service) -> int:
    [line] = [line for line in service.client.get("/metrics").text.splitlines() if line.startswith("semp_subscribers ")]
    return int(float(line.split()[1]))


def wait_for_subscribers(service: Service, count: int) -> None:
    eventually(f"{count} subscribers", lambda: subscribers(service) == count, WITHIN)


@contextmanager
def plain(service: Service, headers: bytes = b"") -> Generator[socket.socket]:
    """A WebSocket spoken by hand, past its handshake; it answers nothing by itself."""
    host, _, port = service.url.removeprefix("http://").partition(":")
    with closing(socket.create_connection((host, int(port)), timeout=WITHIN)) as connection:
        connection.sendall(
            b"GET /ws HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n" + headers + b"\r\n"
        )
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(1)
        assert received.startswith(b"HTTP/1.1 101")
        yield connection


def frame(opcode: int, data: bytes, masked: bool = True, final: bool = True) -> bytes:
    key = os.urandom(4)
    head = bytes([(0x80 if final else 0) | opcode])
    size = (0x80 if masked else 0) | (len(data) if len(data) < 126 else 126)
    head += bytes([size]) + (len(data).to_bytes(2, "big") if len(data) >= 126 else b"")
    return head + (key + bytes(byte ^ key[index % 4] for index, byte in enumerate(data)) if masked else data)


def test_events_arrive_in_the_order_of_the_log(service: Service) -> None:
    with subscribe(service) as subscriber:
        sent = post(service) + post(service, 5) + post(service) + post(service, 300)
        assert receive(subscriber, len(sent)) == sent


def test_only_events_after_the_handshake_arrive(service: Service) -> None:
    post(service, 3)
    with subscribe(service) as subscriber:
        sent = post(service)
        assert receive(subscriber, 1) == sent


def test_every_subscriber_gets_every_event_of_many_writers_in_the_same_order(service: Service) -> None:
    before = service.client.get("/health/ready").json()["position"]
    with ExitStack() as stack:
        everyone = [stack.enter_context(subscribe(service)) for _ in range(8)]

        def write(number: int) -> None:
            with httpx.Client(base_url=service.url, timeout=60) as client:
                for _ in range(15):
                    if number % 2:
                        client.post("/api/events/batch", json=[new_event() for _ in range(4)]).raise_for_status()
                    else:
                        client.post("/api/events", json=new_event()).raise_for_status()

        writers = [threading.Thread(target=write, args=[number]) for number in range(4)]
        for writer in writers:
            writer.start()
        total = 2 * 15 + 2 * 15 * 4
        for subscriber in everyone:
            assert [event["position"] for event in receive(subscriber, total)] == list(range(before + 1, before + total + 1))
        for writer in writers:
            writer.join(WITHIN)


def test_a_refused_event_and_a_retry_are_not_delivered(service: Service) -> None:
    with subscribe(service) as subscriber:
        [first] = post(service, id=str(uuid.uuid4()))
        again = {name: first[name] for name in ("id", "type", "scope", "trace_id", "agent_id", "payload")}
        assert service.client.post("/api/events", json=again).status_code == 200
        assert service.client.post("/api/events", json=new_event(type="wish")).status_code == 400
        [second] = post(service)
        assert receive(subscriber, 2) == [first, second]


@pytest.mark.parametrize(
    "junk", ["", "hello", "{", '{"type":"subscribe"}', '{"type":"publish","data":{}}', "x" * 60_000, b"\x00\xff" * 1_000, "\ud7ff"]
)
def test_what_a_client_sends_disturbs_neither_it_nor_others(service: Service, junk: str | bytes) -> None:
    with subscribe(service) as sender, subscribe(service) as other:
        for _ in range(20):
            sender.send(junk)
        sent = post(service, 3)
        assert receive(sender, 3) == sent
        assert receive(other, 3) == sent


@pytest.mark.parametrize(
    "bad",
    [
        frame(1, b"no mask", masked=False),
        frame(1, b"\xff\xfe not utf-8"),
        frame(3, b"no such opcode"),
        frame(0, b"a continuation of nothing"),
        b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff",
        frame(8, b"\x00"),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=["unmasked", "not utf-8", "opcode", "continuation", "huge", "close", "http"],
)
def test_a_client_that_breaks_the_protocol_is_let_go_and_others_go_on(service: Service, bad: bytes) -> None:
    wait_for_subscribers(service, 0)
    with subscribe(service) as other, plain(service) as breaker:
        wait_for_subscribers(service, 2)
        breaker.sendall(bad)
        wait_for_subscribers(service, 1)
        sent = post(service, 2)
        assert receive(other, 2) == sent


def test_a_client_that_vanishes_is_forgotten(service: Service) -> None:
    wait_for_subscribers(service, 0)
    with plain(service):
        wait_for_subscribers(service, 1)
    with subscribe(service) as other:
        sent = post(service, 2)
        assert receive(other, 2) == sent
        wait_for_subscribers(service, 1)
    wait_for_subscribers(service, 0)


def test_a_frozen_reader_delays_neither_writers_nor_other_readers(service: Service) -> None:
    """Far more than any socket buffer holds is written while one subscriber reads nothing at all."""
    text = "x" * 100_000
    with plain(service) as frozen, subscribe(service) as reader:
        frozen.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        wait_for_subscribers(service, 2)
        for _ in range(12):
            sent = post(service, 20, payload={"action": "x", "text": text})
            assert receive(reader, 20) == sent
        [single] = post(service)
        assert receive(reader, 1) == [single]
    wait_for_subscribers(service, 0)


def test_a_reader_that_was_slow_within_the_buffer_still_gets_everything(service: Service) -> None:
    with subscribe(service) as late:
        sent = [event for _ in range(10) for event in post(service, 100)]
        assert receive(late, 1_000) == sent


def test_a_ping_is_answered_and_a_close_is_closed_cleanly(service: Service) -> None:
    with subscribe(service) as subscriber:
        assert subscriber.ping().wait(WITHIN)
        subscriber.close(1000)
        assert subscriber.close_code == 1000
    wait_for_subscribers(service, 0)


def test_a_get_without_upgrade_or_another_path_is_no_websocket(service: Service) -> None:
    assert service.client.get("/ws").status_code in (400, 404, 405, 426)
    with pytest.raises(InvalidStatus) as refused:
        connect(service.websocket_url + "x")
    assert refused.value.response.status_code in (403, 404)


def test_events_posted_before_the_answer_are_delivered_though_the_poster_left(service: Service) -> None:
    """The client hangs up right after its request; the event is stored, delivered, and stored once."""
    with subscribe(service) as subscriber:
        event = new_event(id=str(uuid.uuid4()))
        body = json.dumps(event).encode()
        host, _, port = service.url.removeprefix("http://").partition(":")
        with closing(socket.create_connection((host, int(port)))) as connection:
            connection.sendall(
                b"POST /api/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
                + body
            )
        try:
            [seen] = receive(subscriber, 1)
        except TimeoutError:
            seen = None
        answer = service.client.post("/api/events", json=event)
        assert answer.status_code == (200 if seen else 201), "delivered means stored, and stored means stored once"
