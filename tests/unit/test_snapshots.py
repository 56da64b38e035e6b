"""When snapshots of all signals are taken, and how they are stored."""

from __future__ import annotations

import zlib

import msgspec
import pytest
from semp.domain.signals import Rules, Signal
from semp.engine import snapshots
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.pace import SLICE
from semp.storage.memory.store import MemoryStore
from semp.storage.neo4j import history
from semp.storage.neo4j.history import pack, unpack

from tests.strategies import FakeClock, new_draft
from tests.waiting import turns_of


async def test_snapshots_fall_due_also_while_every_event_makes_a_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "EVERY", 10)
    environment = Environment(store := MemoryStore(), Rules(), clock=FakeClock(), sweep_interval=3600)
    await environment.start()
    for number in range(40):
        await environment.acting(OPEN).append([new_draft(action=f"a{5 * number + index}") for index in range(5)], batch=True)
        await environment.snapshots.take()
    await environment.halt()
    assert list(store.snapshots) == [10, 20, 40, 80, 160]
    assert all(len(snapshot.signals) == position for position, snapshot in store.snapshots.items())


async def test_a_process_that_starts_waits_for_as_many_events_as_the_stored_snapshot_has_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "EVERY", 10)
    store, clock = MemoryStore(), FakeClock()
    for number in range(60):
        environment = Environment(store, Rules(), clock=clock, sweep_interval=3600)
        await environment.start()
        await environment.acting(OPEN).append([new_draft(action=f"a{number}")])
        await environment.snapshots.take()
        await environment.halt()
    assert list(store.snapshots) == [10, 20, 40]


async def test_a_snapshot_is_of_one_position_although_signals_move_while_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "EVERY", 1_000_000)
    environment = Environment(store := MemoryStore(), Rules(), clock=FakeClock(), sweep_interval=3600)
    await environment.start()
    count = 5 * SLICE
    await environment.acting(OPEN).append([new_draft(action=f"a{number}") for number in range(count)], batch=True)
    monkeypatch.setattr(snapshots, "EVERY", 1)
    moving = environment.acting(OPEN).submit([new_draft("reward", action=f"a{number}", value=0.5) for number in range(count)], batch=True)
    taken, turns = await turns_of(environment.snapshots.take)
    await moving
    assert taken
    assert turns >= count / SLICE
    assert {signal.strength for signal in store.snapshots[count].signals} == {0.3}
    await environment.halt()


def some(count: int) -> list[Signal]:
    return [Signal(f"s{n % 7}.x", f'p,\n"[{n}]', 1 / (n + 1), 1.2, 0.95, n, n, n, 60.0) for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, history.ROWS, history.ROWS + 1, 5 * history.ROWS + 3])
async def test_a_packed_snapshot_is_unpacked_to_the_last_bit(count: int) -> None:
    field, turns = await turns_of(lambda: pack(some(count)))
    assert turns >= count // history.ROWS - 1
    found, turns = await turns_of(lambda: unpack(field))
    assert found == some(count)
    assert turns >= count // history.ROWS


async def test_a_snapshot_is_json_without_and_with_line_breaks() -> None:
    """Earlier versions wrote no line breaks, and read what is written now."""
    rows = [list(msgspec.structs.astuple(signal)) for signal in some(3 * history.ROWS)]
    assert await unpack(zlib.compress(msgspec.json.encode(rows))) == some(3 * history.ROWS)
    assert msgspec.json.decode(zlib.decompress(await pack(some(3 * history.ROWS)))) == rows
