"""Traces: the same cases on every storage."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from semp.domain.events import Event
from semp.domain.scopes import Glob
from semp.domain.signals import Rules
from semp.engine.ports import Storage
from semp.engine.records import TraceFilter, TraceSpan
from semp.storage.neo4j import pages as neo4j_pages
from semp.storage.neo4j import traces as neo4j_traces

from tests.strategies import few_at_a_time, filled, new_draft, plan_of, selects


async def test_traces_are_listed_by_their_newest_event_and_read_in_order(store: Storage) -> None:
    entries = await filled(store, 23)
    events = [entry.event for entry in entries]
    newest = {event.trace_id: event for event in events}
    own = {trace: [entry for entry in entries if entry.event.trace_id == trace] for trace in newest}
    order = sorted(newest.values(), key=lambda event: -event.position)
    page = await store.traces(TraceFilter(before=len(events) + 1, until=len(events)))
    listed = page.traces
    assert page.next is None
    assert [(one.trace_id, one.last, one.ended) for one in listed] == [(one.trace_id, one.position, one.timestamp) for one in order]
    for one in listed:
        first = own[one.trace_id][0].event
        assert (one.events, one.first, one.started) == (len(own[one.trace_id]), first.position, first.timestamp)
    assert (await store.traces(TraceFilter(before=order[0].position, until=len(events), limit=1))).traces == listed[1:2]
    for trace, mine in own.items():
        found = await store.trace_events(trace, 0, 10_000)
        assert [(one.id, one.position, one.parent_ids, one.value) for one in found] == [
            (entry.event.id, entry.event.position, entry.event.parent_ids, entry.value) for entry in mine
        ]
        assert await store.trace_events(trace, found[0].position, 2) == found[1:3]
    assert await store.trace_events("no such trace", 0, 10) == []


def traces_of(events: list[Event], selection: TraceFilter) -> list[str]:
    """The traces that a filter selects, by its definition."""
    newest = {event.trace_id: event.position for event in events if event.position <= selection.until}
    matching = {
        event.trace_id
        for event in events
        if event.position <= selection.until
        and (not selection.types or event.type in selection.types)
        and (not selection.scopes or any(selects(scope.text, event.scope) for scope in selection.scopes))
    }
    latest = sorted((-last, trace) for trace, last in newest.items() if last < selection.before and trace in matching)
    return [trace for _, trace in latest]


async def pages_of(store: Storage, selection: TraceFilter) -> list[list[TraceSpan]]:
    """All pages, each from where the one before it said."""
    page = await store.traces(selection)
    pages = [page.traces]
    while page.next is not None:
        page = await store.traces(msgspec.structs.replace(selection, before=page.next))
        pages.append(page.traces)
    return pages


@pytest.mark.parametrize("bounds", ["usual", "small"])
async def test_traces_are_listed_that_have_an_event_of_the_filter(store: Storage, bounds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With small bounds, a page looks at 4 events of a scope or type, then at 2 times 9 positions, and seeks 2 scopes at most."""
    if bounds == "small":
        small = (neo4j_traces, "MATCHES", 4), (neo4j_traces, "WINDOW", 9), (neo4j_traces, "WINDOWS", 2), (neo4j_pages, "SEEKS", 2)
        for module, name, number in small:
            monkeypatch.setattr(module, name, number)
    rng = random.Random(5)
    state, _ = await store.open(Rules())
    scopes = ["ui", "ui.a", "ui.a.b", "api.a", "api.b", "uix"]
    plan = plan_of(
        state,
        *(
            new_draft(rng.choice(["proposal", "ready", "ready", "test"]), scope=rng.choice(scopes), trace=f"t{int(rng.random() ** 2 * 20)}")
            for _ in range(120)
        ),
    )
    assert await store.append(plan)
    events = [entry.event for entry in plan.entries]
    globs = [*scopes, "ui.*", "ui.**", "**", "*.a", "none", "none.*"]
    filters: list[TraceFilter] = []
    for _ in range(40):
        fields: dict[str, Any] = {
            "types": rng.sample(["proposal", "test", "cancel"], rng.choice([1, 1, 2])) if rng.random() < 0.5 else [],
            "scopes": [Glob.parse(one) for one in rng.sample(globs, rng.choice([1, 1, 2]))] if rng.random() < 0.6 else [],
        }
        until = rng.choice([120, 120, 70])
        filters.append(TraceFilter(**fields, before=rng.choice([until + 1, 50]), until=until, limit=rng.choice([1, 3, 100])))
    found = await few_at_a_time(pages_of(store, selection) for selection in filters)
    for selection, pages in zip(filters, found, strict=True):
        listed = [span for page in pages for span in page]
        assert [span.trace_id for span in listed] == traces_of(events, selection), selection
        for span in listed:
            own = [event for event in events if event.trace_id == span.trace_id and event.position <= selection.until]
            first, last = own[0], own[-1]
            assert span == TraceSpan(span.trace_id, len(own), first.position, last.position, first.timestamp, last.timestamp)
    assert sum(bool(pages[0]) for pages in found) > 20
