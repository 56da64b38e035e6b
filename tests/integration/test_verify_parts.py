"""`semp verify` by parts: what differs is found in the part of the log in which it arose, on the real Neo4j."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from semp.cli.verify import verify as command_verify
from semp.domain.signals import Rules
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.records import Snapshot
from semp.engine.replay import Part, repair, verify, verify_parts
from semp.storage.memory.store import MemoryStore
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import Neo4jStore

from tests.conftest import neo4j_environment
from tests.semp_command import assert_one_clear_line, semp
from tests.strategies import FakeClock, new_draft

DAMAGED = 17
"""Position of the event that is changed by hand; it is in the second part."""


async def take(store: Neo4jStore) -> None:
    """Store a snapshot at the end of the log."""
    state = await store.state()
    live = [signal for signal in await store.signals() if signal.strength_at(state.last_timestamp)]
    await store.put_snapshot(Snapshot(state.head, state.last_timestamp, live), state.epoch)


@pytest.fixture
async def log(neo4j_store: Neo4jStore) -> Neo4jStore:
    """A log of 41 events, with snapshots at 10, 20 and 30. Of its two signals, one fades in the third part."""
    clock = FakeClock()
    environment = Environment(neo4j_store, Rules(), clock=clock, sweep_interval=3600, poll_interval=3600)
    await environment.start()
    for position in range(1, 42):
        draft = new_draft("reward", action="steady", value=0.02) if position > 1 else new_draft(action="fading")
        clock.now += 180_000
        await environment.acting(OPEN).append([draft])
        if position in (10, 20, 30):
            await take(neo4j_store)
    await environment.halt()
    assert [len(snapshot.signals) for upto in (10, 20, 30) if (snapshot := await neo4j_store.snapshot(upto))] == [2, 2, 1]
    return neo4j_store


async def parts_of(store: Neo4jStore, begin: int = 1, end: int | None = None) -> list[Part]:
    return [part async for part in verify_parts(store, begin=begin, end=end)]


def places(parts: list[Part], *, differing: bool = False) -> list[tuple[int, int]]:
    """The last position before each part, and its last one."""
    return [(part.after, part.last) for part in parts if part.differences or not differing]


async def damage(store: Neo4jStore) -> None:
    """Change the value of one reward in the database."""
    async with store.connection.driver.session() as session:
        statement = "MATCH (e:Event {position: $position}) SET e.payload = replace(e.payload, '0.02', '0.05') RETURN count(e)"
        assert await (await session.run(statement, position=DAMAGED)).value() == [1]


async def test_a_sound_log_agrees_with_every_snapshot_and_with_the_stored_signals(log: Neo4jStore) -> None:
    reached: list[int] = []
    parts = [part async for part in verify_parts(log, reached.append)]
    assert places(parts) == [(0, 10), (10, 20), (20, 30), (30, 41)]
    assert [part.snapshot is None for part in parts] == [False, False, False, True]
    assert reached == [10, 20, 30, 41]
    assert await verify(log) == []


async def test_a_changed_event_is_found_in_its_part_and_a_part_before_it_stays_right(log: Neo4jStore) -> None:
    await damage(log)
    parts = await parts_of(log)
    assert places(parts, differing=True)[0] == (10, 20)
    [difference] = parts[1].differences
    assert difference.key == ("ui", "steady")
    assert difference.stored is not None
    assert difference.replayed is not None
    assert difference.replayed.strength > difference.stored.strength


async def test_a_span_replays_the_parts_that_hold_it_and_no_others(log: Neo4jStore) -> None:
    assert places(await parts_of(log, 11, 20)) == [(10, 20)]
    assert places(await parts_of(log, 12, 21)) == [(10, 20), (20, 30)]
    assert places(await parts_of(log, 10, 10)) == [(0, 10)]
    assert places(await parts_of(log, 31)) == [(30, 41)]
    assert places(await parts_of(log, 35, 36)) == [(30, 41)]
    await damage(log)
    assert places(await parts_of(log, 1, 10), differing=True) == []
    assert places(await parts_of(log, 11, 20), differing=True) == [(10, 20)]
    assert places(await parts_of(log, 21), differing=True) == [], "the snapshot at 20 was taken before the damage"


async def test_a_changed_snapshot_is_found_and_repaired_from_the_log(log: Neo4jStore) -> None:
    right = await log.snapshot(20)
    assert right is not None
    changed = [msgspec.structs.replace(one, strength=0.9) for one in right.signals]
    await log.put_snapshot(msgspec.structs.replace(right, signals=changed), (await log.state()).epoch)
    parts = await parts_of(log)
    assert places(parts, differing=True) == [(10, 20)], "the replay goes on from what the log says"
    await repair(log, parts[1])
    assert await log.snapshot(20) == right
    assert await verify(log) == []


async def test_a_snapshot_at_the_end_of_the_log_is_compared_and_so_are_the_stored_signals(log: Neo4jStore) -> None:
    await take(log)
    assert [(part.after, part.last, part.snapshot is None) for part in await parts_of(log, 31)] == [(30, 41, False), (41, 41, True)]


async def test_the_command_names_the_part_once_and_repairs_all(log: Neo4jStore, neo4j_target: Target) -> None:
    where = neo4j_environment(neo4j_target)
    sound = semp("verify", environment=where)
    assert (sound.returncode, sound.stdout) == (0, b"")
    assert b"41 events replayed, 3 snapshots compared" in sound.stderr
    await damage(log)
    found = semp("verify", environment=where)
    assert found.returncode == 1
    lines = found.stdout.decode().splitlines()
    assert lines[0].startswith("ui:steady in the snapshot at 20, replayed from 11: stored ")
    assert len(lines) <= 2, "one for the part, and one for the stored signal if it still differs"
    assert semp("verify", "--from", "21", environment=where).returncode == 0
    assert semp("verify", "--to", "20", environment=where).returncode == 1
    assert_one_clear_line(semp("verify", "--from", "42", environment=where), "--from 42", "position 41")
    assert_one_clear_line(semp("verify", "--from", "2", "--repair", environment=where), "--repair")
    assert semp("verify", "--repair", environment=where).returncode == 0
    assert semp("verify", environment=where).returncode == 0


def test_after_an_interruption_the_command_says_where_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    @asynccontextmanager
    async def memory(*_: object, **__: object) -> AsyncGenerator[MemoryStore]:
        yield MemoryStore()

    async def interrupted(*_: object, **__: object) -> AsyncIterator[Part]:
        yield Part(0, 5_000, Snapshot(5_000, 0, []), [])
        raise KeyboardInterrupt

    monkeypatch.setattr("semp.main.database", memory)
    monkeypatch.setattr("semp.cli.verify.verify_parts", interrupted)
    with pytest.raises(KeyboardInterrupt):
        command_verify()
    assert "--from 5001" in capsys.readouterr().err
