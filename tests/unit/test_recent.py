"""A page from the ring in memory is the page that the log gives, or none."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from semp.domain.scopes import Glob
from semp.domain.signals import Rules
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.live import hub as ring
from semp.engine.live import recent
from semp.engine.live.recent import recent_page
from semp.engine.planning import encode
from semp.engine.records import EncodedPage, EventFilter, Page
from semp.storage.memory.store import MemoryStore

from tests.strategies import new_draft

EVENTS = 300
RING = 120
GLOBS = ["ui", "ui.a", "ui.*", "ui.**", "**", "*", "api.*.x", "none"]


async def grown(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An environment whose log is longer than its ring, which is longer than a page looks at."""
    monkeypatch.setattr(ring, "RING_EVENTS", RING)
    monkeypatch.setattr(recent, "LOOKED_AT", RING // 2)
    environment = Environment(MemoryStore(), Rules())
    await environment.start()
    rng = random.Random(1)
    scopes = ["ui", "ui.a", "ui.a.b", "api", "api.a.x", "api.b.x"]
    for begin in range(0, EVENTS, 60):
        batch = [
            new_draft(scope=rng.choice(scopes), trace=f"t{rng.randrange(4)}", agent=f"a{rng.randrange(4)}", action=f"x{begin}")
            for _ in range(60)
        ]
        await environment.acting(OPEN).append(batch, batch=True)
    return environment


def encoded(page: Page) -> EncodedPage:
    return EncodedPage([encode(event) for event in page.events], page.next)


def positions(page: EncodedPage) -> list[int]:
    return [msgspec.json.decode(event)["position"] for event in page.events]


def any_filter(rng: random.Random) -> EventFilter:
    chosen: dict[str, Any] = {
        "types": rng.sample(["proposal", "reward"], rng.choice((1, 2))),
        "scopes": [Glob.parse(rng.choice(GLOBS))],
        "trace_ids": [f"t{rng.randrange(5)}"],
        "agent_ids": [f"a{rng.randrange(5)}"],
        "after": rng.randrange(-1, EVENTS + 3),
        "before": rng.randrange(-1, EVENTS + 3),
    }
    kept = {name: value for name, value in chosen.items() if rng.random() < 0.3}
    return EventFilter(**kept, newest_first=rng.random() < 0.5, limit=rng.choice((0, 1, 2, 10, 100, 1000)))


async def test_it_is_the_page_of_the_log_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = await grown(monkeypatch)
    rng = random.Random(2)
    told = 0
    for _ in range(5_000):
        selection = any_filter(rng)
        page = recent_page(environment.hub, selection)
        told += page is not None
        assert page is None or page == encoded(await environment.storage.page(selection)), selection
    assert 1_500 < told < 4_500
    await environment.stop()


async def test_the_newest_page_needs_no_query(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = await grown(monkeypatch)
    asked: list[EventFilter] = []

    async def page(selection: EventFilter) -> Page:
        asked.append(selection)
        return Page([])

    monkeypatch.setattr(environment.storage, "page", page)
    gate = environment.acting(OPEN)
    assert positions(await gate.encoded_page(EventFilter(limit=3))) == [EVENTS, EVENTS - 1, EVENTS - 2]
    assert positions(await gate.encoded_page(EventFilter(after=EVENTS - 2, newest_first=False))) == [EVENTS - 1, EVENTS]
    assert asked == []
    rare = EventFilter(agent_ids=["nobody"], limit=3)
    assert await gate.encoded_page(rare) == EncodedPage([])
    assert asked == [msgspec.structs.replace(rare, before=EVENTS + 1)], "up to the newest event that this process knows"
    await environment.stop()


async def test_a_log_that_was_just_opened_is_asked_itself() -> None:
    store = MemoryStore()
    before = Environment(store, Rules())
    await before.start()
    await before.acting(OPEN).append([new_draft()])
    await before.halt()
    after = Environment(store, Rules())
    await after.start()
    assert recent_page(after.hub, EventFilter()) is None
    assert positions(await after.acting(OPEN).encoded_page(EventFilter())) == [1]
    await after.stop()
