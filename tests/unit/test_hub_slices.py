"""Deliveries in slices: after a bounded amount of work other callbacks of the loop run, and everybody gets everything in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count, pairwise

import pytest
from semp.domain.events import Event
from semp.domain.interests import EVERYTHING, Interest
from semp.engine.live import hub as hub_module
from semp.engine.live.hub import SENDS, End, Hub

from tests.ring_reader import Reader, entries
from tests.strategies import new_draft

UNITS = 4
"""Looks at the clock in a slice."""
FILTERS = [EVERYTHING, Interest.of(["ui"])]


def counting(monkeypatch: pytest.MonkeyPatch) -> Callable[[], float]:
    """A clock that goes on by one unit at each look, with slices of UNITS."""
    monkeypatch.setattr(hub_module, "SLICE", UNITS)
    ticks = count()
    return lambda: float(next(ticks))


def count_comparisons(monkeypatch: pytest.MonkeyPatch, compared: list[int]) -> None:
    """Note the position of each event that is compared with an interest."""
    covers = Interest.covers

    def noting(interest: Interest, event: Event) -> bool:
        compared.append(event.position)
        return covers(interest, event)

    monkeypatch.setattr(Interest, "covers", noting)


async def turns_until(done: Callable[[], bool]) -> int:
    """Turns of the loop until the condition holds."""
    for turn in range(100_000):
        if done():
            return turn
        await asyncio.sleep(0)
    raise AssertionError("it never came to an end")


@pytest.mark.parametrize("interest", FILTERS, ids=["all", "some"])
async def test_a_delivery_to_many_gives_way_after_a_bounded_number_of_writes(interest: Interest, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(0, clock=counting(monkeypatch))
    readers = [Reader(hub, interest) for _ in range(300)]
    hub.publish(entries(1, 1))
    served = [0]
    while served[-1] < 300:
        await asyncio.sleep(0)
        served.append(sum([reader.seen == [1] for reader in readers]))
    steps = [after - before for before, after in pairwise(served)]
    assert max(steps) <= UNITS * SENDS
    assert len(steps) >= 300 / (UNITS * SENDS)


async def test_a_batch_is_matched_with_filters_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    hub = Hub(0, clock=counting(monkeypatch))
    readers = [Reader(hub, Interest.of(["ui.**", f"m{number}"])) for number in range(20)]
    count_comparisons(monkeypatch, compared)
    hub.publish(entries(1, 400, new_draft(scope="ui.a")))
    assert compared == [], "publishing compares nothing"
    most = 0
    while any(len(reader.seen) < 400 for reader in readers):
        before = len(compared)
        await asyncio.sleep(0)
        most = max(most, len(compared) - before)
    assert most <= UNITS * len(readers), "an entry and its filters are one unit of work"
    assert all(reader.seen == list(range(1, 401)) for reader in readers)


async def test_a_search_on_the_ring_looks_at_a_bounded_number_of_entries_between_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "LOOKED_AT", 10)
    compared: list[int] = []
    hub = Hub(0, clock=counting(monkeypatch))
    hub.publish(entries(1, 1_000))
    count_comparisons(monkeypatch, compared)
    reader = Reader(hub, Interest.of(["api"]), after=0)
    most = 0
    while reader.subscription.position < 1_000:
        before = len(compared)
        await asyncio.sleep(0)
        most = max(most, len(compared) - before)
    assert 0 < most <= UNITS * 10


async def test_an_event_is_compared_once_with_a_filter_of_many_globs_that_may_match(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    hub = Hub(0)
    reader = Reader(
        hub, Interest.of([".".join(["*" if number >> bit & 1 else "a" for bit in range(6)]) + ".b.*.x" for number in range(60)])
    )
    count_comparisons(monkeypatch, compared)
    hub.publish(entries(1, 3, new_draft(scope="a.a.a.a.a.a.b.c.y")))
    await turns_until(lambda: not hub.delivering)
    assert compared == [1, 2, 3]
    assert reader.seen == []


@pytest.mark.parametrize("shared", FILTERS, ids=["all", "some"])
@pytest.mark.parametrize("different", [False, True])
async def test_events_that_come_during_a_pass_follow_it(shared: Interest, different: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(0, clock=counting(monkeypatch))
    readers = [Reader(hub, Interest.of(["ui", f"m{number}"]) if different else shared) for number in range(200)]
    gone = readers.pop()
    for position in range(1, 9):
        hub.publish(entries(position, 1))
        await asyncio.sleep(0)
        if position == 1:
            assert readers[0].seen == [1]
            hub.detach(gone.subscription)
    late, fresh = Reader(hub, shared, after=3), Reader(hub, shared)
    readers[150].freeze()
    hub.publish(entries(9, 2))
    await asyncio.sleep(0)
    readers[150].thaw()
    assert await turns_until(lambda: all(reader.seen == list(range(1, 11)) for reader in readers)) > 1
    await turns_until(lambda: fresh.seen == [9, 10] and late.seen == list(range(4, 11)))
    assert gone.seen == []


@pytest.mark.parametrize("interest", FILTERS, ids=["all", "some"])
async def test_batches_faster_than_their_delivery_close_nobody_and_the_ring_stays_bounded(
    interest: Interest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "RING_EVENTS", 8)
    monkeypatch.setattr(hub_module, "SPAN_EVENTS", 3)
    hub = Hub(0, clock=counting(monkeypatch))
    readers = [Reader(hub, interest) for _ in range(100)]
    for begin in range(1, 600, 20):
        hub.publish(entries(begin, 20))
        assert not hub.holds(hub.head - hub_module.UNOFFERED * 8 - 20 - 1)
        await asyncio.sleep(0)
    await turns_until(lambda: all(reader.seen == list(range(1, 601)) for reader in readers))
    assert not any(reader.ended for reader in readers)
    hub.publish(entries(601, 1))
    await turns_until(lambda: all(len(reader.seen) == 601 for reader in readers))
    assert not hub.holds(hub.head - 8 - 1 - 1)


@pytest.mark.parametrize("interest", FILTERS, ids=["all", "some"])
async def test_who_can_take_again_during_a_pass_is_not_pushed_off_by_it(interest: Interest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "RING_EVENTS", 4)
    hub = Hub(0, clock=counting(monkeypatch))
    readers = [Reader(hub, interest) for _ in range(200)]
    readers[0].freeze()
    hub.publish(entries(1, 4))
    await turns_until(lambda: len(readers[-1].seen) == 4)
    hub.publish(entries(5, 1))
    await asyncio.sleep(0)
    readers[0].thaw()
    for position in range(6, 10):
        hub.publish(entries(position, 1))
    await turns_until(lambda: all(reader.seen == list(range(1, 10)) for reader in readers))
    assert readers[0].ended is None


@pytest.mark.parametrize("interest", FILTERS, ids=["all", "some"])
async def test_a_close_in_the_middle_of_a_pass_delivers_everything_first(interest: Interest, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(0, clock=counting(monkeypatch))
    readers = [Reader(hub, interest) for _ in range(200)]
    hub.publish(entries(1, 2))
    await asyncio.sleep(0)
    hub.publish(entries(3, 1))
    assert readers[-1].seen == []
    hub.close()
    assert all((reader.seen, reader.ended) == ([1, 2, 3], (End.GOING_AWAY, 3)) for reader in readers)


@pytest.mark.parametrize("interest", FILTERS, ids=["all", "some"])
async def test_another_log_in_the_middle_of_a_pass(interest: Interest, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(7, clock=counting(monkeypatch))
    readers = [Reader(hub, interest) for _ in range(200)]
    hub.publish(entries(8, 2))
    await asyncio.sleep(0)
    hub.reset(3)
    assert all(reader.ended == (End.LOG_REPLACED, max([7, *reader.seen])) for reader in readers)
    fresh = Reader(hub, interest)
    hub.publish(entries(4, 2))
    await turns_until(lambda: fresh.seen == [4, 5])
    assert hub.subscribers == 1
