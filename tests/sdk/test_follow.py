"""Following the real service: filters, signals, restarts, another log."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
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

from tests.conftest import Service, empty, neo4j_environment, start_service
from tests.waiting import until

from .conftest import WITHIN, positions

Restart = Callable[..., Awaitable[None]]


async def test_nothing_listens_then_something_does(service: Service) -> None:
    async with Client(service.url.replace("127.0.0.1", "localhost"), agent_id="a") as client, client.stream() as stream:
        emitted = await client.emit("ready", "s", {"status": "x"}, trace_id="t")
        assert await positions(stream, 1) == [emitted.position]


async def emit(client: Client, count: int, scope: str = "live") -> list[int]:
    found = await asyncio.gather(*(client.emit("ready", scope, {"status": "x"}, trace_id="live") for _ in range(count)))
    return [event.position or 0 for event in found]


async def test_everything_from_the_start_then_live(client: Client) -> None:
    await emit(client, 2_500)
    async with client.stream(after=0) as stream:
        sent = (await emit(client, 300))[-1]
        assert await positions(stream, sent) == list(range(1, sent + 1))


async def test_filters_of_the_real_service(client: Client) -> None:
    name = f"f{uuid.uuid4().hex}"
    async with client.stream(scope=[f"{name}.**", name], type=["ready", "reward"], agent_id="tester") as stream:
        await client.emit("proposal", name, {"action": "x"}, trace_id="t")
        await client.emit("ready", "other", {"status": "x"}, trace_id="t")
        await client.emit("ready", name, {"status": "x"}, trace_id="t", agent_id="somebody else")
        wanted = [await client.emit("ready", f"{name}.a.b", {"status": "x"}, trace_id="t")]
        wanted += [await client.emit("reward", name, {"value": 0}, trace_id="t")]
        assert await positions(stream, 2) == [event.position for event in wanted]
    with pytest.raises(InvalidEvent, match="scope"):
        await client.stream(scope="**.a").connect()


async def test_a_reader_that_is_too_slow_misses_nothing(service: Service) -> None:
    """It reads nothing while far more is written than any buffer holds."""
    async with Client(service.url, agent_id="slow") as client, client.stream() as stream:
        text = "x" * 100_000
        sent: list[int] = []
        for _ in range(12):
            found = await asyncio.gather(*(client.emit("ready", "s", {"status": text}, trace_id="t") for _ in range(20)))
            sent += [event.position or 0 for event in found]
        assert await positions(stream, len(sent)) == sent


async def test_signals_follow_their_events(client: Client) -> None:
    scope = f"s{uuid.uuid4().hex}"
    async with client.stream(scope=scope, signals=True) as stream:
        proposal = await client.emit("proposal", scope, {"action": "x"}, trace_id="t")
        reward = await client.emit("reward", scope, {"value": 0.5}, trace_id="t", parent_ids=[proposal.id])
        found: list[Event | SignalUpdate] = []
        async for item in stream:
            found.append(item)
            if len(found) == 4:
                break
    assert [type(item) for item in found] == [Event, SignalUpdate, Event, SignalUpdate]
    assert [item.position for item in found] == [proposal.position] * 2 + [reward.position] * 2
    assert isinstance(found[3], SignalUpdate)
    assert (found[3].pattern, found[3].strength) == ("x", reward.signals[0].after)


async def test_a_reader_that_catches_up_with_signals_misses_no_event(client: Client) -> None:
    for number in range(12):
        await client.emit("proposal", f"caught.up{number % 5}", {"action": "x"}, trace_id="t")
    last = (await emit(client, 2_500))[-1]
    found: list[Event | SignalUpdate] = []
    async with client.stream(after=0, signals=True) as stream:
        async for item in stream:
            found.append(item)
            if isinstance(item, Event) and item.position == last:
                break
    assert [item.position for item in found if isinstance(item, Event)] == list(range(1, last + 1))
    keys = [(item.scope, item.pattern) for item in found if isinstance(item, SignalUpdate)]
    assert {(f"caught.up{number}", "x") for number in range(5)} <= set(keys)


async def test_waiting_for_a_signal(client: Client) -> None:
    scope = f"w{uuid.uuid4().hex}"
    waiting = asyncio.create_task(client.wait_for_signal(scope, "x", above=0.7, timeout=WITHIN))
    await client.emit("proposal", scope, {"action": "y"}, trace_id="t")
    await client.emit("reward", scope, {"action": "y", "value": 1}, trace_id="t")
    await client.emit("proposal", scope, {"action": "x"}, trace_id="t")
    assert not waiting.done()
    await client.emit("reward", scope, {"action": "x", "value": 0.5}, trace_id="t")
    assert (await waiting).strength > 0.7
    assert (await client.wait_for_signal(scope, "x", above=0.7, timeout=WITHIN)).pattern == "x", "at once when it is there"
    with pytest.raises(SignalTimeout):
        await client.wait_for_signal(scope, "x", above=0.99, timeout=0.3)
    with pytest.raises(TimeoutError):
        await client.wait_for_signal(scope, "nothing", timeout=0.1)


@asynccontextmanager
async def restarting(target: Target, tmp_path: Path) -> AsyncGenerator[tuple[str, Restart]]:
    """A service of its own, which a test may stop and start again at the same address."""
    running = [await asyncio.to_thread(start_service, tmp_path / "log", environment=neo4j_environment(target))]
    port = int(running[0].url.rpartition(":")[2])

    async def restart(how: signal.Signals, between: Callable[[], None] = lambda: None) -> None:
        await asyncio.to_thread(running[0].stop, how)
        between()
        running[0] = await asyncio.to_thread(start_service, tmp_path / "log", environment=neo4j_environment(target), port=port)

    try:
        yield running[0].url, restart
    finally:
        await asyncio.to_thread(running[0].stop)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
async def test_a_service_that_restarts_amid_a_stream(neo4j_target: Target, tmp_path: Path, how: signal.Signals) -> None:
    async with restarting(neo4j_target, tmp_path) as (url, restart), Client(url, agent_id="a") as client, client.stream() as stream:
        sent: list[int] = []
        seen: list[int] = []
        restarted = asyncio.Event()

        async def write() -> None:
            while not restarted.is_set():
                sent.extend(await emit(client, 5))
            sent.extend(await emit(client, 50))

        async def read() -> None:
            async for event in stream:
                seen.append(event.position)  # noqa: PERF401 - the list is looked at while it grows

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


async def test_a_log_that_is_another_one_is_told(neo4j_target: Target, tmp_path: Path) -> None:
    async with (
        restarting(neo4j_target, tmp_path) as (url, restart),
        Client(url, agent_id="a") as client,
        client.stream() as strict,
        client.stream(on_reset="restart") as lenient,
    ):
        sent = await emit(client, 1)
        assert await positions(strict, 1) == await positions(lenient, 1) == sent
        await restart(signal.SIGINT, lambda: empty(neo4j_target))
        again = await emit(client, 3)
        with pytest.raises(HistoryLost):
            await positions(strict, 1)
        assert await positions(lenient, 3) == again == [1, 2, 3]
