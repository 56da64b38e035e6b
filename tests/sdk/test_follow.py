"""Streams of the real service: filters, signals, restarts, another log."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from semp.storage.neo4j.connection import Target
from semp_sdk import (
    Client,
    Event,
    HistoryLost,
    InvalidEvent,
    SignalTimeout,
    SignalUpdate,
)

from tests.conftest import Service, empty
from tests.events import unique
from tests.waiting import until

from .conftest import WITHIN, emit_many, positions
from .restarts import restarting


async def test_a_stream_receives_an_event_that_is_emitted_after_it_began(service: Service) -> None:
    async with Client(service.url.replace("127.0.0.1", "localhost"), agent_id="a") as client, client.stream() as stream:
        emitted = await client.emit("ready", "s", {"status": "x"}, trace_id="t")
        assert await positions(stream, 1) == [emitted.position]


async def test_the_whole_log_is_read_and_then_new_events(client: Client) -> None:
    await emit_many(client, 2_500, "live")
    async with client.stream(after=0) as stream:
        sent = (await emit_many(client, 300, "live"))[-1]
        assert await positions(stream, sent) == list(range(1, sent + 1))


async def test_filters_of_the_real_service(client: Client) -> None:
    name = unique("f")
    async with client.stream(scope=[f"{name}.**", name], type=["ready", "reward"], agent_id="tester") as stream:
        await client.emit("proposal", name, {"action": "x"}, trace_id="t")
        await client.emit("ready", "other", {"status": "x"}, trace_id="t")
        await client.emit("ready", name, {"status": "x"}, trace_id="t", agent_id="somebody else")
        selected = [await client.emit("ready", f"{name}.a.b", {"status": "x"}, trace_id="t")]
        selected += [await client.emit("reward", name, {"value": 0}, trace_id="t")]
        assert await positions(stream, 2) == [event.position for event in selected]
    with pytest.raises(InvalidEvent, match="scope"):
        await client.stream(scope="**.a").connect()


async def test_a_reader_that_is_too_slow_misses_no_event(service: Service) -> None:
    """It reads nothing while far more is appended than any buffer holds."""
    async with Client(service.url, agent_id="slow") as client, client.stream() as stream:
        text = "x" * 100_000
        sent: list[int] = []
        for _ in range(12):
            emitted = await asyncio.gather(*(client.emit("ready", "s", {"status": text}, trace_id="t") for _ in range(20)))
            sent += [event.position or 0 for event in emitted]
        assert await positions(stream, len(sent)) == sent


async def test_signals_follow_their_events(client: Client) -> None:
    scope = unique("s")
    async with client.stream(scope=scope, signals=True) as stream:
        proposal = await client.emit("proposal", scope, {"action": "x"}, trace_id="t")
        reward = await client.emit("reward", scope, {"value": 0.5}, trace_id="t", parent_ids=[proposal.id])
        items: list[Event | SignalUpdate] = []
        async for item in stream:
            items.append(item)
            if len(items) == 4:
                break
    assert [type(item) for item in items] == [Event, SignalUpdate, Event, SignalUpdate]
    assert [item.position for item in items] == [proposal.position] * 2 + [reward.position] * 2
    assert isinstance(items[3], SignalUpdate)
    assert (items[3].pattern, items[3].strength) == ("x", reward.signals[0].after)


async def test_a_reader_that_catches_up_with_signals_misses_no_event(client: Client) -> None:
    for number in range(12):
        await client.emit("proposal", f"caught.up{number % 5}", {"action": "x"}, trace_id="t")
    last = (await emit_many(client, 2_500, "live"))[-1]
    items: list[Event | SignalUpdate] = []
    async with client.stream(after=0, signals=True) as stream:
        async for item in stream:
            items.append(item)
            if isinstance(item, Event) and item.position == last:
                break
    assert [item.position for item in items if isinstance(item, Event)] == list(range(1, last + 1))
    keys = [(item.scope, item.pattern) for item in items if isinstance(item, SignalUpdate)]
    assert {(f"caught.up{number}", "x") for number in range(5)} <= set(keys)


async def test_waiting_for_a_signal(client: Client) -> None:
    scope = unique("w")
    waiting = asyncio.create_task(client.wait_for_signal(scope, "x", above=0.7, timeout=WITHIN))
    await client.emit("proposal", scope, {"action": "y"}, trace_id="t")
    await client.emit("reward", scope, {"action": "y", "value": 1}, trace_id="t")
    await client.emit("proposal", scope, {"action": "x"}, trace_id="t")
    assert not waiting.done()
    await client.emit("reward", scope, {"action": "x", "value": 0.5}, trace_id="t")
    assert (await waiting).strength > 0.7
    assert (await client.wait_for_signal(scope, "x", above=0.7, timeout=WITHIN)).pattern == "x", "it is strong enough already"
    with pytest.raises(SignalTimeout):
        await client.wait_for_signal(scope, "x", above=0.99, timeout=0.3)
    with pytest.raises(TimeoutError):
        await client.wait_for_signal(scope, "nothing", timeout=0.1)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
async def test_a_stream_survives_a_restart_of_the_service(neo4j_target: Target, tmp_path: Path, how: signal.Signals) -> None:
    async with restarting(neo4j_target, tmp_path) as (url, restart), Client(url, agent_id="a") as client, client.stream() as stream:
        sent: list[int] = []
        seen: list[int] = []
        restarted = asyncio.Event()

        async def write() -> None:
            while not restarted.is_set():
                sent.extend(await emit_many(client, 5, "live"))
            sent.extend(await emit_many(client, 50, "live"))

        async def read() -> None:
            async for event in stream:
                seen.append(event.position)  # noqa: PERF401 - the test looks at the list while it grows

        writing, reading = asyncio.create_task(write()), asyncio.create_task(read())
        await until(lambda: len(seen) >= 100)
        await restart(how)
        restarted.set()
        await writing
        await until(lambda: reading.done() or len(seen) >= len(sent), WITHIN)
        assert seen == sent
        assert stream.connections > 1
        assert not reading.done()
    await reading


async def test_another_log_ends_a_stream_or_restarts_it(neo4j_target: Target, tmp_path: Path) -> None:
    async with (
        restarting(neo4j_target, tmp_path) as (url, restart),
        Client(url, agent_id="a") as client,
        client.stream() as strict,
        client.stream(on_reset="restart") as lenient,
    ):
        sent = await emit_many(client, 1, "live")
        assert await positions(strict, 1) == await positions(lenient, 1) == sent
        await restart(signal.SIGINT, lambda: empty(neo4j_target))
        again = await emit_many(client, 3, "live")
        with pytest.raises(HistoryLost):
            await positions(strict, 1)
        assert await positions(lenient, 3) == again == [1, 2, 3]
