"""A start with many signals: ready before they are read, and every answer as if they had been."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from semp.domain.errors import StoreUnavailable
from semp.domain.interests import EVERYTHING
from semp.domain.signals import Rules, Signal
from semp.engine import unread as unread_module
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.gate import Gate
from semp.engine.ledger import Ledger
from semp.engine.ranking import Wanted
from semp.engine.records import LogState
from semp.engine.unread import PAGE
from semp.storage.memory.store import MemoryStore

from tests.scripted_store import Scripted
from tests.strategies import BEGIN, FakeClock, Writer, make_id, new_draft
from tests.waiting import until

SIGNALS = 2_500
"""More than are read before the start is done."""


async def store_with_many() -> MemoryStore:
    """A log of SIGNALS proposals, each with a signal of its own."""
    store = MemoryStore()
    writer = await Writer.on(store)
    await writer.append(*[new_draft(number=number, action=f"a{number}") for number in range(1, SIGNALS + 1)])
    await writer.committer.close()
    return store


async def started(store: Any) -> Environment:
    environment = Environment(store, Rules(), clock=FakeClock(), sweep_interval=3600, poll_interval=0.01)
    await environment.start()
    return environment


@pytest.fixture
async def store() -> Scripted:
    """Holds back all pages of signals until `release` is set."""
    held = Scripted(await store_with_many())
    held.script["signals_after"] = ["hold"]
    return held


@pytest.fixture
async def environment(store: Scripted) -> AsyncIterator[Environment]:
    environment = await started(store)
    assert len(environment.ledger.signals) == 0
    yield environment
    await environment.halt()


@pytest.fixture
def gate(environment: Environment) -> Gate:
    return environment.acting(OPEN)


async def test_an_event_moves_signals_that_are_not_read_yet(environment: Environment, gate: Gate) -> None:
    environment.require_ready()
    [first], [second], [new] = await asyncio.gather(
        gate.append([new_draft("reward", action="a7", value=0.5)]),
        gate.append([new_draft("penalty", parents=[make_id(9)], value=0.1)]),
        gate.append([new_draft(action="new")]),
    )
    moves = {one.event.type: [(m.pattern, m.before, m.after) for m in one.moves] for one in (first, second, new)}
    assert moves == {
        "reward": [("a7", 0.3, pytest.approx(0.9))],
        "penalty": [("a9", 0.3, pytest.approx(0.2))],
        "proposal": [("new", 0.0, 0.3)],
    }
    [again] = await gate.append([new_draft("penalty", action="a7", value=0.5)])
    assert [(m.before, m.after) for m in again.moves] == [(pytest.approx(0.9), pytest.approx(0.4))]
    assert len(environment.ledger.signals) == 3


async def test_a_list_waits_and_is_complete(store: Scripted, environment: Environment, gate: Gate) -> None:
    listing = asyncio.create_task(gate.signals(Wanted()))
    await gate.append([new_draft("reward", action="a7", value=0.5)])
    await gate.append([new_draft(action="new")])
    assert not listing.done()
    store.release.set()
    ranked = await listing
    assert len(ranked) == SIGNALS + 1
    assert ranked.position == SIGNALS + 2
    assert [(view.pattern, view.strength) for view in ranked.views(0, 2)] == [("a7", pytest.approx(0.9)), ("a1", 0.3)]
    assert environment.ledger.unread is None
    assert environment.ledger.signals == store.inner.states


async def test_one_signal_is_read_by_itself(gate: Gate) -> None:
    found = await gate.signal("ui", "a7")
    assert found is not None
    assert found.strength == 0.3
    assert await gate.signal("ui", "never") is None


async def test_a_list_that_waits_too_long_is_refused(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semp.engine.field.PATIENCE", 0.01)
    with pytest.raises(StoreUnavailable, match="still reading the signals"):
        await gate.signals(Wanted())


async def test_background_work_and_questions_wait_for_all_signals(store: Scripted, environment: Environment, gate: Gate) -> None:
    sweeping = asyncio.create_task(environment.sweep())
    asking = asyncio.create_task(gate.what_if([make_id(7)], []))
    moved = asyncio.create_task(environment.changes.between(1, 3, EVERYTHING))
    await gate.append([new_draft("penalty", action="a7", value=1.0)])
    assert not any(task.done() for task in (sweeping, asking, moved))
    store.release.set()
    assert await sweeping == 1
    assert ("ui", "a7") not in store.inner.states
    assert [(one.pattern, one.strength) for one in (await asking).signals] == []
    assert [keys for part in await moved for keys in part] == [("ui", "a1"), ("ui", "a2"), ("ui", "a3")]


async def test_a_snapshot_has_all_signals(store: Scripted, environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semp.engine.snapshots.EVERY", 1_000)
    taking = asyncio.create_task(environment.snapshots.take())
    await environment.acting(OPEN).append([new_draft("reward", action="a7", value=0.5)])
    store.release.set()
    assert await taking
    snapshot = await store.inner.snapshot(SIGNALS + 1)
    assert snapshot is not None
    assert (snapshot.position, len(snapshot.signals)) == (SIGNALS + 1, SIGNALS)


async def test_events_of_others_are_taken_over_with_their_moves(store: Scripted, environment: Environment, gate: Gate) -> None:
    other = await Writer.on(store.inner)
    [theirs] = await other.append(new_draft("reward", action="a7", value=0.5))
    await other.append(new_draft("penalty", action="a8", value=1.0))
    assert await store.inner.sweep([other.ledger.signals["ui", "a8"]]) == 1
    [ours] = await gate.append([new_draft("reward", action="a7", value=0.01)])
    assert ours.moves[0].before == theirs.moves[0].after
    live = list(environment.hub.walk(SIGNALS + 1, backwards=False))
    assert [[(m.pattern, m.before, m.after) for m in entry.moves] for entry in live[:2]] == [
        [("a7", 0.3, pytest.approx(0.9))], [("a8", 0.3, 0.0)],
    ]  # fmt: skip
    store.release.set()
    await environment.ledger.complete()
    await other.committer.close()


async def test_pages_are_read_again_after_a_fault(store: Scripted, environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread_module, "RETRY", 0.001)
    store.script["signals_after"] = ["before", "ok", "after"]
    store.script["state"] = ["before"]
    store.release.set()
    await environment.ledger.complete()
    assert environment.ledger.signals == store.inner.states
    assert store.calls.count("signals_after") == SIGNALS // PAGE + 1 + 2


async def test_a_log_that_is_replaced_meanwhile_has_signals_of_its_own(store: Scripted, environment: Environment, gate: Gate) -> None:
    store.script["signals_after"] = ["hold", "hold"]
    waiting = asyncio.create_task(gate.signals(Wanted()))
    other = MemoryStore()
    writer = await Writer.on(other)
    await writer.append(*[new_draft(number=number, action=f"b{number}") for number in range(1, SIGNALS + 1)])
    await writer.committer.close()
    store.inner = other
    await until(lambda: environment.ledger.state.epoch == other.current.epoch)
    assert environment.ledger.unread is not None
    store.release.set()
    assert {view.pattern[0] for view in (await waiting).views()} == {"b"}
    assert environment.ledger.signals == other.states


async def test_a_start_with_few_signals_has_them_all() -> None:
    store = MemoryStore()
    writer = await Writer.on(store)
    await writer.append(new_draft(action="a"))
    await writer.committer.close()
    environment = await started(store)
    assert environment.ledger.unread is None
    assert environment.ledger.signals == store.states
    await environment.halt()


def signal(pattern: str, position: int) -> Signal:
    return Signal("ui", pattern, 0.5, 1.2, 0.95, BEGIN, BEGIN, position)


def test_what_is_in_memory_is_newer_than_what_is_read() -> None:
    ledger = Ledger(LogState("e", 5, "t", 0, [Rules()]), None)
    unread = ledger.unread
    assert unread is not None
    ledger.add_read(unread, [], [signal("a", 3), signal("b", 6)])
    assert list(ledger.signals) == [("ui", "a")]
    assert ledger.knows(("ui", "a"))
    assert not ledger.knows(("ui", "b"))
    ledger.signals["ui", "a"] = moved = signal("a", 7)
    ledger.add_read(unread, [("ui", "gone")], [signal("a", 3)])
    assert ledger.signals["ui", "a"] is moved
    assert ledger.knows(("ui", "gone"))
    ledger.all_read()
    ledger.add_read(unread, [], [signal("c", 1)])
    assert ("ui", "c") not in ledger.signals
