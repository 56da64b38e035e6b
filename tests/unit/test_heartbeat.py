"""A database that falls silent is noticed, what waits for it ends after the patience, and all goes on when it answers again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from semp.domain.errors import OutcomeUnknown, StoreUnavailable
from semp.engine import committer as committer_module
from semp.engine.heartbeat import INTERVAL, LIMIT, listen

from tests.scripted_store import Scripted, ids_in
from tests.strategies import Writer, make_id, new_draft, run_skipping
from tests.waiting import until

NOTICED = INTERVAL + LIMIT
"""Seconds within which silence is noticed."""


class Frozen(Scripted):
    """A store whose calls all wait while `frozen` is set, as those to a process that was stopped, and are then done."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen = False
        self.thawed = asyncio.Event()

    def freeze(self) -> None:
        self.frozen = True
        self.thawed.clear()

    def thaw(self) -> None:
        self.frozen = False
        self.thawed.set()

    async def _enter(self, name: str) -> str:
        step = await super()._enter(name)
        if self.frozen:
            await self.thawed.wait()
        return step

    async def heartbeat(self, within: float) -> None:
        try:
            await asyncio.wait_for(self._enter("heartbeat"), within)
        except TimeoutError:
            raise StoreUnavailable("no answer") from None


async def started(**settings: Any) -> tuple[Frozen, Writer, asyncio.Task[None]]:
    store = Frozen()
    writer = await Writer.on(store, **settings)
    return store, writer, asyncio.create_task(listen(store, writer.committer))  # type: ignore[arg-type]


def test_silence_is_noticed_and_what_was_sent_before_is_committed_when_it_answers_again() -> None:
    async def prove() -> None:
        now = asyncio.get_running_loop().time
        store, writer, listening = await started()
        store.freeze()
        begin = now()
        sent = writer.committer.submit([new_draft(number=1)])
        queued = writer.committer.submit([new_draft(number=2)])
        await until(lambda: not writer.committer.available)
        assert now() - begin <= NOTICED + 0.1
        with pytest.raises(StoreUnavailable, match="nothing was stored") as refused:
            writer.committer.submit([new_draft(number=3)])
        assert refused.value.retry_after > 0
        await asyncio.sleep(10)
        assert not sent.done()
        store.thaw()
        await asyncio.gather(sent, queued)
        await until(lambda: writer.committer.available)
        await writer.append(new_draft(number=3))
        assert await ids_in(store.inner) == [make_id(1), make_id(2), make_id(3)]
        assert "turn" not in store.calls
        listening.cancel()
        await writer.committer.close()

    run_skipping(prove())


def test_after_the_patience_everything_that_waits_is_answered_and_nothing_is_doubled() -> None:
    async def prove() -> None:
        now = asyncio.get_running_loop().time
        store, writer, listening = await started(patience=10)
        store.script["append"] = ["hold"]
        first = writer.committer.submit([new_draft(number=1)])
        await store.held.wait()
        store.freeze()
        store.release.set()
        second = [writer.committer.submit([new_draft(number=2 + n)]) for n in range(committer_module.WORTH_OVERLAPPING)]
        begin = now()
        outcomes = await asyncio.gather(first, *second, return_exceptions=True)
        assert all(isinstance(outcome, OutcomeUnknown) for outcome in outcomes), outcomes
        assert now() - begin <= 10 + INTERVAL + 0.2
        waiting = len(store.calls)
        await asyncio.sleep(20)
        assert store.calls.count("turn") == 0, "nothing more is sent to a database that is silent for too long"
        assert len(store.calls) - waiting <= 20 / INTERVAL + 1
        store.thaw()
        await until(lambda: writer.committer.available)
        answers = [await writer.append(new_draft(number=1 + n)) for n in range(65)]
        assert sorted(await ids_in(store.inner)) == sorted(make_id(1 + n) for n in range(65))
        assert [answer.event.position for [answer] in answers] == list(range(1, 66))
        listening.cancel()
        await writer.committer.close()

    run_skipping(prove())


def test_a_silence_that_begins_while_nothing_is_sent_ends_by_itself() -> None:
    async def prove() -> None:
        store, writer, listening = await started(patience=10, poll_interval=0.5)
        store.freeze()
        await until(lambda: not writer.committer.available)
        await asyncio.sleep(60)
        store.thaw()
        await until(lambda: writer.committer.available, 5)
        assert (await writer.append(new_draft()))[0].event.position == 1
        listening.cancel()
        await writer.committer.close()

    run_skipping(prove())


def test_a_database_that_is_busy_with_a_long_transaction_is_not_away() -> None:
    async def prove() -> None:
        store, writer, listening = await started(patience=10)
        store.script["append"] = ["hold"]
        sent = writer.committer.submit([new_draft(number=1)])
        await asyncio.sleep(60)
        assert writer.committer.available
        assert not sent.done()
        store.release.set()
        await sent
        listening.cancel()
        await writer.committer.close()

    run_skipping(prove())


def test_a_stack_trace_is_logged_once_an_outage(caplog: pytest.LogCaptureFixture) -> None:
    async def prove() -> None:
        store = Frozen()
        writer = await Writer.on(store, poll_interval=1.0)
        for _ in range(2):
            polls = store.calls.count("state")
            healthy, store.inner.state = store.inner.state, broken  # type: ignore[method-assign]
            await until(lambda before=polls: store.calls.count("state") >= before + 10)
            store.inner.state = healthy  # type: ignore[method-assign]
            polls = store.calls.count("state")
            await until(lambda before=polls: store.calls.count("state") >= before + 3)
        await writer.committer.close()

    async def broken() -> Any:
        raise RuntimeError("a defect")

    run_skipping(prove())
    assert [record.exc_info is not None for record in caplog.records if "polling" in record.message] == [True, True]
