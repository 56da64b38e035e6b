"""The integrations for agents without a framework that the public SEL/SEMP documents describe.

Each runs on the real service twice: with the SDK, and with `requests` and `websockets` only.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
import requests
import websockets
from semp_sdk import SEMPClient

from tests.conftest import Service
from tests.events import unique

from .conftest import WITHIN, Exchange, Proxy


class Agent(Protocol):
    """What an agent of the page does: send an event, read a signal."""

    def send(self, event: dict[str, Any]) -> dict[str, Any]: ...

    def signal(self, scope: str, pattern: str) -> dict[str, Any] | None: ...


class SdkAgent:
    def __init__(self, url: str) -> None:
        self.client = SEMPClient(url)

    def send(self, event: dict[str, Any]) -> dict[str, Any]:
        return self.client.create_event(**event)

    def signal(self, scope: str, pattern: str) -> dict[str, Any] | None:
        return self.client.get_signal(scope, pattern)

    def close(self) -> None:
        self.client.close()


class RawAgent:
    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def send(self, event: dict[str, Any]) -> dict[str, Any]:
        answer = self.session.post(f"{self.url}/api/events", json=event, timeout=WITHIN)
        answer.raise_for_status()
        return answer.json()

    def signal(self, scope: str, pattern: str) -> dict[str, Any] | None:
        found = self.session.get(f"{self.url}/api/signals", timeout=WITHIN).json()
        return next((signal for signal in found if (signal["scope"], signal["pattern"]) == (scope, pattern)), None)

    def close(self) -> None:
        self.session.close()


@pytest.fixture(params=[SdkAgent, RawAgent], ids=["sdk", "raw"])
def agent(request: pytest.FixtureRequest, service: Service) -> Iterator[Agent]:
    """The agent with the SDK, then the one without."""
    agent = request.param(service.url)
    yield agent
    agent.close()


def event(kind: str, scope: str, payload: dict[str, Any], trace: str = "t", **more: Any) -> dict[str, Any]:
    return {"type": kind, "scope": scope, "trace_id": trace, "agent_id": "custom-agent", "payload": payload, **more}


def new_scope() -> str:
    return unique("page.s")


def test_a_custom_agent_proposes_reads_the_signal_works_and_reports(agent: Agent, service: Service) -> None:
    scope, trace = new_scope(), unique("t")
    agent.send(event("proposal", scope, {"action": "execute", "task": "analysis"}, trace))
    signal = agent.signal(scope, "execute")
    assert signal is not None
    assert 0.29 < signal["strength"] <= 0.3
    agent.send(event("ready", scope, {"status": "completed", "result": "done"}, trace))
    events = service.client.get(f"/api/events/trace/{trace}").json()
    assert [event["type"] for event in events] == ["proposal", "ready"]


def test_an_agent_waits_until_rewards_have_made_the_signal_strong(agent: Agent) -> None:
    scope = new_scope()

    def should_execute(threshold: float) -> bool:
        signal = agent.signal(scope, "process")
        return signal is not None and signal["strength"] > threshold

    assert not should_execute(0.0)
    agent.send(event("proposal", scope, {"action": "process"}))
    assert should_execute(0.25)
    assert not should_execute(0.7)
    agent.send(event("reward", scope, {"value": 0.5, "α": 1.2, "reason": "good"}))
    assert should_execute(0.7)
    agent.send(event("penalty", scope, {"value": -0.6, "reason": "it broke"}))
    assert not should_execute(0.5)


def test_one_agent_continues_the_work_of_another_when_its_signal_is_strong(agent: Agent) -> None:
    scope, trace = new_scope(), unique("t")
    first = agent.send(event("proposal", scope, {"action": "analyze_data"}, trace, agent_id="agent-1"))
    agent.send(event("reward", scope, {"value": 0.9}, trace, parent_ids=[first["id"]]))
    signal = agent.signal(scope, "analyze_data")
    assert signal is not None
    assert signal["strength"] > 0.6
    second = agent.send(event("proposal", scope, {"action": "visualize"}, trace, agent_id="agent-2", parent_ids=[first["id"]]))
    assert second["parent_ids"] == [first["id"]]


@pytest.mark.parametrize(("learned", "kind"), [(0.4, "reward"), (-0.4, "penalty")])
def test_a_learner_rewards_or_penalises_the_action_it_took(agent: Agent, learned: float, kind: str) -> None:
    """The reward or penalty names the event of the action as its parent, so it moves the signal of the action in another scope."""
    scope, trace = new_scope(), unique("t")
    action = agent.send(event("proposal", f"{scope}.state7", {"action": "left"}, trace))
    consequence = agent.send(event(kind, f"{scope}.learning", {"value": abs(learned)}, trace, parent_ids=[action["id"]]))
    [moved] = consequence["signals"]
    assert (moved["scope"], moved["pattern"]) == (f"{scope}.state7", "left")
    assert (moved["after"] > moved["before"]) == (learned > 0)


def with_retries(send: Callable[[], dict[str, Any]], tries: int = 4) -> dict[str, Any]:
    """The retries that the page shows, with shorter pauses."""
    for attempt in range(tries):
        try:
            return send()
        except Exception:
            if attempt == tries - 1:
                raise
            time.sleep(0.01 * 2**attempt)
    raise AssertionError("unreachable")


@pytest.mark.parametrize("kind", ["sdk", "raw"])
async def test_a_retry_after_a_lost_answer_leaves_one_event(kind: str, proxy: Proxy, service: Service) -> None:
    """The first answer is lost after the event was stored. The SDK gives the event an id; an agent without the SDK must do so itself."""
    lost = 0

    async def lose(exchange: Exchange) -> None:
        nonlocal lost
        await exchange.forward()
        lost += 1
        exchange.drop()

    proxy.faults = [lose]
    trace = unique("t")
    sent = event("proposal", new_scope(), {"action": "x"}, trace)
    agent: Any = SdkAgent(proxy.url) if kind == "sdk" else RawAgent(proxy.url)
    sent = sent if kind == "sdk" else {**sent, "id": str(uuid.uuid4())}
    try:
        stored = await asyncio.to_thread(with_retries, lambda: agent.send(sent))
    finally:
        await asyncio.to_thread(agent.close)
    assert lost == 1
    assert [found["id"] for found in service.client.get(f"/api/events/trace/{trace}").json()] == [stored["id"]]


async def test_events_sent_in_parallel_are_all_stored(service: Service) -> None:
    trace = unique("t")
    events = [event("proposal", f"batch.task{number}", {"action": "run", "task": number}, trace) for number in range(50)]
    client = SEMPClient(service.url)
    try:
        stored = await asyncio.gather(*(client.create_event_async(**one) for one in events))
    finally:
        await asyncio.to_thread(client.close)
    raw = requests.post(f"{service.url}/api/events/batch", json=events, timeout=WITHIN)
    assert raw.status_code == 201
    assert sorted(one["payload"]["task"] for one in [*stored, *raw.json()]) == sorted(2 * list(range(50)))


def test_a_proposal_without_an_action_is_refused_although_the_page_shows_one(agent: Agent) -> None:
    """The batch on the page has no actions. The public protocol page requires them, because an action names the signal."""
    with pytest.raises(Exception, match=r"action|400"):
        agent.send(event("proposal", new_scope(), {"task": "one"}))


def test_handlers_of_the_sdk_are_called_by_type_of_event(service: Service) -> None:
    trace = unique("t")
    seen: list[tuple[str, str]] = []
    done = threading.Event()
    with SEMPClient(service.url) as client:

        @client.on("event")
        def everything(found: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]
            if found["trace_id"] == trace:
                seen.append(("any", found["type"]))

        def proposals(found: dict[str, Any]) -> None:
            if found["trace_id"] == trace:
                seen.append(("proposal", found["payload"]["action"]))
                done.set()

        client.on("proposal", proposals)
        client.connect()
        deadline = time.monotonic() + WITHIN
        while not done.is_set():
            assert time.monotonic() < deadline
            client.create_event(**event("reward", "page", {"value": 0.1}, trace))
            client.create_event(**event("proposal", "page", {"action": "react"}, trace))
            done.wait(0.2)
    assert ("any", "reward") in seen
    assert ("proposal", "react") in seen


async def test_a_raw_websocket_agent_dispatches_by_type(service: Service) -> None:
    """As on the page: without parameters, so there is no greeting and every message is an event."""
    trace = unique("t")
    handled: list[tuple[str, Any]] = []
    handlers: dict[str, Callable[[dict[str, Any]], None]] = {
        "proposal": lambda found: handled.append(("proposal", found["scope"])),
        "reward": lambda found: handled.append(("reward", found["payload"]["value"])),
    }
    async with websockets.connect(service.websocket_url) as socket, asyncio.timeout(WITHIN):
        for one in (event("proposal", "page.ws", {"action": "x"}, trace), event("test", "page.ws", {"status": "passed"}, trace),
                    event("reward", "page.ws", {"value": 0.7}, trace)):  # fmt: skip
            await asyncio.to_thread(service.client.post, "/api/events", json=one)
        while len(handled) < 2:
            message = json.loads(await socket.recv())
            assert message["type"] == "event"
            if message["data"]["trace_id"] == trace and message["data"]["type"] in handlers:
                handlers[message["data"]["type"]](message["data"])
    assert handled == [("proposal", "page.ws"), ("reward", 0.7)]
