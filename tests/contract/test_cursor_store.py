"""Cursors, which are durable positions that only move forward, under a lease if one is given: the same cases on every storage."""

from __future__ import annotations

import asyncio
import random

import pytest
from semp.domain.signals import Rules
from semp.engine.ports import Storage
from semp.engine.records import Cursor, EventFilter, Fenced, Lease, LineageFilter, LogReplaced
from semp.engine.replay import verify

from tests.strategies import few_at_a_time, filled, whole_log


async def logged(store: Storage) -> str:
    """Fill the store with a random log. Returns its epoch."""
    await filled(store, 1, moments=40)
    state = await store.state()
    assert state.head > 30
    return state.epoch


async def test_a_cursor_is_made_by_its_first_advance_and_moves_on(store: Storage) -> None:
    epoch = await logged(store)
    assert await store.cursor("webhook:a") is None
    assert await store.advance("webhook:a", 0, epoch) == Cursor("webhook:a", epoch, 0)
    assert await store.advance("webhook:a", 7, epoch) == Cursor("webhook:a", epoch, 7)
    assert await store.cursor("webhook:a") == Cursor("webhook:a", epoch, 7)
    assert await store.cursor("webhook:b") is None


async def test_a_cursor_never_moves_back_unless_asked(store: Storage) -> None:
    epoch = await logged(store)
    await store.advance("x", 9, epoch)
    assert await store.advance("x", 4, epoch) == Cursor("x", epoch, 9)
    assert await store.advance("x", 9, epoch) == Cursor("x", epoch, 9), "repeating it is safe"
    assert await store.advance("x", 4, epoch, back=True) == Cursor("x", epoch, 4)
    assert await store.cursor("x") == Cursor("x", epoch, 4)


async def test_advances_in_any_order_end_at_the_furthest(store: Storage) -> None:
    epoch = await logged(store)
    positions = list(range(30))
    random.Random(1).shuffle(positions)
    found = await few_at_a_time([store.advance("x", position, epoch) for position in positions], most=16)
    assert all(cursor.position >= position for cursor, position in zip(found, positions, strict=True))
    assert await store.cursor("x") == Cursor("x", epoch, 29)


async def test_a_position_of_another_log_or_beyond_its_end_is_refused_and_writes_nothing(store: Storage) -> None:
    epoch = await logged(store)
    head = (await store.state()).head
    for position, other in ((3, "another epoch"), (head + 1, epoch)):
        with pytest.raises(LogReplaced):
            await store.advance("x", position, other)
        with pytest.raises(LogReplaced):
            await store.advance("x", position, other, back=True)
    assert await store.cursor("x") is None
    assert (await store.advance("x", head, epoch)).position == head


async def test_a_cursor_moves_only_under_a_lease_that_is_still_held(store: Storage) -> None:
    epoch = await logged(store)
    lease = await store.acquire("relay", "one", 600)
    assert (await store.advance("x", 3, epoch, under=lease)).position == 3
    assert await store.release(lease)
    with pytest.raises(Fenced):
        await store.advance("x", 4, epoch, under=lease)
    later = await store.acquire("relay", "two", 600)
    for wrong in (lease, Lease("relay", "two", later.token + 1, later.expires, 0), Lease("never", "two", 1, later.expires, 0)):
        with pytest.raises(Fenced):
            await store.advance("x", 5, epoch, under=wrong, back=True)
        with pytest.raises(Fenced):
            await store.advance("new", 5, epoch, under=wrong)
    assert await store.cursor("x") == Cursor("x", epoch, 3)
    assert await store.cursor("new") is None
    assert (await store.advance("x", 6, epoch, under=later)).position == 6


async def test_the_next_holder_of_a_lease_finds_the_cursor_where_the_last_one_left_it(store: Storage) -> None:
    """An advance that races with the handover of the lease is refused, or the next holder sees it."""
    epoch = await logged(store)
    for position in range(1, 25):
        old = await store.acquire("relay", "old", 600)

        async def hand_over(old: Lease = old) -> Cursor | None:
            assert await store.release(old)
            assert (await store.acquire("relay", "new", 600)).holder == "new"
            return await store.cursor("x")

        moved, seen = await asyncio.gather(store.advance("x", position, epoch, under=old), hand_over(), return_exceptions=True)
        assert not isinstance(seen, BaseException)
        if isinstance(moved, Cursor):
            assert seen == moved
        else:
            assert isinstance(moved, Fenced)
            assert seen is None or seen.position < position
        new = await store.lease("relay")
        assert new is not None
        assert await store.release(new)


async def test_holders_of_short_leases_that_race_never_advance_to_one_position_twice(store: Storage) -> None:
    epoch = await logged(store)
    await store.advance("x", 0, epoch)
    done: list[int] = []

    async def work(holder: str) -> None:
        while len(done) < 25:
            lease = await store.acquire("relay", holder, 0.004)
            found = await store.cursor("x")
            if lease.holder != holder or found is None:
                continue
            try:
                done.append((await store.advance("x", found.position + 1, epoch, under=lease)).position)
            except Fenced:
                continue
            if len(done) % 3:
                await store.release(lease)

    async with asyncio.timeout(60):
        await asyncio.gather(*(work(f"h{n}") for n in range(6)))
    assert sorted(done) == list(range(1, len(done) + 1))


async def test_cursors_are_listed_by_name_and_deleted(store: Storage) -> None:
    epoch = await logged(store)
    assert await store.cursors() == []
    for name in ("webhook:b", "webhook:a", "kafka:x", "webhook", "ü:1"):
        await store.advance(name, 1, epoch)
    assert [cursor.name for cursor in await store.cursors("webhook:")] == ["webhook:a", "webhook:b"]
    assert [cursor.name for cursor in await store.cursors()] == ["kafka:x", "webhook", "webhook:a", "webhook:b", "ü:1"]
    assert await store.delete_cursor("webhook:a")
    assert not await store.delete_cursor("webhook:a")
    assert [cursor.name for cursor in await store.cursors("webhook:")] == ["webhook:b"]
    assert (await store.advance("webhook:a", 2, epoch)).position == 2


async def test_cursors_and_leases_are_no_part_of_the_log(store: Storage) -> None:
    epoch = await logged(store)
    state, log, page = await store.state(), await whole_log(store), (await store.page(EventFilter(limit=1000))).events
    oldest = page[-1].id
    around = await store.relatives(oldest, "descendants", LineageFilter(limit=1000))
    await store.acquire("relay", "one", 600)
    await store.advance("x", 3, epoch)
    assert (await store.state(), await whole_log(store), (await store.page(EventFilter(limit=1000))).events) == (state, log, page)
    assert await store.relatives(oldest, "descendants", LineageFilter(limit=1000)) == around
    assert await store.node("x") is None
    assert not await store.add_edge("x", oldest, "follows")
    assert await verify(store) == []
    assert (await store.open(Rules()))[0] == state, "opening the store again gives the same state"
    assert await store.cursor("x") == Cursor("x", epoch, 3)
