"""Long work beside other work: how much of it is done in one turn of the event loop, and that it is of one moment."""

from __future__ import annotations

import pytest
from semp.domain.errors import InvalidInput
from semp.domain.events import Draft
from semp.domain.signals import Rules
from semp.domain.traces import TraceEvent
from semp.engine import trace_reading
from semp.engine import what_if as what_if_module
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.pace import SLICE
from semp.storage.memory.store import MemoryStore

from tests.strategies import FakeClock, make_id, new_draft
from tests.waiting import turns_of

WIDE = 8


async def layered(layers: int) -> Environment:
    """An environment with layers of WIDE proposals, each with all proposals of the layer before as its parents."""
    environment = Environment(MemoryStore(), Rules(), clock=FakeClock(), sweep_interval=3600)
    await environment.start()
    for layer in range(layers):
        parents = [make_id(number) for number in range((layer - 1) * WIDE, layer * WIDE)] if layer else []
        numbers = range(layer * WIDE, (layer + 1) * WIDE)
        drafts = [new_draft(number=number, parents=parents, action=f"a{number}") for number in numbers]
        await environment.acting(OPEN).append(drafts, batch=True)
    return environment


def deep_rewards(count: int, layers: int) -> list[Draft]:
    """Rewards of the last layer, with credit for all layers."""
    parents = [make_id(number) for number in range((layers - 1) * WIDE, layers * WIDE)]
    return [new_draft("reward", parents=parents, value=0.01, credit={"discount": 0.9, "max_depth": 64}) for _ in range(count)]


async def test_a_what_if_question_of_many_events_gives_the_event_loop_turns_for_each() -> None:
    environment = await layered(12)
    rewards = deep_rewards(50, 12)
    found, turns = await turns_of(lambda: environment.field.what_if([], rewards))
    assert turns >= 2 * len(rewards)
    assert len(found.signals) == 12 * WIDE
    await environment.halt()
    really = await layered(12)
    await really.acting(OPEN).append(rewards, batch=True)
    after = {key: signal.strength_at(really.field.now()) for key, signal in really.ledger.signals.items()}
    assert {(signal.scope, signal.pattern): signal.strength for signal in found.signals} == after
    await really.halt()


async def test_a_what_if_question_that_moves_signals_too_often_is_refused_and_the_error_names_the_field(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = await layered(4)
    monkeypatch.setattr(what_if_module, "MAX_MOVES", 3 * 4 * WIDE)
    assert (await environment.field.what_if([], deep_rewards(3, 4))).signals
    with pytest.raises(InvalidInput, match="together they move signals more than 96 times") as refused:
        await environment.field.what_if([], deep_rewards(4, 4))
    assert [error.field for error in refused.value.fields] == ["add"]
    await environment.halt()


async def test_a_long_trace_is_read_and_summed_up_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    environment = Environment(store, Rules(), clock=FakeClock(), sweep_interval=3600)
    await environment.start()
    gate, count = environment.acting(OPEN), 3 * SLICE + 10
    chain = [new_draft(number=number, parents=[make_id(number - 1)] if number else []) for number in range(count)]
    await gate.append(chain, batch=True)
    asked: list[int] = []
    read = store.trace_events

    async def noted(trace_id: str, after: int, limit: int) -> list[TraceEvent]:
        asked.append(limit)
        return await read(trace_id, after, limit)

    monkeypatch.setattr(store, "trace_events", noted)
    found, turns = await turns_of(lambda: gate.trace_summary("t1"))
    assert found is not None
    assert (found.events, found.critical_path.count, found.truncated) == (count, count, False)
    assert asked == [SLICE] * 4
    assert turns >= 2 * (count // SLICE), "once for the events, once for the steps"
    monkeypatch.setattr(trace_reading, "BUDGET", 2 * SLICE + 5)
    found = await gate.trace_summary("t1")
    assert found is not None
    assert (found.events, found.truncated, found.leaves.ids) == (2 * SLICE + 5, True, [make_id(2 * SLICE + 4)])
    assert await gate.trace_summary("t2") is None
    await environment.halt()


async def test_a_list_of_the_past_gives_the_event_loop_a_turn_for_each_slice() -> None:
    environment = Environment(MemoryStore(), Rules(), clock=FakeClock(), sweep_interval=3600)
    await environment.start()
    count = 3 * SLICE
    await environment.acting(OPEN).append([new_draft(action=f"a{number}") for number in range(count)], batch=True)
    moment = await environment.field.moment(count)
    found, turns = await turns_of(lambda: environment.field.signals_at(moment))
    assert len(found) == count
    assert turns >= 2 * count / SLICE
    await environment.halt()
