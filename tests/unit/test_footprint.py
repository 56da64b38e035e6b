"""What a transaction takes in the database is bounded: what exceeds the bound together is split, what exceeds it alone is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from semp.domain.errors import TooLarge, Unavailable
from semp.domain.events import Draft
from semp.engine import committer as committer_module
from semp.engine import footprint as footprint_module
from semp.engine import planning as planning_module
from semp.engine.footprint import CREDITED, EVENT, MOVE, PARENT, SCOPE, SIGNAL
from semp.storage.memory.store import MemoryStore

from tests.scripted_store import Scripted, ids_in, positions
from tests.strategies import Writer, make_id, new_draft


@pytest.fixture
def room_for_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transactions of ten events and their new scope fit, of eleven they do not."""
    room = 10 * (EVENT + 1_500) + SCOPE
    for module in (footprint_module, committer_module):
        monkeypatch.setattr(module, "LIMIT", room)
    monkeypatch.setattr(planning_module, "TOGETHER", room)


def some(first: int, number: int) -> list[Draft]:
    return [new_draft("test", number=first + n) for n in range(number)]


async def sizes(*drafts: Draft, before: list[Draft] | None = None) -> int:
    """The size of the plan that appends these drafts."""
    store = Scripted()
    writer = await Writer.on(store)
    if before:
        await writer.append(*before)
    taken: list[Any] = []
    append = store.inner.append

    async def remember(plan: Any) -> bool:
        taken.append(plan)
        return await append(plan)

    store.inner.append = remember  # type: ignore[method-assign]
    await writer.append(*drafts)
    await writer.committer.close()
    return taken[0].size


async def test_events_parents_signals_moves_and_scopes_are_counted() -> None:
    proposals = [new_draft(number=n, action=f"a{n}") for n in range(8)]
    ids = [make_id(n) for n in range(8)]
    plain = await sizes(new_draft("test", trace="t2"), before=proposals)
    assert EVENT < plain < EVENT + 2_000
    assert await sizes(new_draft("test", trace="t2", scope="ui.a.b"), before=proposals) == pytest.approx(plain + 3 * SCOPE, abs=100)
    answers_one = await sizes(new_draft("reward", trace="t2", parents=ids[:1]), before=proposals)
    assert answers_one == pytest.approx(plain + PARENT + SIGNAL, abs=600)
    answers_all = await sizes(new_draft("reward", trace="t2", parents=ids), before=proposals)
    assert answers_all == pytest.approx(answers_one + 7 * (PARENT + SIGNAL + MOVE), abs=3_000)
    chain = [new_draft(number=n, action="a", parents=ids[n - 1 : n]) for n in range(8)]
    credit = {"discount": 0.5, "max_depth": 8}
    credits_seven = await sizes(new_draft("reward", trace="t2", parents=ids[7:], credit=credit), before=chain)
    assert credits_seven == pytest.approx(answers_one + 7 * CREDITED, abs=600)


async def test_the_largest_ordinary_batch_fits() -> None:
    """10,000 events with signals of their own and 32 MiB of JSON; and as many with four parents each."""
    writer = await Writer.on(MemoryStore())
    await writer.append(*[new_draft(number=n) for n in range(10)])
    large = [new_draft(action=f"a{n}", text="x" * 3_050) for n in range(10_000)]
    linked = [new_draft("test", parents=[make_id(n) for n in range(4)]) for _ in range(10_000)]
    for batch in (large, linked):
        assert len(await writer.append(*batch)) == 10_000
    await writer.committer.close()


async def test_a_batch_that_no_transaction_can_hold_is_refused_alone_before_anything_is_written() -> None:
    store = Scripted()
    writer = await Writer.on(store)
    await writer.append(*[new_draft(number=n) for n in range(64)])
    parents = [make_id(n) for n in range(64)]
    store.script["append"] = ["hold"]
    first = writer.committer.submit([new_draft(number=100)])
    await store.held.wait()
    huge = writer.committer.submit([new_draft("test", parents=parents) for _ in range(10_000)], batch=True)
    small = writer.committer.submit([new_draft(number=101)])
    store.release.set()
    with pytest.raises(TooLarge, match=r"its first [\d,]+ of 10,000 events take more than 360 MB .*\([\d,]+ parents") as refused:
        await huge
    assert [error.field for error in refused.value.fields] == ["body"]
    assert [positions(await answer) for answer in (first, small)] == [[65], [66]]
    assert writer.committer.available
    await writer.committer.close()


async def test_deep_credit_new_scopes_and_long_actions_are_refused_too() -> None:
    writer = await Writer.on(MemoryStore())
    await writer.append(*[new_draft(number=n, action=f"a{n}", parents=[make_id(n - 1)] if n else []) for n in range(64)])
    credit = {"discount": 0.99, "max_depth": 64}
    for batch in (
        [new_draft("reward", parents=[make_id(63)], credit=credit) for _ in range(3_000)],
        [new_draft("test", scope=f"q{n}." + ".".join("a" * 120)) for n in range(1_000)],
        [new_draft(action=f"{n}" + "x" * 1_000, text="y" * 1_000) for n in range(10_000)],
    ):
        with pytest.raises(TooLarge):
            await writer.append(*batch)
    assert writer.ledger.state.head == 64
    await writer.committer.close()


async def test_submissions_that_do_not_fit_together_are_several_transactions(room_for_ten: None) -> None:
    store = Scripted()
    writer = await Writer.on(store)
    store.script["append"] = ["hold"]
    first = writer.committer.submit(some(0, 1))
    await store.held.wait()
    rest = [writer.committer.submit(some(1 + 4 * n, 4), batch=True) for n in range(5)]
    store.release.set()
    await asyncio.gather(first, *rest)
    assert await ids_in(store.inner) == [make_id(n) for n in range(21)]
    assert store.calls.count("append") == 1 + 3  # two submissions of four events each
    assert "turn" not in store.calls
    assert writer.committer.queued == 0
    writer.assert_fed_in_order()
    await writer.committer.close()


async def test_a_second_transaction_waits_when_both_would_not_fit_at_once(room_for_ten: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer_module, "WORTH_OVERLAPPING", 2)
    store = Scripted()
    writer = await Writer.on(store)
    store.script["append"] = ["hold"]
    first = writer.committer.submit(some(0, 6), batch=True)
    await store.held.wait()
    second = writer.committer.submit(some(6, 6), batch=True)
    for _ in range(20):
        await asyncio.sleep(0)
    assert store.calls.count("append") == 1
    store.release.set()
    await asyncio.gather(first, second)
    assert store.calls.count("append") == 2
    assert "turn" not in store.calls
    await writer.committer.close()


async def test_the_slow_path_splits_too(room_for_ten: None) -> None:
    store = Scripted()
    writer = await Writer.on(store)
    store.script["newest_proposals"] = ["before"]  # none of them can be planned at first
    answers = [writer.committer.submit(some(6 * n, 6), batch=True) for n in range(3)]
    assert [len(await answer) for answer in answers] == [6, 6, 6]
    assert await ids_in(store.inner) == [make_id(n) for n in range(18)]
    writer.assert_fed_in_order()
    await writer.committer.close()


async def test_a_submission_that_the_database_stops_each_time_fails_alone_and_the_database_is_not_away() -> None:
    store = Scripted()
    writer = await Writer.on(store)
    store.script |= {"append": ["hold", "overload"], "turn": ["overload"] * (1 + committer_module.TRIES)}
    first = writer.committer.submit([new_draft(number=1)])
    await store.held.wait()
    stopped, beside = writer.committer.submit([new_draft(number=2)]), writer.committer.submit([new_draft(number=3)])
    store.release.set()
    await first
    with pytest.raises(Unavailable, match="may be stored"):
        await stopped
    assert (await beside)[0].event.position == 2
    assert writer.committer.available
    assert await ids_in(store.inner) == [make_id(1), make_id(3)]
    await writer.committer.close()
