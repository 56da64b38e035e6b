"""What every storage must do with the log; Neo4j and memory pass the same cases."""

from __future__ import annotations

from app.domain.signals import Rules
from app.engine.ports import Storage


async def test_an_empty_log_stands_at_zero_and_has_an_epoch(store: Storage) -> None:
    state, signals = await store.open(Rules())
    assert (state.head, state.last_timestamp, signals) == (0, 0, [])
    assert state.epoch
    assert (await store.open(Rules()))[0] == state
