"""Lists of signals, short and long: the order of answers, and how much is done in one turn of the event loop."""

from __future__ import annotations

import asyncio
import random

import pytest
from semp.domain.scopes import Glob
from semp.domain.signals import Signal
from semp.engine.pace import SLICE, Pace
from semp.engine.ranking import EVERYTHING, PIECE, Ranked, Wanted, rank, spread
from semp.engine.signal_map import SignalMap

from tests.waiting import turns_of

MANY = 20 * SLICE


def field(count: int = MANY, *, levels: int = 1_000) -> SignalMap:
    """So many signals in 40 scopes, of `levels` different strengths, some of them faded."""
    rng = random.Random(count)
    return SignalMap([Signal(f"s{n % 40}.x", f"p{n}", rng.randrange(levels) / levels, 1.2, 0.95, 0, 0, n + 1) for n in range(count)])


def expected(signals: SignalMap, wanted: Wanted, now: int) -> list[Signal]:
    """The same, by one sort of everything."""
    found = [
        (-strength, signal.scope, signal.pattern, signal)
        for signal in signals.values()
        if (strength := signal.strength_at(now)) and strength >= wanted.min_strength
        and wanted.pattern in (None, signal.pattern) and (wanted.scope is None or wanted.scope.matches(signal.scope))
    ]  # fmt: skip
    return [row[3] for row in sorted(found)[: wanted.limit]]


@pytest.mark.parametrize(
    "wanted",
    [
        EVERYTHING,
        Wanted(limit=1),
        Wanted(limit=SLICE),
        Wanted(limit=SLICE + 1),
        Wanted(limit=2 * MANY),
        Wanted(min_strength=0.5),
        Wanted(pattern="p77"),
        Wanted(scope=Glob.parse("s7.x")),
        Wanted(scope=Glob.parse("s7.*"), limit=3),
        Wanted(scope=Glob.parse("**"), pattern="p1"),
        Wanted(scope=Glob.parse("none"), pattern="p1"),
    ],
)
@pytest.mark.parametrize("levels", [1, 1_000])
async def test_the_order_is_that_of_one_sort(wanted: Wanted, levels: int) -> None:
    signals = field(levels=levels)
    for now in (0, 90_000):
        assert await rank(signals, wanted, now, Pace()) == expected(signals, wanted, now)


@pytest.mark.parametrize("scopes", [1, 250, MANY])
async def test_buckets_stay_small_also_when_all_strengths_are_equal_and_scopes_repeat(scopes: int) -> None:
    rows = [(-0.3, f"s{n % scopes}", f"p{n}", Signal(f"s{n % scopes}", f"p{n}", 0.3, 1.2, 0.95, 0, 0, 1)) for n in range(MANY)]
    buckets = await spread(rows.copy(), Pace())
    assert [row for bucket in buckets for row in sorted(bucket)] == sorted(rows)
    assert max(map(len, buckets)) < 5 * SLICE


@pytest.mark.parametrize("wanted", [EVERYTHING, Wanted(limit=10), Wanted(limit=5 * SLICE), Wanted(min_strength=0.9)])
async def test_a_long_list_gives_the_event_loop_a_turn_for_each_slice(wanted: Wanted) -> None:
    signals = field()
    found, turns = await turns_of(lambda: rank(signals, wanted, 0, Pace()))
    assert turns >= MANY / SLICE
    assert found == expected(signals, wanted, 0)


async def test_one_scope_among_many_is_answered_at_once() -> None:
    signals = field()
    _, turns = await turns_of(lambda: rank(signals, Wanted(scope=Glob.parse("s3.x")), 0, Pace()))
    assert turns == 0


async def test_a_list_is_of_the_moment_of_the_call_although_signals_move_meanwhile() -> None:
    signals = field()
    before = expected(signals, EVERYTHING, 0)
    ranking = asyncio.create_task(rank(signals, EVERYTHING, 0, Pace()))
    await asyncio.sleep(0)
    for number, key in enumerate(list(signals)):
        if number % 3:
            signals[key] = Signal(*key, 1.0, 1.2, 0.95, 0, 0, 99_999)
        else:
            del signals[key]
        if not number % SLICE:
            await asyncio.sleep(0)
    signals["new", "one"] = Signal("new", "one", 0.5, 1.2, 0.95, 0, 0, 100_000)
    assert await ranking == before


async def test_views_are_made_piece_by_piece_and_each_has_a_turn() -> None:
    signals = field(4 * PIECE + 1, levels=1)
    ranked = Ranked(list(signals.values()), 7, 0, Pace())

    async def read() -> list[int]:
        return [len(piece) async for piece in ranked.pieces()]

    sizes, turns = await turns_of(read)
    assert sizes == [PIECE] * 4 + [1]
    assert turns >= 5


async def test_tasks_that_share_a_pace_get_one_slice_together_in_each_turn() -> None:
    pace, turns = Pace(), 0
    worked: list[int] = []

    async def work() -> None:
        for _ in range(10):
            await pace.turn()
            worked.append(turns)

    tasks = [asyncio.create_task(work()) for _ in range(5)]
    while not all(task.done() for task in tasks):
        turns += 1
        await asyncio.sleep(0)
    assert len(worked) == 50
    assert len(set(worked)) == 50
