"""Long reads wait for one another, and neither short reads nor appends wait for them. A read that is given up ends in the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from semp.domain.errors import QueryTimeout
from semp.domain.signals import Rules
from semp.storage.neo4j import connection as connection_module
from semp.storage.neo4j.store import Neo4jStore
from semp.storage.queries import Query

from tests.strategies import Writer, new_draft
from tests.waiting import until

ENDLESS = "UNWIND range(1, 1000000000) AS n WITH n WHERE n % 7 = 8 RETURN n"
AT_ONCE = 2


@pytest.fixture
async def opened(neo4j_store: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Neo4jStore]:
    """A store with an empty log, two places for long reads, and a long read by the name `endless`."""
    await neo4j_store.open(Rules())
    connection = neo4j_store.connection
    monkeypatch.setattr(connection, "_long", asyncio.Semaphore(AT_ONCE))
    monkeypatch.setitem(connection.queries, "endless", Query("endless", ENDLESS, "read", "", columns={"n": "INTEGER"}))
    yield neo4j_store
    monkeypatch.undo()


async def running(store: Neo4jStore) -> int:
    """How many transactions of the database run the endless query."""
    async with store.connection.driver.session(database="system") as session:
        text = "SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery CONTAINS $part RETURN count(*) AS number"
        record = await (await session.run(text, part="% 7 = 8")).single(strict=True)
        return int(record["number"])


async def settled(store: Neo4jStore, number: int) -> None:
    async def reached() -> bool:
        return await running(store) == number

    await until(reached, 60)


async def test_a_read_that_is_cancelled_while_it_gets_its_place_ends_and_gives_the_place_back(opened: Neo4jStore) -> None:
    """Both happen in one turn of the event loop. Otherwise a task of the service never ended when it was stopped at that moment."""

    async def read(places: asyncio.Semaphore) -> None:
        async with opened.connection._place(places):  # pyright: ignore[reportPrivateUsage]
            pass

    for turns in range(4):
        places = asyncio.Semaphore(1)
        await places.acquire()
        waiting = asyncio.create_task(read(places))
        await until(lambda places=places: bool(places._waiters), 10)  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
        places.release()
        for _ in range(turns):
            await asyncio.sleep(0)
        if waiting.cancel():
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert not places.locked()


async def test_long_reads_wait_for_one_another_and_short_reads_and_appends_do_not(
    opened: Neo4jStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "READ_TIMEOUT", 300.0)
    monkeypatch.setattr(connection_module, "PATIENCE", 300.0)
    writer = await Writer.on(opened)
    await opened.count_moves(("ui", "a1"), 1, 10)  # from here on its plan is known
    reads = [asyncio.create_task(opened.connection.run_in_turn("endless")) for _ in range(12)]
    try:
        await until(lambda: opened.connection._long.locked(), 60)  # pyright: ignore[reportPrivateUsage]
        await settled(opened, AT_ONCE)
        monkeypatch.setattr(connection_module, "QUICK", 60.0)  # what is short is so on a busy machine too
        [recorded] = await writer.append(new_draft())
        assert list(await opened.causes([recorded.event.id])) == [recorded.event.id]
        assert await opened.count_moves(("ui", "a1"), 1, 10) == 1
        assert await running(opened) == AT_ONCE
        assert not any(read.done() for read in reads)
    finally:
        await give_up(reads)
        await writer.committer.close()
    await settled(opened, 0)
    assert not opened.connection._long.locked()  # pyright: ignore[reportPrivateUsage]


async def give_up(reads: list[asyncio.Task[list[list[object]]]]) -> None:
    for read in reads:
        read.cancel()
    await asyncio.gather(*reads, return_exceptions=True)


async def test_a_read_that_is_not_quick_is_begun_again_among_the_long_ones(opened: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[float] = []
    run = opened.connection._run  # pyright: ignore[reportPrivateUsage]

    async def noting(query: Query, text: str, parameters: dict[str, object], limit: float) -> list[list[object]]:
        limits.append(limit)
        return await run(query, text, parameters, limit)

    monkeypatch.setattr(opened.connection, "_run", noting)
    monkeypatch.setattr(connection_module, "READ_TIMEOUT", 2.0)
    with pytest.raises(QueryTimeout):
        await opened.connection.run_in_turn("endless")
    assert limits == [connection_module.QUICK, 2.0]
    assert not opened.connection._long.locked()  # pyright: ignore[reportPrivateUsage]
