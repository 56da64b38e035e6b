"""Cancel events, and which proposals are still open: the same cases on every storage."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import networkx as nx
import pytest
from semp.domain.errors import InvalidInput
from semp.domain.event_types import EventType
from semp.domain.events import Draft, Event
from semp.domain.scopes import Glob
from semp.domain.signals import Rules
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.lineage import Asked, still_open
from semp.engine.ports import Storage
from semp.engine.records import Counted, LineageFilter, Relative
from semp.engine.replay import verify

from tests.strategies import FakeClock, Reference, live_signals, make_id, new_draft

ABSENT = make_id(987_654)


@asynccontextmanager
async def environment_on(store: Storage, clock: FakeClock) -> AsyncGenerator[Environment]:
    environment = Environment(store, Rules(), clock=clock, elapsed=clock, sweep_interval=3600)
    await environment.start()
    try:
        yield environment
    finally:
        await environment.halt()


async def grow(environment: Environment, clock: FakeClock, seed: int, count: int = 120) -> list[Event]:
    """Append a random log in which about a quarter of the events are cancels of up to three proposals. Returns its events."""
    rng = random.Random(seed)
    events: list[Event] = []
    for number in range(1, count + 1):
        proposals = [event.id for event in events if event.type == "proposal"]
        kinds: tuple[EventType, ...] = ("proposal", "ready", "test", "reward", "penalty")
        kind: EventType = "cancel" if proposals and rng.random() < 0.25 else rng.choices(kinds, (5, 3, 2, 2, 1))[0]
        pool = proposals if kind == "cancel" else [event.id for event in events]
        parents = rng.sample(pool, min(len(pool), rng.randint(1 if kind == "cancel" else 0, 3)))
        scope = rng.choice(("a", "a.b", "c"))
        payload = (
            {"value": rng.choice((0, 0.1, 0.5, 1))} if kind in ("reward", "penalty") or (kind == "cancel" and rng.random() < 0.5) else {}
        )
        action = {"action": f"p{rng.randint(1, 3)}"} if kind == "proposal" else {}
        clock.now += rng.choice((0, 40, 60_000))
        [recorded] = await environment.acting(OPEN).append([new_draft(kind, scope, number=number, parents=parents, **payload, **action)])
        events.append(recorded.event)
    return events


async def test_cancels_lower_each_signal_and_a_replay_agrees(store: Storage) -> None:
    clock = FakeClock()
    async with environment_on(store, clock) as environment:
        events = await grow(environment, clock, 3)
        assert await verify(store) == []
        reference = Reference()
        for event in events:
            reference.add(event, Rules())
        reference.decay(clock.now)
        now = {(signal.scope, signal.pattern): signal.strength for signal in await live_signals(environment)}
        assert now == pytest.approx(reference.strengths)
        past = await environment.field.moment(len(events) // 2)
        half = Reference()
        for event in events[: len(events) // 2]:
            half.add(event, Rules())
        found = {(signal.scope, signal.pattern): signal.strength for signal in (await environment.field.signals_at(past)).views()}
        assert found == pytest.approx(half.strengths)


def open_by_definition(events: list[Event], origin: str, until: int, scope: Glob | None) -> list[tuple[str, int]]:
    """Ids and depths by the definition: proposals below the origin that are no nearest proposal of any ready or cancel."""
    by_id = {event.id: event for event in events[:until]}
    up: nx.DiGraph[str] = nx.DiGraph()
    up.add_nodes_from(by_id)
    up.add_edges_from((event.id, parent) for event in by_id.values() for parent in event.parent_ids)
    if origin not in by_id:
        return []
    ended: set[str] = set()
    for event in by_id.values():
        if event.type in ("ready", "cancel"):
            away = nx.single_source_shortest_path_length(up, event.id)
            above = {found: far for found, far in away.items() if far and by_id[found].type == "proposal"}
            ended |= {found for found, far in above.items() if far == min(above.values())}
    below = nx.single_source_shortest_path_length(up.reverse(), origin)
    found = [(event, far) for event, far in below.items() if far and by_id[event].type == "proposal" and event not in ended]
    chosen = [(event, far) for event, far in found if scope is None or scope.matches(by_id[event].scope)]
    return sorted(chosen, key=lambda one: (one[1], by_id[one[0]].position))


async def test_open_proposals_are_those_of_the_definition(store: Storage) -> None:
    clock = FakeClock()
    async with environment_on(store, clock) as environment:
        events = await grow(environment, clock, 5)
        seen = 0
        for origin in events[:40]:
            for until in (len(events), 70):
                for scope in (None, Glob.parse("a.**"), Glob.parse("c")):
                    expected = open_by_definition(events, origin.id, until, scope)
                    selection = LineageFilter(until=until, scope=scope, limit=1000)
                    found = await store.nearest_open(origin.id, selection)
                    assert [(one.event.id, one.depth) for one in found] == expected
                    assert await store.count_open(origin.id, selection) == Counted(len(expected))
                    seen += len(expected)
        assert seen > 50


async def test_pages_of_open_proposals_follow_one_another_without_gap_or_repeat(store: Storage) -> None:
    clock = FakeClock()
    async with environment_on(store, clock) as environment:
        events = await grow(environment, clock, 8)
        whole = await store.nearest_open(events[0].id, LineageFilter(limit=1000))
        paged: list[Relative] = []
        after: tuple[int, int] | None = None
        while page := await store.nearest_open(events[0].id, LineageFilter(limit=3, after=after)):
            paged += page
            after = page[-1].depth, page[-1].event.position
        assert paged == whole
        assert len(whole) > 3


async def test_an_unknown_event_has_no_open_proposals(store: Storage) -> None:
    await store.open(Rules())
    assert await store.count_open(ABSENT, LineageFilter()) is None
    assert await store.nearest_open(ABSENT, LineageFilter()) == []
    assert await still_open(store, ABSENT, LineageFilter(), Asked()) == ([], None)


async def test_a_search_that_exceeds_its_budget_is_incomplete(store: Storage) -> None:
    clock = FakeClock()
    async with environment_on(store, clock) as environment:
        events = await grow(environment, clock, 9, count=40)
        below = (await store.count(events[0].id, "descendants", LineageFilter())) or Counted(0)
        assert below.count > 4
        exact = await store.count_open(events[0].id, LineageFilter(budget=below.count))
        short = await store.count_open(events[0].id, LineageFilter(budget=below.count - 1))
        assert (exact and exact.complete, short and short.complete) == (True, False)


@pytest.mark.parametrize("kind", ["ready", "test", "reward", "cancel"])
async def test_only_proposals_can_be_withdrawn(store: Storage, kind: EventType) -> None:
    async with environment_on(store, FakeClock()) as environment:
        await environment.acting(OPEN).append([new_draft("proposal", number=1)])
        await environment.acting(OPEN).append([new_draft(kind, number=2, parents=[make_id(1)])])
        for batch in (False, True):
            drafts: list[Draft] = [new_draft("cancel", number=3, parents=[make_id(1), make_id(2)])]
            with pytest.raises(InvalidInput) as refused:
                await environment.acting(OPEN).append(drafts, batch=batch)
            [field] = refused.value.fields
            assert field.field == ("[0]." if batch else "") + "parent_ids[1]"
            assert "is no proposal" in field.reason
        assert (await store.state()).head == 2


async def test_a_batch_can_make_and_withdraw_a_proposal(store: Storage) -> None:
    async with environment_on(store, FakeClock()) as environment:
        drafts = [new_draft("proposal", number=1, action="x"), new_draft("cancel", number=2, parents=[make_id(1)], action="other")]
        recorded = await environment.acting(OPEN).append(drafts, batch=True)
        [move] = recorded[1].moves
        assert (move.scope, move.pattern, move.before, move.after) == ("ui", "x", 0.3, 0.0)
        found, counted = await still_open(store, make_id(1), LineageFilter(), Asked())
        assert (found, counted) == ([], Counted(0))
