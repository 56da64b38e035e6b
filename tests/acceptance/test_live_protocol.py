"""Version 1 of the live protocol on the real service: filters, resuming, commands, signals, and how a connection ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import psutil
import pytest
from semp.storage.neo4j.connection import Target
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.acceptance.test_live import WITHIN, frame, new_event, plain, post, subscribers, wait_for_subscribers
from tests.conftest import Service, neo4j_environment, start_service
from tests.waiting import eventually

STOPS_WITHIN = 20.0
"""Seconds within which docs/delivery.md promises that a stopped service is gone."""


def open_at(service: Service, **query: Any) -> ClientConnection:
    return connect(f"{service.websocket_url}?{urlencode(query, doseq=True)}", max_size=None, compression=None)


def messages(subscriber: ClientConnection, count: int) -> list[dict[str, Any]]:
    deadline = time.monotonic() + WITHIN
    return [json.loads(subscriber.recv(timeout=max(0.1, deadline - time.monotonic()))) for _ in range(count)]


def to_the_end(subscriber: ClientConnection) -> tuple[list[Any], int, str]:
    """Everything that still comes, and the code and reason the service closes with."""
    found: list[Any] = []
    try:
        while True:
            found.append(json.loads(subscriber.recv(timeout=WITHIN)))
    except ConnectionClosed as error:
        return (found, error.rcvd.code, error.rcvd.reason) if error.rcvd else pytest.fail("it broke instead of being closed")


def epoch(service: Service) -> str:
    return service.client.get("/health/ready").json()["epoch"]


def head(service: Service) -> int:
    return service.client.get("/health/ready").json()["position"]


def events_of(found: Sequence[Mapping[str, Any]]) -> list[Any]:
    assert {message["type"] for message in found} <= {"event"}
    return [message["data"] for message in found]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"scope": "ui.login"}, [1]),
        ({"scope": "ui.*"}, [1, 2]),
        ({"scope": ["api", "ui.login"]}, [1, 4]),
        ({"scope": "ui.**", "type": "test"}, [2, 3]),
        ({"type": ["test", "ready"]}, [2, 3, 4]),
        ({"agent_id": "b"}, [3, 4]),
        ({"trace_id": "TRACE"}, [4]),
    ],
)
def test_a_filter_gives_exactly_what_it_says(service: Service, query: dict[str, Any], wanted: list[int]) -> None:
    trace = uuid.uuid4().hex
    query = {name: trace if value == "TRACE" else value for name, value in query.items()}
    with open_at(service, **query) as subscriber, open_at(service) as everything:
        batch = [
            new_event(scope="ui.login"),
            new_event(scope="ui.form", type="test", payload={"status": "passed"}),
            new_event(scope="ui.form.field", type="test", payload={"status": "failed"}, agent_id="b"),
            new_event(scope="api", type="ready", payload={"status": "ok"}, agent_id="b", trace_id=trace),
        ]
        sent = service.client.post("/api/events/batch", json=batch).json()
        last = new_event(scope="ui.login", type="test", payload={"status": "running"}, agent_id="b", trace_id=trace)  # all want it
        end = service.client.post("/api/events", json=last).json()
        assert len(messages(everything, 5)) == 5
        positions = [event["position"] for event in events_of(messages(subscriber, len(wanted) + 1))]
        assert positions == [*(sent[number - 1]["position"] for number in wanted), end["position"]]


@pytest.mark.parametrize("batch", ["0", "1"])
def test_a_resumed_client_gets_what_it_missed_then_what_comes(service: Service, batch: str) -> None:
    begin = head(service)
    sent = post(service, 40)
    with open_at(service, v=1, after=begin + 3, epoch=epoch(service), batch=batch) as subscriber:
        sent += post(service, 5)
        [hello] = messages(subscriber, 1)
        assert hello == {"type": "hello", "epoch": epoch(service), "position": begin + 3}
        seen: list[Any] = []
        while len(seen) < 42:
            [message] = messages(subscriber, 1)
            assert message["type"] == ("events" if batch == "1" else "event")
            seen += message["data"] if batch == "1" else [message["data"]]
        assert seen == sent[3:]


def test_what_is_no_longer_in_memory_comes_from_the_log_without_a_seam(service: Service) -> None:
    """More events than the ring holds, while others go on writing."""
    begin = head(service)
    for _ in range(10):
        service.client.post("/api/events/batch?return=minimal", json=[new_event(scope=f"big.s{n % 3}") for n in range(1_000)])
    over = threading.Event()

    def write() -> None:
        with httpx.Client(base_url=service.url, timeout=60) as client:
            while not over.is_set():
                client.post("/api/events", json=new_event(scope="big.s1")).raise_for_status()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with open_at(service, v=1, after=begin) as everything, open_at(service, after=begin, scope="big.s1", batch=1) as some:
            messages(everything, 1)
            positions = [event["position"] for event in events_of(messages(everything, 11_000))]
            assert positions == list(range(begin + 1, begin + 11_001))
            seen: list[int] = []
            while not seen or seen[-1] < begin + 11_000:
                [message] = messages(some, 1)
                seen += [event["position"] for event in message["data"]]
    finally:
        over.set()
        writer.join(WITHIN)
    stored: list[int] = []
    path = f"/api/events?scope=big.s1&order=asc&limit=1000&after={begin}"
    while path:
        page = service.client.get(path)
        stored += [event["position"] for event in page.json()]
        path = page.links.get("next", {}).get("url", "")
    assert seen == stored[: len(seen)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"scope": "a..b"}, "scope"),
        ({"type": "wish"}, "type"),
        ({"after": "-1"}, "after"),
        ({"after": "x"}, "after"),
        ({"v": "2"}, "v"),
        ({"batch": "yes"}, "batch"),
        ({"agent_id": ""}, "agent_id"),
    ],
)
def test_a_bad_query_is_closed_with_4000_and_the_field(service: Service, query: dict[str, str], field: str) -> None:
    with open_at(service, **query) as subscriber:
        _, code, reason = to_the_end(subscriber)
        assert code == 4000
        assert reason.startswith(f"{field}: ")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost.evil.example:5000", "http://[::1", ""])
def test_a_page_of_another_site_gets_nothing_and_can_publish_nothing(service: Service, origin: str) -> None:
    before = head(service)
    with connect(f"{service.websocket_url}?v=1", additional_headers={"origin": origin}, compression=None) as page:
        with contextlib.suppress(ConnectionClosed):
            page.send(json.dumps({"type": "publish", "ref": 1, "data": new_event()}))
        found, code, _ = to_the_end(page)
    assert (found, code) == ([], 4001)
    assert head(service) == before


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1", "SAME", None])
def test_a_page_of_this_machine_and_a_program_may_connect(service: Service, origin: str | None) -> None:
    headers = {} if origin is None else {"origin": service.url if origin == "SAME" else origin}
    with connect(f"{service.websocket_url}?v=1", additional_headers=headers, compression=None) as page:
        assert messages(page, 1)[0]["type"] == "hello"


def test_a_position_of_another_log_is_closed_with_4009(service: Service) -> None:
    for query in ({"after": 1, "epoch": str(uuid.uuid4())}, {"after": head(service) + 5, "epoch": epoch(service)}):
        with open_at(service, **query) as subscriber:
            assert to_the_end(subscriber)[1] == 4009


def test_published_events_are_committed_in_order_and_acknowledged(service: Service) -> None:
    begin = head(service)
    with open_at(service, v=1) as subscriber:
        messages(subscriber, 1)
        for number in range(500):
            subscriber.send(json.dumps({"type": "publish", "ref": number, "data": new_event(payload={"action": "x", "n": number})}))
        acks: dict[int, Any] = {}
        seen: list[Any] = []
        while len(acks) < 500 or len(seen) < 500:
            [message] = messages(subscriber, 1)
            if message["type"] == "ack":
                acks[message["ref"]] = message
            else:
                seen.append(message["data"])
        assert [acks[number]["data"]["position"] for number in range(500)] == list(range(begin + 1, begin + 501))
        assert {ack["status"] for ack in acks.values()} == {201}
        assert [(move["scope"], move["pattern"]) for move in acks[0]["data"]["signals"]] == [("ui", "x")]
        assert [event["payload"]["n"] for event in seen] == list(range(500))


def test_a_retried_publish_answers_200_and_other_content_409(service: Service) -> None:
    event = new_event(id=str(uuid.uuid4()))
    with open_at(service, v=1) as subscriber:
        messages(subscriber, 1)
        subscriber.send(json.dumps({"type": "unsubscribe", "ref": "quiet"}))
        for ref, data in (("one", event), ("two", event), ("three", {**event, "scope": "other"})):
            subscriber.send(json.dumps({"type": "publish", "ref": ref, "data": data}))
        found = {message["ref"]: message for message in messages(subscriber, 4)}
        assert (found["one"]["status"], found["two"]["status"]) == (201, 200)
        assert found["one"]["data"]["position"] == found["two"]["data"]["position"]
        assert (found["three"]["type"], found["three"]["status"]) == ("error", 409)


@pytest.mark.parametrize(
    ("sent", "status", "field"),
    [
        ('{"type":"publish","ref":1,"data":{"type":"wish","scope":"a","trace_id":"t","agent_id":"a","payload":{}}}', 400, "type"),
        (
            '{"type":"publish","ref":1,"data":{"type":"ready","scope":"a","trace_id":"t","agent_id":"a","payload":{}}}',
            400,
            "payload.status",
        ),
        ('{"type":"publish","ref":1}', 400, "body"),
        ('{"type":"dance","ref":1}', 400, "type"),
        ('{"type":"subscribe","ref":1,"filter":{"colour":"red"}}', 400, "colour"),
        ('{"type":"subscribe","ref":1,"filter":{"scope":"a..b"}}', 400, "scope"),
        ('{"type":"subscribe","ref":1,"after":-1}', 400, "after"),
        ('{"type":"subscribe","ref":1,"after":0,"epoch":"no"}', 409, "after"),
        ('{"ref":1}', 400, "type"),
        ('{"ref":1,', 400, "body"),
        ("hello", 400, "body"),
        ("[1]", 400, "body"),
        ('{"type":"ping","ref":{"a":1}}', 400, "ref"),
        ('{"type":"ping","ref":1,"x":' + "[" * 100_000 + "]" * 100_000 + "}", 400, "body"),
        ('{"type":"publish","ref":1,"data":"' + "x" * 1_100_000 + '"}', 413, ""),
    ],
)
def test_a_bad_command_is_answered_with_its_mark_and_field_and_the_connection_goes_on(
    service: Service, sent: str, status: int, field: str
) -> None:
    before = head(service)
    with open_at(service, v=1) as subscriber:
        messages(subscriber, 1)
        subscriber.send(sent)
        [answer] = messages(subscriber, 1)
        assert (answer["type"], answer["status"]) == ("error", status)
        assert [error["field"] for error in answer["errors"]] == [field]
        assert answer["ref"] in (1, None)
        subscriber.send('{"type":"ping","ref":"still"}')
        assert messages(subscriber, 1) == [{"type": "ack", "ref": "still", "position": before}]
    assert head(service) == before


def test_a_subscription_is_replaced_ended_and_taken_up_again(service: Service) -> None:
    with open_at(service, v=1, scope="a") as subscriber:
        messages(subscriber, 1)

        def command(**fields: Any) -> Any:
            subscriber.send(json.dumps(fields))
            return messages(subscriber, 1)[0]

        post(service, 1, scope="b")
        [first] = post(service, 1, scope="a")
        assert events_of(messages(subscriber, 1)) == [first]
        ack = command(type="subscribe", ref=1, filter={"scope": ["b"], "type": "proposal"})
        assert ack == {"type": "ack", "ref": 1, "position": first["position"]}
        post(service, 1, scope="a")
        [second] = post(service, 1, scope="b")
        assert events_of(messages(subscriber, 1)) == [second]
        assert command(type="unsubscribe", ref=2) == {"type": "ack", "ref": 2, "position": second["position"]}
        third = post(service, 3, scope="b")
        assert command(type="ping", ref=3)["ref"] == 3
        command(type="subscribe", ref=4, filter={"scope": "b"}, after=second["position"], epoch=epoch(service))
        assert events_of(messages(subscriber, 3)) == third


def test_every_change_of_a_signal_follows_its_event(service: Service) -> None:
    scope = f"signals.s{uuid.uuid4().hex}"
    with open_at(service, v=1, signals=1, scope=scope) as subscriber:
        messages(subscriber, 1)
        proposal = service.client.post("/api/events", json=new_event(scope=scope)).json()
        reward = service.client.post(
            "/api/events", json=new_event(scope=scope, type="reward", payload={"action": "x", "value": 0.5})
        ).json()
        service.client.post("/api/events", json=new_event(scope="elsewhere", payload={"action": "x"}))
        elsewhere = service.client.post(
            "/api/events", json=new_event(scope="elsewhere", type="reward", parent_ids=[proposal["id"]], payload={"value": 0.1})
        ).json()
        found = messages(subscriber, 5)
        assert [message["type"] for message in found] == ["event", "signal", "event", "signal", "signal"]
        assert [message["data"]["position"] for message in found] == [
            proposal["position"], proposal["position"], reward["position"], reward["position"], elsewhere["position"],
        ]  # fmt: skip
        live = service.client.get(f"/api/signals/{scope}/x").json()
        told = found[-1]["data"]
        assert {**told, "strength": 0, "position": 0} == {**live, "strength": 0, "position": 0}
        assert [message["data"]["strength"] for message in found if message["type"] == "signal"] == [
            answer["signals"][0]["after"] for answer in (proposal, reward, elsewhere)
        ]


def test_a_client_that_resumes_is_told_of_signals_that_moved_meanwhile(service: Service) -> None:
    scope = f"signals.s{uuid.uuid4().hex}"
    begin = service.client.post("/api/events", json=new_event(scope="other")).json()["position"]
    service.client.post("/api/events", json=new_event(scope=scope)).raise_for_status()
    last = service.client.post("/api/events", json=new_event(scope=scope, type="reward", payload={"action": "x", "value": 0.5})).json()
    for _ in range(9):
        service.client.post("/api/events/batch?return=minimal", json=[new_event(scope="other") for _ in range(1_000)])
    with open_at(service, v=1, signals=1, scope=scope, after=begin) as subscriber:
        found = messages(subscriber, 4)
    assert [message["type"] for message in found] == ["hello", "signal", "event", "event"]
    assert found[1]["data"]["position"] == last["position"]
    assert found[1]["data"]["strength"] == last["signals"][0]["after"]


def test_a_frozen_reader_is_closed_with_4008_and_its_position_while_others_notice_nothing(service: Service) -> None:
    """It reads nothing until far more was written than its buffers and the ring hold; then it finds all up to its position, and why."""
    begin = head(service)
    text = "x" * 50_000
    wait_for_subscribers(service, 0)
    with plain(service) as frozen, open_at(service, batch=1) as reader:
        wait_for_subscribers(service, 2)
        total = 0
        while subscribers(service) == 2:
            assert total < 2_000, "the frozen reader was never closed"
            sent = post(service, 20, payload={"action": "x", "text": text})
            seen: list[Any] = []
            while len(seen) < 20:
                seen += messages(reader, 1)[0]["data"]
            assert seen == sent
            total += 20
        received = bytearray()
        while chunk := frozen.recv(1 << 20):
            received += chunk
        frames = list(server_frames(bytes(received)))
        positions = [json.loads(data)["data"]["position"] for opcode, data in frames if opcode == 1]
        code, reason = int.from_bytes(frames[-1][1][:2], "big"), frames[-1][1][2:].decode()
        assert (frames[-1][0], code) == (8, 4008)
        assert positions == list(range(begin + 1, int(re.findall(r"position (\d+)", reason)[0]) + 1))


def test_memory_does_not_grow_with_the_number_of_readers_that_are_frozen(service: Service) -> None:
    """Forty of them, and 13 MB for each: one ring holds it for all. What is held for one alone is less than a piece of 256 KiB."""
    wait_for_subscribers(service, 0)
    process = psutil.Process(service.process.pid)

    def write() -> None:
        for _ in range(13):
            post(service, 20, payload={"action": "x", "text": "x" * 50_000})

    write()  # so that the ring has what it will hold
    before = process.memory_info().rss
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(plain(service))
        wait_for_subscribers(service, 40)
        write()
        assert subscribers(service) == 40, "they are still within the ring"
        grown = process.memory_info().rss - before
    assert grown < 100 * 2**20, f"{grown / 2**20:.0f} MiB"
    wait_for_subscribers(service, 0)


def server_frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    while data:
        size, start = data[1], 2
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10], "big"), 10
        yield data[0] & 0x0F, data[start : start + size]
        data = data[start + size :]


def test_a_stop_commits_what_was_accepted_and_tells_every_socket_where_it_stands(neo4j_target: Target, tmp_path: Path) -> None:
    """SIGTERM under load from HTTP and a publishing socket: what was acknowledged was delivered to everyone before the 1001."""
    service = start_service(tmp_path / "log", environment=neo4j_environment(neo4j_target))
    begin = head(service)
    acknowledged: set[int] = set()
    refused: list[int] = []

    def write() -> None:
        with httpx.Client(base_url=service.url, timeout=60) as client:
            try:
                while (answer := client.post("/api/events", json=new_event())).status_code == 201:
                    acknowledged.add(answer.json()["position"])
                refused.append(answer.status_code)
            except httpx.TransportError:
                refused.append(0)

    async def publish() -> None:
        async with connect_async(f"{service.websocket_url}?v=1", compression=None) as publisher:

            async def send() -> None:
                while True:
                    await publisher.send(json.dumps({"type": "publish", "ref": 1, "data": new_event()}))
                    await asyncio.sleep(0)  # sending alone would never let it read

            sending = asyncio.create_task(send())
            try:
                async for text in publisher:
                    message = json.loads(text)
                    if message["type"] == "ack":
                        acknowledged.add(message["data"]["position"])
            except ConnectionClosed:
                pass
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            assert publisher.close_code == 1001

    with ExitStack() as stack:
        readers = [stack.enter_context(open_at(service)) for _ in range(3)]
        silent = stack.enter_context(plain(service))
        writers = [threading.Thread(target=write) for _ in range(4)]
        publishing = threading.Thread(target=lambda: asyncio.run(publish()))
        for thread in (*writers, publishing):
            thread.start()
        eventually("200 are acknowledged", lambda: len(acknowledged) >= 200, WITHIN)
        service.process.send_signal(signal.SIGTERM)
        last = begin
        for reader in readers:
            found, code, reason = to_the_end(reader)
            assert code == 1001
            [last] = map(int, re.findall(r"last position (\d+)", reason))
            assert [message["data"]["position"] for message in found] == list(range(begin + 1, last + 1))
        for thread in (*writers, publishing):
            thread.join(WITHIN)
        assert acknowledged <= set(range(begin + 1, last + 1))
        assert set(refused) <= {0, 503}
        assert service.process.wait(STOPS_WITHIN) == 0, service.log.read_text()  # though one socket, still open, says nothing
        assert silent.fileno() >= 0
    service.client.close()


def test_a_peer_that_answers_no_ping_is_found(neo4j_target: Target, tmp_path: Path) -> None:
    variables = {**neo4j_environment(neo4j_target), "SEMP_PING_INTERVAL": "0.5"}
    service = start_service(tmp_path / "log", environment=variables)
    try:
        with plain(service) as dead, open_at(service) as alive:
            wait_for_subscribers(service, 2)
            wait_for_subscribers(service, 1)
            sent = post(service, 2)
            assert events_of(messages(alive, 2)) == sent
            dead.sendall(frame(8, (1000).to_bytes(2, "big")))
    finally:
        assert service.stop() == 0
