"""Following the log, from catch-up to live: no gap, no repeat, and an end with its reason and position."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import msgspec
import pytest
from semp.domain.errors import CannotResume, StoreUnavailable
from semp.domain.interests import EVERYTHING, Interest
from semp.domain.signals import Rules
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.live import follow as follow_module
from semp.engine.live import history as history_module
from semp.engine.live import hub as hub_module
from semp.engine.live.follow import Ended, Follow, Part
from semp.engine.live.hub import End, Span
from semp.engine.records import EventFilter
from semp.storage.memory.store import MemoryStore

from tests.strategies import new_draft

WITHIN = 10.0


class Store(MemoryStore):
    """A MemoryStore whose pages raise `fails` while it is set."""

    fails: Exception | None = None

    async def page(self, selection: EventFilter) -> Any:
        await asyncio.sleep(0)
        if self.fails is not None:
            raise self.fails
        return await super().page(selection)


class Outlet:
    """A connection that accepts whole spans, and nothing while `open` is not set. `written`: the positions it got."""

    form = "numbers"

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.written: list[int] = []

    @property
    def has_room(self) -> bool:
        return self.open.is_set()

    async def room(self) -> None:
        await self.open.wait()

    def render(self, span: Span) -> bytes:
        return b"".join([b"%d;" % entry.event.position for entry in span.entries])

    def send(self, rendered: bytes, /) -> int:
        self.written += [int(number) for number in rendered.split(b";")[:-1]]
        return len(rendered)

    def finish(self, rest: bytes, /) -> None:
        raise AssertionError("send accepted everything")


@pytest.fixture
async def environment(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Environment]:
    """An environment with ten events. The ring holds four of them, a page of the log two."""
    monkeypatch.setattr(hub_module, "RING_EVENTS", 4)
    monkeypatch.setattr(history_module, "PAGE", 2)
    found = Environment(Store(), Rules(), poll_interval=1000.0, sweep_interval=1000.0)
    await found.start()
    await append(found, 10)
    yield found
    await found.stop()


async def append(environment: Environment, count: int) -> None:
    for _ in range(count):
        await environment.acting(OPEN).append([new_draft()])


def replace_log(environment: Environment) -> None:
    """Switch to another log, as the committer does when the log was replaced."""
    environment.ledger.restart(msgspec.structs.replace(environment.ledger.state, epoch="another", head=0), [])
    environment.replacement.notify()


def positions(part: Part | Ended) -> list[int]:
    assert isinstance(part, Part), part
    return [entry.event.position for entry in part.span.entries]


async def next_part(parts: AsyncGenerator[Part | Ended]) -> Part | Ended:
    return await asyncio.wait_for(anext(parts), WITHIN)


async def seen_up_to(parts: AsyncGenerator[Part | Ended], last: int) -> list[int]:
    found: list[int] = []
    while not found or found[-1] < last:
        found += positions(await next_part(parts))
    return found


async def test_a_slow_reader_is_led_from_the_log_to_the_ring_while_the_log_grows(environment: Environment) -> None:
    follow = await environment.acting(OPEN).follow(EVERYTHING, after=0)
    seen: list[int] = []
    async with aclosing(follow.parts()) as parts:
        for _ in range(3):
            seen += positions(await next_part(parts))
            await append(environment, 2)
        assert not follow.live
        seen += await seen_up_to(parts, 16)
        await append(environment, 3)
        seen += await seen_up_to(parts, 19)
        assert follow.live
    assert seen == list(range(1, 20))
    assert environment.hub.subscribers == 0


async def test_it_starts_at_the_position_of_its_creation_however_late_it_is_iterated(environment: Environment) -> None:
    follow = await environment.acting(OPEN).follow(EVERYTHING)
    assert follow.position == 10
    await append(environment, 7)
    async with aclosing(follow.parts()) as parts:
        assert await seen_up_to(parts, 17) == list(range(11, 18))


async def test_a_position_of_another_log_is_refused(environment: Environment) -> None:
    gate = environment.acting(OPEN)
    with pytest.raises(CannotResume, match="another log"):
        await gate.follow(EVERYTHING, after=3, epoch="another")
    with pytest.raises(CannotResume, match="ends at position 10"):
        await gate.follow(EVERYTHING, after=11)


@pytest.mark.parametrize("outlet", [None, Outlet()])
async def test_following_ends_when_the_log_is_replaced_while_it_is_read(environment: Environment, outlet: Outlet | None) -> None:
    """Otherwise the reader would be attached to the ring of the new log at a position of the old one."""
    follow = await environment.acting(OPEN).follow(EVERYTHING, after=0, outlet=outlet)
    async with aclosing(follow.parts()) as parts:
        last = positions(await next_part(parts))[-1]
        replace_log(environment)
        assert await next_part(parts) == Ended(End.LOG_REPLACED, last)
        assert [part async for part in parts] == []
    assert environment.hub.subscribers == 0


async def test_following_ends_when_the_log_is_replaced_before_the_first_part(environment: Environment) -> None:
    follow = await environment.acting(OPEN).follow(EVERYTHING, after=10)
    replace_log(environment)
    async with aclosing(follow.parts()) as parts:
        assert await next_part(parts) == Ended(End.LOG_REPLACED, 10)


@pytest.mark.parametrize(
    ("error", "why"), [(StoreUnavailable("away"), End.STORE_UNAVAILABLE), (ValueError("a defect"), End.FAILED)]
)  # fmt: skip
async def test_an_error_while_reading_the_log_is_an_end_with_a_position(environment: Environment, error: Exception, why: End) -> None:
    assert isinstance(environment.storage, Store)
    follow = await environment.acting(OPEN).follow(EVERYTHING, after=0)
    async with aclosing(follow.parts()) as parts:
        seen = positions(await next_part(parts))
        environment.storage.fails = error
        while isinstance(part := await next_part(parts), Part):
            seen += positions(part)
    assert part == Ended(why, seen[-1])
    assert seen == list(range(1, len(seen) + 1))


async def test_an_outlet_is_written_to_by_the_hub_and_the_iteration_gives_the_end(environment: Environment) -> None:
    outlet = Outlet()
    follow = await environment.acting(OPEN).follow(EVERYTHING, after=8, outlet=outlet)
    async with aclosing(follow.parts()) as parts:
        ending = asyncio.ensure_future(anext(parts))
        await append(environment, 3)
        await until(lambda: outlet.written == [9, 10, 11, 12, 13])
        assert follow.position == 13
        environment.hub.close()
        assert await asyncio.wait_for(ending, WITHIN) == Ended(End.GOING_AWAY, 13)
    assert environment.hub.subscribers == 0


async def test_an_outlet_that_accepts_nothing_during_catch_up_is_too_slow(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_module, "STALL", 0.01)
    outlet = Outlet()
    outlet.open.clear()
    follow = await environment.acting(OPEN).follow(EVERYTHING, after=0, outlet=outlet)
    async with aclosing(follow.parts()) as parts:
        assert await next_part(parts) == Ended(End.TOO_SLOW, 0)
    assert outlet.written == []


async def test_nothing_is_written_to_a_detached_outlet(environment: Environment) -> None:
    outlet = Outlet()
    follow = await environment.acting(OPEN).follow(EVERYTHING, after=10, outlet=outlet)
    task = asyncio.create_task(until_ended(follow))
    await until(lambda: follow.live)
    follow.detach()
    follow.detach()
    await append(environment, 1)
    assert (outlet.written, follow.position) == ([], 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_signals_that_moved_in_missed_events_come_before_those_events(environment: Environment) -> None:
    await environment.acting(OPEN).append([new_draft(action="early")])
    await append(environment, 6)
    follow = await environment.acting(OPEN).follow(Interest.of(["ui"]), after=9, signals=True)
    moved: list[tuple[str, int]] = []
    announced: set[int] = set()
    async with aclosing(follow.parts()) as parts:
        while not follow.live:
            part = await next_part(parts)
            assert isinstance(part, Part)
            assert not (part.moved and positions(part))
            assert not positions(part) or announced <= set(positions(part)), "they come right before their events"
            announced = {signal.position for signal in part.moved}
            moved += [(signal.pattern, signal.position) for signal in part.moved]
    assert moved == [("early", 11)], "the other signal moved last in entries of the ring, which have their own moves"
    resumed = await environment.acting(OPEN).follow(Interest.of(["ui"]), after=17, signals=True)
    async with aclosing(resumed.parts()) as parts:
        part = await next_part(parts)
        assert isinstance(part, Part)
        assert ([signal.position for signal in part.moved], positions(part), part.span.last) == ([17], [], 17)


async def test_a_reader_without_new_events_gets_an_empty_part(environment: Environment) -> None:
    follow = await environment.acting(OPEN).follow(EVERYTHING, quiet=0.01)
    async with aclosing(follow.parts()) as parts:
        part = await next_part(parts)
        assert isinstance(part, Part)
        assert (positions(part), part.span.last) == ([], 10)
        await append(environment, 1)
        assert 11 in await seen_up_to(parts, 11)


async def until_ended(follow: Follow) -> None:
    async with aclosing(follow.parts()) as parts:
        async for _ in parts:
            pass


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN):
        while not condition():
            await asyncio.sleep(0)
