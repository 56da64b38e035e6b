"""Pages of the log: the same cases on every storage."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from semp.domain.event_types import EVENT_TYPES
from semp.domain.events import Event
from semp.domain.scopes import Glob
from semp.domain.signals import Rules
from semp.engine.ports import Storage
from semp.engine.records import EventFilter, Page
from semp.storage.memory import pages as memory_pages
from semp.storage.neo4j import pages as neo4j_pages
from semp.storage.neo4j.store import Neo4jStore

from tests.strategies import AGENTS, SCOPES, TRACES, few_at_a_time, filled, new_draft, plan_of, selects

GLOBS = [*SCOPES, "nowhere", "ui.*", "ui.**", "*", "**", "*.login", "ui.*.form", "u.**", "x.*"]
NAMES: dict[str, list[Any]] = {
    "types": list(EVENT_TYPES),
    "scopes": [Glob.parse(text) for text in GLOBS],
    "trace_ids": [*TRACES, "none"],
    "agent_ids": [*AGENTS, "none"],
}


def select(events: list[Event], selection: EventFilter) -> list[Event]:
    """All events that a filter selects, by its definition, in the order of a page."""
    chosen = [
        event
        for event in events
        if (not selection.types or event.type in selection.types)
        and (not selection.scopes or any(selects(scope.text, event.scope) for scope in selection.scopes))
        and (not selection.trace_ids or event.trace_id in selection.trace_ids)
        and (not selection.agent_ids or event.agent_id in selection.agent_ids)
        and (selection.after is None or event.position > selection.after)
        and (selection.before is None or event.position < selection.before)
    ]
    return chosen[::-1] if selection.newest_first else chosen


def any_filter(rng: random.Random, head: int, largest: int) -> EventFilter:
    """A filter of up to four fields, with up to three values in each."""
    fields: dict[str, Any] = {
        name: rng.choices(values, k=rng.choice([1, 1, 2, 3])) for name, values in NAMES.items() if rng.random() < 0.45
    }
    return EventFilter(
        **fields, after=rng.choice([None, None, 0, 1, head // 3, head, head + 5]),
        before=rng.choice([None, None, 0, 1, head // 2, head, head + 1, 2**53]), newest_first=rng.random() < 0.5,
        limit=rng.choice([1, 2, 5, 17, largest]),
    )  # fmt: skip


async def pages_of(store: Storage, selection: EventFilter) -> list[Page]:
    """All pages, each from where the one before it said."""
    pages: list[Page] = [await store.page(selection)]
    while (place := pages[-1].next) is not None:
        span = {"before" if selection.newest_first else "after": place}
        pages.append(await store.page(msgspec.structs.replace(selection, **span)))
    return pages


async def test_a_page_holds_the_events_that_its_filter_selects(store: Storage) -> None:
    events = [entry.event for entry in await filled(store, 1)]
    rng = random.Random(7)
    filters = [any_filter(rng, len(events), 1000) for _ in range(250)]
    found = await few_at_a_time(store.page(selection) for selection in filters)
    for selection, page in zip(filters, found, strict=True):
        assert page.events == select(events, selection)[: selection.limit], selection
        assert (page.next is not None) == (len(page.events) == selection.limit), selection
    assert sum(bool(page.events) for page in found) > 60


async def test_pages_that_look_at_little_lead_to_every_event(store: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a page looks at 7 events at most, at 2 of them first, and seeks 2 values of a field at most."""
    events = [entry.event for entry in await filled(store, 2)]
    for module, name, number in (
        (memory_pages, "LOOKED_AT", 7), (neo4j_pages, "LOOKED_AT", 7), (neo4j_pages, "FIRST_LOOK", 2), (neo4j_pages, "SEEKS", 2),
        (neo4j_pages, "SCOPES_LOOKED_AT", 3),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, number)
    rng = random.Random(8)
    filters = [any_filter(rng, len(events), 50) for _ in range(60)]
    found = await few_at_a_time(pages_of(store, selection) for selection in filters)
    short = 0
    for selection, pages in zip(filters, found, strict=True):
        assert [event for page in pages for event in page.events] == select(events, selection), selection
        assert all(len(page.events) <= selection.limit for page in pages)
        short += sum(len(page.events) < selection.limit for page in pages[:-1])
    assert short > 20


@pytest.mark.parametrize("selection", [EventFilter(limit=0), EventFilter(limit=0, newest_first=False)])
async def test_a_page_of_no_events_is_empty(store: Storage, selection: EventFilter) -> None:
    await filled(store, 1, moments=3)
    assert await store.page(selection) == Page([])


async def test_a_negative_position_means_before_the_first_event(store: Storage) -> None:
    events = [entry.event for entry in await filled(store, 1, moments=3)]
    assert (await store.page(EventFilter(after=-5, newest_first=False))).events == events
    assert (await store.page(EventFilter(after=-5))).events == events[::-1]
    assert (await store.page(EventFilter(before=-5))).events == []


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("scopes", [[], [Glob.parse("ui.**")]], ids=str)
async def test_pages_follow_one_another_without_gap_or_repeat(store: Storage, newest_first: bool, scopes: list[Glob]) -> None:
    events = [entry.event for entry in await filled(store, 1)]
    selection = EventFilter(scopes=scopes, newest_first=newest_first, limit=7)
    pages = await pages_of(store, selection)
    assert [event for page in pages for event in page.events] == select(events, selection)
    assert all(len(page.events) == 7 for page in pages[:-1])


async def test_an_event_that_is_appended_during_a_page_is_not_skipped(neo4j_store: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the scopes of a glob were found, an event in a new scope is appended, and then one in a scope that was found."""
    state, _ = await neo4j_store.open(Rules())
    first = plan_of(state, new_draft(scope="ui.a"))
    assert await neo4j_store.append(first)
    run = neo4j_store.connection.run

    async def run_and_append(name: str, /, **parameters: Any) -> Any:
        found = await run(name, **parameters)
        if name == "matching_scopes":
            monkeypatch.setattr(neo4j_store.connection, "run", run)
            assert await neo4j_store.append(plan_of(first.state, new_draft(scope="ui.b"), new_draft(scope="ui.a")))
        return found

    monkeypatch.setattr(neo4j_store.connection, "run", run_and_append)
    selection = EventFilter(scopes=[Glob.parse("ui.*")], newest_first=False)
    page = await neo4j_store.page(selection)
    assert [event.position for event in page.events] == [1]
    later = await neo4j_store.page(msgspec.structs.replace(selection, after=1))
    assert [event.position for event in later.events] == [2, 3]
