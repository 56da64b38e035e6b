"""What one HTTP connection may take: long heads, slow heads and bodies, many requests in advance, answers that nobody reads."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from semp.api.live.commands import SUBSCRIBES_AT_ONCE
from semp.api.live.sse import HEARTBEAT

from tests.acceptance.refusals import log_unchanged, new_event
from tests.conftest import Service, running_service
from tests.live_streams import client_frame, receive, subscribe
from tests.raw_http import Answer, Connection, connection, exchange
from tests.waiting import eventually

KIB = 1024
MIB = KIB * KIB
VERSION = b"GET /api/version HTTP/1.1\r\nhost: localhost\r\n\r\n"
POST = b"POST /api/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n5\r\n{    \r\n"
UPGRADE = b"GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
HANDSHAKE = UPGRADE + b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
RSS_ALLOWED = 16 * MIB
"""Bytes by which the memory of the service may grow in a test that sends it several times as much."""


@pytest.fixture(scope="module")
def strict_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that waits for clients only briefly."""
    directory = tmp_path_factory.mktemp("service")
    with running_service(directory, "--memory", "--request-timeout", "0.3", "--keep-alive", "1") as running:
        yield running


def memory_of(service: Service) -> int:
    """Bytes of memory that the service has in use (resident set)."""
    with open(f"/proc/{service.process.pid}/statm") as file:
        return int(file.read().split()[1]) * 4096


def send_until_refused(client: Connection, begin: bytes, repeated: bytes, total: int) -> Answer:
    """Send the begin and then the repeated bytes, at most `total`, until the service does not take more; its answer."""
    client.send(begin)
    try:
        for _ in range(total // len(repeated)):
            client.send(repeated)
    except ConnectionError:
        pass
    return client.answer()


def assert_problem(answer: Answer, status: int, field: str) -> None:
    """The answer is an error of the service like any other, and the last on its connection."""
    assert answer.status == status, answer
    assert json.loads(answer.body)["errors"][0]["field"] == field
    assert b"x-content-type-options: nosniff" in answer.head
    assert b"connection: close" in answer.head


# Heads


LONG = {
    "value": (b"GET /api/version HTTP/1.1\r\nhost: localhost\r\nA: ", b"a" * 8 * KIB, 431, "headers"),
    "name": (b"GET /api/version HTTP/1.1\r\nhost: localhost\r\nA", b"a" * 8 * KIB, 431, "headers"),
    "many": (b"GET /api/version HTTP/1.1\r\nhost: localhost\r\n", b"a: b\r\n" * KIB, 431, "headers"),
    "url": (b"GET /api/events?limit=", b"1" * 8 * KIB, 414, "url"),
    "upgrade": (HANDSHAKE + b"A: ", b"a" * 8 * KIB, 431, "headers"),
    "trailer": (CHUNKED + b"0\r\nA: ", b"a" * 8 * KIB, 431, "headers"),
    "trailers": (CHUNKED + b"0\r\n", b"a: b\r\n" * KIB, 431, "headers"),
    "chunk extension": (CHUNKED + b"5;a=", b"a" * 8 * KIB, 431, "headers"),
}


@pytest.mark.parametrize("what", LONG)
def test_a_head_without_end_is_refused_and_costs_no_memory(memory_service: Service, what: str) -> None:
    begin, repeated, status, field = LONG[what]
    with log_unchanged(memory_service), connection(memory_service) as client:
        before = memory_of(memory_service)
        assert_problem(send_until_refused(client, begin, repeated, 64 * MIB), status, field)
        assert memory_of(memory_service) - before < RSS_ALLOWED


@pytest.mark.parametrize("size", [60 * KIB, 66 * KIB])
def test_the_limit_of_a_head_is_64_kib_however_it_arrives(memory_service: Service, size: int) -> None:
    head = b"GET /api/version HTTP/1.1\r\nhost: localhost\r\n" + (b"a: " + b"x" * 1019 + b"\r\n") * (size // KIB) + b"\r\n"
    expected = 200 if size < 64 * KIB else 431
    assert exchange(memory_service, head).status == expected
    assert exchange(memory_service, head[:1000], head[1000:]).status == expected
    assert exchange(memory_service, *[head[start : start + 7000] for start in range(0, len(head), 7000)]).status == expected


@pytest.mark.parametrize(
    ("extra", "status"),
    [(b"a: " + b"b" * 9000 + b"\r\n", 431), (b"a: b\r\n" * 200, 431), (b"a: " + b"b" * 8000 + b"\r\n", 101)],
    ids=["long header", "many headers", "allowed"],
)
def test_a_websocket_handshake_with_long_or_many_headers_is_answered(memory_service: Service, extra: bytes, status: int) -> None:
    assert exchange(memory_service, HANDSHAKE + extra + b"\r\n").status == status


def test_a_websocket_handshake_with_a_long_url_is_answered(memory_service: Service) -> None:
    long = HANDSHAKE.replace(b"/ws", b"/ws?scope=" + b"a" * 9000)
    assert_problem(exchange(memory_service, long + b"\r\n"), 414, "url")


def test_a_websocket_handshake_behind_a_request_without_an_answer_is_refused(memory_service: Service) -> None:
    with connection(memory_service) as client:
        client.send(b"GET /api/events HTTP/1.1\r\nhost: localhost\r\n\r\n" + HANDSHAKE + b"\r\n")
        assert client.answer().status == 200
        assert_problem(client.answer(), 400, "upgrade")


def test_requests_before_a_refused_one_are_answered_first(memory_service: Service) -> None:
    with connection(memory_service) as client:
        client.send(VERSION * 3 + b"GET /api/version HTTP/1.1\r\nA: " + b"a" * 70 * KIB)
        assert [client.answer().status for _ in range(4)] == [200, 200, 200, 431]
        assert client.socket.recv(1) == b""


def test_trailers_are_no_headers(memory_service: Service) -> None:
    body = json.dumps(new_event()).encode()
    chunk = b"%x\r\n%b\r\n0\r\n" % (len(body), body)
    with connection(memory_service) as client:
        client.send(POST + b"transfer-encoding: chunked\r\n\r\n" + chunk + b"origin: http://evil.example\r\n\r\n" + VERSION)
        assert [client.answer().status for _ in range(2)] == [201, 200]


# Time


@pytest.mark.parametrize(
    ("begin", "field"),
    [
        (b"GET /api/ver", "headers"),
        (b"GET /api/version HTTP/1.1\r\nhost: local", "headers"),
        (VERSION.removesuffix(b"\r\n"), "headers"),
        (HANDSHAKE, "headers"),
        (POST + b"content-length: 100\r\n\r\n", "body"),
        (POST + b"content-length: 100\r\n\r\n{", "body"),
        (CHUNKED, "body"),
        (CHUNKED + b"0\r\nA: b", "body"),
    ],
)
def test_a_request_that_is_not_sent_to_its_end_is_answered_408(strict_service: Service, begin: bytes, field: str) -> None:
    with log_unchanged(strict_service), ExitStack() as stack:
        clients = [stack.enter_context(connection(strict_service)) for _ in range(20)]
        for client in clients:
            client.send(begin)
        for client in clients:
            assert_problem(client.answer(), 408, field)
            assert client.socket.recv(1) == b""


@pytest.mark.parametrize("begin", [b"GET /api/version HTTP/1.1\r\nA: ", POST + b"content-length: 100000\r\n\r\n"])
def test_a_trickle_ends_too(strict_service: Service, begin: bytes) -> None:
    with connection(strict_service, timeout=0.05) as client:
        client.send(begin)
        answers: list[Answer] = []

        def answered() -> bool:
            try:
                client.send(b"x")
                answers.append(client.answer())
            except TimeoutError:
                pass
            return bool(answers)

        eventually("the service has ended the request", answered, 60)
        assert answers[0].status == 408


def test_a_slow_request_behind_others_is_answered_after_them(strict_service: Service) -> None:
    with connection(strict_service) as client:
        client.send(VERSION * 2 + b"GET /api/ver")
        assert [client.answer().status for _ in range(3)] == [200, 200, 408]


@pytest.mark.parametrize("sent", [b"", b"\r\n", VERSION, POST + b"content-length: 1048577\r\n\r\n" + b" " * 1048577])
def test_an_idle_connection_ends(strict_service: Service, sent: bytes) -> None:
    with connection(strict_service) as client:
        client.send(sent)
        if len(sent) > 2:
            client.answer()
        assert client.socket.recv(1) == b""


def test_a_body_that_does_not_come_after_the_answer_ends_the_connection(strict_service: Service) -> None:
    with connection(strict_service) as client:
        client.send(POST + b"content-length: 9999999\r\n\r\n")
        assert client.answer().status == 413
        assert client.socket.recv(1) == b""


# Requests in advance


def test_many_requests_in_advance_are_answered_in_order(memory_service: Service) -> None:
    def post(number: int) -> bytes:
        body = json.dumps(new_event(payload={"action": str(number)})).encode()
        return POST + b"content-length: %d\r\n\r\n%b" % (len(body), body)

    with connection(memory_service, timeout=60) as client:
        client.socket.settimeout(60)
        client.send(b"".join(post(number) + VERSION for number in range(500)))
        for number in range(500):
            assert json.loads(client.answer().body)["payload"]["action"] == str(number)
            assert client.answer().status == 200


def test_requests_whose_answers_nobody_reads_cost_no_memory(memory_service: Service) -> None:
    before = memory_of(memory_service)
    for _ in range(2):
        with ExitStack() as stack:
            for client in [stack.enter_context(connection(memory_service)) for _ in range(20)]:
                client.socket.setblocking(False)
                requests = VERSION * 5_000
                try:
                    while requests:
                        requests = requests[client.socket.send(requests) :]
                except BlockingIOError:
                    pass
            assert memory_service.client.get("/health/live").status_code == 200
    assert memory_of(memory_service) - before < RSS_ALLOWED


def test_a_stream_ends_with_its_connection_although_a_request_is_behind_it(memory_service: Service) -> None:
    def subscribers() -> float:
        return float(memory_service.client.get("/metrics").text.split("\nsemp_subscribers ")[1].split("\n")[0])

    before = subscribers()
    with connection(memory_service) as client:
        client.send(b"GET /api/stream HTTP/1.1\r\nhost: localhost\r\n\r\n" + VERSION)
        eventually("the stream has begun", lambda: subscribers() == before + 1, 20)
        client.socket.shutdown(socket.SHUT_RDWR)
    eventually("the stream has ended, at its next heartbeat", lambda: subscribers() == before, 3 * HEARTBEAT)


# WebSockets


def test_many_subscribes_are_carried_out_in_order(memory_service: Service) -> None:
    """More than are carried out at once."""
    with subscribe(memory_service, v=1) as subscriber:
        receive(subscriber, 1)
        for number in range(2 * SUBSCRIBES_AT_ONCE):
            scopes = [f"flood.s{number}", *[f"flood.{count}.*.x" for count in range(99)]]
            subscriber.send(json.dumps({"type": "subscribe", "ref": number, "filter": {"scope": scopes}}))
        assert [answer["ref"] for answer in receive(subscriber, 2 * SUBSCRIBES_AT_ONCE)] == list(range(2 * SUBSCRIBES_AT_ONCE))
        for number in (0, 2 * SUBSCRIBES_AT_ONCE - 1):
            assert memory_service.client.post("/api/events", json=new_event(scope=f"flood.s{number}")).status_code == 201
        assert receive(subscriber, 1)[0]["data"]["scope"] == f"flood.s{2 * SUBSCRIBES_AT_ONCE - 1}"


def test_pings_of_a_client_that_reads_nothing_cost_no_memory_and_the_newest_is_answered(memory_service: Service) -> None:
    before = memory_of(memory_service)
    flood = client_frame(9, b"x" * 125) * 1000
    with connection(memory_service) as client:
        client.send(HANDSHAKE + b"\r\n")
        assert client.answer().status == 101
        for _ in range(64 * MIB // len(flood)):
            client.send(flood)
        client.send(client_frame(9, b"newest"))
        assert memory_of(memory_service) - before < RSS_ALLOWED
        received = b""
        while not received.endswith(b"\x8a\x06newest"):
            received = received[-64:] + client.socket.recv(MIB)
