"""The connection to the real Neo4j breaks in the middle of a commit: the outcome is found out, never guessed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from semp.domain.errors import OutcomeUnknown, StoreUnavailable
from semp.engine.replay import verify
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import Neo4jStore

from tests.conftest import empty
from tests.strategies import Writer, make_id, new_draft, random_draft, whole_log
from tests.waiting import until


class Proxy:
    """A TCP relay before the database that can lose a request, or the answer to one."""

    def __init__(self, target: Target) -> None:
        address = urlsplit(target.uri)
        self._host, self._port = address.hostname or "127.0.0.1", address.port or 7687
        self.lose: str | None = None
        """What to lose next: the `request` that contains `marker`, or the `answer` to it. Then the connection is cut."""
        self.marker = b"stream.locked_by = $tip"
        self.lost = 0
        self.refusing = False
        self._open: set[asyncio.StreamWriter] = set()

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.close()
            return
        there_reader, there_writer = await asyncio.open_connection(self._host, self._port)
        self._open |= {writer, there_writer}
        marked = asyncio.Event()

        async def up() -> None:
            while data := await reader.read(65_536):
                if self.lose is not None and self.marker in data:
                    if self.lose == "request":
                        self.lost, self.lose = self.lost + 1, None
                        return
                    self.lost, self.lose = self.lost + 1, None
                    marked.set()
                there_writer.write(data)
                await there_writer.drain()

        async def down() -> None:
            while data := await there_reader.read(65_536):
                if marked.is_set():
                    return
                writer.write(data)
                await writer.drain()

        tasks = {asyncio.ensure_future(up()), asyncio.ensure_future(down())}
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for end in (writer, there_writer):
            self._open.discard(end)
            end.close()

    def cut(self) -> None:
        """Break every connection now."""
        for writer in list(self._open):
            writer.transport.abort()


@asynccontextmanager
async def behind_proxy(target: Target) -> AsyncGenerator[tuple[Proxy, Neo4jStore]]:
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.relay, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    store = Neo4jStore(Target(f"bolt://127.0.0.1:{port}", target.user, target.password, target.database))
    try:
        yield proxy, store
    finally:
        await store.close()
        server.close()
        proxy.cut()
        await server.wait_closed()


@pytest.mark.parametrize("lost", ["request", "answer"])
async def test_a_commit_whose_outcome_is_unknown_is_resolved_by_id(neo4j_store: Neo4jStore, neo4j_target: Target, lost: str) -> None:
    async with behind_proxy(neo4j_target) as (proxy, store):
        writer = await Writer.on(store, poll_interval=3600)
        await writer.append(new_draft(number=1))
        proxy.lose = lost
        recorded = await writer.append(
            new_draft("reward", number=2, parents=[make_id(1)]), new_draft("test", number=3, parents=[make_id(2)])
        )
        assert proxy.lost == 1
        assert [(one.created, one.event.position) for one in recorded] == [(True, 2), (True, 3)]
        assert [one.moves[0].after for one in recorded] == [pytest.approx(0.9), pytest.approx(0.9)]
        assert [entry.event.id for entry in await whole_log(neo4j_store)] == [make_id(n) for n in (1, 2, 3)]
        assert await verify(neo4j_store) == []
        writer.assert_fed_in_order()
        assert len(writer.fed) == 3
        await writer.committer.close()


async def test_connections_cut_at_random_lose_and_double_nothing(neo4j_store: Neo4jStore, neo4j_target: Target) -> None:
    rng = random.Random(8)
    acknowledged: list[str] = []
    sent: set[str] = set()

    async with behind_proxy(neo4j_target) as (proxy, store):
        writer = await Writer.on(store, poll_interval=0.05)

        async def client(rng: random.Random) -> None:
            for _ in range(15):
                drafts = [random_draft(rng, None, acknowledged[-20:]) for _ in range(rng.choice((1, 1, 4, 70)))]
                sent.update(draft.id for draft in drafts)
                while True:
                    try:
                        answers = await writer.append(*drafts)
                    except OutcomeUnknown:
                        raise
                    except StoreUnavailable:  # refused before it was stored, so it may be sent again
                        await until(lambda: writer.committer.available)
                        continue
                    acknowledged.extend(answer.event.id for answer in answers)
                    break

        async def trouble() -> None:
            for _ in range(25):  # then the rest gets through, however slow the machine is
                await asyncio.sleep(0.05 + rng.random() * 0.2)
                kind = rng.choice(("request", "answer", "answer", "cut"))
                if kind == "cut":
                    proxy.cut()
                else:
                    proxy.lose = kind

        troubling = asyncio.create_task(trouble())
        await asyncio.gather(*(client(random.Random(seed)) for seed in range(8)))
        troubling.cancel()
        await writer.committer.close()
        entries = await whole_log(neo4j_store)
        ids = [entry.event.id for entry in entries]
        assert proxy.lost > 3
        assert len(set(ids)) == len(ids)
        assert set(ids) == set(acknowledged) == sent
        assert [entry.event.position for entry in entries] == list(range(1, len(ids) + 1))
        assert await verify(neo4j_store) == []
        writer.assert_fed_in_order()
        assert [entry.event for entry in writer.fed] == [entry.event for entry in entries]


async def test_while_the_database_is_away_nothing_is_accepted_and_it_comes_back_by_itself(
    neo4j_store: Neo4jStore, neo4j_target: Target
) -> None:
    async with behind_proxy(neo4j_target) as (proxy, store):
        writer = await Writer.on(store, poll_interval=0.05)
        await writer.append(new_draft(number=1))
        proxy.refusing = True
        proxy.cut()
        await until(lambda: not writer.committer.available)
        with pytest.raises(StoreUnavailable):
            await writer.append(new_draft(number=2))
        proxy.refusing = False
        await until(lambda: writer.committer.available)
        [recorded] = await writer.append(new_draft(number=3))
        assert recorded.event.position == 2
        assert [entry.event.id for entry in await whole_log(neo4j_store)] == [make_id(1), make_id(3)]
        await writer.committer.close()


async def test_another_database_behind_the_same_address_is_noticed_by_the_next_append(
    neo4j_store: Neo4jStore, neo4j_target: Target
) -> None:
    """As after a restore from a backup, log and epoch are new. The append must not take as long as a transaction may take."""
    writer = await Writer.on(neo4j_store, poll_interval=3600)
    await writer.append(new_draft(number=1))
    await asyncio.to_thread(empty, neo4j_target)
    other = Neo4jStore(neo4j_target)
    fresh, _ = await other.open(writer.committer.ledger.rules)
    async with asyncio.timeout(15):
        [recorded] = await writer.append(new_draft("reward", number=2, action="new"))
    assert recorded.event.position == 1
    assert writer.resets == 1
    assert writer.ledger.state.epoch == fresh.epoch
    await writer.committer.close()
    await other.close()


async def test_another_database_is_noticed_without_an_append(neo4j_store: Neo4jStore, neo4j_target: Target) -> None:
    writer = await Writer.on(neo4j_store, poll_interval=0.05)
    await writer.append(new_draft(number=1))
    await asyncio.to_thread(empty, neo4j_target)
    other = Neo4jStore(neo4j_target)
    await other.open(writer.committer.ledger.rules)
    await until(lambda: writer.resets == 1)
    [recorded] = await writer.append(new_draft(number=2))
    assert recorded.event.position == 1
    await writer.committer.close()
    await other.close()


async def test_an_emptied_database_is_reported_as_unavailable(neo4j_store: Neo4jStore, neo4j_target: Target) -> None:
    """All data was deleted while the service runs: senders get StoreUnavailable, and not an error that looks like a defect."""
    writer = await Writer.on(neo4j_store, poll_interval=3600, patience=1.0)
    await asyncio.to_thread(empty, neo4j_target)
    with pytest.raises(StoreUnavailable):
        await writer.append(new_draft(number=1))
    await writer.committer.close()
