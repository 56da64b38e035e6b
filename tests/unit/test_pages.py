"""A page is the page of the log, whether it comes from the ring, from blocks in memory, or from storage."""

from __future__ import annotations

import random

import pytest
from semp.domain.signals import Rules
from semp.engine import blocks, pages
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.live import hub as ring
from semp.engine.planning import encode
from semp.engine.records import EncodedPage, EventFilter, Page
from semp.storage.memory.store import MemoryStore

from tests.strategies import new_draft

EVENTS, RING, BLOCK = 300, 50, 16


class Store(MemoryStore):
    """Counts the events that pages read."""

    seen = 0

    async def page(self, selection: EventFilter) -> Page:
        page = await super().page(selection)
        self.seen += len(page.events)
        return page


@pytest.fixture
async def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setattr(ring, "RING_EVENTS", RING)
    for module in (blocks, pages):
        monkeypatch.setattr(module, "BLOCK", BLOCK)
    environment = Environment(Store(), Rules())
    await environment.start()
    for _ in range(0, EVENTS, 20):
        await environment.acting(OPEN).append([new_draft() for _ in range(20)], batch=True)
    return environment


def any_span(rng: random.Random) -> EventFilter:
    after, before = (rng.choice((None, rng.randrange(-2, EVENTS + 3))) for _ in range(2))
    return EventFilter(after=after, before=before, newest_first=rng.random() < 0.5, limit=rng.choice((0, 1, 7, 40, 1000)))


async def test_any_page_is_that_of_the_log_and_each_block_is_read_once(environment: Environment) -> None:
    store, plain = environment.storage, MemoryStore
    assert isinstance(store, Store)
    rng = random.Random(3)
    unread = 0
    for _ in range(2_000):
        selection = any_span(rng)
        expected = await plain.page(store, selection)
        before = store.seen
        page = await environment.acting(OPEN).encoded_page(selection)
        assert page == EncodedPage([encode(event) for event in expected.events], expected.next), selection
        unread += store.seen == before
    assert unread > 1_500, "most pages needed no query"
    await environment.stop()


async def test_another_log_is_read_anew(environment: Environment) -> None:
    gate = environment.acting(OPEN)
    first = EventFilter(newest_first=False, limit=3)
    before = await gate.encoded_page(first)
    other = Store()
    await other.open(Rules())
    filled = Environment(other, Rules())
    await filled.start()
    await filled.acting(OPEN).append([new_draft(scope="api") for _ in range(2 * BLOCK)], batch=True)
    for name, value in vars(other).items():
        setattr(environment.storage, name, value)
    environment.ledger.restart(await other.state(), [])
    environment.replacement.notify()
    after = await gate.encoded_page(first)
    assert before != after
    assert all(b'"api"' in event for event in after.events)
    await filled.halt()
    await environment.stop()
