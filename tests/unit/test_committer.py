"""Group commit under faults: nothing acknowledged is lost, nothing is doubled, and every answer says what happened."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from semp.domain.errors import IdConflict, InvalidInput, OutcomeUnknown, QueueFull, SchemaMismatch, SempError, StoreFull, StoreUnavailable
from semp.domain.events import Draft
from semp.domain.signals import Rules
from semp.engine import committer as committer_module
from semp.engine import ledger as ledger_module
from semp.engine.planning import Recorded
from semp.engine.replay import verify
from semp.storage.memory.store import MemoryStore

from tests.strategies import FakeClock, FlakyStore, Reference, Writer, make_id, new_draft, random_draft, run_skipping, whole_log
from tests.waiting import until


class Scripted:
    """A MemoryStore on which single calls can be held, failed before they do anything, or failed after they did it."""

    def __init__(self, inner: MemoryStore | None = None) -> None:
        self.inner = inner or MemoryStore()
        self.script: dict[str, list[str]] = {}
        """Method to what happens to its next calls: `before`, `after`, `hold` or `ok`."""
        self.away = False
        self.full = False
        self.held = asyncio.Event()
        self.release = asyncio.Event()
        self.calls: list[str] = []
        self.between: Callable[[], Awaitable[object]] | None = None
        """Runs once at the next injected fault: what the world does meanwhile."""

    async def _fault(self, when: str, wanted: str) -> None:
        if self.away or when == wanted:
            if self.between is not None:
                work, self.between = self.between, None
                await work()
            raise StoreUnavailable("injected")

    async def _enter(self, name: str) -> str:
        self.calls.append(name)
        wanted = (self.script.get(name) or ["ok"]).pop(0) if self.script.get(name) else "ok"
        if wanted == "hold":
            self.held.set()
            await self.release.wait()
        await self._fault("before", wanted)
        return wanted

    def require_room(self) -> None:
        if self.full:
            raise StoreFull("the disk is full")

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            wanted = await self._enter(name)
            answer = await method(*arguments, **named)
            await self._fault("after", wanted)
            return answer

        return call

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[Any]:
        wanted = await self._enter("turn")
        async with self.inner.turn() as turn:
            yield turn
            if wanted == "rollback":
                raise StoreUnavailable("injected before the commit")
        await self._fault("after", wanted)


def positions(recorded: list[Recorded]) -> list[int]:
    return [one.event.position for one in recorded]


async def ids_in(store: MemoryStore) -> list[str]:
    return [entry.event.id for entry in await whole_log(store)]


async def test_a_lone_event_is_committed_without_waiting_for_others() -> None:
    store = MemoryStore()
    writer = await Writer.on(store, poll_interval=3600)
    before = asyncio.get_running_loop().time()
    [recorded] = await asyncio.wait_for(writer.append(new_draft()), 5)
    assert asyncio.get_running_loop().time() - before < 1
    assert (recorded.created, recorded.event.position) == (True, 1)
    await writer.committer.close()


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


async def test_what_waits_together_is_committed_together() -> None:
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
    assert "turn" not in store.calls  # the second overtook the first and was simply sent again
    writer.assert_fed_in_order()
    assert await verify(store.inner) == []
    await writer.committer.close()


async def test_a_cancelled_request_is_neither_lost_nor_doubled() -> None:
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
    assert await ids_in(store.inner) == [make_id(1), make_id(2), make_id(3)]
    [retry] = await writer.append(new_draft(number=1))
    assert (retry.created, retry.event.position) == (False, 1)
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


async def test_an_answer_tells_the_moves_even_when_the_look_up_failed_after_the_catch_up() -> None:
    store = Scripted()
    writer = await Writer.on(store)
    store.script |= {"append": ["after"], "events": ["before"]}
    [recorded] = await writer.append(new_draft(number=1))
    assert [(m.pattern, m.after) for m in recorded.moves] == [("a1", 0.3)]
    await writer.committer.close()


async def test_an_answer_tells_the_moves_of_a_batch_that_another_s_recovery_read_from_the_log() -> None:
    """Both batches were committed, the answer to the first got lost: its catch-up reads the second one as well."""
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


async def test_other_writers_events_are_found_without_writing() -> None:
    store = MemoryStore()
    reader, writer = await Writer.on(store, poll_interval=0.001), await Writer.on(store)
    await writer.append(new_draft("reward", action="x"))
    await until(lambda: reader.fed)
    assert reader.ledger.signals == writer.ledger.signals
    assert reader.fed[0].moves == writer.fed[0].moves
    await reader.committer.close()
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


async def test_a_retry_while_the_first_try_is_under_way_waits_for_its_outcome() -> None:
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
    assert "turn" not in store.calls  # what is under way is known; no slow path was needed to find the id
    assert len(store.inner.log) == 1
    await writer.committer.close()


async def test_unknown_parents_are_named_and_nothing_of_the_batch_is_written() -> None:
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


async def test_a_refused_submission_leaves_no_trace_on_those_beside_it() -> None:
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


async def test_a_refused_proposal_answers_for_nothing() -> None:
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


async def test_a_batch_that_repeats_stored_events_may_build_on_them() -> None:
    """A resumed import sends again what was stored, together with what was not; the stored ones are causes like any other."""
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
async def test_the_size_of_the_caches_decides_nothing(bound: int, monkeypatch: pytest.MonkeyPatch) -> None:
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
    monkeypatch.setattr(committer_module, "MAX_QUEUED_EVENTS", 10)
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
    monkeypatch.setattr(committer_module, "MAX_QUEUED_BYTES", 1000)
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
    queued = writer.committer.submit([new_draft(note="x" * 900)])  # what was committed takes no room any more
    store.release.set()
    await asyncio.gather(first, small, queued)
    await writer.append(new_draft(note="x" * 5000))  # alone in an empty queue it must get through
    await writer.committer.close()


@pytest.mark.parametrize("waiting", [0, 1, 10, 100])
async def test_closing_commits_what_was_accepted_and_refuses_the_rest(waiting: int) -> None:
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


def test_while_the_store_is_away_nothing_is_accepted_and_it_comes_back_by_itself() -> None:
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


def test_after_its_patience_a_commit_is_unknown_and_what_waited_behind_it_was_not_stored() -> None:
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


def test_both_batches_under_way_are_answered_within_one_patience() -> None:
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


async def test_what_was_refused_stays_refused_while_the_rest_of_its_batch_is_tried_again() -> None:
    """The sender was told 400, so the event must not appear when its parent arrives before the second try."""
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


async def test_another_database_under_the_same_name_starts_everything_over() -> None:
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
    """As when a newer version's database was restored under the running service."""

    async def prove() -> None:
        store = Scripted()
        writer = await Writer.on(store, poll_interval=3600, patience=10)
        store.inner = MemoryStore()
        await store.inner.open(Rules())

        async def refused(rules: Rules) -> Any:
            raise SchemaMismatch("newer")

        store.inner.open = refused  # type: ignore[method-assign]
        waiting = writer.committer.submit([new_draft()])
        for _ in range(2_000):
            if waiting.done():
                break
            await asyncio.sleep(0.01)
        assert waiting.done(), "still trying"
        assert isinstance(waiting.exception(), SempError)
        assert store.calls.count("turn") < 100, "tried again and again without a pause"
        await writer.committer.close()

    run_skipping(prove())


async def test_a_log_that_went_back_in_time_starts_everything_over() -> None:
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


async def test_other_rules_of_a_new_replica_bind_the_old_one_from_their_position() -> None:
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


async def test_a_planning_error_of_one_does_not_harm_the_others() -> None:
    """Whatever goes wrong in the store for one submission, those that wait beside it are answered."""
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


# --- Random interleavings: two committers on one store, both behind faults -----------------------------------------------------------


class Outcomes:
    """What senders were told."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, Recorded] = {}
        self.created: dict[str, int] = {}
        self.refused: set[str] = set()
        self.unknown: set[str] = set()
        self.ids: list[str] = []


async def send(rng: random.Random, writers: list[Writer], number: int, told: Outcomes) -> None:
    """One client: posts a single event or a batch, and retries, cancels or gives up as clients do."""
    await asyncio.sleep(rng.random() * 0.05)
    drafts: list[Draft] = []
    for index in range(rng.choice((1, 1, 1, 1, 3, 40, 90))):
        known = told.ids[-20:] + [draft.id for draft in drafts]
        own = rng.random() < 0.5
        drafts.append(random_draft(rng, number * 100 + index if own else None, known))
    for _ in range(50):
        writer = rng.choice(writers)
        try:
            pending = writer.committer.submit(drafts, batch=len(drafts) > 1)
            if rng.random() < 0.1:
                await asyncio.sleep(rng.random() * 0.02)
                if pending.cancel():
                    told.unknown.update(draft.id for draft in drafts)
                    return
            recorded = await pending
        except (QueueFull, OutcomeUnknown, StoreUnavailable) as error:
            if isinstance(error, OutcomeUnknown):
                told.unknown.update(draft.id for draft in drafts)
                if not all(draft.client_id for draft in drafts):
                    return  # only a client that chose its ids may repeat after this
            await asyncio.sleep(rng.random() * 0.5)
            continue
        except SempError:
            told.refused.update(draft.id for draft in drafts)
            return
        assert [one.event.id for one in recorded] == [draft.id for draft in drafts]
        for one in recorded:
            told.acknowledged[one.event.id] = one
            told.created[one.event.id] = told.created.get(one.event.id, 0) + one.created
            told.ids.append(one.event.id)
        if rng.random() < 0.2 and all(draft.client_id for draft in drafts):
            continue  # a client that lost the answer asks again
        return
    told.unknown.update(draft.id for draft in drafts)


async def storm(seed: int, *, rate: float, senders: int, patience: float, small_caches: bool = False, moves: bool = False) -> None:
    rng = random.Random(seed)
    inner, clock = MemoryStore(), FakeClock()
    stores = [FlakyStore(inner, random.Random(rng.random()), 0.0) for _ in range(2)]
    writers = [await Writer.on(store, clock, poll_interval=0.05, patience=patience) for store in stores]
    if small_caches:
        for writer in writers:
            writer.ledger.causes.bound = writer.ledger.newest.bound = writer.ledger.scopes.bound = 2
    for store in stores:
        store.rate = rate
    told = Outcomes()

    async def time_passes() -> None:
        while True:
            await asyncio.sleep(0.01)
            clock.now += rng.choice((0, 5, 5, 50_000, 900_000, -30_000))

    passing = asyncio.create_task(time_passes())
    await asyncio.gather(*(send(random.Random(rng.random()), writers, number, told) for number in range(1, senders + 1)))
    passing.cancel()
    for store in stores:
        store.rate = 0.0
    for writer in writers:
        await writer.committer.close()

    entries = await whole_log(inner)
    there = [entry.event.id for entry in entries]
    assert [entry.event.position for entry in entries] == list(range(1, len(entries) + 1)), "a gap"
    assert len(set(there)) == len(there), "an event is there twice"
    assert told.acknowledged.keys() <= set(there), "an acknowledged event is lost"
    assert set(there) <= told.acknowledged.keys() | told.unknown, "an event is there that was refused"
    assert not (told.refused - told.acknowledged.keys() - told.unknown) & set(there)
    by_id = {entry.event.id: entry for entry in entries}
    for event_id, recorded in told.acknowledged.items():
        assert recorded.event == by_id[event_id].event
    stamps = [entry.event.timestamp for entry in entries]
    assert stamps == sorted(stamps), "time runs backwards"
    assert await verify(inner) == []
    reference = Reference()
    for entry in entries:
        expected = reference.add(entry.event, Rules())
        stored = inner.log[entry.event.position - 1].moves
        assert [(m.scope, m.pattern, m.after) for m in stored] == [(m.scope, m.pattern, pytest.approx(m.after)) for m in expected]
        told_event = told.acknowledged.get(entry.event.id)
        if moves and told_event is not None and told_event.created:
            assert list(told_event.moves) == list(stored), "the answer tells other moves than were made"
    for writer in writers:
        writer.assert_fed_in_order()
        assert [entry.event for entry in writer.fed] == [entry.event for entry in entries[: len(writer.fed)]]
        assert [entry.moves for entry in writer.fed] == [entry.moves for entry in inner.log[: len(writer.fed)]]


def guarded(work: Callable[[], Coroutine[Any, Any, None]], what: str) -> None:
    try:
        run_skipping(work())
    except BaseException as error:
        error.add_note(what)
        raise


@pytest.mark.parametrize("block", range(4))
@pytest.mark.parametrize(("rate", "patience"), [(0.0, 30.0), (0.03, 30.0), (0.15, 30.0), (0.4, 1.0)])
def test_no_interleaving_loses_or_doubles_an_event(block: int, rate: float, patience: float) -> None:
    for seed in range(block * 10, block * 10 + 10):
        guarded(partial(storm, seed, rate=rate, senders=25, patience=patience), f"seed {seed}")


@pytest.mark.parametrize("rate", [0.0, 0.03, 0.15])
def test_no_interleaving_answers_with_other_moves_than_were_made(rate: float) -> None:
    for seed in range(20):
        guarded(partial(storm, seed, rate=rate, senders=25, patience=30.0, moves=True), f"seed {seed}")


def test_no_interleaving_depends_on_the_size_of_the_caches() -> None:
    for seed in range(20):
        guarded(partial(storm, seed, rate=0.03, senders=25, patience=30.0, small_caches=True), f"seed {seed}")


async def test_transactions_are_counted_by_whoever_made_them() -> None:
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
