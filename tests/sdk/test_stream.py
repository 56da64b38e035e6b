"""Streams: each event once and in order, whatever the other end of the connection does."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from semp_sdk import (
    Backoff,
    Client,
    HistoryLost,
    InvalidEvent,
    NotAllowed,
    ProtocolViolation,
    Stream,
    Unavailable,
)
from semp_sdk import (
    stream as stream_module,
)
from semp_sdk.frames import Filter
from websockets.asyncio.server import ServerConnection, serve

from tests.waiting import until

from .conftest import WITHIN, positions

Talk = Callable[[ServerConnection, dict[str, list[str]]], Awaitable[None]]


def event(position: int) -> dict[str, Any]:
    return {
        "id": str(uuid.UUID(int=position)), "type": "ready", "scope": "s", "trace_id": "t", "agent_id": "a", "parent_ids": [],
        "timestamp": "2025-01-15T10:30:00.000Z", "payload": {"status": "x"}, "position": position,
    }  # fmt: skip


def frame(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})


def hello(position: int, epoch: str = "e") -> str:
    return frame("hello", epoch=epoch, position=position)


class Fake:
    """A service that says on each connection what the test wants."""

    def __init__(self, *talks: Talk) -> None:
        self.talks = list(talks)
        self.asked: list[dict[str, list[str]]] = []
        self.at: list[float] = []

    async def handle(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        query = parse_qs(urlsplit(connection.request.path).query)
        self.asked.append(query)
        self.at.append(asyncio.get_running_loop().time())
        await self.talks[min(len(self.asked), len(self.talks)) - 1](connection, query)

    @asynccontextmanager
    async def stream(self, **options: Any) -> AsyncGenerator[Stream[Any]]:
        async with serve(self.handle, "127.0.0.1", 0, compression=None) as server:
            host, port = next(iter(server.sockets)).getsockname()
            wanted = Filter.of(options.pop("scope", None), None, None, None)
            found: Stream[Any] = Stream(f"http://{host}:{port}", wanted, **options)
            try:
                yield found
            finally:
                await found.close()


def says(*frames: str, close: int | None = None, reason: str = "", abort: bool = False) -> Talk:
    async def talk(connection: ServerConnection, query: dict[str, list[str]]) -> None:
        for text in frames:
            await connection.send(text)
        if abort:
            connection.transport.abort()
        elif close is not None:
            await connection.close(close, reason)
        else:
            await connection.wait_closed()

    return talk


async def test_it_resumes_after_its_position_with_its_epoch() -> None:
    fake = Fake(
        says(hello(4), frame("events", data=[event(5), event(6)]), close=1001),
        says(hello(6), frame("event", data=event(7)), frame("events", data=[event(8)])),
    )
    async with fake.stream() as stream:
        assert await positions(stream, 4) == [5, 6, 7, 8]
        assert (stream.position, stream.epoch, stream.connections) == (8, "e", 2)
    assert "after" not in fake.asked[0]
    assert (fake.asked[1]["after"], fake.asked[1]["epoch"], fake.asked[1]["v"], fake.asked[1]["batch"]) == (["6"], ["e"], ["1"], ["1"])
    assert fake.at[1] - fake.at[0] >= 1, "it waits a second before it comes back"


@pytest.mark.parametrize("code", [1001, 1011, 1013, 1000, 3000])
async def test_after_most_closes_it_comes_back(code: int) -> None:
    fake = Fake(says(hello(0), frame("event", data=event(1)), close=code), says(hello(1), frame("event", data=event(2))))
    async with fake.stream() as stream:
        assert await positions(stream, 2) == [1, 2]


async def test_a_connection_killed_amid_a_frame_is_resumed() -> None:
    async def cut(connection: ServerConnection, query: dict[str, list[str]]) -> None:
        await connection.send(hello(0))
        await connection.send(frame("event", data=event(1)))
        connection.transport.write(b"\x81\x7e\x10\x00" + b'{"type":"event","data":{"id')
        assert not connection.transport.get_write_buffer_size(), "abort() would drop what the socket did not take yet"
        connection.transport.abort()

    fake = Fake(cut, says(hello(1), frame("event", data=event(2))))
    async with fake.stream() as stream:
        assert await positions(stream, 2) == [1, 2]


async def test_too_slow_comes_back_at_once_but_not_in_a_circle() -> None:
    fake = Fake(
        says(hello(0), frame("event", data=event(1)), close=4008, reason="too slow; last position 1"),
        says(hello(1), close=4008),
        says(hello(1), frame("event", data=event(2))),
    )
    async with fake.stream() as stream:
        assert await positions(stream, 2) == [1, 2]
    assert fake.at[1] - fake.at[0] < 0.9
    assert fake.at[2] - fake.at[1] >= 1


async def test_delays_double_while_there_is_no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def wait_for(awaitable: Any, delay: float) -> None:
        awaitable.close()
        slept.append(delay)
        raise TimeoutError

    fake = Fake(
        *[says(hello(0), close=1001)] * 7,
        says(hello(0), frame("event", data=event(1)), close=1001),
        says(hello(1), frame("event", data=event(2))),
    )
    async with fake.stream(backoff=Backoff(jitter=0)) as stream:
        monkeypatch.setattr(asyncio, "wait_for", wait_for)
        assert await positions(stream, 2) == [1, 2]
        monkeypatch.undo()
    assert slept == [1, 2, 4, 8, 16, 30, 30, 1]


@pytest.mark.parametrize(("code", "error"), [(4000, InvalidEvent), (4001, NotAllowed), (4009, HistoryLost)])
async def test_what_cannot_get_better_is_raised(code: int, error: type[Exception]) -> None:
    fake = Fake(says(hello(0), frame("event", data=event(1)), close=code, reason="because"))
    async with fake.stream() as stream:
        with pytest.raises(error, match="because"):
            await positions(stream, 2)
    assert len(fake.asked) == 1


async def test_a_lost_history_is_read_anew_where_that_is_wanted() -> None:
    fake = Fake(
        says(hello(7, "old"), frame("event", data=event(8)), close=4009),
        says(hello(0, "new"), frame("events", data=[event(1), event(2)])),
    )
    async with fake.stream(on_reset="restart") as stream:
        assert await positions(stream, 3) == [8, 1, 2]
        assert (stream.epoch, stream.position) == ("new", 2)
    assert fake.asked[1]["after"] == ["0"]
    assert "epoch" not in fake.asked[1]


@pytest.mark.parametrize("greeting", [hello(2, "another"), hello(3, "e")], ids=["epoch", "position"])
async def test_a_service_that_goes_on_elsewhere_is_noticed(greeting: str) -> None:
    async with Fake(says(greeting)).stream(after=2, epoch="e") as stream:
        with pytest.raises(HistoryLost):
            await positions(stream, 1)


async def test_repeats_are_dropped_and_a_gap_is_asked_for_again(caplog: pytest.LogCaptureFixture) -> None:
    fake = Fake(
        says(hello(0), frame("events", data=[event(1), event(1), event(2)]), frame("event", data=event(4))),
        says(hello(2), frame("events", data=[event(2), event(3), event(4)])),
    )
    with caplog.at_level(logging.WARNING):
        async with fake.stream() as stream:
            assert await positions(stream, 4) == [1, 2, 3, 4]
    assert "came again" in caplog.text


async def test_a_gap_that_stays_is_raised() -> None:
    fake = Fake(says(hello(0), frame("event", data=event(1)), frame("event", data=event(3))), says(hello(1), frame("event", data=event(3))))
    async with fake.stream() as stream:
        with pytest.raises(ProtocolViolation):
            await positions(stream, 2)


async def test_with_a_filter_positions_may_jump() -> None:
    async with Fake(says(hello(0), frame("events", data=[event(3), event(9)]))).stream(scope="s") as stream:
        assert await positions(stream, 2) == [3, 9]


def signal_frame(position: int, pattern: str = "x") -> str:
    data = {"id": "i", "scope": "s", "pattern": pattern, "strength": 0.5, "last_updated": "x", "alpha": 1.2, "lambda": 0.95}
    return frame("signal", data={**data, "position": position})


async def test_signals_told_ahead_of_their_events_hide_none_and_are_told_once() -> None:
    fake = Fake(
        says(hello(0), signal_frame(2), signal_frame(3), frame("events", data=[event(1)]), close=4008),
        says(hello(1), signal_frame(2), signal_frame(3), signal_frame(3, "y"), frame("events", data=[event(2), event(3)])),
    )
    async with fake.stream(signals=True, after=0) as stream:
        assert await positions(stream, 6) == [2, 3, 1, 3, 2, 3]
        assert stream.position == 3
    assert fake.asked[1]["after"] == ["1"]


async def test_what_is_no_frame_breaks_the_connection_only() -> None:
    fake = Fake(says(hello(0), "{", frame("event", data=event(1))), says(hello(0), frame("event", data=event(1))))
    async with fake.stream() as stream:
        assert await positions(stream, 1) == [1]


async def test_a_frame_that_is_too_large_is_asked_for_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "MOST_BYTES", 2_000)

    async def talk(connection: ServerConnection, query: dict[str, list[str]]) -> None:
        many = [event(position) for position in range(1, 20)]
        frames = [frame("events", data=many)] if "batch" in query else [frame("event", data=one) for one in many]
        await says(hello(0), *frames)(connection, query)

    fake = Fake(talk)
    async with fake.stream() as stream:
        assert await positions(stream, 19) == list(range(1, 20))
    assert ["batch" in query for query in fake.asked] == [True, False]


async def test_a_service_that_fell_silent_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "QUIET", 0.2)

    async def quiet(connection: ServerConnection, query: dict[str, list[str]]) -> None:
        await connection.send(hello(0))
        assert json.loads(await connection.recv()) == {"type": "ping"}
        await connection.send(frame("ack", position=40))
        assert json.loads(await connection.recv()) == {"type": "ping"}
        await connection.close(1001)

    silent = says(hello(0))
    fake = Fake(silent, quiet, says(hello(40), frame("event", data=event(41))))
    async with fake.stream(scope="s") as stream:
        assert await positions(stream, 1) == [41]
    assert fake.asked[2]["after"] == ["40"], "an ack says up to where nothing was wanted"


async def test_closing_ends_the_iteration_at_once_also_between_connections(caplog: pytest.LogCaptureFixture) -> None:
    waits: list[tuple[Talk, Callable[[Stream[Any]], bool]]] = [
        (says(hello(0)), lambda stream: stream.position is not None),  # for the next frame
        (says(hello(0), close=1001), lambda _: "the stream was lost" in caplog.text),  # until it may connect again
    ]
    for talk, is_waiting in waits:
        async with Fake(talk).stream() as stream:
            reading = asyncio.create_task(positions(stream, 1))
            await until(partial(is_waiting, stream))
            began = asyncio.get_running_loop().time()
            await stream.close()
            assert await reading == []
            assert asyncio.get_running_loop().time() - began < 0.8


@pytest.mark.parametrize("way", ["iterating", "connecting", "waiting for a signal"])
async def test_closing_the_client_ends_a_stream_between_two_tries(way: str, caplog: pytest.LogCaptureFixture) -> None:
    client = Client("http://127.0.0.1:9", agent_id="a", patience=0.1)
    stream = client.stream()

    async def use() -> object:
        if way == "waiting for a signal":
            return await client.wait_for_signal("a", "b")
        if way == "connecting":
            return await stream.connect()
        return [event async for event in stream]

    task = asyncio.create_task(use())
    await until(lambda: "the stream was lost" in caplog.text)
    assert not task.done()
    async with asyncio.timeout(WITHIN):
        await client.close()
        await asyncio.wait([task])
    if way == "waiting for a signal":
        with pytest.raises(Unavailable):
            await task
    else:
        assert not await task
