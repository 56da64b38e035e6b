"""Trace ids and causes follow by themselves: through awaits, tasks, threads and decorated calls."""

from __future__ import annotations

import asyncio
import inspect
import threading
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from semp_sdk import Client, Emitted, Event, InvalidEvent, Unavailable, carry, caused_by, current_trace
from semp_sdk.tracing import trace

from tests.conftest import Service, free_port


async def say(client: Client, text: str) -> Emitted:
    return await client.emit("ready", "tracing", {"status": text})


async def test_each_event_follows_from_the_one_before(client: Client) -> None:
    with client.trace("t-1") as found:
        first, second, third = [await say(client, str(number)) for number in range(3)]
        assert found.id == "t-1"
    assert [event.trace_id for event in (first, second, third)] == ["t-1"] * 3
    assert [event.parent_ids for event in (first, second, third)] == [[], [first.id], [second.id]]
    assert current_trace() is None
    with client.trace() as other:
        assert uuid.UUID(other.id).version == 7
        assert (await say(client, "x")).parent_ids == []


async def test_a_trace_inside_another_leaves_it_as_it_was(client: Client) -> None:
    with client.trace("outer"):
        first = await say(client, "1")
        with client.trace("inner"):
            assert (await say(client, "2")).parent_ids == []
        last = await say(client, "3")
    assert (last.trace_id, last.parent_ids) == ("outer", [first.id])


async def test_what_is_given_counts_more_and_a_refused_event_causes_nothing(client: Client) -> None:
    with client.trace("t"):
        first = await say(client, "1")
        with pytest.raises(InvalidEvent):
            await client.emit("reward", "tracing", {"value": 2})
        second = await client.emit("ready", "tracing", {"status": "2"}, parent_ids=[])
        other = await client.emit("ready", "tracing", {"status": "3"}, trace_id="another")
        assert (second.parent_ids, other.parent_ids) == ([], [])
        assert first.id not in (await say(client, "4")).parent_ids


async def test_tasks_follow_from_where_they_were_started_and_cause_nothing_outside(client: Client) -> None:
    async def work() -> list[Emitted]:
        return [await say(client, "a"), await say(client, "b")]

    with client.trace("t"):
        first = await say(client, "1")
        (a, b), (c, d) = await asyncio.gather(work(), asyncio.create_task(work()))
        last = await say(client, "2")
    assert [event.parent_ids for event in (a, b, c, d)] == [[first.id], [a.id], [first.id], [c.id]]
    assert last.parent_ids == [first.id]
    with caused_by(b, d, b) as answer:
        assert answer.parents == (b.id, d.id)
        joined = await say(client, "3")
    assert (joined.trace_id, joined.parent_ids) == ("t", [b.id, d.id])


async def test_threads_follow_where_the_function_is_carried(client: Client) -> None:
    def work() -> list[Emitted]:
        return [client.emit_blocking("ready", "tracing", {"status": text}) for text in "ab"]

    in_thread: list[list[Emitted]] = []
    with client.trace("t"):
        first = await say(client, "1")
        carried = carry(work)
        thread = threading.Thread(target=carry(lambda: in_thread.append(work())))
        with ThreadPoolExecutor(4) as executor:
            futures = [executor.submit(carried) for _ in range(4)]
            in_executor = [await asyncio.wrap_future(future) for future in futures]
        thread.start()
        await asyncio.to_thread(thread.join)
        in_to_thread = await asyncio.to_thread(work)
        assert (await say(client, "2")).parent_ids == [first.id]
    for a, b in [*in_executor, *in_thread, in_to_thread]:
        assert (a.trace_id, a.parent_ids, b.parent_ids) == ("t", [first.id], [a.id])
    assert len(in_thread) == 1


def test_a_trace_needs_no_client_and_causes_need_an_event() -> None:
    with trace("x") as found:
        assert current_trace() == found
    with pytest.raises(ValueError, match="name the events"), caused_by():
        pass


async def of_scope(client: Client, scope: str) -> list[Event]:
    return await client.events(scope=f"{scope}.**", order="asc")


def shape(events: list[Event]) -> list[tuple[str, list[int]]]:
    """Types, and causes by their place in the list."""
    places = {event.id: place for place, event in enumerate(events)}
    return [(event.type, [places[parent] for parent in event.parent_ids]) for event in events]


Run = Callable[[Client, Callable[[], Any]], Coroutine[Any, Any, Any]]


async def awaited(client: Client, function: Callable[[], Any]) -> Any:
    return await function()


async def in_a_thread(client: Client, function: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(function)


async def on_the_loop(client: Client, function: Callable[[], Any]) -> Any:
    try:
        return function()
    finally:
        await client.flush()


def both_ways(function: Callable[[], Any], run: Run) -> Callable[[], Any]:
    """The function as it is, or as a coroutine function where it will be awaited."""
    if run is not awaited:
        return function

    async def asynchronous() -> Any:
        return function()

    return asynchronous


@pytest.mark.parametrize("run", [awaited, in_a_thread, on_the_loop])
async def test_a_call_is_a_proposal_and_ready_or_a_penalty(client: Client, run: Run) -> None:
    scope = f"d{uuid.uuid4().hex}"

    def work() -> int:
        return 42

    def fail() -> None:
        raise LookupError("no such file")

    good = client.traced(f"{scope}.a", result=lambda number: number + 1)(both_ways(work, run))
    bad = client.traced(f"{scope}.b", action="search", penalty=0.2)(both_ways(fail, run))
    assert inspect.iscoroutinefunction(good) == (run is awaited)
    assert await run(client, good) == 42
    with pytest.raises(LookupError, match="no such file"):
        await run(client, bad)
    found = await of_scope(client, scope)
    assert shape(found) == [("proposal", []), ("ready", [0]), ("proposal", []), ("penalty", [2])]
    name = good.__name__
    assert [event.payload for event in found] == [
        {"action": name},
        {"action": name, "status": "completed", "result": 43},
        {"action": "search"},
        {"action": "search", "value": -0.2, "reason": "LookupError: no such file"},
    ]
    assert found[0].trace_id == found[1].trace_id != found[2].trace_id == found[3].trace_id


@pytest.mark.parametrize("run", [awaited, in_a_thread])
async def test_a_call_is_a_test_that_passed_or_failed(client: Client, run: Run) -> None:
    scope = f"d{uuid.uuid4().hex}"

    def fail() -> None:
        raise AssertionError("1 != 2")

    with client.trace("suite"):
        await run(client, client.traced(f"{scope}.a", on_failure="test")(both_ways(lambda: None, run)))
        with pytest.raises(AssertionError):
            await run(client, client.traced(f"{scope}.b", on_failure="test")(both_ways(fail, run)))
    found = await of_scope(client, scope)
    assert {event.trace_id for event in found} == {"suite"}
    causes = [[], [0], [1], [2] if run is awaited else [], [3]]
    assert shape(found) == list(zip(["proposal", "ready", "test", "proposal", "test"], causes, strict=True))
    assert [event.payload.get("status") for event in found] == [None, "completed", "passed", None, "failed"]
    assert found[4].payload["failures"] == ["AssertionError: 1 != 2"]


async def test_calls_inside_calls_follow_from_them_and_rewards_reach_their_signals(client: Client) -> None:
    scope = f"d{uuid.uuid4().hex}"

    @client.traced(f"{scope}.inner")
    async def inner() -> None:
        """Does nothing."""

    @client.traced(f"{scope}.outer", action="plan")
    async def outer() -> None:
        await inner()
        await inner()

    assert inner.__doc__ == "Does nothing."
    with client.trace():
        await outer()
        reward = await client.emit("reward", f"{scope}.x", {"value": 0.1})
    assert [(move.scope, move.pattern) for move in reward.signals] == [(f"{scope}.outer", "plan")]
    expected: list[tuple[str, list[int]]] = [
        ("proposal", []),
        ("proposal", [0]),
        ("ready", [1]),
        ("proposal", [2]),
        ("ready", [3]),
        ("ready", [0, 4]),
        ("reward", [5]),
    ]
    assert shape(await of_scope(client, scope)) == expected


async def test_a_cancelled_call_leaves_its_proposal_alone(client: Client) -> None:
    scope = f"d{uuid.uuid4().hex}"
    begun = asyncio.Event()

    @client.traced(f"{scope}.a")
    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()  # never set

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert shape(await of_scope(client, scope)) == [("proposal", [])]


async def test_a_call_is_not_made_when_it_cannot_be_told_and_its_own_error_comes_first(service: Service) -> None:
    called: list[int] = []
    async with Client(f"http://127.0.0.1:{free_port()}", agent_id="a", patience=0.2) as lost:

        @lost.traced("d.a")
        async def work() -> None:
            called.append(1)

        with pytest.raises(Unavailable):
            await work()
    assert called == []

    async with Client(service.url, agent_id="a", patience=0.2) as client:

        @client.traced("d.a")
        async def fail() -> None:
            await client._transport.close()  # pyright: ignore[reportPrivateUsage]
            client._transport.base = f"http://127.0.0.1:{free_port()}"  # pyright: ignore[reportPrivateUsage]
            raise LookupError

        with pytest.raises(LookupError) as raised:
            await fail()
    assert "could not be stored" in raised.value.__notes__[0]
