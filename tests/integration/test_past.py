"""Past signals on the real Neo4j: the field at every position and time, explanations, and what-if queries."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from neo4j import GraphDatabase
from semp.domain.clock import from_text, to_text
from semp.domain.errors import IdConflict, InvalidInput
from semp.domain.signals import Key, Rules, Signal, rules_at
from semp.engine import snapshots
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.explaining import Explanation
from semp.engine.ledger import fold
from semp.engine.ranking import SignalView, view
from semp.engine.records import Entry, LogState
from semp.storage.memory.store import MemoryStore
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.migrations import m0002_moves, migrate
from semp.storage.neo4j.store import Neo4jStore

from tests.strategies import BEGIN, FakeClock, Writer, filled, live_signals, make_id, new_draft, random_history, whole_log
from tests.waiting import until

Field = dict[Key, Signal]


def folded(log: list[Entry], state: LogState, without: frozenset[int] = frozenset()) -> list[Field]:
    """The field after each position, computed from the start of the log; `[0]` is the field before the first event."""
    fields: list[Field] = [{}]
    for entry in log:
        field = fields[-1].copy()
        if entry.event.position not in without:
            fold(entry, field.get, field, from_text(entry.event.timestamp), rules_at(state.rules, entry.event.position))
        fields.append(field)
    return fields


def views(field: Field, now: int) -> list[SignalView]:
    shown = [view(signal, strength) for signal in field.values() if (strength := signal.strength_at(now))]
    return sorted(shown, key=lambda signal: (-signal.strength, signal.scope, signal.pattern))


async def environment_on(store: Neo4jStore, clock: FakeClock, rules: Rules | None = None) -> Environment:
    environment = Environment(store, rules or Rules(), clock=clock, sweep_interval=3600)
    await environment.start()
    return environment


async def play(environment: Environment, clock: FakeClock, seed: int, moments: int, first: int = 1) -> int:
    """Append a random history. Returns the number of its events."""
    count = 0
    for moment in random_history(random.Random(seed), moments, first=first):
        clock.now += moment.advance
        for submission in moment.submissions():
            await environment.acting(OPEN).append(submission, batch=True)
            count += len(submission)
    return count


async def test_the_field_and_every_signal_at_every_position_are_those_of_a_fold_of_the_log(
    neo4j_store: Neo4jStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "EVERY", 40)
    clock = FakeClock()
    environment = await environment_on(neo4j_store, clock, Rules(credit_discount=0.4, credit_depth=3))
    count = await play(environment, clock, 5, 40)
    await environment.halt()
    environment = await environment_on(neo4j_store, clock, Rules(alpha=0.7, lambda_=0.9, interval=30))  # other rules from here on
    count += await play(environment, clock, 6, 40, first=count + 1)
    await until(lambda: _snapshot_taken(environment, 40))
    log, state = await whole_log(neo4j_store), await neo4j_store.state()
    assert len(state.rules) == 2
    fields = folded(log, state)
    for position in range(0, count + 1, 3):
        moment = await environment.field.moment(position)
        now = from_text(log[position - 1].event.timestamp) if position else 0
        assert (moment.position, moment.now) == (position, now)
        assert (await environment.field.signals_at(moment)).views() == views(fields[position], now)
        for (scope, pattern), signal in fields[position].items():
            found = await environment.field.signal_at(scope, pattern, moment)
            if signal.strength_at(now):
                assert found == views({signal.key: signal}, now)[0]
            else:
                assert found is None
    await environment.halt()


async def _snapshot_taken(environment: Environment, every: int) -> bool:
    head = environment.ledger.state.head
    return (await environment.storage.newest_snapshot(head))[0] > head - 2 * every


async def test_a_time_means_the_last_position_before_it_with_decay_up_to_that_time(neo4j_store: Neo4jStore) -> None:
    clock = FakeClock()
    environment = await environment_on(neo4j_store, clock)
    await play(environment, clock, 7, 60)
    clock.now += 90_000
    log, state = await whole_log(neo4j_store), await neo4j_store.state()
    fields = folded(log, state)
    times = [from_text(entry.event.timestamp) for entry in log]
    asked = {BEGIN - 1, clock.now, *times, *(time - 1 for time in times), *(time + 500 for time in times)}
    for now in sorted(time for time in asked if time <= clock.now):
        position = sum(time <= now for time in times)
        moment = await environment.field.moment(to_text(now))
        assert (moment.position, moment.now) == (position, now)
    late = await environment.field.moment(to_text(clock.now))
    assert (await environment.field.signals_at(late)).views() == views(fields[-1], clock.now) == await live_signals(environment)
    await environment.halt()


async def test_moments_that_the_log_does_not_have_are_refused(neo4j_store: Neo4jStore) -> None:
    clock = FakeClock()
    environment = await environment_on(neo4j_store, clock)
    await environment.acting(OPEN).append([new_draft()])
    for at in (2, "yesterday", "2025-01-15T10:10:00", to_text(clock.now + 1)):
        with pytest.raises(InvalidInput) as refused:
            await environment.field.moment(at)
        assert [error.field for error in refused.value.fields] == ["at"]
    await environment.halt()


async def explained(environment: Environment, key: Key, at: int | None, *, newest_first: bool, limit: int) -> Explanation | None:
    """All pages of an explanation as one."""
    moment = await environment.field.moment(at)
    first = page = await environment.field.explain(*key, moment, limit=limit, newest_first=newest_first)
    if first is None or page is None:
        return None
    steps = list(first.events)
    while page.truncated:
        page = await environment.field.explain(
            *key, moment, limit=limit, newest_first=newest_first, seen=page.events[-1].position
        )  # fmt: skip
        assert page is not None
        steps += page.events
    return Explanation(first.scope, first.pattern, first.strength, first.at, first.decay, first.count, False, steps)


async def test_an_explanation_is_a_chain_without_a_gap_that_ends_at_the_live_strength(neo4j_store: Neo4jStore) -> None:
    clock = FakeClock()
    environment = await environment_on(neo4j_store, clock, Rules(credit_discount=0.4))
    await play(environment, clock, 8, 80)
    clock.now += 61_234
    log = await whole_log(neo4j_store)
    fields = folded(log, await neo4j_store.state())
    for key, signal in fields[-1].items():
        found = await explained(environment, key, None, newest_first=False, limit=3)
        assert found is not None
        assert found == await explained(environment, key, None, newest_first=False, limit=1_000)
        backwards = await explained(environment, key, None, newest_first=True, limit=3)
        assert backwards is not None
        assert backwards.events[::-1] == found.events
        assert found.count == len(found.events)
        assert found.strength == signal.strength_at(clock.now)
        live = await environment.field.signal(*key)
        assert found.strength == (live.strength if live else 0.0)
        assert found.events[0].decay == found.events[0].before == 0
        for earlier, later in pairwise(found.events):
            assert earlier.position < later.position
            assert later.decay == later.before - earlier.after
            assert later.decay <= 0
        for step in found.events:
            assert step.change == step.after - step.before
            before = fields[step.position - 1].get(key)
            now = from_text(step.timestamp)
            assert step.before == (before.strength_at(now) if before else 0.0)
            after = fields[step.position].get(key)
            assert step.after == (after.strength_at(now) if after else 0.0)
        total = sum(step.decay + step.change for step in found.events) + found.decay
        assert total == pytest.approx(found.strength, abs=1e-12)
    assert await environment.field.explain("ui", "never", await environment.field.moment(None)) is None
    await environment.halt()


async def test_an_explanation_at_a_position_ends_there(neo4j_store: Neo4jStore) -> None:
    clock = FakeClock()
    environment = await environment_on(neo4j_store, clock)
    await play(environment, clock, 9, 40)
    log = await whole_log(neo4j_store)
    fields = folded(log, await neo4j_store.state())
    position = len(log) // 2
    now = from_text(log[position - 1].event.timestamp)
    for key, signal in fields[position].items():
        whole = await explained(environment, key, None, newest_first=False, limit=1_000)
        found = await explained(environment, key, position, newest_first=False, limit=1_000)
        assert found is not None
        assert whole is not None
        assert found.events == [step for step in whole.events if step.position <= position]
        assert found.strength == signal.strength_at(now)
        assert (found.at.position, found.at.timestamp) == (position, log[position - 1].event.timestamp)
    await environment.halt()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
async def test_without_some_events_signals_are_what_a_fold_without_them_makes(seed: int) -> None:
    clock, rng = FakeClock(), random.Random(seed)
    environment = Environment(MemoryStore(), Rules(credit_discount=0.3), clock=clock, sweep_interval=3600)
    await environment.start()
    count = await play(environment, clock, seed, 25)
    clock.now += 1_000
    log, state = await whole_log(environment.storage), await environment.storage.state()
    dropped = frozenset(rng.sample(range(1, count + 1), min(count, rng.randint(1, 4))))
    found = await environment.field.what_if([log[position - 1].event.id for position in dropped], [])
    would_be, actual = folded(log, state, dropped)[-1], folded(log, state)[-1]
    expected = {
        key: (strengths[0], strengths[1])
        for key in would_be.keys() | actual.keys()
        if any(strengths := [field[key].strength_at(clock.now) if key in field else 0.0 for field in (would_be, actual)])
    }
    shown = {(signal.scope, signal.pattern): (signal.strength, signal.actual) for signal in found.signals}
    assert all(shown[key] == expected[key] for key in shown)
    assert all(expected[key][0] == expected[key][1] for key in expected.keys() - shown.keys())
    assert await environment.storage.state() == state
    await environment.halt()


async def test_what_if_on_neo4j_drops_and_adds_and_writes_nothing(neo4j_store: Neo4jStore) -> None:
    clock = FakeClock()
    environment = await environment_on(neo4j_store, clock)
    await environment.acting(OPEN).append([new_draft(number=1), new_draft("reward", number=2, parents=[make_id(1)], value=0.5)], batch=True)
    found = await environment.field.what_if([make_id(2)], [])
    assert [(signal.strength, signal.actual) for signal in found.signals] == [(0.3, pytest.approx(0.9))]
    more = [new_draft("penalty", number=3, parents=[make_id(1)], value=-0.2), new_draft("reward", parents=[make_id(3)], value=0.1)]
    found = await environment.field.what_if([make_id(2)], more)
    assert [(signal.strength, signal.actual) for signal in found.signals] == [(pytest.approx(0.3 - 0.2 + 0.12), pytest.approx(0.9))]
    assert (found.position, found.timestamp) == (2, to_text(clock.now))
    with pytest.raises(InvalidInput, match=r"drop\[1\]: no event has the id"):
        await environment.field.what_if([make_id(1), make_id(9)], [])
    with pytest.raises(InvalidInput, match=r"add\[0\].parent_ids\[0\]: no event has the id"):
        await environment.field.what_if([], [new_draft("reward", parents=[make_id(9)])])
    with pytest.raises(IdConflict):
        await environment.field.what_if([], [new_draft("reward", number=1)])
    assert (await neo4j_store.state()).head == 2
    assert len(await neo4j_store.signals()) == 1
    await environment.halt()


async def test_a_database_of_the_first_schema_is_upgraded_to_what_would_be_written_today(
    neo4j_store: Neo4jStore, neo4j_target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(m0002_moves, "EVERY", 30)
    log = await filled(neo4j_store, 12, 60)
    aged = """
        MATCH (event:Event) REMOVE event.signal, event.before, event.after, event.share
        WITH count(*) AS events MATCH (stream:Stream) SET stream.schema = 1
        WITH events OPTIONAL MATCH (derived:Move|Snapshot) DETACH DELETE derived
    """
    before = await _kept(neo4j_store, log)
    with GraphDatabase.driver(
        neo4j_target.uri, auth=(neo4j_target.user, neo4j_target.password), notifications_min_severity="OFF"
    ) as driver:
        driver.execute_query(aged, database_=neo4j_target.database)
    tip = (await neo4j_store.state()).tip
    assert await neo4j_store.count_moves(("ui", "a1"), len(log), 10) == 0
    await neo4j_store.open(Rules())
    assert await _kept(neo4j_store, log) == before
    snapshot = await neo4j_store.snapshot(len(log))
    assert snapshot is not None
    state = await neo4j_store.state()
    assert {signal.key: signal for signal in snapshot.signals} == {
        key: signal for key, signal in folded(log, state)[snapshot.position].items() if signal.strength_at(snapshot.timestamp)
    }
    assert state.tip != tip
    await neo4j_store.open(Rules())  # the database is up to date, so nothing is done again
    assert (await neo4j_store.state()).tip == state.tip


async def _kept(store: Neo4jStore, log: list[Entry]) -> list[object]:
    keys = sorted({(move.scope, move.pattern) for entry in log for move in entry.moves})
    return [await store.moves(key, 0, len(log), 1_000) for key in keys]


async def test_a_plan_made_before_the_upgrade_is_refused_after_it(neo4j_store: Neo4jStore) -> None:
    writer = await Writer.on(neo4j_store)
    await writer.append(new_draft())
    await migrate(neo4j_store, neo4j_store.connection, 1)
    await writer.append(new_draft())  # its first plan is refused, a second one succeeds during a turn
    await writer.committer.close()
    assert (await neo4j_store.state()).head == 2
    assert await neo4j_store.count_moves(("ui", "a1"), 2, 10) == 2
