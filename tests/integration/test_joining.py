"""A committer that joins others on one Neo4j before it has read the signals."""

from __future__ import annotations

import asyncio
import random

import pytest
from semp.engine import unread as unread_module
from semp.engine.replay import verify
from semp.engine.unread import read_all
from semp.storage.neo4j import log as log_module
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import Neo4jStore

from tests.integration.test_racing_committers import CLIENTS, JumpingClock, client
from tests.strategies import BEGIN, Writer
from tests.waiting import until


async def test_a_committer_that_joins_without_the_signals_reads_them_while_others_write(
    neo4j_store: Neo4jStore, neo4j_target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = await Writer.on(neo4j_store, JumpingClock(BEGIN), poll_interval=0.01)
    known: list[str] = []
    await client(writer, "first", random.Random(1), 20, known)
    monkeypatch.setattr(log_module, "AT_START", 0)
    monkeypatch.setattr(unread_module, "PAGE", 1)
    joining = Neo4jStore(neo4j_target)
    writing = asyncio.create_task(client(writer, "again", random.Random(2), 40, known))
    other = await Writer.on(joining, JumpingClock(BEGIN), poll_interval=0.01)
    assert other.ledger.unread is not None
    reading = asyncio.create_task(read_all(joining, other.ledger, other.committer.poll_now))
    await asyncio.gather(writing, *(client(other, f"late-{n}", random.Random(10 + n), 12, known) for n in range(CLIENTS)))
    await reading
    head = (await neo4j_store.state()).head
    await until(lambda: writer.ledger.state.head == other.ledger.state.head == head)
    for each in (writer, other):
        await each.committer.close()
        each.assert_fed_in_order()
    assert [entry.moves for entry in other.fed] == [entry.moves for entry in writer.fed[other.begin :]]
    assert other.ledger.signals == writer.ledger.signals == {signal.key: signal for signal in await neo4j_store.signals()}
    assert await verify(neo4j_store) == []
    await joining.close()
