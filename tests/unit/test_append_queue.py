"""Light submissions do not wait for what heavy ones need; heavy ones do not starve; and what belongs in an order stays in it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from semp.domain.errors import QueueFull, StoreUnavailable
from semp.domain.events import Draft
from semp.engine import append_queue
from semp.engine.append_queue import AppendQueue
from semp.engine.planning import Findings, Submission
from semp.storage.memory.store import MemoryStore

from tests.scripted_store import Scripted, ids_in
from tests.strategies import Writer, make_id, new_draft

LIMIT = 1_000


class Queue(AppendQueue):
    """A queue whose look-ups end when the test says so. Submissions have numbers; `taken` has those that were sent together."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.looked_up: list[list[str]] = []
        super().__init__(self._look, lambda: None, LIMIT)

    async def _look(self, group: Sequence[Submission]) -> Findings | None:
        self.looked_up.append([submission.drafts[0].id for submission in group])
        await self.let.wait()
        return None

    def put(self, *drafts: Draft, heavy: bool = False, sender: object = None) -> Submission:
        submission = Submission(drafts, len(drafts) > 1, sender)
        submission.heavy = heavy
        self.add(submission)
        return submission

    def next(self) -> list[str]:
        batch, _ = self.take(LIMIT)
        self.look_ahead()
        return [submission.drafts[0].id for submission in batch]

    async def all(self) -> list[list[str]]:
        """What is sent, until the queue is empty."""
        self.let.set()
        batches: list[list[str]] = []
        while self:
            for _ in range(3):
                await asyncio.sleep(0)
            batches.append(self.next())
        return batches


def ids(*numbers: int) -> list[str]:
    return [make_id(number) for number in numbers]


async def test_light_submissions_go_on_while_something_is_looked_up_for_heavy_ones() -> None:
    queue = Queue()
    queue.put(new_draft(number=1), heavy=True)
    queue.put(new_draft(number=2))
    await asyncio.sleep(0)
    assert queue.looked_up == [ids(1)]
    assert (queue.ready, queue.events) == (1, 2)
    assert queue.next() == ids(2)
    assert queue.ready == 0
    queue.put(new_draft(number=3))
    assert queue.next() == ids(3)
    assert await queue.all() == [ids(1)]
    assert (queue.ready, queue.events, queue.bytes) == (0, 0, 0)


async def test_the_lanes_take_turns_and_share_no_transaction() -> None:
    queue = Queue()
    for number in (1, 2, 3):
        queue.put(*[new_draft(number=1_000 * number + index) for index in range(LIMIT)], heavy=True)
    for number in range(4, 8):
        queue.put(*[new_draft(number=1_000 * number + index) for index in range(LIMIT)])
    assert await queue.all() == [ids(4_000), ids(1_000), ids(5_000), ids(2_000), ids(6_000), ids(3_000), ids(7_000)]


async def test_a_heavy_submission_overtakes_no_light_one() -> None:
    queue = Queue()
    for number in (1, 2):
        queue.put(*[new_draft(number=1_000 * number + index) for index in range(LIMIT)])
    queue.put(new_draft(number=3_000, parents=ids(2_999)), heavy=True)
    queue.put(new_draft(number=4_000))
    assert await queue.all() == [ids(1_000), ids(2_000), ids(3_000), ids(4_000)]


async def test_a_light_submission_stays_behind_a_heavy_one_that_it_refers_to_or_that_has_the_same_sender() -> None:
    queue = Queue()
    one, other = object(), object()
    queue.put(new_draft(number=1), new_draft(number=2), heavy=True, sender=one)
    queue.put(new_draft(number=3, parents=ids(2)))
    queue.put(new_draft(number=1))  # a retry
    queue.put(new_draft(number=4), sender=one)
    queue.put(new_draft(number=5, parents=ids(3)))
    queue.put(new_draft(number=6), sender=other)
    queue.put(new_draft(number=7))
    assert await queue.all() == [ids(6, 7), ids(1), ids(3, 1, 4, 5)]
    queue.put(new_draft(number=8, parents=ids(2)), sender=one)
    assert queue.next() == ids(8), "nothing heavy waits any more"


async def test_what_had_no_room_comes_back_before_what_came_meanwhile() -> None:
    queue = Queue()
    queue.let.set()
    back = [queue.put(new_draft(number=number), heavy=True) for number in (1, 2)]
    while not queue.ready:
        await asyncio.sleep(0)
    first, _ = queue.take(LIMIT)
    assert first == back[:1], "the second came after the look-up had begun"
    queue.put(new_draft(number=3), heavy=True)
    queue.put_back(first)
    queue.look_ahead()
    assert await queue.all() == [ids(1, 2, 3)]


async def test_heavy_submissions_whose_senders_went_block_nobody() -> None:
    queue = Queue()
    gone = queue.put(new_draft(number=1), heavy=True)
    gone.answer.cancel()
    queue.put(new_draft(number=2), heavy=True).answer.cancel()
    queue.put(new_draft(number=3), heavy=True)
    assert [batch for batch in await queue.all() if batch] == [ids(3)]
    queue.put(new_draft(number=4, parents=ids(1)))
    assert queue.next() == ids(4)


async def test_a_full_lane_of_heavy_submissions_leaves_room_for_light_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(append_queue, "MAX_QUEUED_EVENTS", 10)
    queue = Queue()
    for number in (0, 10, 20):
        queue.put(*[new_draft(number=number + index) for index in range(10)], heavy=True)
        if number:
            break
    with pytest.raises(QueueFull):
        queue.put(new_draft(number=30), heavy=True)
    for number in range(31, 41):
        queue.put(new_draft(number=number))
    with pytest.raises(QueueFull):
        queue.put(new_draft(number=41))


async def test_giving_up_tells_both_lanes() -> None:
    queue = Queue()
    waiting = [queue.put(new_draft(number=number), heavy=number < 3) for number in range(1, 5)]
    queue.give_up()
    for submission in waiting:
        with pytest.raises(StoreUnavailable):
            await submission.answer
    assert not queue
    queue.put(new_draft(number=5), heavy=True)
    assert await queue.all() == [ids(5)]


async def test_an_event_is_committed_while_the_causes_of_a_large_batch_are_read() -> None:
    store = Scripted()
    store.script["causes"] = ["hold"]
    writer = await Writer.on(store)
    await writer.append(new_draft(number=1))
    writer.ledger.causes.clear()
    large = writer.committer.submit([new_draft("test", number=number, parents=ids(1)) for number in range(10, 3_000)], batch=True)
    await store.held.wait()
    await writer.append(new_draft(number=2))
    assert not large.done()
    store.release.set()
    assert len(await large) == 2_990
    assert (await ids_in(store.inner))[:3] == ids(1, 2, 10)
    assert "turn" not in store.calls
    await writer.committer.close()


async def test_the_search_for_credit_holds_up_nobody_and_is_not_repeated_when_it_was_early() -> None:
    store = Scripted()
    writer = await Writer.on(store)
    await writer.append(*[new_draft(number=number, action=f"a{number}", parents=ids(number - 1) if number else []) for number in range(5)])
    store.script["ancestry"] = ["hold"]
    rewarded = writer.committer.submit([new_draft("reward", number=10, parents=ids(4), credit={"discount": 0.5})])
    await store.held.wait()
    await writer.append(new_draft("test", number=11, trace="other"))
    store.release.set()
    assert len((await rewarded)[0].moves) == 5
    assert store.calls.count("ancestry") == 1
    await writer.committer.close()


async def test_a_reward_that_follows_its_cause_at_once_is_credited_to_all_above_it() -> None:
    writer = await Writer.on(MemoryStore())
    above = writer.committer.submit([new_draft(number=1, action="a")])
    cause = writer.committer.submit([new_draft(number=2, action="b", parents=ids(1))])
    reward = writer.committer.submit([new_draft("reward", number=3, parents=ids(2), credit={"discount": 0.5})])
    again = writer.committer.submit([new_draft("reward", number=4, parents=ids(3), credit={"discount": 0.5})])
    await asyncio.gather(above, cause)
    assert [move.pattern for move in (await reward)[0].moves] == ["b", "a"]
    assert [move.pattern for move in (await again)[0].moves] == ["b", "a"]
    await writer.committer.close()
