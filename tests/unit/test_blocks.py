"""Blocks of the log in memory: the same events as the log has, each block read once, within the capacity."""

from __future__ import annotations

import asyncio
import random

import msgspec
import pytest
from semp.domain.errors import StoreUnavailable
from semp.domain.events import Event
from semp.engine import blocks
from semp.engine.blocks import BLOCK, Blocks
from semp.engine.planning import encode
from semp.engine.records import EventFilter

HEAD = 10 * BLOCK
LOG = [
    Event(f"e{at}", "proposal", "ui", "t1", "me", [], "2026-01-01T00:00:00.000Z", msgspec.Raw(b'{"n":\n%d}' % at), at)
    for at in range(1, HEAD + 1)
]


class Log:
    """A log that counts how it is read."""

    def __init__(self) -> None:
        self.read: list[tuple[int, int]] = []
        self.events = LOG
        self.away = False
        self.gate: asyncio.Event | None = None

    async def between(self, first: int, last: int) -> list[Event]:
        self.read.append((first, last))
        if self.gate is not None:
            await self.gate.wait()
        if self.away:
            raise StoreUnavailable("away")
        return self.events[first - 1 : last]


def texts(first: int, last: int) -> list[bytes]:
    return [encode(event) for event in LOG[first - 1 : last]]


async def test_any_span_is_that_of_the_log() -> None:
    log = Log()
    cached = Blocks(log.between)
    rng = random.Random(1)
    for _ in range(300):
        first = rng.randint(1, HEAD)
        last = rng.randint(first, min(HEAD, first + 999))
        assert await cached.between(first, last) == texts(first, last)
    assert len(log.read) <= 10, "each of the ten blocks is read once"


async def test_blocks_that_are_read_now_are_read_once_for_all() -> None:
    log = Log()
    log.gate = asyncio.Event()
    cached = Blocks(log.between)
    spans = [(1, 100), (50, 300), (200, 300), (1, 3 * BLOCK)]
    waiting = [asyncio.ensure_future(cached.between(*span)) for span in spans]
    gone = asyncio.ensure_future(cached.between(4 * BLOCK, 4 * BLOCK))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    log.gate.set()
    assert await asyncio.gather(*waiting) == [texts(*span) for span in spans]
    assert log.read == [(1, BLOCK), (BLOCK + 1, 3 * BLOCK), (3 * BLOCK + 1, 4 * BLOCK)]
    assert await cached.between(4 * BLOCK, 4 * BLOCK) == texts(4 * BLOCK, 4 * BLOCK)
    assert len(log.read) == 3, "what a client that went away had asked for is kept"


async def test_an_error_reaches_all_who_wait_and_is_not_kept() -> None:
    log = Log()
    log.away = True
    cached = Blocks(log.between)
    results = await asyncio.gather(cached.between(1, 5), cached.between(2, 6), return_exceptions=True)
    assert [type(result) for result in results] == [StoreUnavailable, StoreUnavailable]
    log.away = False
    assert await cached.between(1, 5) == texts(1, 5)


async def test_the_least_recently_used_blocks_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    cached = Blocks(log.between)
    await cached.between(1, BLOCK)
    monkeypatch.setattr(blocks, "CAPACITY", 3 * cached.size + cached.size // 2)
    for number in (1, 2, 0, 3):
        await cached.between(number * BLOCK + 1, number * BLOCK + 1)
        assert cached.size <= blocks.CAPACITY
    assert len(log.read) == 4
    for number in (0, 2, 3):
        await cached.between(number * BLOCK + 1, number * BLOCK + 1)
    assert len(log.read) == 4, "block 1 is dropped, the others are kept"
    await cached.between(BLOCK + 1, BLOCK + 1)
    assert len(log.read) == 5


async def test_of_a_large_block_only_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "LARGEST", 100)
    log = Log()
    cached = Blocks(log.between)
    assert await cached.between(1, 5) == texts(1, 5)
    assert await cached.between(1, 5) is None
    assert len(log.read) == 1


async def test_a_replaced_log_leaves_nothing() -> None:
    log = Log()
    cached = Blocks(log.between)
    await cached.between(1, 5)
    log.gate = asyncio.Event()
    late = asyncio.ensure_future(cached.between(BLOCK + 1, BLOCK + 1))
    await asyncio.sleep(0)
    cached.clear()
    log.gate.set()
    await late
    log.events = [msgspec.structs.replace(event, scope="api") for event in LOG]
    for first in (1, BLOCK + 1):
        found = await cached.between(first, first)
        assert found == [encode(log.events[first - 1])]
    log.events = log.events[: 2 * BLOCK + 5]
    assert await cached.between(2 * BLOCK + 1, 2 * BLOCK + 1) is None, "the block is not full in the new log"


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (EventFilter(limit=10), (91, 100)),
        (EventFilter(limit=10, before=50), (40, 49)),
        (EventFilter(limit=10, before=5), (1, 4)),
        (EventFilter(limit=10, before=500, after=95), (96, 100)),
        (EventFilter(limit=10, newest_first=False), (1, 10)),
        (EventFilter(limit=10, newest_first=False, after=-3), (1, 10)),
        (EventFilter(limit=10, newest_first=False, after=95), (96, 100)),
        (EventFilter(limit=10, newest_first=False, after=20, before=25), (21, 24)),
    ],
)
def test_the_positions_of_a_page(selection: EventFilter, expected: tuple[int, int]) -> None:
    assert selection.positions(100) == expected
