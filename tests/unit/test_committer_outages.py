"""The committer when the database goes away, comes back, loses answers, is replaced, is full, or has other writers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from semp.domain.errors import InvalidInput, OutcomeUnknown, SchemaMismatch, SempError, StoreFull, StoreUnavailable
from semp.domain.signals import Rules
from semp.engine import committer as committer_module
from semp.engine.replay import verify
from semp.storage.memory.store import MemoryStore

from tests.scripted_store import Scripted, ids_in, positions
from tests.strategies import FakeClock, Writer, make_id, new_draft, run_skipping
from tests.waiting import until


async def test_a_full_disk_refuses_what_comes_and_what_was_accepted_is_committed() -> None:
    store = Scripted()
    writer = await Writer.on(store)
    store.script["append"] = ["hold"]
    first = writer.committer.submit([new_draft()])
    await store.held.wait()
    second = writer.committer.submit([new_draft()])
    store.full = True
    with pytest.raises(StoreFull):
        writer.committer.submit([new_draft()])
    store.release.set()
    assert [(await answer)[0].event.position for answer in (first, second)] == [1, 2]
    assert writer.committer.available
    store.full = False
    assert (await writer.append(new_draft()))[0].event.position == 3
    await writer.committer.close()


async def test_of_two_senders_of_one_event_whose_commit_was_unknown_one_is_told_that_it_created_it() -> None:
    store = Scripted()
    writer = await Writer.on(store)
    store.script["append"] = ["after"]
    answers = [writer.committer.submit([new_draft(number=1)]) for _ in range(2)]
    assert [(await answer)[0].created for answer in answers] == [True, False]
    assert [(await answer)[0].event.position for answer in answers] == [1, 1]
    await writer.committer.close()


@pytest.mark.parametrize("fault", ["before", "after"])
@pytest.mark.parametrize("number", [None, 1])
async def test_an_unknown_outcome_is_resolved_by_id(fault: str, number: int | None) -> None:
    store = Scripted()
    writer = await Writer.on(store)
    store.script["append"] = [fault]
    [recorded] = await writer.append(new_draft(number=number))
    assert recorded.created
    assert [(m.pattern, m.before, m.after) for m in recorded.moves] == [("a1", 0.0, 0.3)]
    assert await ids_in(store.inner) == [recorded.event.id]
    assert writer.committer.available
    writer.assert_fed_in_order()
    assert len(writer.fed) == 1
    await writer.committer.close()


@pytest.mark.parametrize("fault", ["before", "after", "rollback"])
async def test_an_unknown_outcome_of_the_slow_path_is_resolved_by_id_too(fault: str) -> None:
    store = Scripted()
    writer = await Writer.on(store)
    store.script |= {"append": ["before"], "turn": [fault, "ok"]}
    recorded = await writer.append(new_draft(number=1), new_draft("reward", number=2, parents=[make_id(1)]))
    assert [one.created for one in recorded] == [True, True]
    assert [[m.after for m in one.moves] for one in recorded] == [[0.3], [pytest.approx(0.9)]]
    assert await ids_in(store.inner) == [make_id(1), make_id(2)]
    writer.assert_fed_in_order()
    await writer.committer.close()


async def test_an_answer_holds_the_moves_even_when_the_look_up_failed_after_the_catch_up() -> None:
    store = Scripted()
    writer = await Writer.on(store)
    store.script |= {"append": ["after"], "events": ["before"]}
    [recorded] = await writer.append(new_draft(number=1))
    assert [(m.pattern, m.after) for m in recorded.moves] == [("a1", 0.3)]
    await writer.committer.close()


async def test_an_answer_holds_the_moves_of_a_batch_that_the_recovery_of_another_read_from_the_log() -> None:
    """Both batches were committed and the answer to the first was lost. Its recovery reads the second one from the log too."""
    store = Scripted()
    writer = await Writer.on(store)
    store.script["append"] = ["after", "ok"]

    async def wait_for_second() -> None:
        while len(store.inner.log) < 1 + committer_module.WORTH_OVERLAPPING:
            await asyncio.sleep(0)

    store.between = wait_for_second
    first = writer.committer.submit([new_draft(number=1)])
    while "append" not in store.calls:
        await asyncio.sleep(0)
    rest = [writer.committer.submit([new_draft(number=2 + n, action="b")]) for n in range(committer_module.WORTH_OVERLAPPING)]
    answers = [answer for [answer] in await asyncio.wait_for(asyncio.gather(first, *rest), 10)]
    assert await ids_in(store.inner) == [make_id(n) for n in range(1, 66)]
    assert all(answer.created for answer in answers)
    assert [len(answer.moves) for answer in answers] == [1] * 65
    await writer.committer.close()


async def test_a_batch_planned_on_an_outdated_log_is_planned_again() -> None:
    store = MemoryStore()
    one, two = await Writer.on(store, poll_interval=3600), await Writer.on(store, poll_interval=3600)
    await one.append(new_draft(number=1, action="x"))
    [reward] = await two.append(new_draft("reward", number=2))
    assert (reward.event.position, [(m.pattern, m.after) for m in reward.moves]) == (2, [("x", pytest.approx(0.9))])
    [penalty] = await one.append(new_draft("penalty", number=3, parents=[make_id(2), make_id(1)]))
    assert (penalty.event.position, [(m.before, m.after) for m in penalty.moves]) == (3, [(pytest.approx(0.9), pytest.approx(0.7))])
    assert [entry.event.position for entry in one.fed] == [1, 2, 3]
    assert [entry.event.position for entry in two.fed] == [1, 2]
    assert [entry.encoded for entry in two.fed] == [entry.encoded for entry in one.fed[:2]]
    assert await verify(store) == []
    await one.committer.close()
    await two.committer.close()


async def test_events_of_other_writers_are_read_without_an_own_append() -> None:
    store = MemoryStore()
    reader, writer = await Writer.on(store, poll_interval=0.001), await Writer.on(store)
    await writer.append(new_draft("reward", action="x"))
    await until(lambda: reader.fed)
    assert reader.ledger.signals == writer.ledger.signals
    assert reader.fed[0].moves == writer.fed[0].moves
    await reader.committer.close()
    await writer.committer.close()


async def test_a_retry_during_the_first_try_waits_for_its_outcome() -> None:
    store = Scripted()
    writer = await Writer.on(store)
    store.script["append"] = ["hold"]
    first = writer.committer.submit([new_draft(number=1)])
    await store.held.wait()
    retries = [writer.committer.submit([new_draft(number=1)]) for _ in range(committer_module.WORTH_OVERLAPPING)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert not any(future.done() for future in [first, *retries])
    store.release.set()
    answers = await asyncio.gather(first, *retries)
    assert [answer.created for [answer] in answers] == [True] + [False] * 64
    assert "turn" not in store.calls  # events being committed are known; no slow path was needed to find the id
    assert len(store.inner.log) == 1
    await writer.committer.close()


def test_while_the_store_is_away_nothing_is_accepted_and_the_committer_recovers_by_itself() -> None:
    async def prove() -> None:
        store = Scripted()
        writer = await Writer.on(store, poll_interval=0.5)
        store.away = True
        await until(lambda: not writer.committer.available)
        with pytest.raises(StoreUnavailable):
            writer.committer.submit([new_draft()])
        store.away = False
        await until(lambda: writer.committer.available)
        [recorded] = await writer.append(new_draft())
        assert recorded.event.position == 1
        await writer.committer.close()

    run_skipping(prove())


def test_a_commit_waits_for_a_store_that_went_away_and_is_done_when_it_is_back() -> None:
    async def prove() -> None:
        store = Scripted()
        writer = await Writer.on(store, patience=30)
        store.away = True
        waiting = writer.committer.submit([new_draft(number=1)])
        await asyncio.sleep(20)
        assert not waiting.done()
        assert not writer.committer.available
        store.away = False
        [recorded] = await waiting
        assert recorded.created
        assert writer.committer.available
        assert await ids_in(store.inner) == [make_id(1)]
        await writer.committer.close()

    run_skipping(prove())


def test_after_its_patience_a_commit_has_an_unknown_outcome_and_queued_events_were_not_stored() -> None:
    async def prove() -> None:
        store = Scripted()
        writer = await Writer.on(store, patience=10)
        store.script["append"] = ["hold"]
        in_flight = writer.committer.submit([new_draft(number=1)])
        await store.held.wait()
        behind = writer.committer.submit([new_draft(number=2)])
        store.away = True
        store.release.set()
        begin = asyncio.get_running_loop().time()
        with pytest.raises(OutcomeUnknown, match=make_id(1)):
            await in_flight
        assert 10 <= asyncio.get_running_loop().time() - begin <= 13
        with pytest.raises(StoreUnavailable) as caught:
            await behind
        assert not isinstance(caught.value, OutcomeUnknown)
        store.away = False
        await until(lambda: writer.committer.available)
        recorded = await asyncio.gather(writer.append(new_draft(number=1)), writer.append(new_draft(number=2)))
        assert [one.created for [one] in recorded] == [True, True]
        await writer.committer.close()

    run_skipping(prove())


def test_both_batches_in_flight_are_answered_within_one_patience() -> None:
    async def prove() -> None:
        store = Scripted()
        writer = await Writer.on(store, patience=10)
        store.script["append"] = ["hold", "hold"]
        first = writer.committer.submit([new_draft()])
        await store.held.wait()
        second = [writer.committer.submit([new_draft()]) for _ in range(committer_module.WORTH_OVERLAPPING)]
        while store.calls.count("append") < 2:
            await asyncio.sleep(0)
        store.away = True
        store.release.set()
        begin = asyncio.get_running_loop().time()
        outcomes = await asyncio.gather(first, *second, return_exceptions=True)
        assert all(isinstance(outcome, OutcomeUnknown) for outcome in outcomes)
        assert asyncio.get_running_loop().time() - begin <= 13
        store.away = False
        await writer.committer.close()

    run_skipping(prove())


def test_closing_while_the_store_is_away_ends() -> None:
    async def prove() -> None:
        store = Scripted()
        writer = await Writer.on(store, patience=10)
        store.away = True
        waiting = writer.committer.submit([new_draft()])
        closing = asyncio.create_task(writer.committer.close())
        with pytest.raises(OutcomeUnknown):
            await waiting
        await closing

    run_skipping(prove())


async def test_another_database_at_the_same_address_makes_the_committer_start_over() -> None:
    store = Scripted()
    writer = await Writer.on(store, poll_interval=3600)
    await writer.append(new_draft(number=1, action="old"))
    store.inner = MemoryStore()
    with pytest.raises(InvalidInput):
        await writer.append(new_draft(parents=[make_id(1)]))
    [recorded] = await writer.append(new_draft("reward", number=2, action="new"))
    assert recorded.event.position == 1
    assert writer.resets == 1
    assert writer.ledger.state.epoch == (await store.inner.state()).epoch
    assert list(writer.ledger.signals) == [("ui", "new")]
    assert writer.hub.head == 1
    await writer.committer.close()


def test_another_database_that_cannot_be_opened_is_waited_for_no_longer_than_patience() -> None:
    """As when the database of a newer version was restored while the service runs."""

    async def prove() -> None:
        store = Scripted()
        writer = await Writer.on(store, poll_interval=3600, patience=10)
        store.inner = MemoryStore()
        await store.inner.open(Rules())

        async def refused(rules: Rules) -> Any:
            raise SchemaMismatch("newer")

        store.inner.open = refused  # type: ignore[method-assign]
        waiting = writer.committer.submit([new_draft()])
        await until(waiting.done, 20)
        assert isinstance(waiting.exception(), SempError)
        assert store.calls.count("turn") < 100, "tried again and again without a pause"
        await writer.committer.close()

    run_skipping(prove())


async def test_a_log_that_was_restored_from_a_backup_makes_the_committer_start_over() -> None:
    store = Scripted()
    writer = await Writer.on(store, poll_interval=0.001)
    epoch = store.inner.current.epoch
    for number in range(1, 4):
        await writer.append(new_draft(number=number))
    restored = MemoryStore()
    other = await Writer.on(restored)
    await other.append(new_draft(number=1))
    restored.current = type(restored.current)(epoch, 1, "tip", restored.current.last_timestamp, restored.current.rules)
    store.inner = restored
    await until(lambda: writer.resets)
    [recorded] = await writer.append(new_draft(number=2))
    assert recorded.event.position == 2
    assert writer.hub.head == 2
    await writer.committer.close()
    await other.committer.close()


async def test_new_rules_of_one_replica_apply_to_the_others_from_their_position() -> None:
    store = MemoryStore()
    old = await Writer.on(store, poll_interval=3600)
    await old.append(new_draft("reward", value=0.1, action="before"))
    new = await Writer.on(store, rules=Rules(alpha=5.0), poll_interval=3600)
    [moved] = await old.append(new_draft("reward", value=0.1, action="after"))
    assert moved.moves[0].after == pytest.approx(0.5)
    assert store.states["ui", "after"].alpha == 5.0
    assert await verify(store) == []
    await old.committer.close()
    await new.committer.close()


async def test_each_committer_counts_its_own_transactions() -> None:
    store, clock = MemoryStore(), FakeClock()
    one = await Writer.on(store, clock)
    other = await Writer.on(store, clock, poll_interval=0.01)
    for _ in range(3):
        await one.append(new_draft())
    await until(lambda: other.ledger.state.head >= 3)
    assert (one.committer.transactions, other.committer.transactions) == (3, 0)
    await other.append(new_draft())
    assert (one.committer.transactions, other.committer.transactions) == (3, 1)
    for writer in (one, other):
        await writer.committer.close()


@pytest.mark.parametrize("fault", ["before", "after"])
async def test_a_transaction_whose_answer_was_lost_is_counted_once(fault: str) -> None:
    store = Scripted()
    writer = await Writer.on(store)
    store.script["append"] = [fault]
    assert positions(await writer.append(new_draft())) == [1]
    assert writer.committer.transactions == 1
    await writer.committer.close()
