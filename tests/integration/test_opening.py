"""A replica that starts reads the signals without holding up the others, and still starts with what they did meanwhile."""

from __future__ import annotations

import pytest
from semp.domain.signals import Key, Rules, Signal
from semp.storage.neo4j import log as log_module
from semp.storage.neo4j.connection import Connection, Target
from semp.storage.neo4j.store import Neo4jStore

from tests.strategies import Writer, new_draft


async def test_what_others_append_while_the_signals_are_read_is_part_of_them(
    neo4j_store: Neo4jStore, neo4j_target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = await Writer.on(neo4j_store)
    await writer.append(new_draft(action="old"), new_draft(action="odd: key"), new_draft(action="untouched"))
    read = log_module.read_page

    async def read_while_others_write(connection: Connection, after: Key, limit: int) -> list[Signal]:
        signals = await read(connection, after, limit)
        for action in ("old", "odd: key"):
            await writer.append(new_draft("reward", action=action, value=0.5))  # not blocked: the reader holds no lock
        await writer.append(new_draft(action="new"))
        return signals

    monkeypatch.setattr(log_module, "read_page", read_while_others_write)
    replica = Neo4jStore(neo4j_target)
    state, signals = await replica.open(Rules())
    assert state.head == 6
    assert signals is not None
    assert {signal.key: signal for signal in signals} == writer.ledger.signals
    assert len(signals) == 4
    await replica.close()
    await writer.committer.close()
