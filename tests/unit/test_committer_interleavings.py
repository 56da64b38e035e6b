"""Random interleavings: two committers on one store, both behind faults, lose nothing, double nothing and answer the truth."""

from __future__ import annotations

import asyncio
import random
from functools import partial

import pytest
from semp.storage.memory.store import MemoryStore

from tests.senders import Outcomes, check, guarded, send
from tests.strategies import FakeClock, FlakyStore, Writer


async def storm(seed: int, *, rate: float, senders: int, patience: float, small_caches: bool = False, moves: bool = False) -> None:
    rng = random.Random(seed)
    inner, clock = MemoryStore(), FakeClock()
    stores = [FlakyStore(inner, random.Random(rng.random()), 0.0) for _ in range(2)]
    writers = [await Writer.on(store, clock, poll_interval=0.05, patience=patience) for store in stores]
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
    await asyncio.gather(*(send(random.Random(rng.random()), writers, number, outcomes) for number in range(1, senders + 1)))
    passing.cancel()
    for store in stores:
        store.rate = 0.0
    for writer in writers:
        await writer.committer.close()

    entries = await check(inner, outcomes, moves=moves)
    for writer in writers:
        writer.assert_fed_in_order()
        assert [entry.event for entry in writer.fed] == [entry.event for entry in entries[: len(writer.fed)]]
        assert [entry.moves for entry in writer.fed] == [entry.moves for entry in inner.log[: len(writer.fed)]]


@pytest.mark.parametrize("block", range(4))
@pytest.mark.parametrize(("rate", "patience"), [(0.0, 30.0), (0.03, 30.0), (0.15, 30.0), (0.4, 1.0)])
def test_no_interleaving_loses_or_doubles_an_event(block: int, rate: float, patience: float) -> None:
    for seed in range(block * 10, block * 10 + 10):
        guarded(partial(storm, seed, rate=rate, senders=25, patience=patience), f"seed {seed}")


@pytest.mark.parametrize("rate", [0.0, 0.03, 0.15])
def test_no_interleaving_answers_with_other_moves_than_were_made(rate: float) -> None:
    for seed in range(20):
        guarded(partial(storm, seed, rate=rate, senders=25, patience=30.0, moves=True), f"seed {seed}")


def test_no_interleaving_depends_on_the_size_of_the_caches() -> None:
    for seed in range(20):
        guarded(partial(storm, seed, rate=0.03, senders=25, patience=30.0, small_caches=True), f"seed {seed}")
