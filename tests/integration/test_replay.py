"""Replaying the log gives exactly the live signals, on the real Neo4j, and both are what the protocol says."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from semp.domain.signals import Rules, rules_at
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.field import SignalView
from semp.engine.ports import Storage
from semp.engine.replay import verify
from semp.storage.memory.store import MemoryStore
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import Neo4jStore

from tests.conftest import empty
from tests.strategies import FakeClock, Moment, Reference, histories, live_signals, new_draft, random_history, whole_log

SAME_INTERVAL = [Rules(alpha=3.0, lambda_=0.5), Rules(alpha=0.0, lambda_=1.0), Rules(alpha=1.2, lambda_=0.9, credit_discount=0.5)]
OTHER_INTERVAL = [
    Rules(interval=6.0),
    Rules(alpha=2.0, lambda_=0.9, interval=600.0),
    Rules(interval=3600.0, credit_discount=1, credit_depth=2),
]
BOUNDED = settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


async def live(
    store: Storage, phases: Iterable[tuple[Rules, list[Moment]]], *, sweeps: random.Random | None = None, one_by_one: bool = False
) -> list[list[SignalView]]:
    """Append each phase under its rules, with a new service on the same log. Returns the signals at each start and after each moment."""
    clock = FakeClock()
    answers: list[list[SignalView]] = []
    for rules, history in phases:
        environment = Environment(store, rules, clock=clock, sweep_interval=3600, poll_interval=3600)
        await environment.start()
        answers.append(await live_signals(environment))
        for moment in history:
            clock.now += moment.advance
            for drafts in [[one] for one in moment.drafts] if one_by_one else moment.submissions():
                await environment.acting(OPEN).append(drafts, batch=True)
            if sweeps is not None and sweeps.random() < 0.5:
                await environment.sweep()
            answers.append(await live_signals(environment))
        await environment.halt()
    return answers


async def assert_protocol(store: Storage) -> None:
    """The stored signals are those of the reference implementation of docs/protocol.md."""
    state = await store.state()
    reference = Reference()
    for entry in await whole_log(store):
        reference.add(entry.event, rules_at(state.rules, entry.event.position))
    strengths = {signal.key: signal.strength_at(state.last_timestamp) for signal in await store.signals()}
    assert {key: strength for key, strength in strengths.items() if strength} == {
        key: pytest.approx(strength) for key, strength in reference.strengths.items()
    }


def under_changing_rules(seed: int, moments: int, rules: list[Rules]) -> list[tuple[Rules, list[Moment]]]:
    """A random history under changing rules; each change happens at the time of the event before it."""
    rng = random.Random(seed)
    history = random_history(rng, moments, 5)
    cut = rng.randint(1, moments - 1)
    history[cut].advance = 0
    return [(Rules(), history[:cut]), (rng.choice(rules), history[cut:])]


def prove(target: Target, story: list[tuple[Rules, list[Moment]]], seed: int) -> None:
    async def both() -> None:
        store, memory = Neo4jStore(target), MemoryStore()
        try:
            answers = await live(store, story, sweeps=random.Random(seed))
            assert await verify(store) == []
            await assert_protocol(store)
            assert answers == await live(memory, story, one_by_one=True), "sweeping or batching changed an answer"
            assert await verify(memory) == []
        finally:
            await store.close()

    empty(target)
    asyncio.run(both())


@BOUNDED
@given(history=histories(moments=9, largest=6), seed=st.integers(0, 1000))
def test_replay_gives_the_live_signals_with_any_batches_and_sweeps(neo4j_target: Target, history: list[Moment], seed: int) -> None:
    prove(neo4j_target, [(Rules(), history)], seed)


@BOUNDED
@given(seed=st.integers(0, 2**32 - 1), moments=st.integers(3, 9))
def test_replay_gives_the_live_signals_when_the_rules_change(neo4j_target: Target, seed: int, moments: int) -> None:
    prove(neo4j_target, under_changing_rules(seed, moments, SAME_INTERVAL), seed)


@BOUNDED
@given(seed=st.integers(0, 2**32 - 1), moments=st.integers(3, 9))
def test_replay_gives_the_live_signals_when_the_decay_interval_changes(neo4j_target: Target, seed: int, moments: int) -> None:
    prove(neo4j_target, under_changing_rules(seed, moments, OTHER_INTERVAL), seed)


async def test_a_signal_that_was_changed_by_hand_is_found_and_can_be_repaired(neo4j_store: Neo4jStore) -> None:
    await live(neo4j_store, [(Rules(), random_history(random.Random(1), 5))])
    before = {signal.key: signal for signal in await neo4j_store.signals()}
    alive = max(before.values(), key=lambda signal: signal.strength)
    await neo4j_store.put_signals([type(alive)(*alive.key, 0.123, alive.alpha, alive.lambda_, alive.decayed_at, alive.last_updated, 1)])
    [difference] = await verify(neo4j_store)
    assert (difference.key, difference.replayed) == (alive.key, alive)
    assert difference.stored is not None
    assert difference.stored.strength == 0.123
    await neo4j_store.put_signals([alive])
    assert await verify(neo4j_store) == []


async def test_a_signal_that_was_deleted_or_made_up_is_found(neo4j_store: Neo4jStore) -> None:
    clock = FakeClock()
    environment = Environment(neo4j_store, Rules(), clock=clock)
    await environment.start()
    await environment.acting(OPEN).append([new_draft(action="real")])
    [real] = await neo4j_store.signals()
    assert await neo4j_store.sweep([real]) == 1
    made_up = type(real)("ui", "made up", 0.5, 1.2, 0.95, real.decayed_at, real.last_updated, 1)
    await neo4j_store.put_signals([made_up])
    found = {difference.key: (difference.stored, difference.replayed) for difference in await verify(neo4j_store)}
    assert found == {real.key: (None, real), made_up.key: (made_up, None)}
    await environment.stop()
