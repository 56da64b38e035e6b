"""From drafts to one append: positions, times, causes, scopes and signals, decided before anything is sent."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from semp.domain import causes as causes_module
from semp.domain.errors import InvalidInput
from semp.domain.signals import Rules
from semp.engine import planning
from semp.engine.log_clock import TOLERANCE_MS
from semp.engine.records import Plan
from semp.storage.memory.store import MemoryStore

from tests.strategies import BEGIN, FakeClock, Writer, make_id, new_draft


class Recording(MemoryStore):
    """Keeps the plans it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.plans: list[Plan] = []

    async def append(self, plan: Plan) -> bool:
        self.plans.append(plan)
        return await super().append(plan)


async def plans_of(*batches: list[Any], clock: FakeClock | None = None) -> list[Plan]:
    store = Recording()
    writer = await Writer.on(store, clock or FakeClock())
    for batch in batches:
        await writer.append(*batch)
    await writer.committer.close()
    return store.plans


async def test_a_batch_takes_the_next_positions_and_one_timestamp() -> None:
    clock = FakeClock()
    first, second = await plans_of([new_draft()], [new_draft(), new_draft()], clock=clock)
    assert [entry.event.position for plan in (first, second) for entry in plan.entries] == [1, 2, 3]
    assert {entry.event.timestamp for entry in second.entries} == {"2025-01-15T10:10:00.000Z"}
    assert second.after == first.state
    assert (second.state.head, second.state.last_timestamp, second.timestamp) == (3, BEGIN, BEGIN)
    assert len({first.after.tip, first.tip, second.tip}) == 3


async def test_time_stands_still_while_the_clock_is_a_little_behind_the_newest_event() -> None:
    store, clock = Recording(), FakeClock()
    writer = await Writer.on(store, clock)
    for now in (BEGIN, BEGIN - TOLERANCE_MS, BEGIN + 1):
        clock.now = now
        await writer.append(new_draft())
    assert [plan.timestamp for plan in store.plans] == [BEGIN, BEGIN, BEGIN + 1]
    await writer.committer.close()


async def test_the_encoded_event_is_the_answer() -> None:
    [plan] = await plans_of([new_draft("reward", number=7, parents=[], value=1, reason="ü")])
    entry = plan.entries[0]
    assert msgspec.json.decode(entry.encoded) == {
        "id": make_id(7), "type": "reward", "scope": "ui", "trace_id": "t1", "agent_id": "ann", "parent_ids": [],
        "timestamp": "2025-01-15T10:10:00.000Z", "payload": {"value": 1, "reason": "ü"}, "position": 1,
    }  # fmt: skip


async def test_each_new_scope_is_listed_once_parents_first() -> None:
    first, second = await plans_of([new_draft(scope="a.b.c"), new_draft(scope="a.x")], [new_draft(scope="a.b"), new_draft(scope="a.b.c.d")])
    assert list(first.scopes.items()) == [("a", None), ("a.b", "a"), ("a.b.c", "a.b"), ("a.x", "a")]
    assert "a.b.c.d" in second.scopes
    assert list(second.scopes) == sorted(second.scopes, key=len)
    assert second.scopes["a.b.c.d"] == "a.b.c"


async def test_a_plan_carries_the_last_state_of_each_signal_it_moves() -> None:
    [plan] = await plans_of(
        [new_draft(), new_draft("reward", value=0.5), new_draft("penalty", value=-0.1), new_draft("penalty", action="none")]
    )
    assert list(plan.signals) == [("ui", "a1")]
    assert (plan.signals["ui", "a1"].strength, plan.signals["ui", "a1"].position) == (pytest.approx(0.8), 3)
    assert [[(m.before, m.after) for m in entry.moves] for entry in plan.entries] == [
        [(0.0, 0.3)], [(0.3, pytest.approx(0.9))], [(pytest.approx(0.9), pytest.approx(0.8))], [],
    ]  # fmt: skip


async def test_a_plan_names_the_signals_that_were_absent_before() -> None:
    clock = FakeClock()
    store = Recording()
    writer = await Writer.on(store, clock)
    await writer.append(new_draft(action="one"), new_draft("reward", action="one"), new_draft("penalty", action="none"))
    await writer.append(new_draft("reward", action="one", value=0.1), new_draft("test", action="two"))
    clock.now += 24 * 3_600_000
    await writer.append(new_draft("test", action="two"))
    assert [plan.born for plan in store.plans] == [{("ui", "one")}, {("ui", "two")}, {("ui", "two")}]
    await writer.committer.close()


async def test_an_entry_keeps_its_nearest_proposals_and_their_distance() -> None:
    [plan] = await plans_of(
        [
            new_draft(number=1), new_draft("test", number=2, parents=[make_id(1)]), new_draft("ready", number=3, parents=[make_id(2)]),
            new_draft(number=4, parents=[make_id(3)]), new_draft("reward", number=5, parents=[make_id(4), make_id(3)]),
        ]
    )  # fmt: skip
    assert [([near.position for near in entry.nearest], entry.distance) for entry in plan.entries] == [
        ([], 0), ([1], 1), ([1], 2), ([1], 3), ([4], 1),
    ]  # fmt: skip
    assert [entry.answers for entry in plan.entries] == [None] * 5


async def test_too_many_equally_near_proposals_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "MAX_NEAREST", 3)
    assert causes_module.MAX_NEAREST >= 1000
    writer = await Writer.on(MemoryStore())
    await writer.append(*(new_draft(number=n) for n in range(1, 5)))
    await writer.append(new_draft("test", parents=[make_id(n) for n in (1, 2, 3)]))
    with pytest.raises(InvalidInput, match="parent_ids: 4 proposals"):
        await writer.append(new_draft("test", parents=[make_id(n) for n in (1, 2, 3, 4)]))
    await writer.committer.close()


async def test_a_plan_s_state_keeps_the_epoch_and_the_rules() -> None:
    [plan] = await plans_of([new_draft()])
    assert (plan.state.epoch, plan.state.rules) == (plan.after.epoch, [Rules()])
