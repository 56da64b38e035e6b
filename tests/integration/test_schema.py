"""The schema: it exists before the first append, may be created by many replicas at once, and is refused if it is newer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from neo4j import Driver, GraphDatabase
from neo4j.exceptions import ConstraintError
from semp.domain.causes import Proposal
from semp.domain.errors import SchemaMismatch, StoreUnavailable
from semp.domain.signals import Rules
from semp.engine.records import Cursor, LogReplaced
from semp.storage import queries
from semp.storage.neo4j import migrations
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import Neo4jStore

from tests.conftest import empty
from tests.strategies import Writer, make_id, new_draft, plan_of

UNIQUE = {
    ("Event", "id"),
    ("Event", "position"),
    ("Stream", "name"),
    ("Trace", "id"),
    ("Scope", "path"),
    ("Signal", "scope,pattern"),
    ("Node", "id"),
    ("Snapshot", "position"),
    ("Cursor", "name"),
    ("Lease", "name"),
}


@pytest.fixture
def bare(neo4j_target: Target) -> Iterator[Driver]:
    """A database without anything: no nodes, no constraints, no indexes."""
    empty(neo4j_target)
    with GraphDatabase.driver(
        neo4j_target.uri, auth=(neo4j_target.user, neo4j_target.password), notifications_min_severity="OFF"
    ) as driver:
        for record in driver.execute_query("SHOW CONSTRAINTS YIELD name").records:
            driver.execute_query(f"DROP CONSTRAINT {record['name']}")  # type: ignore[arg-type]
        for record in driver.execute_query("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name").records:
            driver.execute_query(f"DROP INDEX {record['name']}")  # type: ignore[arg-type]
        yield driver


def constraints(driver: Driver) -> set[tuple[str, str]]:
    found = driver.execute_query("SHOW CONSTRAINTS YIELD labelsOrTypes, properties").records
    return {(record["labelsOrTypes"][0], ",".join(record["properties"])) for record in found}


async def test_constraints_are_there_before_the_first_append(bare: Driver, neo4j_target: Target) -> None:
    assert constraints(bare) == set()
    store = Neo4jStore(neo4j_target)
    state, _ = await store.open(Rules())
    assert constraints(bare) == UNIQUE
    assert bare.execute_query("MATCH (n) RETURN labels(n)").records[0].value() == ["Stream"]
    assert await store.append(plan_of(state, new_draft()))
    await store.close()


async def test_every_schema_file_is_online_after_the_start(bare: Driver, neo4j_target: Target) -> None:
    store = Neo4jStore(neo4j_target)
    await store.open(Rules())
    bare.execute_query("CALL db.awaitIndexes(60)")
    found = {record["name"]: record["state"] for record in bare.execute_query("SHOW INDEXES YIELD name, state").records}
    schema_names = [name.removeprefix("schema/").partition("_")[2] for name, query in queries.load().items() if query.mode == "schema"]
    assert len(schema_names) >= 10
    assert {name: found.get(name) for name in schema_names} == dict.fromkeys(schema_names, "ONLINE")
    await store.close()


async def test_the_database_itself_refuses_a_second_event_at_a_position(bare: Driver, neo4j_target: Target) -> None:
    store = Neo4jStore(neo4j_target)
    state, _ = await store.open(Rules())
    await store.append(plan_of(state, new_draft()))
    with pytest.raises(ConstraintError):
        bare.execute_query("CREATE (:Event {id: 'x', position: 1})")
    await store.close()


async def test_replicas_that_open_at_once_make_one_log(bare: Driver, neo4j_target: Target) -> None:
    stores = [Neo4jStore(neo4j_target) for _ in range(6)]
    opened = await asyncio.gather(*(store.open(Rules()) for store in stores))
    assert len({state.epoch for state, _ in opened}) == 1
    assert constraints(bare) == UNIQUE
    assert bare.execute_query("MATCH (stream:Stream) RETURN count(*)").records[0].value() == 1
    assert all([await store.state() == opened[0][0] for store in stores])
    for store in stores:
        await store.close()


async def test_replicas_that_open_with_different_rules_at_once_leave_one_history(bare: Driver, neo4j_target: Target) -> None:
    stores = [Neo4jStore(neo4j_target) for _ in range(4)]
    state, _ = await stores[0].open(Rules())
    await stores[0].append(plan_of(state, new_draft()))
    await asyncio.gather(*(store.open(Rules(alpha=float(n))) for n, store in enumerate(stores, 2)))
    rules = (await stores[0].state()).rules
    assert [found.since for found in rules] == [1, 2]
    assert rules[1].alpha in (2.0, 3.0, 4.0, 5.0)
    for store in stores:
        await store.close()


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(bare: Driver, neo4j_target: Target) -> None:
    bare.execute_query("CREATE (:Stream {name: 'events', schema: $version})", version=migrations.VERSION + 1)
    store = Neo4jStore(neo4j_target)
    with pytest.raises(SchemaMismatch, match=f"version {migrations.VERSION + 1}"):
        await store.open(Rules())
    assert constraints(bare) == set()
    assert bare.execute_query("MATCH (stream:Stream) RETURN keys(stream)").records[0].value() == ["name", "schema"]
    await store.close()


async def test_the_epoch_is_made_with_the_database_and_stays(bare: Driver, neo4j_target: Target) -> None:
    first = Neo4jStore(neo4j_target)
    epoch = (await first.open(Rules()))[0].epoch
    await first.close()
    second = Neo4jStore(neo4j_target)
    assert (await second.open(Rules()))[0].epoch == epoch
    await asyncio.to_thread(empty, neo4j_target)
    assert (await second.open(Rules()))[0].epoch != epoch
    await second.close()


async def test_a_database_of_the_version_before_opens_unchanged_and_gets_what_is_missing(bare: Driver, neo4j_target: Target) -> None:
    first = Neo4jStore(neo4j_target)
    state, _ = await first.open(Rules())
    plan = plan_of(state, new_draft())
    assert await first.append(plan)
    await first.close()
    for name in ("cursor_name", "lease_name"):  # that version did not have them
        bare.execute_query(f"DROP CONSTRAINT {name}")  # type: ignore[arg-type]
    assert constraints(bare) < UNIQUE
    store = Neo4jStore(neo4j_target)
    assert (await store.open(Rules()))[0] == plan.state
    assert constraints(bare) == UNIQUE
    assert (await store.advance("x", 1, state.epoch)).position == 1
    await store.close()


async def test_a_start_waits_for_the_indexes_that_a_log_of_the_version_before_lacks(
    bare: Driver, neo4j_target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Queries name the index that they need, so they would fail until it is built."""
    store = Neo4jStore(neo4j_target)
    state, _ = await store.open(Rules())
    assert await store.append(plan_of(state, new_draft(trace="t", action="a")))
    for index in ("event_thread", "event_type"):
        bare.execute_query(f"DROP INDEX {index}")  # type: ignore[arg-type]
    steps: list[str] = []
    run, wait = store.connection.run, store.connection.await_indexes

    async def noted(name: str, /, **parameters: Any) -> Any:
        steps.append(name)
        return await run(name, **parameters)

    async def noted_wait(seconds: float) -> None:
        await wait(seconds)
        steps.append("indexes are built")

    monkeypatch.setattr(store.connection, "run", noted)
    monkeypatch.setattr(store.connection, "await_indexes", noted_wait)
    await store.open(Rules())
    last = max(number for number, step in enumerate(steps) if step.startswith("schema/"))
    assert steps[last + 1] == "indexes are built"
    assert bare.execute_query("SHOW INDEXES YIELD name, state WHERE state <> 'ONLINE' RETURN name").records == []
    assert await store.newest_proposals([("t", "ui")]) == {("t", "ui"): Proposal(1, "ui", "a")}
    await store.close()


async def test_a_cursor_of_a_log_that_was_replaced_is_noticed_and_moves_over_only_when_asked(bare: Driver, neo4j_target: Target) -> None:
    store = Neo4jStore(neo4j_target)
    before, _ = await store.open(Rules())
    await store.append(plan_of(before, new_draft(), new_draft()))
    await store.advance("x", 2, before.epoch)
    bare.execute_query("MATCH (n) WHERE NOT n:Cursor DETACH DELETE n")
    after, _ = await store.open(Rules())
    await store.append(plan_of(after, *(new_draft() for _ in range(5))))
    found = await store.cursor("x")
    assert found == Cursor("x", before.epoch, 2)
    assert before.epoch != after.epoch
    for epoch in (before.epoch, after.epoch):
        with pytest.raises(LogReplaced):
            await store.advance("x", 3, epoch)
    assert await store.cursor("x") == found
    assert await store.advance("x", 1, after.epoch, back=True) == Cursor("x", after.epoch, 1)
    await store.close()


async def test_the_graph_has_the_shape_of_the_design(bare: Driver, neo4j_target: Target) -> None:
    store = Neo4jStore(neo4j_target)
    writer = await Writer.on(store)
    await writer.append(
        new_draft("proposal", "ui.login.form", number=1), new_draft("reward", "api", number=2, parents=[make_id(1)], trace="t2")
    )
    await writer.committer.close()

    def rows(query: str) -> list[list[object]]:
        return sorted(list(record.values()) for record in bare.execute_query(query).records)  # type: ignore[arg-type, type-var]

    assert rows("MATCH (a)-[r]->(b) RETURN labels(a)[0], type(r), labels(b)[0], count(*)") == [
        ["Event", "PARENT", "Event", 1], ["Event", "TRACE", "Trace", 2], ["Scope", "WITHIN", "Scope", 2], ["Signal", "AT", "Scope", 1],
    ]  # fmt: skip
    assert rows("MATCH (a:Scope) RETURN a.path") == [["api"], ["ui"], ["ui.login"], ["ui.login.form"]]
    assert rows("MATCH (a:Scope)-[:WITHIN]->(b) RETURN a.path, b.path") == [["ui.login", "ui"], ["ui.login.form", "ui.login"]]
    assert rows("MATCH (e:Event)-[:TRACE]->(t) RETURN e.position, t.id, e.trace_id") == [[1, "t1", "t1"], [2, "t2", "t2"]]
    assert rows("MATCH (s:Signal)-[:AT]->(p) RETURN s.scope, s.pattern, p.path") == [["ui.login.form", "a1", "ui.login.form"]]
    assert rows("MATCH (e:Event) RETURN e.position, e.type, e.action") == [[1, "proposal", "a1"], [2, "reward", None]]
    await store.close()


def test_steps_are_numbered_without_gaps_and_each_has_a_module_of_its_own() -> None:
    assert [step.version for step in migrations.STEPS] == list(range(2, migrations.VERSION + 1))
    modules = sorted(path.stem for path in Path(migrations.__file__).parent.glob("m*.py"))
    assert [f"m{step.version:04}" for step in migrations.STEPS] == [name.partition("_")[0] for name in modules]


async def test_steps_run_once_in_order_and_go_on_where_they_were_interrupted(
    bare: Driver, neo4j_target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[int] = []
    fails = True

    def step(number: int) -> migrations.Step:
        async def run(*_: object) -> None:
            ran.append(number)
            if number == 4 and fails:
                raise StoreUnavailable("gone")

        return migrations.Step(number, f"step {number}", run)

    store = Neo4jStore(neo4j_target)
    state, _ = await store.open(Rules())
    bare.execute_query("MATCH (stream:Stream) SET stream.schema = 2")
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, step(3), step(4), step(5)))
    monkeypatch.setattr(migrations, "VERSION", 5)
    with pytest.raises(StoreUnavailable):
        await store.open(Rules())
    assert bare.execute_query("MATCH (stream:Stream) RETURN stream.schema").records[0].value() == 3
    fails = False
    after, _ = await store.open(Rules())
    assert ran == [3, 4, 4, 5]
    assert bare.execute_query("MATCH (stream:Stream) RETURN stream.schema").records[0].value() == 5
    assert (after.epoch, after.head) == (state.epoch, state.head)
    assert after.tip != state.tip
    await store.open(Rules())
    assert ran == [3, 4, 4, 5]
    await store.close()
