"""Version 1 of the live protocol: filters, resuming, commands, signals, and how a connection ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from semp.storage.neo4j.connection import Target
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.answers import items
from tests.conftest import Service, neo4j_environment, running_service
from tests.events import append, append_alike, append_minimal, epoch, head, new_event, new_id, post, unique
from tests.live_streams import (
    WITHIN,
    client_frame,
    receive,
    receive_events,
    receive_to_the_end,
    server_frames,
    silent_websocket,
    subscribe,
    subscribers,
    wait_for_subscribers,
)
from tests.waiting import eventually

STOPS_WITHIN = 20.0
"""docs/delivery.md promises that a service ends within this many seconds after a signal to stop."""


@pytest.mark.parametrize(
    ("query", "numbers"),
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
def test_a_filter_gives_exactly_what_it_says(service: Service, query: dict[str, Any], numbers: list[int]) -> None:
    """`numbers` are the events of the batch below that the filter selects, counted from 1."""
    trace = unique("t")
    query = {name: trace if value == "TRACE" else value for name, value in query.items()}
    with subscribe(service, **query) as subscriber, subscribe(service) as everything:
        batch = [
            new_event(scope="ui.login"),
            new_event("test", {"status": "passed"}, scope="ui.form"),
            new_event("test", {"status": "failed"}, scope="ui.form.field", agent_id="b"),
            new_event("ready", {"status": "ok"}, scope="api", agent_id="b", trace_id=trace),
        ]
        sent = append(service, batch)
        last = post(service, "test", {"status": "running"}, scope="ui.login", agent_id="b", trace_id=trace)  # every filter selects it
        assert len(receive(everything, 5)) == 5
        positions = [event["position"] for event in receive_events(subscriber, len(numbers) + 1)]
        assert positions == [*(sent[number - 1]["position"] for number in numbers), last["position"]]


@pytest.mark.parametrize("batch", ["0", "1"])
def test_a_resumed_client_gets_what_it_missed_then_what_comes(service: Service, batch: str) -> None:
    begin = head(service)
    sent = append_alike(service, 40)
    with subscribe(service, v=1, after=begin + 3, epoch=epoch(service), batch=batch) as subscriber:
        sent += append_alike(service, 5)
        [hello] = receive(subscriber, 1)
        assert hello == {"type": "hello", "epoch": epoch(service), "position": begin + 3}
        seen: list[Any] = []
        while len(seen) < 42:
            [message] = receive(subscriber, 1)
            assert message["type"] == ("events" if batch == "1" else "event")
            seen += message["data"] if batch == "1" else [message["data"]]
        assert seen == sent[3:]


def test_events_that_memory_no_longer_holds_come_from_the_log_without_a_gap(service: Service) -> None:
    """More events are missed than the ring holds, while others go on appending."""
    begin = head(service)
    for _ in range(10):
        append_minimal(service, [new_event(scope=f"big.s{n % 3}") for n in range(1_000)])
    done = threading.Event()

    def write() -> None:
        with httpx.Client(base_url=service.url, timeout=60) as client:
            while not done.is_set():
                client.post("/api/events", json=new_event(scope="big.s1")).raise_for_status()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with subscribe(service, v=1, after=begin) as everything, subscribe(service, after=begin, scope="big.s1", batch=1) as filtered:
            receive(everything, 1)
            positions = [event["position"] for event in receive_events(everything, 11_000)]
            assert positions == list(range(begin + 1, begin + 11_001))
            seen: list[int] = []
            while not seen or seen[-1] < begin + 11_000:
                [message] = receive(filtered, 1)
                seen += [event["position"] for event in message["data"]]
    finally:
        done.set()
        writer.join(WITHIN)
    stored = [event["position"] for event in items(service, "/api/events", scope="big.s1", order="asc", limit=1000, after=begin)]
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
    with subscribe(service, **query) as subscriber:
        _, code, reason = receive_to_the_end(subscriber)
        assert code == 4000
        assert reason.startswith(f"{field}: ")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost.evil.example:5000", "http://[::1", ""])
def test_a_page_of_another_site_receives_nothing_and_publishes_nothing(service: Service, origin: str) -> None:
    before = head(service)
    with connect(f"{service.websocket_url}?v=1", additional_headers={"origin": origin}, compression=None) as page:
        with contextlib.suppress(ConnectionClosed):
            page.send(json.dumps({"type": "publish", "ref": 1, "data": new_event()}))
        messages, code, _ = receive_to_the_end(page)
    assert (messages, code) == ([], 4001)
    assert head(service) == before


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1", "SAME", None])
def test_a_page_of_this_machine_and_a_client_without_an_origin_may_connect(service: Service, origin: str | None) -> None:
    headers = {} if origin is None else {"origin": service.url if origin == "SAME" else origin}
    with connect(f"{service.websocket_url}?v=1", additional_headers=headers, compression=None) as page:
        assert receive(page, 1)[0]["type"] == "hello"


def test_a_position_of_another_log_is_closed_with_4009(service: Service) -> None:
    for query in ({"after": 1, "epoch": new_id()}, {"after": head(service) + 5, "epoch": epoch(service)}):
        with subscribe(service, **query) as subscriber:
            assert receive_to_the_end(subscriber)[1] == 4009


def test_published_events_are_committed_in_order_and_acknowledged(service: Service) -> None:
    begin = head(service)
    with subscribe(service, v=1) as subscriber:
        receive(subscriber, 1)
        for number in range(500):
            event = new_event("proposal", {"action": "x", "n": number}, scope="published")
            subscriber.send(json.dumps({"type": "publish", "ref": number, "data": event}))
        acks: dict[int, Any] = {}
        seen: list[Any] = []
        while len(acks) < 500 or len(seen) < 500:
            [message] = receive(subscriber, 1)
            if message["type"] == "ack":
                acks[message["ref"]] = message
            else:
                seen.append(message["data"])
        assert [acks[number]["data"]["position"] for number in range(500)] == list(range(begin + 1, begin + 501))
        assert {ack["status"] for ack in acks.values()} == {201}
        assert [(move["scope"], move["pattern"]) for move in acks[0]["data"]["signals"]] == [("published", "x")]
        assert [event["payload"]["n"] for event in seen] == list(range(500))


def test_a_retried_publish_answers_200_and_other_content_409(service: Service) -> None:
    event = new_event(id=new_id())
    with subscribe(service, v=1) as subscriber:
        receive(subscriber, 1)
        subscriber.send(json.dumps({"type": "unsubscribe", "ref": "quiet"}))
        for ref, data in (("one", event), ("two", event), ("three", {**event, "scope": "other"})):
            subscriber.send(json.dumps({"type": "publish", "ref": ref, "data": data}))
        answers = {message["ref"]: message for message in receive(subscriber, 4)}
        assert (answers["one"]["status"], answers["two"]["status"]) == (201, 200)
        assert answers["one"]["data"]["position"] == answers["two"]["data"]["position"]
        assert (answers["three"]["type"], answers["three"]["status"]) == ("error", 409)


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
def test_a_bad_command_is_answered_with_its_ref_and_field_and_the_connection_stays_open(
    service: Service, sent: str, status: int, field: str
) -> None:
    before = head(service)
    with subscribe(service, v=1) as subscriber:
        receive(subscriber, 1)
        subscriber.send(sent)
        [answer] = receive(subscriber, 1)
        assert (answer["type"], answer["status"]) == ("error", status)
        assert [error["field"] for error in answer["errors"]] == [field]
        assert answer["ref"] in (1, None)
        subscriber.send('{"type":"ping","ref":"still"}')
        assert receive(subscriber, 1) == [{"type": "ack", "ref": "still", "position": before}]
    assert head(service) == before


def test_a_subscription_is_replaced_ended_and_resumed(service: Service) -> None:
    with subscribe(service, v=1, scope="a") as subscriber:
        receive(subscriber, 1)

        def command(**fields: Any) -> Any:
            subscriber.send(json.dumps(fields))
            return receive(subscriber, 1)[0]

        append_alike(service, 1, scope="b")
        [first] = append_alike(service, 1, scope="a")
        assert receive_events(subscriber, 1) == [first]
        ack = command(type="subscribe", ref=1, filter={"scope": ["b"], "type": "proposal"})
        assert ack == {"type": "ack", "ref": 1, "position": first["position"]}
        append_alike(service, 1, scope="a")
        [second] = append_alike(service, 1, scope="b")
        assert receive_events(subscriber, 1) == [second]
        assert command(type="unsubscribe", ref=2) == {"type": "ack", "ref": 2, "position": second["position"]}
        third = append_alike(service, 3, scope="b")
        assert command(type="ping", ref=3)["ref"] == 3
        command(type="subscribe", ref=4, filter={"scope": "b"}, after=second["position"], epoch=epoch(service))
        assert receive_events(subscriber, 3) == third


def test_every_change_of_a_signal_follows_its_event(service: Service) -> None:
    scope = unique("signals.s")
    with subscribe(service, v=1, signals=1, scope=scope) as subscriber:
        receive(subscriber, 1)
        proposal = post(service, scope=scope)
        reward = post(service, "reward", {"action": "x", "value": 0.5}, scope=scope)
        post(service, scope="elsewhere")
        elsewhere = post(service, "reward", {"value": 0.1}, proposal, scope="elsewhere")
        messages = receive(subscriber, 5)
        assert [message["type"] for message in messages] == ["event", "signal", "event", "signal", "signal"]
        assert [message["data"]["position"] for message in messages] == [
            proposal["position"], proposal["position"], reward["position"], reward["position"], elsewhere["position"],
        ]  # fmt: skip
        read = service.client.get(f"/api/signals/{scope}/x").json()
        assert {**messages[-1]["data"], "strength": 0, "position": 0} == {**read, "strength": 0, "position": 0}
        assert [message["data"]["strength"] for message in messages if message["type"] == "signal"] == [
            answer["signals"][0]["after"] for answer in (proposal, reward, elsewhere)
        ]


def test_a_client_that_resumes_receives_signals_that_moved_meanwhile(service: Service) -> None:
    scope = unique("signals.s")
    begin = post(service, scope="other")["position"]
    post(service, scope=scope)
    last = post(service, "reward", {"action": "x", "value": 0.5}, scope=scope)
    for _ in range(11):  # more than the ring of live delivery holds
        append_minimal(service, [new_event(scope="other") for _ in range(1_000)])
    with subscribe(service, v=1, signals=1, scope=scope, after=begin) as subscriber:
        messages = receive(subscriber, 4)
    assert [message["type"] for message in messages] == ["hello", "signal", "event", "event"]
    assert messages[1]["data"]["position"] == last["position"]
    assert messages[1]["data"]["strength"] == last["signals"][0]["after"]


def test_a_frozen_reader_is_closed_with_4008_and_its_position_while_others_notice_nothing(service: Service) -> None:
    """It reads nothing until far more was appended than its buffers and the ring hold. Then it reads up to the position named."""
    begin = head(service)
    text = "x" * 50_000
    wait_for_subscribers(service, 0)
    with silent_websocket(service) as frozen, subscribe(service, batch=1) as reader:
        wait_for_subscribers(service, 2)
        total = 0
        while subscribers(service) == 2:
            assert total < 2_000, "the frozen reader was never closed"
            sent = append_alike(service, 20, payload={"action": "x", "text": text})
            seen: list[Any] = []
            while len(seen) < 20:
                seen += receive(reader, 1)[0]["data"]
            assert seen == sent
            total += 20
        received = bytearray()
        while chunk := frozen.socket.recv(1 << 20):
            received += chunk
        frames = list(server_frames(bytes(received)))
        positions = [json.loads(data)["data"]["position"] for opcode, data in frames if opcode == 1]
        code, reason = int.from_bytes(frames[-1][1][:2], "big"), frames[-1][1][2:].decode()
        assert (frames[-1][0], code) == (8, 4008)
        assert positions == list(range(begin + 1, int(re.findall(r"position (\d+)", reason)[0]) + 1))


def test_memory_does_not_grow_with_the_number_of_readers_that_are_frozen(service: Service) -> None:
    """Forty readers miss 13 MB each. One ring holds these for all of them; for each one alone the service holds less than 256 KiB."""
    wait_for_subscribers(service, 0)
    process = psutil.Process(service.process.pid)

    def write() -> None:
        for _ in range(13):
            append_alike(service, 20, payload={"action": "x", "text": "x" * 50_000})

    write()  # fills the ring
    before = process.memory_info().rss
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(silent_websocket(service))
        wait_for_subscribers(service, 40)
        write()
        assert subscribers(service) == 40, "they are still within the ring"
        grown = process.memory_info().rss - before
    assert grown < 100 * 2**20, f"{grown / 2**20:.0f} MiB"
    wait_for_subscribers(service, 0)


def test_a_stop_commits_accepted_events_and_tells_every_socket_the_last_position(neo4j_target: Target, tmp_path: Path) -> None:
    """SIGTERM under load from HTTP and a WebSocket: every acknowledged event is delivered to every reader before the close with 1001."""
    with running_service(tmp_path, environment=neo4j_environment(neo4j_target)) as service, ExitStack() as stack:
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
                        await asyncio.sleep(0)  # without this, messages would never be read

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

        readers = [stack.enter_context(subscribe(service)) for _ in range(3)]
        silent = stack.enter_context(silent_websocket(service))
        writers = [threading.Thread(target=write) for _ in range(4)]
        publishing = threading.Thread(target=lambda: asyncio.run(publish()))
        for thread in (*writers, publishing):
            thread.start()
        eventually("200 are acknowledged", lambda: len(acknowledged) >= 200, WITHIN)
        service.process.send_signal(signal.SIGTERM)
        last = begin
        for reader in readers:
            messages, code, reason = receive_to_the_end(reader)
            assert code == 1001
            [last] = map(int, re.findall(r"last position (\d+)", reason))
            assert [message["data"]["position"] for message in messages] == list(range(begin + 1, last + 1))
        for thread in (*writers, publishing):
            thread.join(WITHIN)
        assert acknowledged <= set(range(begin + 1, last + 1))
        assert set(refused) <= {0, 503}
        assert service.process.wait(STOPS_WITHIN) == 0, service.log.read_text()  # though one WebSocket answers nothing
        assert silent.socket.fileno() >= 0


def test_a_peer_that_answers_no_ping_is_disconnected(neo4j_target: Target, tmp_path: Path) -> None:
    variables = {**neo4j_environment(neo4j_target), "SEMP_PING_INTERVAL": "0.5"}
    with running_service(tmp_path, environment=variables) as service, silent_websocket(service) as dead, subscribe(service) as alive:
        wait_for_subscribers(service, 2)
        wait_for_subscribers(service, 1)
        sent = append_alike(service, 2)
        assert receive_events(alive, 2) == sent
        dead.send(client_frame(8, (1000).to_bytes(2, "big")))
