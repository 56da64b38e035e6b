"""Random interleavings: two committers on one store, both behind faults, lose nothing, double nothing and answer the truth."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import Any

import pytest
from semp.engine import unread
from semp.engine.unread import read_all
from semp.storage.memory import store as memory_store
from semp.storage.memory.store import MemoryStore

from tests.senders import Outcomes, check, guarded, send
from tests.strategies import FakeClock, FlakyStore, Writer


async def storm(
    seed: int, *, rate: float, senders: int, patience: float, small_caches: bool = False, moves: bool = False, late: bool = False
) -> None:
    """Senders on two writers. `late`: the second one joins when half of the senders are done, and has no signals in memory then."""
    rng = random.Random(seed)
    inner, clock = MemoryStore(), FakeClock()
    stores: list[Any] = [FlakyStore(inner, random.Random(rng.random()), 0.0) for _ in range(2)]
    writers = [await Writer.on(store, clock, poll_interval=0.05, patience=patience) for store in stores[: 1 if late else 2]]
    if small_caches:
        for writer in writers:
            writer.ledger.causes.bound = writer.ledger.newest.bound = writer.ledger.scopes.bound = 2
    for store in stores:
        store.rate = rate
    outcomes = Outcomes()

    async def time_passes() -> None:
        while True:
            await asyncio.sleep(0.01)
            clock.now += rng.choice((0, 5, 5, 50_000, 900_000, -30_000))

    passing = asyncio.create_task(time_passes())
    numbers = range(1, senders + 1)
    reading: asyncio.Task[None] | None = None
    if late:
        await asyncio.gather(*(send(random.Random(rng.random()), writers, number, outcomes) for number in numbers[: senders // 2]))
        numbers = numbers[senders // 2 :]
        stores[1].rate = 0.0
        writers.append(await Writer.on(stores[1], clock, poll_interval=0.05, patience=patience))
        stores[1].rate = rate
        assert writers[1].ledger.unread
        reading = asyncio.create_task(read_all(stores[1], writers[1].ledger, writers[1].committer.poll_now))
    await asyncio.gather(*(send(random.Random(rng.random()), writers, number, outcomes) for number in numbers))
    passing.cancel()
    if reading is not None:
        await reading
        states = {key: signal for key, signal in inner.states.items() if signal.position <= writers[1].ledger.state.head}
        assert {key: writers[1].ledger.signals.get(key) for key in states} == states
        assert len(writers[1].ledger.signals) <= len(inner.states)
    for store in stores:
        store.rate = 0.0
    for writer in writers:
        await writer.committer.close()

    entries = await check(inner, outcomes, moves=moves)
    for writer in writers:
        writer.assert_fed_in_order()
        assert [entry.event for entry in writer.fed] == [entry.event for entry in entries[writer.begin :][: len(writer.fed)]]
        assert [entry.moves for entry in writer.fed] == [entry.moves for entry in inner.log[writer.begin :][: len(writer.fed)]]


@pytest.mark.parametrize("block", range(4))
@pytest.mark.parametrize(("rate", "patience"), [(0.0, 30.0), (0.03, 30.0), (0.15, 30.0), (0.4, 1.0)])
def test_no_interleaving_loses_or_doubles_an_event(block: int, rate: float, patience: float) -> None:
    for seed in range(block * 10, block * 10 + 10):
        guarded(partial(storm, seed, rate=rate, senders=25, patience=patience), f"seed {seed}")


@pytest.mark.parametrize("rate", [0.0, 0.03, 0.15])
def test_no_interleaving_answers_with_other_moves_than_were_made(rate: float) -> None:
    for seed in range(20):
        guarded(partial(storm, seed, rate=rate, senders=25, patience=30.0, moves=True), f"seed {seed}")


@pytest.mark.parametrize("rate", [0.0, 0.03, 0.15])
def test_no_interleaving_depends_on_signals_being_in_memory(rate: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_store, "AT_START", 0)
    monkeypatch.setattr(unread, "PAGE", 2)
    for seed in range(20):
        guarded(partial(storm, seed, rate=rate, senders=25, patience=30.0, moves=True, late=True), f"seed {seed}")


def test_no_interleaving_depends_on_the_size_of_the_caches() -> None:
    for seed in range(20):
        guarded(partial(storm, seed, rate=0.03, senders=25, patience=30.0, small_caches=True), f"seed {seed}")
