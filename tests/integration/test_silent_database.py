"""What waits for a database that answers nothing is ended after a stated time, and nothing else is sent meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from semp.domain.errors import StoreUnavailable
from semp.domain.signals import Rules
from semp.storage.neo4j import connection as connection_module
from semp.storage.neo4j.connection import Connection
from semp.storage.neo4j.store import Neo4jStore
from semp.storage.queries import Query

from tests.strategies import Writer, make_id, new_draft
from tests.waiting import until

ENDLESS = "UNWIND range(1, 1000000000) AS n WITH n WHERE n % 7 = 8 RETURN n"


class Silent:
    """A driver whose database does not answer."""

    def session(self, **settings: Any) -> AbstractAsyncContextManager[None]:
        @asynccontextmanager
        async def opened() -> AsyncGenerator[None]:
            await asyncio.Event().wait()
            yield

        return opened()


async def fall_silent(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a heartbeat find that nothing is answered."""
    monkeypatch.setattr(connection, "_pulse", Silent())
    monkeypatch.setattr(connection, "_heard", 0.0)
    with pytest.raises(StoreUnavailable):
        await connection.heartbeat(0.01)


def waits(connection: Connection) -> int:
    """How many queries wait that silence ends."""
    return len(connection._waiting)  # pyright: ignore[reportPrivateUsage]


@pytest.fixture
async def opened(neo4j_store: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Neo4jStore]:
    """A store with an empty log, and endless queries by name."""
    await neo4j_store.open(Rules())
    for mode in ("read", "write"):
        monkeypatch.setitem(neo4j_store.connection.queries, f"endless {mode}", Query(f"endless {mode}", ENDLESS, mode, ""))
    yield neo4j_store
    monkeypatch.undo()


async def test_what_waits_is_ended_once_the_database_was_silent_for_long(opened: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = opened.connection
    monkeypatch.setattr(connection, "_long", asyncio.Semaphore(1))
    monkeypatch.setattr(connection, "_quick", asyncio.Semaphore(1))
    waiting = [
        asyncio.create_task(work)
        for work in (
            connection.run("endless read"),
            connection.run("endless write"),
            *(connection.run_in_turn("endless read") for _ in range(4)),
            *(connection.ask(ENDLESS, {}) for _ in range(4)),
        )
    ]
    await until(lambda: waits(connection) == len(waiting))
    await fall_silent(connection, monkeypatch)
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(one, StoreUnavailable) and one.retry_after > 0 for one in outcomes), outcomes
    assert ["may be stored" in str(one) for one in outcomes] == [False, True, *[False] * 8]


async def test_what_waits_goes_on_when_the_database_answers_before_that(opened: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = opened.connection
    monkeypatch.setattr(connection_module, "SILENCE", 2**31)
    read = asyncio.create_task(connection.run("endless read"))
    await until(lambda: waits(connection) == 1)
    pulse = connection._pulse  # pyright: ignore[reportPrivateUsage]
    await fall_silent(connection, monkeypatch)
    [waiting] = connection._waiting  # pyright: ignore[reportPrivateUsage]
    assert waiting.when() is not None
    monkeypatch.setattr(connection, "_pulse", pulse)
    await connection.heartbeat(10)
    assert waiting.when() is None
    assert not read.done()
    read.cancel()
    await asyncio.gather(read, return_exceptions=True)
    assert (await opened.state()).head == 0
    assert not waits(connection)


async def test_nothing_but_appends_is_sent_to_a_silent_database(opened: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = await Writer.on(opened)
    await fall_silent(opened.connection, monkeypatch)
    for refused in (
        opened.state(),
        opened.events([make_id(1)]),
        opened.count_moves(("ui", "a1"), 1, 10),
        opened.ask("cookbook/rework_scopes", {}),
        opened.put_node(make_id(1), "file", "{}"),
    ):
        with pytest.raises(StoreUnavailable, match="does not answer"):
            await refused
    [recorded] = await writer.append(new_draft())
    assert recorded.event.position == 1
    await writer.committer.close()
