"""Signals by the position where they moved last: equal to a scan of all signals, and paid for by the stretch that is asked for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from semp.domain.interests import EVERYTHING, Interest
from semp.domain.signals import Rules, Signal
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.ledger import Ledger
from semp.engine.live import changes as changes_module
from semp.engine.live import last_moved as last_moved_module
from semp.engine.live.last_moved import LastMoved
from semp.engine.pace import SLICE, Pace
from semp.engine.records import LogState
from semp.storage.memory.store import MemoryStore

from tests.strategies import new_draft
from tests.waiting import turns_of


@pytest.fixture
async def environment() -> AsyncIterator[Environment]:
    environment = Environment(MemoryStore(), rules=Rules())
    await environment.start()
    yield environment
    await environment.stop()


def scan(ledger: Ledger, first: int, last: int, interest: Interest) -> list[tuple[str, str]]:
    found = [signal for signal in ledger.signals.values() if first <= signal.position <= last and interest.covers_scope(signal.scope)]
    return [signal.key for signal in sorted(found, key=lambda signal: (signal.position, signal.key))]


async def keys(environment: Environment, first: int, last: int, interest: Interest = EVERYTHING) -> list[tuple[str, str]]:
    return [key for part in await environment.changes.between(first, last, interest) for key in part]


async def act(environment: Environment, chance: random.Random, events: int) -> None:
    drafts = [
        new_draft(chance.choice(["proposal", "reward", "penalty"]), scope=chance.choice("abc"), action=f"x{chance.randrange(40)}")
        for _ in range(events)
    ]
    await environment.acting(OPEN).append(drafts, batch=True)


@pytest.mark.parametrize("seed", range(5))
async def test_they_are_those_that_a_scan_finds(environment: Environment, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In histories during which the lists are made, brought up to date and dropped."""
    monkeypatch.setattr(last_moved_module, "STRETCH", 16)
    monkeypatch.setattr(last_moved_module, "OUTDATED", 60)
    monkeypatch.setattr(changes_module, "TOGETHER", 7)
    chance = random.Random(seed)
    found = 0
    for _ in range(60):
        await act(environment, chance, chance.randint(1, 12))
        head = environment.ledger.state.head
        first, last = sorted([chance.randint(1, head), chance.randint(1, head)])
        for interest in (EVERYTHING, Interest.of(["a", "b"])):
            expected = scan(environment.ledger, first, last, interest)
            assert await keys(environment, first, last, interest) == expected
            found += len(expected)
    assert found > 500


async def test_one_that_moves_while_the_lists_are_made_is_not_lost(environment: Environment) -> None:
    chance = random.Random(1)
    await act(environment, chance, 40)
    asking = [asyncio.create_task(keys(environment, 1, 40)) for _ in range(3)]
    await asyncio.sleep(0)
    asking[0].cancel()  # it makes the lists; the next one begins anew
    await act(environment, chance, 40)
    assert {tuple(key) for key in await asking[1]} >= set(scan(environment.ledger, 1, 40, EVERYTHING))
    await asking[2]
    assert await keys(environment, 1, 80) == scan(environment.ledger, 1, 80, EVERYTHING)


async def test_what_has_moved_on_is_not_given(environment: Environment) -> None:
    await environment.acting(OPEN).append([new_draft(action="x"), new_draft(action="y")], batch=True)
    [part] = await environment.changes.between(1, 2, EVERYTHING)
    await environment.acting(OPEN).append([new_draft("reward", action="x")])
    assert [signal.pattern for signal in environment.changes.made_until(2, part)] == ["y"]


async def test_a_replaced_log_has_lists_of_its_own(environment: Environment) -> None:
    await environment.acting(OPEN).append([new_draft(action="x")])
    assert await keys(environment, 1, 1) == [("ui", "x")]
    environment.ledger.restart(environment.ledger.state, [])
    environment.replacement.notify()
    assert await keys(environment, 1, 1) == []


async def test_they_are_made_in_slices_and_a_short_stretch_costs_little() -> None:
    """With a hundred thousand signals: a turn of the event loop for each slice, once."""
    number = 100_000
    signals = [Signal("s", f"x{n}", 0.5, 0.3, 0.0, 0, 0, n) for n in range(number)]
    moved = LastMoved(Ledger(LogState("e", number, "t", 0, [Rules()]), signals), Pace())
    found, turns = await turns_of(lambda: moved.between(500, 509, EVERYTHING))
    assert found == [("s", f"x{n}") for n in range(500, 510)]
    assert turns >= number // SLICE
    found, turns = await turns_of(lambda: moved.between(700, 709, EVERYTHING))
    assert (len(found), turns <= 1) == (10, True)
    found, turns = await turns_of(lambda: moved.between(0, number, EVERYTHING))
    assert (len(found), turns >= number // SLICE) == (number, True)
