"""Plain live delivery at /ws: every subscriber gets every new event in log order, whatever another subscriber does."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import ExitStack

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.conftest import Service
from tests.events import append, append_alike, head, new_event, new_events, new_id
from tests.live_streams import WITHIN, client_frame, receive_events, silent_websocket, subscribe, wait_for_subscribers
from tests.raw_http import connection


def test_events_arrive_in_the_order_of_the_log(service: Service) -> None:
    with subscribe(service) as subscriber:
        sent = append_alike(service) + append_alike(service, 5) + append_alike(service) + append_alike(service, 300)
        assert receive_events(subscriber, len(sent)) == sent


def test_only_events_after_the_handshake_arrive(service: Service) -> None:
    append_alike(service, 3)
    with subscribe(service) as subscriber:
        sent = append_alike(service)
        assert receive_events(subscriber, 1) == sent


def test_every_subscriber_gets_every_event_of_many_writers_in_the_same_order(service: Service) -> None:
    before = head(service)
    with ExitStack() as stack:
        readers = [stack.enter_context(subscribe(service)) for _ in range(8)]

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
        for subscriber in readers:
            assert [event["position"] for event in receive_events(subscriber, total)] == list(range(before + 1, before + total + 1))
        for writer in writers:
            writer.join(WITHIN)


def test_a_refused_event_and_a_retry_are_not_delivered(service: Service) -> None:
    with subscribe(service) as subscriber:
        [first] = append_alike(service, id=new_id())
        again = {name: first[name] for name in ("id", "type", "scope", "trace_id", "agent_id", "payload")}
        assert service.client.post("/api/events", json=again).status_code == 200
        assert service.client.post("/api/events", json=new_event("wish")).status_code == 400
        [second] = append_alike(service)
        assert receive_events(subscriber, 2) == [first, second]


@pytest.mark.parametrize(
    "junk", ["", "hello", "{", '{"type":"subscribe"}', '{"type":"publish","data":{}}', "x" * 60_000, b"\x00\xff" * 1_000, "\ud7ff"]
)
def test_messages_from_a_client_disturb_neither_it_nor_others(service: Service, junk: str | bytes) -> None:
    with subscribe(service) as sender, subscribe(service) as other:
        for _ in range(20):
            sender.send(junk)
        sent = append_alike(service, 3)
        assert receive_events(sender, 3) == sent
        assert receive_events(other, 3) == sent


@pytest.mark.parametrize(
    "breach",
    [
        client_frame(1, b"no mask", masked=False),
        client_frame(1, b"\xff\xfe not utf-8"),
        client_frame(3, b"no such opcode"),
        client_frame(0, b"a continuation of nothing"),
        b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff",
        client_frame(8, b"\x00"),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=["unmasked", "not utf-8", "opcode", "continuation", "huge", "close", "http"],
)
def test_a_client_that_breaks_the_protocol_is_disconnected_and_others_go_on(service: Service, breach: bytes) -> None:
    wait_for_subscribers(service, 0)
    with subscribe(service) as other, silent_websocket(service) as breaker:
        wait_for_subscribers(service, 2)
        breaker.send(breach)
        wait_for_subscribers(service, 1)
        sent = append_alike(service, 2)
        assert receive_events(other, 2) == sent


def test_a_client_that_disappears_is_no_longer_counted(service: Service) -> None:
    wait_for_subscribers(service, 0)
    with silent_websocket(service):
        wait_for_subscribers(service, 1)
    with subscribe(service) as other:
        sent = append_alike(service, 2)
        assert receive_events(other, 2) == sent
        wait_for_subscribers(service, 1)
    wait_for_subscribers(service, 0)


def test_a_frozen_reader_delays_neither_writers_nor_other_readers(service: Service) -> None:
    """Far more than any socket buffer holds is appended while one subscriber reads nothing at all."""
    text = "x" * 100_000
    with silent_websocket(service) as frozen, subscribe(service) as reader:
        frozen.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        wait_for_subscribers(service, 2)
        for _ in range(12):
            sent = append_alike(service, 20, payload={"action": "x", "text": text})
            assert receive_events(reader, 20) == sent
        [single] = append_alike(service)
        assert receive_events(reader, 1) == [single]
    wait_for_subscribers(service, 0)


def test_a_reader_that_was_slow_within_the_buffer_still_gets_everything(service: Service) -> None:
    with subscribe(service) as late:
        sent = [event for _ in range(10) for event in append_alike(service, 100)]
        assert receive_events(late, 1_000) == sent


def test_a_ping_is_answered_and_a_close_is_closed_cleanly(service: Service) -> None:
    with subscribe(service) as subscriber:
        assert subscriber.ping().wait(WITHIN)
        subscriber.close(1000)
        assert subscriber.close_code == 1000
    wait_for_subscribers(service, 0)


def test_a_get_without_upgrade_and_another_path_are_refused(service: Service) -> None:
    assert service.client.get("/ws").status_code in (400, 404, 405, 426)
    with pytest.raises(InvalidStatus) as refused:
        connect(service.websocket_url + "x")
    assert refused.value.response.status_code in (403, 404)


def test_an_event_is_delivered_though_its_client_left_before_the_answer(service: Service) -> None:
    """The client closes the connection right after its request. If the event is delivered, it is stored, and stored once."""
    with subscribe(service) as subscriber:
        event = new_event(id=new_id())
        body = json.dumps(event).encode()
        with connection(service) as leaving:
            leaving.send(
                b"POST /api/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
                + body
            )
        try:
            [delivered] = receive_events(subscriber, 1)
        except TimeoutError:
            delivered = None
        answer = service.client.post("/api/events", json=event)
        assert answer.status_code == (200 if delivered else 201), "delivered means stored, and stored means stored once"


def test_a_batch_longer_than_the_ring_reaches_every_idle_subscriber(memory_service: Service) -> None:
    with ExitStack() as stack:
        everything = [stack.enter_context(subscribe(memory_service)) for _ in range(5)]
        rare = [stack.enter_context(subscribe(memory_service, scope="rare")) for _ in range(20)]
        wait_for_subscribers(memory_service, 25)
        events = new_events(10_000, scope="ui")
        events[5]["scope"] = events[-1]["scope"] = "rare"
        append(memory_service, events)
        for subscriber in rare:
            assert [event["id"] for event in receive_events(subscriber, 2)] == [events[5]["id"], events[-1]["id"]]
        for subscriber in everything:
            assert [event["id"] for event in receive_events(subscriber, len(events))] == [event["id"] for event in events]
