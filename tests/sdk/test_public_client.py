"""The client that the public documents describe: its methods, plain dicts, live events."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from semp_sdk import InvalidEvent, SEMPClient, Unavailable, caused_by

from tests.conftest import Service, free_port
from tests.events import as_read, unique
from tests.waiting import eventually

from .conftest import WITHIN


@pytest.fixture
def client(service: Service) -> Iterator[SEMPClient]:
    with SEMPClient(service.url) as client:
        yield client


def proposal(**changes: Any) -> dict[str, Any]:
    return {"type": "proposal", "scope": "docs", "trace_id": "t", "agent_id": "a", "payload": {"action": "x"}, **changes}


def test_events_and_signals_are_plain_dicts_as_on_the_wire(client: SEMPClient, service: Service) -> None:
    scope = unique("s") + ".a"
    first = client.create_event(**proposal(scope=scope))
    second = client.create_event(**proposal(type="reward", scope=scope, payload={"value": 0.5, "α": 1.3}, parent_ids=[first["id"]]))
    assert type(first) is dict
    assert first["signals"] == [{"scope": scope, "pattern": "x", "before": 0.0, "after": 0.3}]
    assert second["parent_ids"] == [first["id"]]
    for event in (first, second):
        assert service.client.get(f"/api/events/{event['id']}").json() == as_read(event)
    assert client.get_events()[:2] == client.get_events_by_scope(scope) == service.client.get(f"/api/events/scope/{scope}").json()
    signal = client.get_signal(scope, "x")
    assert signal is not None
    assert signal["strength"] > 0.9
    assert set(signal) == {"id", "scope", "pattern", "strength", "last_updated", "alpha", "lambda"}
    assert signal["id"] in [found["id"] for found in client.get_signals()]
    assert client.get_signal(scope, "never/was") is None
    assert client.get_events_by_scope("no.such") == []


def test_an_event_has_only_the_parents_that_are_named(client: SEMPClient) -> None:
    cause = client.client.emit_blocking("proposal", "docs", {"action": "x"}, trace_id="t", agent_id="a")
    with caused_by(cause):
        assert client.create_event(**proposal())["parent_ids"] == []


def test_coroutines_on_any_loop_share_requests(client: SEMPClient) -> None:
    async def many() -> list[dict[str, Any]]:
        return await asyncio.gather(*(client.create_event_async(**proposal()) for _ in range(200)))

    for _ in range(2):
        positions = [event["position"] for event in asyncio.run(many())]
        assert positions == list(range(positions[0], positions[0] + 200))

    async def reads() -> None:
        assert (await client.get_events_async())[0]["scope"] == "docs"
        assert (await client.get_events_by_scope_async("docs"))[0]["scope"] == "docs"
        assert (await client.get_signals_async())[0]["lambda"]
        assert await client.get_signal_async("docs", "x")

    asyncio.run(reads())


def test_refusals_and_absence_are_errors(client: SEMPClient) -> None:
    with pytest.raises(InvalidEvent):
        client.create_event(**proposal(type="wish"))
    with SEMPClient(f"http://127.0.0.1:{free_port()}", patience=0.2) as nobody:
        with pytest.raises(Unavailable):
            nobody.get_signals()
        with pytest.raises(Unavailable):
            nobody.connect(timeout=0.3)


def test_handlers_get_every_event_in_order_and_may_use_the_client(client: SEMPClient) -> None:
    everything: list[dict[str, Any]] = []
    proposals: list[int] = []
    answers: list[int] = []
    threads: set[int] = set()

    @client.on("event")
    def all_events(event: dict[str, Any]) -> None:
        everything.append(event)
        threads.add(threading.get_ident())

    def only_proposals(event: dict[str, Any]) -> None:
        proposals.append(event["position"])

    client.on("proposal", only_proposals)

    @client.on("reward")
    async def answer(event: dict[str, Any]) -> None:
        created = await client.create_event_async(**proposal(type="ready", payload={"status": "thanks"}, parent_ids=[event["id"]]))
        answers.append(created["position"])

    @client.on("event")
    def broken(event: dict[str, Any]) -> None:
        raise LookupError

    signals: list[dict[str, Any]] = []
    client.on("signal", signals.append)
    client.create_event(**proposal())
    client.connect()
    client.connect()
    sent = [client.create_event(**proposal()) for _ in range(3)]
    sent.append(client.create_event(**proposal(type="reward", payload={"value": 0.1})))
    eventually("its handlers were called", lambda: len(everything) == 5 and len(signals) == 5, WITHIN)
    assert everything[:4] == [as_read(event) for event in sent]
    assert proposals == [event["position"] for event in sent[:3]]
    assert answers == [everything[4]["position"]]
    assert everything[4]["parent_ids"] == [sent[3]["id"]]
    assert signals[-1]["pattern"] == "x"
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    assert not client.wait(0.01)


def test_a_handler_for_an_unknown_type_is_refused(client: SEMPClient) -> None:
    with pytest.raises(ValueError, match="wish"):
        client.on("wish")


def test_closing_ends_waiting_and_the_client_can_be_used_again(service: Service) -> None:
    client = SEMPClient(service.url.replace("http", "ws") + "/ws")
    client.connect()
    waiting = threading.Thread(target=client.wait)
    waiting.start()
    client.close()
    waiting.join(WITHIN)
    assert not waiting.is_alive()
    client.close()
    seen: list[Any] = []
    client.on("event", seen.append)
    client.connect()
    client.create_event(**proposal())
    eventually("its handlers were called", lambda: seen, WITHIN)
    client.close()
