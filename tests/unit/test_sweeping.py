"""Sweeping many faded signals: in parts, in slices of the event loop, and with a word in the log when it cannot go on."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from semp.domain.errors import StoreUnavailable
from semp.domain.signals import Rules, Signal
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.pace import SLICE
from semp.engine.sweeping import BATCH
from semp.storage.memory.store import MemoryStore

from tests.strategies import FakeClock, new_draft
from tests.waiting import turns_of

FADED = 3 * BATCH + 17


class FailingStore(MemoryStore):
    """A store that sweeps `left` times and then is not available."""

    left = 1_000

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    async def sweep(self, faded: Sequence[Signal]) -> int:
        if not self.left:
            raise StoreUnavailable("away")
        self.left -= 1
        self.batches.append(len(faded))
        return await super().sweep(faded)


async def faded(store: MemoryStore) -> Environment:
    """An environment with FADED signals that have faded, and one that has not."""
    clock = FakeClock()
    environment = Environment(store, Rules(), clock=clock, sweep_interval=3600)
    await environment.start()
    await environment.acting(OPEN).append([new_draft(action=f"a{number}") for number in range(FADED)], batch=True)
    clock.now += 200 * 60_000
    await environment.acting(OPEN).append([new_draft(action="young")])
    return environment


async def test_many_are_deleted_in_transactions_of_bounded_size() -> None:
    environment = await faded(store := FailingStore())
    swept, turns = await turns_of(environment.sweep)
    assert swept == FADED
    assert store.batches == [BATCH, BATCH, BATCH, 17]
    assert turns >= FADED // SLICE
    assert list(store.states) == list(environment.ledger.signals) == [("ui", "young")]
    await environment.stop()


async def test_what_was_deleted_before_a_failure_stays_deleted_and_the_next_sweep_deletes_the_rest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    environment = await faded(store := FailingStore())
    store.left = 2
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await environment.sweep()
    assert len(store.states) == len(environment.ledger.signals) == FADED - 2 * BATCH + 1
    said = f"the database is not available: {FADED - 2 * BATCH} faded signals are not deleted yet"
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [("WARNING", said)]  # once for each outage
    store.left = 1_000
    assert await environment.sweep() == FADED - 2 * BATCH
    assert list(store.states) == list(environment.ledger.signals) == [("ui", "young")]
    await environment.stop()


async def test_a_signal_that_moves_during_the_sweep_stays() -> None:
    environment = await faded(store := FailingStore())

    async def sweep_and_revive() -> int:
        revived = environment.acting(OPEN).submit([new_draft(action=f"a{FADED - 1}")])
        swept = await environment.sweep()
        await revived
        return swept

    assert await sweep_and_revive() in (FADED - 1, FADED)  # the append came before its part of the sweep, or after it
    assert sorted(store.states) == sorted(environment.ledger.signals) == [("ui", f"a{FADED - 1}"), ("ui", "young")]
    await environment.stop()
