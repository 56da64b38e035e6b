"""Streams: each event once and in order, whatever the service does with the connection."""

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
    """A stored event at a position."""
    return {
        "id": str(uuid.UUID(int=position)), "type": "ready", "scope": "s", "trace_id": "t", "agent_id": "a", "parent_ids": [],
        "timestamp": "2025-01-15T10:30:00.000Z", "payload": {"status": "x"}, "position": position,
    }  # fmt: skip


def frame(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})


def hello(position: int, epoch: str = "e") -> str:
    return frame("hello", epoch=epoch, position=position)


class Scripted:
    """A service that sends on each connection what the test says. The last script serves all later connections."""

    def __init__(self, *talks: Talk) -> None:
        self.talks = list(talks)
        self.asked: list[dict[str, list[str]]] = []
        """The query of each connection."""
        self.at: list[float] = []
        """The time of each connection, in seconds of the event loop."""

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
            selection = Filter.of(options.pop("scope", None), None, None, None)
            stream: Stream[Any] = Stream(f"http://{host}:{port}", selection, **options)
            try:
                yield stream
            finally:
                await stream.close()


def says(*frames: str, close: int | None = None, reason: str = "", abort: bool = False) -> Talk:
    """Send these frames, and then close with a code, break the connection, or wait until the client closes."""

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


async def test_a_stream_resumes_after_its_position_with_its_epoch() -> None:
    scripted = Scripted(
        says(hello(4), frame("events", data=[event(5), event(6)]), close=1001),
        says(hello(6), frame("event", data=event(7)), frame("events", data=[event(8)])),
    )
    async with scripted.stream() as stream:
        assert await positions(stream, 4) == [5, 6, 7, 8]
        assert (stream.position, stream.epoch, stream.connections) == (8, "e", 2)
    assert "after" not in scripted.asked[0]
    assert (scripted.asked[1]["after"], scripted.asked[1]["epoch"], scripted.asked[1]["v"], scripted.asked[1]["batch"]) == (
        ["6"],
        ["e"],
        ["1"],
        ["1"],
    )
    assert scripted.at[1] - scripted.at[0] >= 1, "it waits a second before it connects again"


@pytest.mark.parametrize("code", [1001, 1011, 1013, 1000, 3000])
async def test_after_most_close_codes_a_stream_connects_again(code: int) -> None:
    scripted = Scripted(says(hello(0), frame("event", data=event(1)), close=code), says(hello(1), frame("event", data=event(2))))
    async with scripted.stream() as stream:
        assert await positions(stream, 2) == [1, 2]


async def test_a_connection_that_broke_inside_a_frame_is_resumed() -> None:
    async def cut(connection: ServerConnection, query: dict[str, list[str]]) -> None:
        await connection.send(hello(0))
        await connection.send(frame("event", data=event(1)))
        connection.transport.write(b"\x81\x7e\x10\x00" + b'{"type":"event","data":{"id')
        assert not connection.transport.get_write_buffer_size(), "abort() would drop what the socket did not take yet"
        connection.transport.abort()

    scripted = Scripted(cut, says(hello(1), frame("event", data=event(2))))
    async with scripted.stream() as stream:
        assert await positions(stream, 2) == [1, 2]


async def test_after_too_slow_a_stream_connects_at_once_and_waits_when_this_repeats() -> None:
    scripted = Scripted(
        says(hello(0), frame("event", data=event(1)), close=4008, reason="too slow; last position 1"),
        says(hello(1), close=4008),
        says(hello(1), frame("event", data=event(2))),
    )
    async with scripted.stream() as stream:
        assert await positions(stream, 2) == [1, 2]
    assert scripted.at[1] - scripted.at[0] < 0.9
    assert scripted.at[2] - scripted.at[1] >= 1


async def test_delays_double_until_an_event_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    class Asyncio:
        """The module, for the stream alone: its pauses are over at once. Its other timeouts are equal to QUIET."""

        def __getattr__(self, name: str) -> Any:
            return getattr(asyncio, name)

        def timeout(self, delay: float) -> asyncio.Timeout:
            if delay == stream_module.QUIET:
                return asyncio.timeout(delay)
            slept.append(delay)
            return asyncio.timeout_at(0)

    scripted = Scripted(
        *[says(hello(0), close=1001)] * 7,
        says(hello(0), frame("event", data=event(1)), close=1001),
        says(hello(1), frame("event", data=event(2))),
    )
    async with scripted.stream(backoff=Backoff(jitter=0)) as stream:
        monkeypatch.setattr(stream_module, "asyncio", Asyncio())
        assert await positions(stream, 2) == [1, 2]
        monkeypatch.undo()
    assert slept == [1, 2, 4, 8, 16, 30, 30, 1]


@pytest.mark.parametrize(("code", "error"), [(4000, InvalidEvent), (4001, NotAllowed), (4009, HistoryLost)])
async def test_close_codes_that_no_retry_can_help_are_raised(code: int, error: type[Exception]) -> None:
    scripted = Scripted(says(hello(0), frame("event", data=event(1)), close=code, reason="because"))
    async with scripted.stream() as stream:
        with pytest.raises(error, match="because"):
            await positions(stream, 2)
    assert len(scripted.asked) == 1


async def test_a_lost_history_is_read_again_with_on_reset_restart() -> None:
    scripted = Scripted(
        says(hello(7, "old"), frame("event", data=event(8)), close=4009),
        says(hello(0, "new"), frame("events", data=[event(1), event(2)])),
    )
    async with scripted.stream(on_reset="restart") as stream:
        assert await positions(stream, 3) == [8, 1, 2]
        assert (stream.epoch, stream.position) == ("new", 2)
    assert scripted.asked[1]["after"] == ["0"]
    assert "epoch" not in scripted.asked[1]


@pytest.mark.parametrize("greeting", [hello(2, "another"), hello(3, "e")], ids=["epoch", "position"])
async def test_a_service_that_continues_from_another_log_or_position_is_an_error(greeting: str) -> None:
    async with Scripted(says(greeting)).stream(after=2, epoch="e") as stream:
        with pytest.raises(HistoryLost):
            await positions(stream, 1)


async def test_repeats_are_dropped_and_a_gap_is_requested_again(caplog: pytest.LogCaptureFixture) -> None:
    scripted = Scripted(
        says(hello(0), frame("events", data=[event(1), event(1), event(2)]), frame("event", data=event(4))),
        says(hello(2), frame("events", data=[event(2), event(3), event(4)])),
    )
    with caplog.at_level(logging.WARNING):
        async with scripted.stream() as stream:
            assert await positions(stream, 4) == [1, 2, 3, 4]
    assert "came again" in caplog.text


async def test_a_gap_that_comes_again_is_raised() -> None:
    scripted = Scripted(
        says(hello(0), frame("event", data=event(1)), frame("event", data=event(3))), says(hello(1), frame("event", data=event(3)))
    )
    async with scripted.stream() as stream:
        with pytest.raises(ProtocolViolation):
            await positions(stream, 2)


async def test_with_a_filter_gaps_are_expected() -> None:
    async with Scripted(says(hello(0), frame("events", data=[event(3), event(9)]))).stream(scope="s") as stream:
        assert await positions(stream, 2) == [3, 9]


def signal_frame(position: int, pattern: str = "x") -> str:
    data = {"id": "i", "scope": "s", "pattern": pattern, "strength": 0.5, "last_updated": "x", "alpha": 1.2, "lambda": 0.95}
    return frame("signal", data={**data, "position": position})


async def test_signals_that_come_before_their_events_hide_no_event_and_come_once() -> None:
    scripted = Scripted(
        says(hello(0), signal_frame(2), signal_frame(3), frame("events", data=[event(1)]), close=4008),
        says(hello(1), signal_frame(2), signal_frame(3), signal_frame(3, "y"), frame("events", data=[event(2), event(3)])),
    )
    async with scripted.stream(signals=True, after=0) as stream:
        assert await positions(stream, 6) == [2, 3, 1, 3, 2, 3]
        assert stream.position == 3
    assert scripted.asked[1]["after"] == ["1"]


async def test_a_malformed_frame_breaks_the_connection_only() -> None:
    scripted = Scripted(says(hello(0), "{", frame("event", data=event(1))), says(hello(0), frame("event", data=event(1))))
    async with scripted.stream() as stream:
        assert await positions(stream, 1) == [1]


async def test_a_frame_that_is_too_large_is_requested_as_single_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "MOST_BYTES", 2_000)

    async def talk(connection: ServerConnection, query: dict[str, list[str]]) -> None:
        many = [event(position) for position in range(1, 20)]
        frames = [frame("events", data=many)] if "batch" in query else [frame("event", data=one) for one in many]
        await says(hello(0), *frames)(connection, query)

    scripted = Scripted(talk)
    async with scripted.stream() as stream:
        assert await positions(stream, 19) == list(range(1, 20))
    assert ["batch" in query for query in scripted.asked] == [True, False]


async def test_a_silent_service_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "QUIET", 0.2)

    async def quiet(connection: ServerConnection, query: dict[str, list[str]]) -> None:
        await connection.send(hello(0))
        assert json.loads(await connection.recv()) == {"type": "ping"}
        await connection.send(frame("ack", position=40))
        assert json.loads(await connection.recv()) == {"type": "ping"}
        await connection.close(1001)

    silent = says(hello(0))
    scripted = Scripted(silent, quiet, says(hello(40), frame("event", data=event(41))))
    async with scripted.stream(scope="s") as stream:
        assert await positions(stream, 1) == [41]
    assert scripted.asked[2]["after"] == ["40"], "an ack tells up to which position no event matched the filter"


async def test_closing_ends_the_iteration_at_once_and_between_connections_too(caplog: pytest.LogCaptureFixture) -> None:
    waits: list[tuple[Talk, Callable[[Stream[Any]], bool]]] = [
        (says(hello(0)), lambda stream: stream.position is not None),  # for the next frame
        (says(hello(0), close=1001), lambda _: "the stream was lost" in caplog.text),  # until it may connect again
    ]
    for talk, is_waiting in waits:
        async with Scripted(talk).stream() as stream:
            reading = asyncio.create_task(positions(stream, 1))
            await until(partial(is_waiting, stream))
            began = asyncio.get_running_loop().time()
            await stream.close()
            assert await reading == []
            assert asyncio.get_running_loop().time() - began < 0.8


@pytest.mark.parametrize("way", ["iterating", "connecting", "waiting for a signal"])
async def test_closing_the_client_ends_a_stream_between_two_attempts(way: str, caplog: pytest.LogCaptureFixture) -> None:
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
