"""The signal rules: the protocol's numbers as examples, and what must hold for every sequence of events."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semp.domain.event_types import EVENT_TYPES, EventType
from semp.domain.scopes import Glob
from semp.domain.signals import FADED, INITIAL, Move, Rules, Signal, apply, rules_at
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.ranking import Wanted
from semp.engine.replay import verify
from semp.storage.memory.store import MemoryStore

from tests.strategies import BEGIN, FakeClock, Moment, Reference, Writer, histories, live_signals, new_draft, play, whole_log

KEY = ("ui", "a1")
MINUTE = 60_000
RULES = Rules()


def move(
    state: Signal | None,
    event_type: EventType,
    value: float = 0.0,
    alpha: float | None = None,
    at: int = BEGIN,
    position: int = 1,
    rules: Rules = RULES,
) -> tuple[Signal | None, Move | None]:
    return apply(state, KEY, event_type=event_type, value=value, alpha=alpha, now=at, position=position, rules=rules)


def created(strength: float = INITIAL, at: int = BEGIN) -> Signal:
    return Signal(*KEY, strength, RULES.alpha, RULES.lambda_, at, at, 1)


@pytest.mark.parametrize("event_type", ["proposal", "ready", "test"])
def test_an_absent_signal_is_created_at_three_tenths(event_type: EventType) -> None:
    state, moved = move(None, event_type)
    assert state == Signal("ui", "a1", 0.3, 1.2, 0.95, BEGIN, BEGIN, 1)
    assert moved == Move("ui", "a1", 0.0, 0.3)


@pytest.mark.parametrize("event_type", ["proposal", "ready", "test"])
def test_a_touch_keeps_the_strength_and_sets_the_time(event_type: EventType) -> None:
    before = created(0.8)
    state, moved = move(before, event_type, at=BEGIN + MINUTE, position=7)
    assert state is not None
    assert (state.last_updated, state.position) == (BEGIN + MINUTE, 7)
    for later in (MINUTE, 5 * MINUTE, 77_777):
        assert state.strength_at(BEGIN + later) == before.strength_at(BEGIN + later)
    assert moved is not None
    assert moved == Move("ui", "a1", moved.before, moved.after)
    assert (moved.before, moved.after) == (pytest.approx(0.8 * 0.95), pytest.approx(0.8 * 0.95))


def test_a_reward_adds_its_value_times_alpha() -> None:
    state, moved = move(created(), "reward", 0.5)
    assert state is not None
    assert state.strength == pytest.approx(0.3 + 0.5 * 1.2) == pytest.approx(0.9)
    assert moved == Move("ui", "a1", 0.3, state.strength)


def test_a_reward_with_its_own_alpha_uses_it() -> None:
    assert move(created(), "reward", 0.1, alpha=3.0)[0].strength == pytest.approx(0.6)  # type: ignore[union-attr]
    assert move(created(), "reward", 0.1, alpha=0.0)[0].strength == pytest.approx(0.3)  # type: ignore[union-attr]


def test_a_reward_never_lifts_above_one() -> None:
    assert move(created(0.9), "reward", 1.0)[0].strength == 1.0  # type: ignore[union-attr]


def test_a_reward_on_an_absent_signal_counts_it_as_zero() -> None:
    state, moved = move(None, "reward", 0.5)
    assert state is not None
    assert state.strength == pytest.approx(0.6)
    assert moved == Move("ui", "a1", 0.0, state.strength)


def test_a_penalty_subtracts_its_absolute_value_down_to_zero() -> None:
    assert move(created(0.9), "penalty", 0.2)[0].strength == pytest.approx(0.7)  # type: ignore[union-attr]
    assert move(created(0.3), "penalty", 1.0) == (Signal(*KEY, 0.0, 1.2, 0.95, BEGIN, BEGIN, 1), Move(*KEY, 0.3, 0.0))


def test_a_penalty_on_an_absent_signal_does_nothing() -> None:
    assert move(None, "penalty", 0.5) == (None, None)
    faded = created(0.3)
    assert move(faded, "penalty", 0.5, at=BEGIN + 1000 * MINUTE) == (faded, None)


def test_decay_multiplies_by_lambda_at_each_tick_and_is_exact_between() -> None:
    strength = 0.9
    for tick in range(1, 60):
        strength *= 0.95
        assert created(0.9).strength_at(BEGIN + tick * MINUTE) == pytest.approx(strength)
    assert created(0.9).strength_at(BEGIN + MINUTE // 2) == pytest.approx(0.9 * 0.95**0.5)


def test_a_time_before_the_last_change_gives_the_undecayed_strength() -> None:
    assert created(0.9).strength_at(BEGIN - 10 * MINUTE) == 0.9


def test_below_one_hundredth_a_signal_is_gone_and_can_be_created_again() -> None:
    state = created(0.3)
    ticks = next(tick for tick in range(1000) if 0.3 * 0.95**tick < 0.01)
    assert state.strength_at(BEGIN + (ticks - 1) * MINUTE) >= 0.01
    assert state.strength_at(BEGIN + ticks * MINUTE) == 0.0
    again, moved = move(state, "test", at=BEGIN + ticks * MINUTE, position=9)
    assert again == Signal(*KEY, 0.3, 1.2, 0.95, BEGIN + ticks * MINUTE, BEGIN + ticks * MINUTE, 9)
    assert moved == Move(*KEY, 0.0, 0.3)


def test_exactly_one_hundredth_is_still_there() -> None:
    assert created(0.01).strength_at(BEGIN) == 0.01


def test_a_penalty_to_below_one_hundredth_removes_the_signal() -> None:
    state, moved = move(created(0.3), "penalty", 0.295)
    assert state is not None
    assert state.strength_at(BEGIN) == 0.0
    assert moved == Move(*KEY, 0.3, 0.0)


def test_a_signal_keeps_the_numbers_it_was_created_with() -> None:
    other = Rules(since=2, alpha=5.0, lambda_=0.5, interval=7.0)
    state, _ = move(created(), "reward", 0.1, rules=other)
    assert state is not None
    assert (state.alpha, state.lambda_, state.interval, state.strength) == (1.2, 0.95, 60.0, pytest.approx(0.42))
    fresh, _ = move(None, "reward", 0.1, rules=other)
    assert fresh is not None
    assert (fresh.alpha, fresh.lambda_, fresh.interval, fresh.strength) == (5.0, 0.5, 7.0, pytest.approx(0.5))
    assert fresh.strength_at(BEGIN + 14_000) == pytest.approx(0.125)


def test_a_signal_has_the_same_id_wherever_it_is_computed() -> None:
    assert created(0.1).id == created(0.9).id
    assert created().id != msgspec.structs.replace(created(), pattern="a2").id


@pytest.mark.parametrize(
    "numbers",
    [{"alpha": -0.1}, {"lambda_": 0.0}, {"lambda_": 1.01}, {"interval": 0.0}, {"interval": -1.0}]
    + [{name: float(odd)} for name in ("alpha", "lambda_", "interval") for odd in ("nan", "inf")],
)
def test_rules_outside_their_ranges_are_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="lambda"):
        Rules(**numbers)  # type: ignore[arg-type]


def test_the_rules_in_force_are_the_last_that_began() -> None:
    history = [Rules(since=1), Rules(since=5, alpha=2), Rules(since=9, alpha=3)]
    assert [rules_at(history, position).alpha for position in (1, 4, 5, 8, 9, 100)] == [1.2, 1.2, 2, 2, 3, 3]


unit = st.floats(0, 1)
steps = st.lists(
    st.tuples(st.sampled_from(EVENT_TYPES), unit, st.none() | st.floats(0, 1e300), st.integers(0, 10**9)), min_size=1, max_size=30
)
all_rules = st.builds(
    Rules, alpha=st.floats(0, 1e6), lambda_=st.floats(0, 1, exclude_min=True), interval=st.floats(1e-3, 1e6, exclude_min=True)
)


@settings(max_examples=200, deadline=None)
@given(steps, all_rules)
def test_strength_stays_between_zero_and_one_and_moves_are_right(
    happened: list[tuple[EventType, float, float | None, int]], rules: Rules
) -> None:
    state: Signal | None = None
    now = BEGIN
    for position, (event_type, value, alpha, advance) in enumerate(happened, 1):
        now += advance
        before = state.strength_at(now) if state else 0.0
        state, moved = move(state, event_type, value, alpha, now, position, rules)
        after = state.strength_at(now) if state else 0.0
        assert 0.0 <= after <= 1.0
        assert after == 0.0 or after >= FADED
        if moved is None:
            assert event_type in ("penalty", "cancel")
            assert (before, after) == (0.0, 0.0)
        else:
            assert (moved.before, moved.after) == (before, after)
            assert event_type != "reward" or after >= before or after == 0.0
            assert event_type not in ("penalty", "cancel") or after <= before


@settings(max_examples=200, deadline=None)
@given(unit, all_rules, st.lists(st.integers(0, 10**9), min_size=1, max_size=10))
def test_decay_never_raises_a_strength(strength: float, rules: Rules, waits: list[int]) -> None:
    state = Signal(*KEY, strength, rules.alpha, rules.lambda_, BEGIN, BEGIN, 1, rules.interval)
    now, known = BEGIN, strength
    for wait in waits:
        now += wait
        found = state.strength_at(now)
        assert 0.0 <= found <= known
        known = found


async def run_history(history: list[Moment], *, one_by_one: bool) -> MemoryStore:
    store, clock = MemoryStore(), FakeClock()
    writer = await Writer.on(store, clock)
    await play(writer, clock, history, one_by_one=one_by_one)
    await writer.committer.close()
    return store


@settings(max_examples=50, deadline=None)
@given(histories())
def test_any_split_into_batches_gives_the_same_as_single_appends(history: list[Moment]) -> None:
    async def both() -> tuple[MemoryStore, MemoryStore]:
        return await run_history(history, one_by_one=False), await run_history(history, one_by_one=True)

    batched, single = asyncio.run(both())
    assert batched.states == single.states
    assert [(entry.event, entry.moves) for entry in batched.log] == [(entry.event, entry.moves) for entry in single.log]


@settings(max_examples=50, deadline=None)
@given(histories())
def test_the_live_signals_are_those_of_the_protocol(history: list[Moment]) -> None:
    async def prove() -> None:
        store = await run_history(history, one_by_one=False)
        reference = Reference()
        for entry in store.log:
            moves = reference.add(entry.event, RULES)
            assert [(m.scope, m.pattern) for m in entry.moves] == [(m.scope, m.pattern) for m in moves]
            for actual, expected in zip(entry.moves, moves, strict=True):
                assert (actual.before, actual.after) == (pytest.approx(expected.before), pytest.approx(expected.after))
        live = {key: signal.strength_at(reference.now) for key, signal in store.states.items() if signal.strength_at(reference.now)}
        assert live == {key: pytest.approx(strength) for key, strength in reference.strengths.items()}
        assert {key: store.states[key].last_updated for key in live} == {key: reference.updated[key] for key in live}
        assert await verify(store) == []

    asyncio.run(prove())


async def test_an_event_with_an_action_moves_that_signal_in_its_own_scope() -> None:
    writer = await Writer.on(MemoryStore())
    proposal, reward = await writer.append(
        new_draft("proposal", "ui.login", number=1), new_draft("reward", "api", number=2, parents=[new_draft(number=1).id], action="other")
    )
    assert [(m.scope, m.pattern) for m in proposal.moves] == [("ui.login", "a1")]
    assert [(m.scope, m.pattern) for m in reward.moves] == [("api", "other")]
    await writer.committer.close()


async def test_an_event_without_an_action_moves_all_its_nearest_proposals() -> None:
    writer = await Writer.on(MemoryStore())
    far, left, right, middle, reward = await writer.append(
        far_draft := new_draft(number=1, action="far"),
        left_draft := new_draft("proposal", "ui.left", number=2, action="left", parents=[far_draft.id]),
        right_draft := new_draft("proposal", "ui.right", number=3, action="right", parents=[far_draft.id]),
        middle_draft := new_draft("test", number=4, parents=[right_draft.id, left_draft.id]),
        new_draft("reward", "elsewhere", number=5, parents=[middle_draft.id, far_draft.id][:1]),
    )
    assert [(m.scope, m.pattern) for m in middle.moves] == [("ui.left", "left"), ("ui.right", "right")]
    assert [(m.scope, m.pattern, m.after) for m in reward.moves] == [
        ("ui.left", "left", pytest.approx(0.9)),
        ("ui.right", "right", pytest.approx(0.9)),
    ]
    assert len(far.moves) == len(left.moves) == len(right.moves) == 1
    await writer.committer.close()


async def test_a_nearer_proposal_hides_a_farther_one() -> None:
    writer = await Writer.on(MemoryStore())
    *_, reward = await writer.append(
        far := new_draft(number=1, action="far"),
        near := new_draft(number=2, action="near"),
        between := new_draft("test", number=3, parents=[far.id]),
        new_draft("reward", number=4, parents=[between.id, near.id]),
    )
    assert [m.pattern for m in reward.moves] == ["near"]
    await writer.committer.close()


async def test_two_nearest_proposals_of_one_signal_move_it_once() -> None:
    writer = await Writer.on(MemoryStore())
    *_, reward = await writer.append(
        one := new_draft(number=1), two := new_draft(number=2), new_draft("reward", number=3, parents=[one.id, two.id])
    )
    assert [(m.pattern, m.after) for m in reward.moves] == [("a1", pytest.approx(0.9))]
    await writer.committer.close()


async def test_without_causes_the_newest_proposal_of_the_same_trace_and_scope_answers() -> None:
    writer = await Writer.on(MemoryStore())
    await writer.append(new_draft(action="old"), new_draft(action="new"), new_draft(action="t2", trace="t2"), new_draft(scope="api"))
    [reward] = await writer.append(new_draft("reward"))
    assert [m.pattern for m in reward.moves] == ["new"]
    *_, later = await writer.append(new_draft(action="newest"), new_draft("reward"))
    assert [m.pattern for m in later.moves] == ["newest"]
    await writer.committer.close()


async def test_causes_without_a_proposal_fall_back_to_the_thread() -> None:
    writer = await Writer.on(MemoryStore())
    *_, reward = await writer.append(
        new_draft(action="thread"), lone := new_draft("test", "api", number=2, action="x"), new_draft("reward", number=3, parents=[lone.id])
    )
    assert [m.pattern for m in reward.moves] == ["thread"]
    await writer.committer.close()


async def test_an_event_that_answers_to_nothing_moves_nothing() -> None:
    writer = await Writer.on(MemoryStore())
    await writer.append(new_draft(trace="t2"), new_draft(scope="api"))
    [reward] = await writer.append(new_draft("reward"))
    assert reward.moves == []
    await writer.committer.close()


@pytest.mark.parametrize("name", ["α", "alpha"])
async def test_a_reward_takes_alpha_from_its_payload_under_either_name(name: str) -> None:
    writer = await Writer.on(MemoryStore())
    await writer.append(new_draft())
    payload: dict[str, Any] = {"value": 0.1, name: 4}
    [reward] = await writer.append(new_draft("reward", **payload))
    assert reward.moves[0].after == pytest.approx(0.7)
    await writer.committer.close()


@pytest.mark.parametrize("value", [-0.2, 0.2])
async def test_a_penalty_counts_by_its_absolute_value(value: float) -> None:
    writer = await Writer.on(MemoryStore())
    await writer.append(new_draft())
    [penalty] = await writer.append(new_draft("penalty", value=value))
    assert penalty.moves[0].after == pytest.approx(0.1)
    await writer.committer.close()


async def started(store: MemoryStore, clock: FakeClock, rules: Rules = RULES) -> Environment:
    environment = Environment(store, rules, clock=clock, sweep_interval=3600)
    await environment.start()
    return environment


async def test_answers_show_decayed_strengths_strongest_first_without_faded_signals() -> None:
    clock = FakeClock()
    environment = await started(MemoryStore(), clock)
    await environment.acting(OPEN).append(
        [new_draft(action="weak"), new_draft("reward", action="strong"), new_draft("reward", "api.x", action="x", value=0.3)]
    )
    clock.now += MINUTE
    shown = await live_signals(environment)
    assert [(s.pattern, s.strength) for s in shown] == [
        ("strong", pytest.approx(0.57)), ("x", pytest.approx(0.36 * 0.95)), ("weak", pytest.approx(0.285)),
    ]  # fmt: skip
    assert shown[0].last_updated == "2025-01-15T10:10:00.000Z"
    assert [s.pattern for s in await live_signals(environment, Wanted(scope=Glob.parse("api.*")))] == ["x"]
    assert [s.pattern for s in await live_signals(environment, Wanted(pattern="weak"))] == ["weak"]
    assert [s.pattern for s in await live_signals(environment, Wanted(min_strength=0.3))] == ["strong", "x"]
    assert [s.pattern for s in await live_signals(environment, Wanted(limit=1))] == ["strong"]
    clock.now += 200 * MINUTE
    assert await live_signals(environment) == []
    assert await environment.field.signal("ui", "weak") is None
    await environment.stop()


async def test_sweeping_deletes_signals_that_had_faded_at_the_newest_event_and_no_others() -> None:
    clock, store = FakeClock(), MemoryStore()
    environment = await started(store, clock)
    await environment.acting(OPEN).append([new_draft(action="old")])
    clock.now += 200 * MINUTE
    assert await environment.sweep() == 0  # the time of the newest event has not changed
    await environment.acting(OPEN).append([new_draft(action="young")])
    assert await environment.sweep() == 1
    assert list(store.states) == list(environment.ledger.signals) == [("ui", "young")]
    assert [s.pattern for s in await live_signals(environment)] == ["young"]
    await environment.stop()


@pytest.mark.parametrize("minutes", [0, 30, 100, 1000])
@pytest.mark.parametrize("interval", [6.0, 600.0])
async def test_other_rules_revive_nothing_that_faded_and_raise_nothing(minutes: int, interval: float) -> None:
    """Answers do not depend on a sweep before the change of the decay interval, and the change alone raises no strength."""
    answers = []
    for sweep in (False, True):
        clock, store = FakeClock(), MemoryStore()
        environment = await started(store, clock)
        await environment.acting(OPEN).append([new_draft(action="x")])
        clock.now += minutes * MINUTE
        await environment.acting(OPEN).append([new_draft(action="y")])
        before = {s.pattern: s.strength for s in await live_signals(environment)}
        if sweep:
            await environment.sweep()
        await environment.stop()
        environment = await started(store, clock, Rules(interval=interval))
        after = {s.pattern: s.strength for s in await live_signals(environment)}
        assert all(strength <= before.get(pattern, 0.0) + 1e-12 for pattern, strength in after.items()), (before, after)
        await environment.acting(OPEN).append([new_draft("reward", value=0.1, action="x")])
        answers.append([(s.pattern, s.strength) for s in await live_signals(environment)])
        assert await verify(store) == []
        await environment.stop()
    assert answers[0] == answers[1]


async def test_timestamps_never_go_back_even_when_the_clock_does() -> None:
    clock, store = FakeClock(), MemoryStore()
    writer = await Writer.on(store, clock, elapsed=lambda: 0)
    await writer.append(new_draft())
    clock.now -= 5 * MINUTE
    await writer.append(new_draft())
    first, second = await whole_log(store)
    assert first.event.timestamp == second.event.timestamp
    await writer.committer.close()
