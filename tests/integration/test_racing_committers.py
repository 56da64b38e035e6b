"""Several committers on one real Neo4j: position order is commit order, without gaps, and the signals are those of the replay."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import networkx as nx
import pytest
from neo4j import GraphDatabase
from semp.domain.errors import InvalidInput
from semp.domain.events import Draft, Event
from semp.engine import unread as unread_module
from semp.engine.ledger import Ledger
from semp.engine.records import Entry, EventFilter
from semp.engine.replay import verify
from semp.engine.unread import read_all
from semp.storage.neo4j import log as log_module
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import Neo4jStore

from tests.strategies import BEGIN, FakeClock, Writer, make_id, new_draft, random_draft, whole_log
from tests.waiting import until

CLIENTS = 4
"""Clients of each committer; each of them waits for an answer before it sends again."""

PROCESS = """
import asyncio, json, random, sys
from semp.domain.clock import system_clock
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import Neo4jStore
from tests.integration.test_racing_committers import client
from tests.strategies import Writer

async def main(uri, user, password, name, posts):
    store = Neo4jStore(Target(uri, user, password))
    writer = await Writer.on(store, system_clock, poll_interval=0.05)
    known = []
    acknowledged = await asyncio.gather(*(client(writer, f"{name}-{n}", random.Random(f"{name}-{n}"), int(posts), known) for n in range(3)))
    await writer.committer.close()
    writer.assert_fed_in_order()
    await store.close()
    print(json.dumps([one for each in acknowledged for one in each]))

asyncio.run(main(*sys.argv[1:3], json.load(sys.stdin), *sys.argv[3:]))
"""


class JumpingClock(FakeClock):
    """Jumps ahead by nothing, 3 ms or a minute each time it is read, so that it moves while others write."""

    def __init__(self, now: int) -> None:
        super().__init__(now)
        self._random = random.Random(now)

    def __call__(self) -> int:
        self.now += self._random.choice((0, 3, 60_000))
        return self.now


async def client(writer: Writer, agent: str, rng: random.Random, posts: int, known: list[str]) -> list[tuple[str, int]]:
    """Append single events and batches whose parents are among `known`. Returns ids and positions in the order of the answers."""
    acknowledged: list[tuple[str, int]] = []
    for _ in range(posts):
        drafts: list[Draft] = []
        for _ in range(rng.choice((1, 1, 1, 5, 80))):
            drafts.append(random_draft(rng, None, known[-30:] + [draft.id for draft in drafts][-5:], agent=agent))
        answers = await writer.append(*drafts)
        acknowledged += [(answer.event.id, answer.event.position) for answer in answers]
        known += [answer.event.id for answer in answers]
    return acknowledged


async def follow(store: Neo4jStore, ledger: Ledger, stop: asyncio.Event) -> list[Event]:
    """A reader that asks for what comes after the last position it has seen, as fast as it can, while others write.

    It reads up to the head that its process knows, as the service does: of a transaction that is being committed, the database may show
    later events before earlier ones.
    """
    seen: list[Event] = []
    stopping = False
    while True:
        after, before = seen[-1].position if seen else 0, ledger.state.head + 1
        page = (await store.page(EventFilter(after=after, before=before, newest_first=False, limit=50))).events
        seen += page
        if not page and stopping:
            return seen
        stopping = stop.is_set()


def edges(target: Target) -> list[tuple[str, str, int, int]]:
    """Every PARENT edge of the database: id of the child, id of the cause, position of the child, position of the cause."""
    with GraphDatabase.driver(target.uri, auth=(target.user, target.password)) as driver:
        found = driver.execute_query(
            "MATCH (child:Event)-[:PARENT]->(cause:Event) RETURN child.id, cause.id, child.position, cause.position",
            database_=target.database,
        )
        return [(row[0], row[1], row[2], row[3]) for row in found.records]


def assert_one_log(entries: list[Entry], acknowledged: list[list[tuple[str, int]]], seen: list[Event], target: Target) -> None:
    by_id = {entry.event.id: entry.event for entry in entries}
    assert [entry.event.position for entry in entries] == list(range(1, len(entries) + 1)), "a gap, or a position twice"
    assert len(by_id) == len(entries) == sum(map(len, acknowledged)), "an event is lost or doubled"
    for answers in acknowledged:
        assert [position for _, position in answers] == sorted(position for _, position in answers), "a writer's order is not kept"
        assert all(by_id[event_id].position == position for event_id, position in answers)
    stamps = [entry.event.timestamp for entry in entries]
    assert stamps == sorted(stamps), "time runs backwards"
    assert seen == [entry.event for entry in entries], "the reader missed something, or saw it twice or out of order"
    real = edges(target)
    assert sorted((child, cause) for child, cause, _, _ in real) == sorted(
        (entry.event.id, parent) for entry in entries for parent in entry.event.parent_ids
    )
    assert all(cause < child for _, _, child, cause in real)
    assert nx.is_directed_acyclic_graph(nx.DiGraph([edge[:2] for edge in real]))


async def test_racing_committers_write_one_log(neo4j_store: Neo4jStore, neo4j_target: Target) -> None:
    stores = [Neo4jStore(neo4j_target) for _ in range(3)]
    clocks = [JumpingClock(BEGIN), JumpingClock(BEGIN + 3_600_000), JumpingClock(BEGIN - 3_600_000)]
    writers = [await Writer.on(store, clock, poll_interval=0.01) for store, clock in zip(stores, clocks, strict=True)]
    stop, known = asyncio.Event(), list[str]()
    reading = asyncio.create_task(follow(neo4j_store, writers[0].ledger, stop))
    acknowledged = await asyncio.gather(
        *(client(writer, f"w{w}-{n}", random.Random(10 * w + n), 12, known) for w, writer in enumerate(writers) for n in range(CLIENTS))
    )
    await until(lambda: all(writer.ledger.state.head == sum(map(len, acknowledged)) for writer in writers))
    stop.set()
    seen = await reading
    for writer in writers:
        await writer.committer.close()
    entries = await whole_log(neo4j_store)
    await asyncio.to_thread(assert_one_log, entries, acknowledged, seen, neo4j_target)
    assert await verify(neo4j_store) == []
    for writer in writers:
        writer.assert_fed_in_order()
        assert [entry.event for entry in writer.fed] == seen
        assert [entry.moves for entry in writer.fed] == [entry.moves for entry in writers[0].fed]
        assert writer.ledger.signals == {signal.key: signal for signal in await neo4j_store.signals()}
    for store in stores:
        await store.close()


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


async def test_racing_processes_write_one_log(neo4j_store: Neo4jStore, neo4j_target: Target) -> None:
    root = Path(__file__).parent.parent.parent

    def run(name: str) -> list[tuple[str, int]]:
        done = subprocess.run(
            [sys.executable, "-c", PROCESS, neo4j_target.uri, neo4j_target.user, name, "10"],
            input=json.dumps(neo4j_target.password), env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root / "app")])},
            capture_output=True, text=True, cwd=root, timeout=100,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [(event_id, position) for event_id, position in json.loads(done.stdout)]

    writer = await Writer.on(neo4j_store, FakeClock(), poll_interval=0.02)
    stop = asyncio.Event()
    reader = Neo4jStore(neo4j_target)
    reading = asyncio.create_task(follow(reader, writer.ledger, stop))
    acknowledged = await asyncio.gather(
        *(asyncio.to_thread(run, name) for name in ("one", "two")), client(writer, "here", random.Random(3), 25, known=[])
    )
    await until(lambda: writer.ledger.state.head == sum(map(len, acknowledged)))
    stop.set()
    seen = await reading
    await writer.committer.close()
    in_order = [sorted(each, key=lambda one: one[1]) for each in acknowledged]  # the three clients of a process answer in parallel
    await asyncio.to_thread(assert_one_log, await whole_log(reader), in_order, seen, neo4j_target)
    assert await verify(reader) == []
    writer.assert_fed_in_order()
    assert [entry.event for entry in writer.fed] == seen
    await reader.close()


async def test_the_same_id_sent_to_several_replicas_is_one_event(neo4j_store: Neo4jStore, neo4j_target: Target) -> None:
    stores = [Neo4jStore(neo4j_target) for _ in range(3)]
    writers = [await Writer.on(store, poll_interval=3600) for store in stores]
    for number in range(1, 16):
        answers = await asyncio.gather(*(writer.append(new_draft(number=number)) for writer in writers))
        assert sorted(answer.created for [answer] in answers) == [False, False, True]
        assert {answer.event.position for [answer] in answers} == {number}
    assert len(await whole_log(neo4j_store)) == 15
    assert await verify(neo4j_store) == []
    for writer, store in zip(writers, stores, strict=True):
        await writer.committer.close()
        await store.close()


async def test_a_parent_that_another_replica_wrote_is_found_at_once(neo4j_store: Neo4jStore, neo4j_target: Target) -> None:
    other = Neo4jStore(neo4j_target)
    here, there = await Writer.on(neo4j_store, poll_interval=3600), await Writer.on(other, poll_interval=3600)
    await there.append(new_draft(number=1, action="theirs"))
    [reward] = await here.append(new_draft("reward", "elsewhere", number=2, parents=[make_id(1)]))
    assert [(m.scope, m.pattern) for m in reward.moves] == [("ui", "theirs")]
    await here.committer.close()
    await there.committer.close()
    await other.close()


async def test_no_cycle_can_be_written(neo4j_store: Neo4jStore, neo4j_target: Target) -> None:
    writer = await Writer.on(neo4j_store)
    with pytest.raises(InvalidInput):
        new_draft(number=1, parents=[make_id(1)])
    with pytest.raises(InvalidInput):
        await writer.append(new_draft(number=1, parents=[make_id(2)]), new_draft(number=2, parents=[make_id(1)]))
    first = asyncio.ensure_future(writer.append(new_draft(number=3, parents=[make_id(4)])))
    second = asyncio.ensure_future(writer.append(new_draft(number=4, parents=[make_id(3)])))
    outcomes = await asyncio.gather(first, second, return_exceptions=True)
    assert all(isinstance(outcome, InvalidInput) for outcome in outcomes)
    assert await whole_log(neo4j_store) == []
    assert await asyncio.to_thread(edges, neo4j_target) == []
    await writer.committer.close()
