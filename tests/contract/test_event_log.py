"""The event log: the same cases on every storage."""

from __future__ import annotations

import asyncio
import itertools
import re

import msgspec
import pytest
from semp.domain.causes import Cause, Proposal
from semp.domain.clock import to_text
from semp.domain.scopes import Glob
from semp.domain.signals import Rules, Signal
from semp.engine.ports import Storage
from semp.engine.records import ClockShift, DuplicateId, EventFilter

from tests.strategies import (
    BEGIN,
    SCOPES,
    TRACES,
    FakeClock,
    Writer,
    entry_of,
    filled,
    let_others_run,
    make_id,
    new_draft,
    plan_of,
    whole_log,
)

ABSENT = make_id(987_654)


async def test_an_empty_log_stands_at_zero_and_has_an_epoch(store: Storage) -> None:
    state, signals = await store.open(Rules())
    assert (state.head, state.last_timestamp, signals) == (0, 0, [])
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", state.epoch)
    assert state.rules == [Rules(since=1)]
    assert (await store.open(Rules()))[0] == state
    assert await store.state() == state
    assert (await store.page(EventFilter())).events == []
    assert await store.read(0, 10) == []


async def test_an_append_moves_the_state_to_what_the_plan_says(store: Storage) -> None:
    before, _ = await store.open(Rules())
    plan = plan_of(before, new_draft(number=1), new_draft(number=2), now=BEGIN + 7)
    assert await store.append(plan)
    state = await store.state()
    assert state == plan.state
    assert (state.epoch, state.head, state.tip, state.last_timestamp) == (before.epoch, 2, plan.tip, BEGIN + 7)


async def test_clock_shifts_are_kept_with_the_state(store: Storage) -> None:
    before, _ = await store.open(Rules())
    assert before.shifts == []
    shifts = [ClockShift(1, 86_400_000, BEGIN), ClockShift(7, 0, BEGIN + 5)]
    assert await store.append(msgspec.structs.replace(plan_of(before, new_draft(number=1)), shifts=shifts))
    state = await store.state()
    assert state.shifts == shifts
    assert await store.append(plan_of(state, new_draft(number=2)))
    assert (await store.open(Rules()))[0].shifts == shifts
    async with store.turn() as turn:
        assert turn.state.shifts == shifts


async def test_an_append_on_an_outdated_tip_is_refused_and_writes_nothing(store: Storage) -> None:
    before, _ = await store.open(Rules())
    first = plan_of(before, new_draft(number=1))
    assert await store.append(first)
    signal = Signal("ui", "a1", 0.5, 1.2, 0.95, BEGIN, BEGIN, 1)
    stale = plan_of(before, new_draft(number=2), now=BEGIN + 99, signals=[signal])
    assert not await store.append(stale)
    assert await store.state() == first.state
    assert await store.events([make_id(2)]) == {}
    assert await store.signals() == []
    assert len(await whole_log(store)) == 1


async def test_an_append_that_was_committed_is_refused_when_it_is_repeated(store: Storage) -> None:
    before, _ = await store.open(Rules())
    plan = plan_of(before, new_draft(number=1))
    assert await store.append(plan)
    assert not await store.append(plan)
    assert len(await whole_log(store)) == 1


async def test_of_two_appends_on_one_tip_one_wins(store: Storage) -> None:
    before, _ = await store.open(Rules())
    plans = [plan_of(before, new_draft(number=number)) for number in range(1, 9)]
    won = await asyncio.gather(*(store.append(plan) for plan in plans))
    assert sum(won) == 1
    assert await store.state() == plans[won.index(True)].state
    assert len(await whole_log(store)) == 1


async def test_an_append_of_a_taken_id_raises_and_writes_nothing(store: Storage) -> None:
    before, _ = await store.open(Rules())
    first = plan_of(before, new_draft(number=1))
    assert await store.append(first)
    signal = Signal("ui", "a1", 0.5, 1.2, 0.95, BEGIN, BEGIN, 3)
    with pytest.raises(DuplicateId):
        await store.append(plan_of(first.state, new_draft(number=2), new_draft("test", number=1), signals=[signal]))
    assert await store.state() == first.state
    assert list(await store.events([make_id(1), make_id(2)])) == [make_id(1)]
    assert (await store.events([make_id(1)]))[make_id(1)].type == "proposal"
    assert await store.signals() == []


async def test_an_append_of_one_id_twice_raises_and_writes_nothing(store: Storage) -> None:
    before, _ = await store.open(Rules())
    with pytest.raises(DuplicateId):
        await store.append(plan_of(before, new_draft(number=1), new_draft(number=1)))
    assert await store.state() == before
    assert await store.events([make_id(1)]) == {}


async def test_a_turn_shows_the_state_and_commits_at_its_end(store: Storage) -> None:
    before, _ = await store.open(Rules())
    async with store.turn() as turn:
        assert turn.state == before
        plan = plan_of(turn.state, new_draft(number=1))
        await turn.append(plan)
        assert await store.events([make_id(1)]) == {}
    assert await store.state() == plan.state
    assert make_id(1) in await store.events([make_id(1)])


async def test_a_turn_that_ends_with_an_error_writes_nothing(store: Storage) -> None:
    before, _ = await store.open(Rules())

    async def interrupted() -> None:
        async with store.turn() as turn:
            await turn.append(plan_of(turn.state, new_draft(number=1)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await interrupted()
    assert await store.state() == before
    assert await store.events([make_id(1)]) == {}
    assert await store.append(plan_of(before, new_draft(number=1)))  # the turn released the right to append


async def test_a_turn_that_appends_a_taken_id_writes_nothing(store: Storage) -> None:
    before, _ = await store.open(Rules())
    first = plan_of(before, new_draft(number=1))
    assert await store.append(first)
    with pytest.raises(DuplicateId):
        async with store.turn() as turn:
            await turn.append(plan_of(turn.state, new_draft(number=2), new_draft(number=1)))
    assert await store.state() == first.state


async def test_a_turn_without_an_append_changes_nothing(store: Storage) -> None:
    before, _ = await store.open(Rules())
    async with store.turn():
        pass
    assert await store.state() == before


async def test_during_a_turn_every_other_writer_waits(store: Storage) -> None:
    before, _ = await store.open(Rules())
    signal = Signal("ui", "a1", 0.5, 1.2, 0.95, BEGIN, BEGIN, 1)
    order: list[str] = []

    async def append() -> None:
        assert not await store.append(plan_of(before, new_draft(number=2)))
        order.append("append")

    async def take_a_turn() -> None:
        async with store.turn() as other:
            order.append(f"turn at {other.state.head}")

    async with store.turn() as turn:
        others = [asyncio.create_task(append()), asyncio.create_task(take_a_turn())]
        await let_others_run(store)
        assert order == []
        await turn.append(plan_of(turn.state, new_draft(number=1), signals=[signal]))
        order.append("first")
    await asyncio.gather(*others)
    assert order[0] == "first"
    assert "turn at 1" in order


async def test_turns_of_many_writers_are_exclusive(store: Storage) -> None:
    await store.open(Rules())
    inside = 0

    async def work(number: int) -> None:
        nonlocal inside
        async with store.turn() as turn:
            inside += 1
            assert inside == 1
            await let_others_run(store)
            await turn.append(plan_of(turn.state, new_draft(number=number)))
            inside -= 1

    await asyncio.gather(*(work(number) for number in range(1, 13)))
    assert [entry.event.position for entry in await whole_log(store)] == list(range(1, 13))


async def test_events_that_exist_are_found_by_id(store: Storage) -> None:
    events = [entry.event for entry in await filled(store, 1, moments=8)]
    ids = [events[3].id, ABSENT, events[0].id, events[3].id]
    assert await store.events(ids) == {events[3].id: events[3], events[0].id: events[0]}
    assert await store.events([]) == {}


async def test_an_event_comes_back_byte_for_byte(store: Storage) -> None:
    state, _ = await store.open(Rules())
    parents = [new_draft(number=number) for number in (9, 3, 7)]
    odd = new_draft(
        "reward", "a-b_C.0", number=1, parents=[make_id(7), make_id(9), make_id(3)], trace="träce \U0001f600\u2028", agent='"\\\'${x}`',
        value=1, action="δράση\n\t", z=1.0, a=[{"b": None, "a": 1e-7}], big=2**63, quote='"\u0000\u007f',
    )  # fmt: skip
    assert await store.append(plan_of(state, *parents, odd))
    found = (await store.events([odd.id]))[odd.id]
    assert found.parent_ids == [make_id(7), make_id(9), make_id(3)]
    assert bytes(found.payload) == odd.payload.encode()
    assert (found.trace_id, found.agent_id, found.scope) == (odd.trace_id, odd.agent_id, odd.scope)
    assert (found.timestamp, found.position) == (to_text(BEGIN), 4)
    assert (await store.page(EventFilter(trace_ids=[odd.trace_id]))).events == [found]
    assert (await store.page(EventFilter(agent_ids=[odd.agent_id]))).events == [found]
    assert (await store.read(3, 1))[0].event == found


async def test_a_payload_of_the_largest_size_is_kept(store: Storage) -> None:
    state, _ = await store.open(Rules())
    large = new_draft(number=1, note="é" * 125_000)
    assert await store.append(plan_of(state, large))
    assert bytes((await store.events([large.id]))[large.id].payload) == large.payload.encode()


async def test_the_longest_names_are_kept_and_found(store: Storage) -> None:
    longest = new_draft(
        "proposal", ".".join(["s" * 63] * 4), number=1, trace="\U0001f600" * 256, agent="ж" * 256, action="\U0001f600" * 1024
    )
    writer = await Writer.on(store, FakeClock())
    [recorded] = await writer.append(longest)
    await writer.committer.close()
    by_scope = EventFilter(scopes=[Glob.parse(longest.scope)])
    for selection in (by_scope, EventFilter(trace_ids=[longest.trace_id]), EventFilter(agent_ids=[longest.agent_id])):
        assert (await store.page(selection)).events == [recorded.event]
    assert [signal.key for signal in await store.signals()] == [(longest.scope, longest.action)]


async def test_entries_are_read_with_everything_decided_at_their_append(store: Storage) -> None:
    log = await filled(store, 3)
    kept = [msgspec.structs.replace(entry, moves=(), encoded=b"") for entry in log]
    assert await store.read(0, 10_000) == kept
    assert await store.read(5, 7) == kept[5:12]
    assert await store.read(len(kept), 5) == []
    assert await whole_log(store) == kept
    assert any(entry.answers for entry in kept)
    assert any(len(entry.nearest) > 1 for entry in kept)


async def test_causes_are_those_decided_at_the_append(store: Storage) -> None:
    log = await filled(store, 4)
    ids = [entry.event.id for entry in log]
    assert await store.causes([*ids, ABSENT]) == {entry.event.id: entry.cause for entry in log}
    assert await store.causes([]) == {}


async def test_a_proposal_is_its_own_cause_whatever_caused_it(store: Storage) -> None:
    state, _ = await store.open(Rules())
    above, below = new_draft(number=1, action="above"), new_draft("proposal", "api", number=2, action="below", parents=[make_id(1)])
    plan = plan_of(state, above, below)
    plan.entries[1].nearest, plan.entries[1].distance = (Proposal(1, "ui", "above"),), 1
    assert await store.append(plan)
    assert await store.causes([below.id]) == {below.id: Cause(2, (Proposal(2, "api", "below"),), 0)}
    assert (await store.read(1, 1))[0].nearest == (Proposal(1, "ui", "above"),)


async def test_the_newest_proposal_of_each_thread_is_found(store: Storage) -> None:
    events = [entry.event for entry in await filled(store, 5)]
    threads = [*itertools.product(TRACES, SCOPES), ("t1", "nowhere"), ("none", "ui")]
    expected: dict[tuple[str, str], Proposal] = {}
    for event in events:
        if event.type == "proposal":
            action = msgspec.json.decode(event.payload)["action"]
            expected[event.trace_id, event.scope] = Proposal(event.position, event.scope, action)
    assert await store.newest_proposals(threads) == {thread: expected[thread] for thread in threads if thread in expected}
    assert await store.newest_proposals([]) == {}
    assert len(expected) > 4


async def test_opening_again_keeps_the_log_and_gives_its_signals(store: Storage) -> None:
    events = [entry.event for entry in await filled(store, 1, moments=10)]
    before = await store.state()
    state, signals = await store.open(Rules())
    assert state == before
    assert state.head == len(events)
    by_key = {signal.key: signal for signal in signals or ()}
    assert by_key == {signal.key: signal for signal in await store.signals()} != {}


async def test_other_rules_are_in_force_from_the_next_position_and_refuse_older_plans(store: Storage) -> None:
    first, _ = await store.open(Rules())
    assert await store.append(plan_of(first, new_draft(number=1), new_draft(number=2)))
    before = await store.state()
    other = Rules(alpha=2.5, lambda_=0.5, interval=7.0)
    state, _ = await store.open(other)
    assert [rules.since for rules in state.rules] == [1, 3]
    assert [rules.same_numbers(other) for rules in state.rules] == [False, True]
    assert (state.epoch, state.head, state.last_timestamp) == (before.epoch, 2, before.last_timestamp)
    assert state.tip != before.tip
    assert await store.state() == state
    assert not await store.append(plan_of(before, new_draft(number=3)))
    assert await store.append(plan_of(state, new_draft(number=3)))
    assert (await store.open(other))[0].rules == state.rules
    back, _ = await store.open(Rules())
    assert [rules.since for rules in back.rules] == [1, 3, 4]


async def test_rules_under_which_nothing_was_appended_leave_no_trace(store: Storage) -> None:
    await store.open(Rules())
    state, _ = await store.open(Rules(alpha=9.0))
    assert [(rules.since, rules.alpha) for rules in state.rules] == [(1, 9.0)]
    assert await store.append(plan_of(state, new_draft(number=1)))
    await store.open(Rules(alpha=3.0))
    state, _ = await store.open(Rules(alpha=4.0))
    assert [(rules.since, rules.alpha) for rules in state.rules] == [(1, 9.0), (2, 4.0)]


async def test_a_thousand_events_with_parents_go_in_one_append(store: Storage) -> None:
    state, _ = await store.open(Rules())
    drafts = [new_draft("test", number=n, parents=[make_id(n - k) for k in (1, 2, 3) if n - k > 0]) for n in range(1, 1001)]
    assert await store.append(plan_of(state, *drafts))
    assert [entry.event.id for entry in await store.read(0, 2000)] == [draft.id for draft in drafts]
    assert entry_of(drafts[-1], 1000).event == ((await store.page(EventFilter(limit=1))).events)[0]
