"""The committer: what waits together is one transaction; retries, conflicts, parents and refused events; the bounds of its queue."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from semp.domain.errors import IdConflict, InvalidInput, QueueFull, StoreUnavailable
from semp.engine import append_queue
from semp.engine import committer as committer_module
from semp.engine import ledger as ledger_module
from semp.engine.replay import verify
from semp.storage.memory.store import MemoryStore

from tests.scripted_store import Scripted, ids_in, positions
from tests.strategies import Writer, make_id, new_draft


async def test_a_lone_event_is_committed_without_waiting_for_others() -> None:
    store = MemoryStore()
    writer = await Writer.on(store, poll_interval=3600)
    before = asyncio.get_running_loop().time()
    [recorded] = await asyncio.wait_for(writer.append(new_draft()), 5)
    assert asyncio.get_running_loop().time() - before < 1
    assert (recorded.created, recorded.event.position) == (True, 1)
    await writer.committer.close()


async def test_events_that_wait_together_are_committed_together() -> None:
    store = Scripted()
    writer = await Writer.on(store)
    store.script["append"] = ["hold"]
    first = writer.committer.submit([new_draft()])
    await store.held.wait()
    waiting = [writer.committer.submit([new_draft()]) for _ in range(committer_module.WORTH_OVERLAPPING - 1)]
    await asyncio.sleep(0)
    assert writer.committer.queued == len(waiting)
    store.release.set()
    await asyncio.gather(first, *waiting)
    assert store.calls.count("append") == 2
    assert [positions(future.result())[0] for future in [first, *waiting]] == list(range(1, 65))
    await writer.committer.close()


async def test_two_batches_overlap_and_land_in_order() -> None:
    store = Scripted()
    writer = await Writer.on(store)
    store.script["append"] = ["hold"]
    first = writer.committer.submit([new_draft(number=1)])
    await store.held.wait()
    rest = [writer.committer.submit([new_draft(number=2 + n, parents=[make_id(1 + n)])]) for n in range(committer_module.WORTH_OVERLAPPING)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert store.calls.count("append") == 2  # the second was sent before the first was answered
    assert not any(future.done() for future in [first, *rest])
    store.release.set()
    await asyncio.gather(first, *rest)
    assert await ids_in(store.inner) == [make_id(n) for n in range(1, 66)]
    assert "turn" not in store.calls  # the second overtook the first and was sent again, without the slow path
    writer.assert_fed_in_order()
    assert await verify(store.inner) == []
    await writer.committer.close()


async def test_of_cancelled_requests_the_one_that_was_sent_is_neither_lost_nor_doubled_and_the_one_that_waits_is_dropped() -> None:
    store = Scripted()
    writer = await Writer.on(store)
    store.script["append"] = ["hold"]
    in_flight = writer.committer.submit([new_draft(number=1)])
    await store.held.wait()
    queued = writer.committer.submit([new_draft(number=2)])
    assert in_flight.cancel()
    assert queued.cancel()
    store.release.set()
    await writer.append(new_draft(number=3))
    assert await ids_in(store.inner) == [make_id(1), make_id(3)]
    assert (writer.committer.queued, writer.committer._queue.bytes) == (0, 0)  # pyright: ignore[reportPrivateUsage]
    [retry] = await writer.append(new_draft(number=1))
    assert (retry.created, retry.event.position) == (False, 1)
    await writer.committer.close()


async def test_a_taken_id_does_not_hold_up_the_others_of_its_batch() -> None:
    store = Scripted()
    writer = await Writer.on(store)
    await writer.append(new_draft(number=1))
    writer.ledger.causes.clear()  # as after a long time, or a restart
    store.script["append"] = ["hold"]
    first = writer.committer.submit([new_draft(number=2)])
    await store.held.wait()
    others = [writer.committer.submit([new_draft(number=n)]) for n in (3, 1, 4)]
    conflict = writer.committer.submit([new_draft(number=1, action="other")])
    store.release.set()
    answers = await asyncio.gather(first, *others)
    assert [(answer.created, answer.event.position) for [answer] in answers] == [(True, 2), (True, 3), (False, 1), (True, 4)]
    with pytest.raises(IdConflict) as caught:
        await conflict
    assert (caught.value.event_id, caught.value.index) == (make_id(1), None)
    assert await ids_in(store.inner) == [make_id(n) for n in (1, 2, 3, 4)]
    await writer.committer.close()


async def test_a_retry_is_answered_with_the_stored_event_and_writes_nothing() -> None:
    store = MemoryStore()
    writer = await Writer.on(store)
    [first] = await writer.append(new_draft(number=1, params={"a": 1, "b": 2}))
    for forget in (False, True):
        if forget:
            writer.ledger.causes.clear()
        [again] = await writer.append(new_draft(number=1, params={"b": 2, "a": 1}))
        assert (again.created, again.event, again.moves) == (False, first.event, ())
        assert again.encoded == first.encoded
    assert len(store.log) == 1
    await writer.committer.close()


@pytest.mark.parametrize(
    "changed",
    [{"action": "b"}, {"scope": "api"}, {"trace": "t2"}, {"agent": "bob"}, {"parents": [make_id(9)]}, {"priority": "low"}],
)
@pytest.mark.parametrize("forget", [False, True])
async def test_the_same_id_with_other_content_is_a_conflict(changed: dict[str, Any], forget: bool) -> None:
    store = MemoryStore()
    writer = await Writer.on(store)
    await writer.append(new_draft(number=9))
    await writer.append(new_draft(number=1))
    if forget:
        writer.ledger.causes.clear()
    with pytest.raises(IdConflict):
        await writer.append(new_draft("proposal", number=1, **changed))
    assert len(store.log) == 2
    await writer.committer.close()


async def test_a_conflict_in_a_batch_names_its_index_and_writes_nothing() -> None:
    store = MemoryStore()
    writer = await Writer.on(store)
    await writer.append(new_draft(number=1))
    for forget in (False, True):
        if forget:
            writer.ledger.causes.clear()
        with pytest.raises(IdConflict) as caught:
            await writer.append(new_draft(number=5), new_draft(number=6), new_draft(number=1, action="b"))
        assert (caught.value.index, caught.value.field) == (2, "[2].id")
    assert len(store.log) == 1
    await writer.committer.close()


async def test_the_same_id_twice_in_one_batch_is_one_event_or_a_conflict() -> None:
    store = MemoryStore()
    writer = await Writer.on(store)
    recorded = await writer.append(new_draft(number=1), new_draft(number=1), new_draft("reward", number=2, parents=[make_id(1)]))
    assert positions(recorded) == [1, 1, 2]
    assert [one.created for one in recorded] == [True, False, True]
    with pytest.raises(IdConflict) as caught:
        await writer.append(new_draft(number=3), new_draft(number=3, action="b"))
    assert caught.value.index == 1
    assert len(store.log) == 2
    await writer.committer.close()


async def test_two_concurrent_submissions_with_one_id_give_one_event() -> None:
    store = MemoryStore()
    writer = await Writer.on(store)
    answers = await asyncio.gather(*(writer.append(new_draft(number=1)) for _ in range(5)))
    assert sorted(answer.created for [answer] in answers) == [False] * 4 + [True]
    assert len(store.log) == 1
    await writer.committer.close()


async def test_unknown_parents_are_named_and_the_batch_writes_nothing() -> None:
    store = MemoryStore()
    writer = await Writer.on(store)
    with pytest.raises(InvalidInput) as caught:
        await writer.append(
            new_draft(number=1), new_draft(number=2, parents=[make_id(1), make_id(77), make_id(78)]), new_draft(number=3), batch=True
        )
    assert [(error.field, make_id(77 + n) in error.reason) for n, error in enumerate(caught.value.fields)] == [
        ("[1].parent_ids[1]", True), ("[1].parent_ids[2]", True),
    ]  # fmt: skip
    with pytest.raises(InvalidInput) as single:
        await writer.append(new_draft(parents=[make_id(77)]))
    assert single.value.fields[0].field == "parent_ids[0]"
    assert (store.log, store.states) == ([], {})
    await writer.committer.close()


async def test_a_refused_submission_does_not_affect_others_of_the_same_commit() -> None:
    store = MemoryStore()
    writer = await Writer.on(store)
    good, bad, also_good = (
        writer.committer.submit([new_draft(number=1), new_draft(number=2)], batch=True),
        writer.committer.submit([new_draft("reward", number=3, action="a1"), new_draft(number=4, parents=[make_id(99)])], batch=True),
        writer.committer.submit([new_draft(number=5)]),
    )
    with pytest.raises(InvalidInput):
        await bad
    assert positions(await good) == [1, 2]
    assert positions(await also_good) == [3]
    assert store.states["ui", "a1"].strength == 0.3
    assert await verify(store) == []
    await writer.committer.close()


async def test_a_reward_never_moves_the_signal_of_a_refused_proposal() -> None:
    writer = await Writer.on(MemoryStore())
    refused = writer.committer.submit([new_draft(action="ghost"), new_draft(parents=[make_id(99)])], batch=True)
    reward = writer.committer.submit([new_draft("reward")])
    with pytest.raises(InvalidInput):
        await refused
    assert (await reward)[0].moves == []
    await writer.committer.close()


async def test_a_parent_may_come_earlier_in_the_same_batch_but_not_later() -> None:
    store = MemoryStore()
    writer = await Writer.on(store)
    recorded = await writer.append(new_draft(number=1), new_draft("test", number=2, parents=[make_id(1)]))
    assert positions(recorded) == [1, 2]
    with pytest.raises(InvalidInput, match=r"\[1\]\.parent_ids\[0\].*later in the batch"):
        await writer.append(new_draft(number=3), new_draft(number=4, parents=[make_id(5)]), new_draft(number=5))
    assert len(store.log) == 2
    await writer.committer.close()


async def test_a_child_may_be_sent_before_its_parent_was_answered() -> None:
    store = MemoryStore()
    writer = await Writer.on(store)
    answers = await asyncio.gather(*(writer.append(new_draft(number=n, parents=[make_id(n - 1)] if n > 1 else [])) for n in range(1, 300)))
    assert [answer.event.position for [answer] in answers] == list(range(1, 300))
    await writer.committer.close()


async def test_an_event_cannot_be_its_own_parent() -> None:
    with pytest.raises(InvalidInput, match="parent_ids"):
        new_draft(number=1, parents=[make_id(1)])


async def test_a_batch_that_repeats_stored_events_may_name_them_as_parents() -> None:
    """A resumed import repeats stored events together with new ones; the repeated ones can be parents like any other."""
    store = MemoryStore()
    writer = await Writer.on(store)
    await writer.append(new_draft(number=1))
    writer.ledger.causes.clear()  # as after a restart
    recorded = await writer.append(new_draft(number=1), new_draft("reward", number=2, parents=[make_id(1)]))
    assert [(one.created, one.event.position) for one in recorded] == [(False, 1), (True, 2)]
    assert [m.pattern for m in recorded[1].moves] == ["a1"]
    await writer.committer.close()


async def test_a_batch_may_name_a_stored_parent_that_it_repeats_later() -> None:
    store = MemoryStore()
    writer = await Writer.on(store)
    await writer.append(new_draft(number=1))
    answers = []
    for forget in (False, True):
        if forget:
            writer.ledger.causes.clear()
        recorded = await writer.append(new_draft("test", number=2 + forget, parents=[make_id(1)]), new_draft(number=1))
        answers.append([one.created for one in recorded])
    assert answers == [[True, False], [True, False]]
    await writer.committer.close()


@pytest.mark.parametrize("bound", [1, 3])
async def test_the_size_of_the_caches_changes_no_result(bound: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """More distinct parents and threads in one batch than the caches hold."""
    monkeypatch.setattr(ledger_module, "CACHED_CAUSES", bound)
    store = MemoryStore()
    writer = await Writer.on(store)
    proposals = [new_draft(number=n, trace=f"t{n}", action=f"a{n}") for n in range(1, 11)]
    await writer.append(*proposals)
    writer.ledger.causes.clear()
    writer.ledger.newest.clear()
    by_parent = await writer.append(*(new_draft("reward", parents=[one.id], trace="other", value=0.1) for one in proposals))
    assert [[m.pattern for m in one.moves] for one in by_parent] == [[f"a{n}"] for n in range(1, 11)]
    by_thread = await writer.append(*(new_draft("reward", trace=one.trace_id, value=0.1) for one in proposals))
    assert [[m.pattern for m in one.moves] for one in by_thread] == [[f"a{n}"] for n in range(1, 11)]
    [last] = await writer.append(new_draft("test", parents=[one.id for one in proposals]))
    assert len(last.moves) == 10
    await writer.committer.close()


async def test_a_full_queue_refuses_and_accepts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(append_queue, "MAX_QUEUED_EVENTS", 10)
    store = Scripted()
    writer = await Writer.on(store)
    store.script["append"] = ["hold"]
    first = writer.committer.submit([new_draft()])
    await store.held.wait()
    accepted = [writer.committer.submit([new_draft() for _ in range(4)], batch=True) for _ in range(2)]
    with pytest.raises(QueueFull) as caught:
        writer.committer.submit([new_draft(number=n) for n in range(3)], batch=True)
    assert caught.value.retry_after >= 1
    accepted.append(writer.committer.submit([new_draft(), new_draft()], batch=True))  # exactly full
    with pytest.raises(QueueFull):
        writer.committer.submit([new_draft()])
    assert writer.committer.queued == 10
    store.release.set()
    await asyncio.gather(first, *accepted)
    assert writer.committer.queued == 0
    assert len(store.inner.log) == 11
    assert await store.inner.events([make_id(n) for n in range(3)]) == {}
    await writer.append(new_draft())
    await writer.committer.close()


async def test_the_queue_is_bounded_by_its_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(append_queue, "MAX_QUEUED_BYTES", 1000)
    store = Scripted()
    writer = await Writer.on(store)
    store.script["append"] = ["hold"]
    first = writer.committer.submit([new_draft()])
    await store.held.wait()
    queued = writer.committer.submit([new_draft(note="x" * 900)])
    with pytest.raises(QueueFull):
        writer.committer.submit([new_draft(note="x" * 200)])
    store.release.set()
    await asyncio.gather(first, queued)
    store.held.clear()
    store.release.clear()
    store.script["append"] = ["hold"]
    first = writer.committer.submit([new_draft()])
    await store.held.wait()
    small = writer.committer.submit([new_draft()])
    queued = writer.committer.submit([new_draft(note="x" * 900)])  # committed events take no room in the queue
    store.release.set()
    await asyncio.gather(first, small, queued)
    await writer.append(new_draft(note="x" * 5000))  # an event that is larger than the bound is accepted by an empty queue
    await writer.committer.close()


@pytest.mark.parametrize("waiting", [0, 1, 10, 100])
async def test_closing_commits_accepted_events_and_refuses_later_ones(waiting: int) -> None:
    store = Scripted()
    writer = await Writer.on(store)
    store.script["append"] = ["hold"]
    accepted = [writer.committer.submit([new_draft()])]
    await store.held.wait()
    accepted += [writer.committer.submit([new_draft()]) for _ in range(waiting)]
    closing = asyncio.create_task(writer.committer.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable):
        writer.committer.submit([new_draft()])
    store.release.set()
    await asyncio.wait_for(closing, 10)
    assert all(future.done() for future in accepted)
    assert len(store.inner.log) == 1 + waiting


async def test_a_refused_event_stays_refused_while_the_others_are_tried_again() -> None:
    """The sender got status 400, so the event must not be stored even if its parent arrives before the second try."""
    inner = MemoryStore()
    store = Scripted(inner)
    writer, other = await Writer.on(store, poll_interval=3600), await Writer.on(inner)
    store.script |= {"causes": ["before"], "turn": ["rollback", "hold"]}
    good = writer.committer.submit([new_draft(number=1)])
    orphan = writer.committer.submit([new_draft(number=2, parents=[make_id(99)])])
    with pytest.raises(InvalidInput):
        await orphan
    await store.held.wait()
    await other.append(new_draft(number=99))
    store.release.set()
    [recorded] = await good
    assert recorded.created
    assert await ids_in(inner) == [make_id(99), make_id(1)]
    await writer.committer.close()
    await other.committer.close()


async def test_a_planning_error_of_one_does_not_harm_the_others() -> None:
    """An error of the store for one submission does not keep the others of the same commit from being answered."""
    store = Scripted()
    writer = await Writer.on(store)
    original = store.inner.causes

    async def poisoned(ids: Any) -> Any:
        if make_id(66) in ids:
            raise RuntimeError("a bug")
        return await original(ids)

    store.inner.causes = poisoned  # type: ignore[method-assign]
    good, bad = writer.committer.submit([new_draft(number=1)]), writer.committer.submit([new_draft(parents=[make_id(66)])])
    [recorded] = await good
    assert recorded.created
    with pytest.raises(RuntimeError):
        await bad
    assert positions(await writer.append(new_draft())) == [2]
    await writer.committer.close()


async def test_a_cancelled_request_that_was_never_sent_is_dropped_while_its_batch_is_tried_again() -> None:
    store = Scripted()
    writer = await Writer.on(store)
    store.script |= {"newest_proposals": ["before"], "turn": ["hold"]}  # none can be planned at first
    gone = writer.committer.submit([new_draft("test", number=1)])
    stays = writer.committer.submit([new_draft("test", number=2)])
    await store.held.wait()
    gone.cancel()
    store.release.set()
    await stays
    assert await ids_in(store.inner) == [make_id(2)]
    await writer.committer.close()
