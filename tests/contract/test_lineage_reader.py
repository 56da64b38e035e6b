"""Lineage queries along PARENT edges: the same cases on every storage."""

from __future__ import annotations

import asyncio
import itertools
import random

import networkx as nx
import pytest
from semp.domain.events import Event
from semp.domain.scopes import Glob
from semp.domain.signals import Rules
from semp.engine.ports import Storage
from semp.engine.records import Counted, Direction, LineageFilter, Relative

from tests.strategies import few_at_a_time, filled, make_id, new_draft, plan_of, selects

DIRECTIONS: tuple[Direction, ...] = ("ancestors", "descendants", "roots", "impact")
BACKWARDS = ("ancestors", "roots")
ENDS = ("roots", "impact")
ABSENT = make_id(987_654)


def causality(events: list[Event]) -> nx.DiGraph[str]:
    """Edges from an event to its causes."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(event.id for event in events)
    graph.add_edges_from((event.id, parent) for event in events for parent in event.parent_ids)
    return graph


def expected(events: list[Event], event_id: str, direction: Direction, selection: LineageFilter) -> list[Relative]:
    """The complete answer by the definition; `after` and `limit` of the filter are ignored."""
    graph = causality(events if selection.until is None or direction in BACKWARDS else events[: selection.until])
    if direction not in BACKWARDS:
        graph = graph.reverse()
    by_id = {event.id: event for event in events}
    found = [
        Relative(by_id[other], depth)
        for other, depth in nx.single_source_shortest_path_length(graph, event_id).items()
        if (depth > 0 or direction in ENDS)
        and depth <= (selection.depth or len(events))
        and (direction not in ENDS or graph.out_degree(other) == 0)
        and (not selection.types or by_id[other].type in selection.types)
        and (selection.scope is None or selects(selection.scope.text, by_id[other].scope))
    ]
    sign = -1 if direction in BACKWARDS else 1
    return sorted(found, key=lambda relative: (relative.depth, sign * relative.event.position))


@pytest.mark.parametrize("direction", DIRECTIONS)
async def test_relatives_and_their_count_are_what_a_search_of_the_graph_gives(store: Storage, direction: Direction) -> None:
    events = [entry.event for entry in await filled(store, 11)]
    rng = random.Random(12)
    filters = [
        LineageFilter(depth=depth, types=types, scope=scope, until=until, limit=10_000)  # type: ignore[arg-type]
        for depth, types, scope, until in itertools.product(
            (None, 1, 2, 3, 60),
            (None, ["reward"], ["proposal", "test"]),
            (None, *map(Glob.parse, ("ui", "ui.*", "**", "ui.**", "none"))),
            (None, None, 100),
        )
    ]
    asked = [(rng.choice(events[:100]).id, rng.choice(filters)) for _ in range(60)] + [
        (event.id, LineageFilter(limit=10_000)) for event in events[::8]
    ]
    pages = await few_at_a_time(store.relatives(event_id, direction, selection) for event_id, selection in asked)
    counts = await few_at_a_time(store.count(event_id, direction, selection) for event_id, selection in asked)
    for (event_id, selection), page, count in zip(asked, pages, counts, strict=True):
        answer = expected(events, event_id, direction, selection)
        assert page == answer, (event_id, selection)
        assert count == Counted(len(answer)), (event_id, selection)
    assert max(map(len, pages)) > (5 if direction in ENDS else 20)


@pytest.mark.parametrize("direction", DIRECTIONS)
async def test_pages_of_relatives_follow_one_another_and_the_count_ignores_the_page(store: Storage, direction: Direction) -> None:
    events = [entry.event for entry in await filled(store, 13)]
    selection = LineageFilter(limit=10_000)
    size = 2 if direction in ENDS else 9
    event_id = max((event.id for event in events), key=lambda found: len(expected(events, found, direction, selection)))
    for types in (None, ["reward", "penalty", "test"]):
        answer = expected(events, event_id, direction, LineageFilter(types=types))  # type: ignore[arg-type]
        seen: list[Relative] = []
        after: tuple[int, int] | None = None
        while True:
            page = await store.relatives(event_id, direction, LineageFilter(types=types, after=after, limit=size))  # type: ignore[arg-type]
            if not page:
                break
            seen += page
            after = page[-1].depth, page[-1].event.position
            assert await store.count(event_id, direction, LineageFilter(types=types, after=after, limit=9)) == Counted(len(answer))  # type: ignore[arg-type]
        assert seen == answer
        assert len(seen) > (4 if direction in ENDS else 8)


@pytest.mark.parametrize("direction", DIRECTIONS)
async def test_an_event_that_does_not_exist_has_no_count_and_no_relatives(store: Storage, direction: Direction) -> None:
    await filled(store, 1)
    assert await store.count(ABSENT, direction, LineageFilter()) is None
    assert await store.count(ABSENT, direction, LineageFilter(depth=2, types=["reward"])) is None
    assert await store.relatives(ABSENT, direction, LineageFilter()) == []


@pytest.mark.parametrize("direction", DIRECTIONS)
async def test_an_event_on_its_own_counts_nothing(store: Storage, direction: Direction) -> None:
    state, _ = await store.open(Rules())
    await store.append(plan_of(state, new_draft(number=1)))
    alone = 1 if direction in ENDS else 0
    assert await store.count(make_id(1), direction, LineageFilter()) == Counted(alone)
    assert await store.count(make_id(1), direction, LineageFilter(scope=Glob.parse("ui"), depth=3)) == Counted(alone)
    assert [found.depth for found in await store.relatives(make_id(1), direction, LineageFilter())] == [0] * alone
    assert await store.relatives(make_id(1), direction, LineageFilter(limit=0)) == []


@pytest.mark.parametrize("direction", ["ancestors", "descendants"])
async def test_a_ladder_of_200_diamonds_counts_by_its_nodes(store: Storage, direction: Direction) -> None:
    """There are 2^200 paths from one end to the other: a search that walks single paths would never end."""
    state, _ = await store.open(Rules())
    drafts = [new_draft("test", number=0)]
    for rung in range(200):
        base = 3 * rung
        drafts += [new_draft("test", "ui.side", number=base + side, parents=[make_id(base)]) for side in (1, 2)]
        drafts.append(new_draft("test", number=base + 3, parents=[make_id(base + 1), make_id(base + 2)]))
    assert await store.append(plan_of(state, *drafts))
    start = make_id(600) if direction == "ancestors" else make_id(0)
    async with asyncio.timeout(15):
        assert await store.count(start, direction, LineageFilter()) == Counted(600)
        assert await store.count(start, direction, LineageFilter(depth=4)) == Counted(6)
        assert await store.count(start, direction, LineageFilter(scope=Glob.parse("ui.side"))) == Counted(400)
        page = await store.relatives(start, direction, LineageFilter(limit=1000))
        assert await store.count(start, "roots" if direction == "ancestors" else "impact", LineageFilter()) == Counted(1)
        assert await store.count_between(make_id(0), make_id(600), LineageFilter()) == Counted(601)
        assert len(await store.shortest_path(make_id(0), make_id(600))) == 401
        assert [found.event.id for found in await store.common_causes([make_id(599), make_id(598)], LineageFilter())] == [make_id(597)]
    assert [relative.depth for relative in page] == [depth for rung in range(200) for depth in (2 * rung + 1, 2 * rung + 1, 2 * rung + 2)]


async def test_a_long_chain_is_walked_to_its_end(store: Storage) -> None:
    state, _ = await store.open(Rules())
    drafts = [new_draft("test", number=n, parents=[make_id(n - 1)] if n else []) for n in range(1500)]
    assert await store.append(plan_of(state, *drafts))
    assert await store.count(make_id(1499), "ancestors", LineageFilter()) == Counted(1499)
    assert await store.count(make_id(1499), "ancestors", LineageFilter(depth=1000)) == Counted(1000)
    last = await store.relatives(make_id(1499), "ancestors", LineageFilter(after=(1498, 2), limit=5))
    assert [(relative.depth, relative.event.position) for relative in last] == [(1499, 1)]


async def test_events_between_two_events_are_those_reached_from_both(store: Storage) -> None:
    events = [entry.event for entry in await filled(store, 17)]
    graph = causality(events)
    by_id = {event.id: event for event in events}
    rng = random.Random(18)
    pairs = [sorted(rng.sample(events, 2), key=lambda event: event.position) for _ in range(60)]
    pairs += [[by_id[rng.choice(sorted(nx.descendants(graph, event.id)))], event] for event in events if event.parent_ids][::3]
    pairs.append([events[0], events[0]])
    connected = 0
    for cause, effect in pairs:
        inner = ({effect.id} | nx.descendants(graph, effect.id)) & ({cause.id} | nx.ancestors(graph, cause.id))
        away = nx.single_source_shortest_path_length(graph.reverse(), cause.id)
        answer = sorted((Relative(by_id[found], away[found]) for found in inner), key=lambda one: (one.depth, one.event.position))
        assert await store.count_between(cause.id, effect.id, LineageFilter()) == Counted(len(answer))
        assert await store.between(cause.id, effect.id, LineageFilter(limit=10_000)) == answer
        if len(answer) > 2:
            after = answer[1].depth, answer[1].event.position
            assert await store.between(cause.id, effect.id, LineageFilter(after=after, limit=2)) == answer[2:4]
        shortest = await store.shortest_path(cause.id, effect.id)
        assert len(shortest) == (away[effect.id] + 1 if inner else 0)
        if shortest:
            connected += 1
            assert (shortest[0], shortest[-1]) == (cause.id, effect.id)
            assert all(graph.has_edge(later, earlier) for earlier, later in itertools.pairwise(shortest))
    assert 20 < connected < len(pairs)
    assert await store.count_between(ABSENT, events[0].id, LineageFilter()) == Counted(0)
    assert await store.shortest_path(ABSENT, ABSENT) == []


def lowest_common_causes(graph: nx.DiGraph[str], ids: list[str]) -> set[str]:
    """The lowest common causes by the definition: common causes that are no cause of another common cause."""
    common = set[str].intersection(*[{one} | nx.descendants(graph, one) for one in ids])
    return {cause for cause in common if not any(cause in nx.descendants(graph, other) for other in common)}


async def test_common_causes_are_all_the_lowest_ones(store: Storage) -> None:
    events = [entry.event for entry in await filled(store, 19)]
    graph = causality(events)
    rng = random.Random(20)
    asked = [[event.id for event in rng.sample(events, rng.choice((1, 2, 2, 2, 3)))] for _ in range(80)]
    answers = await few_at_a_time(store.common_causes(ids, LineageFilter()) for ids in asked)
    for ids, answer in zip(asked, answers, strict=True):
        assert {found.event.id for found in answer} == lowest_common_causes(graph, ids), ids
        assert [(one.depth, -one.event.position) for one in answer] == sorted((one.depth, -one.event.position) for one in answer)
        for found in answer:
            assert found.depth == max(nx.shortest_path_length(graph, one, found.event.id) for one in ids)
    assert max(map(len, answers)) > 1


async def test_a_criss_cross_has_two_common_causes(store: Storage) -> None:
    """Like two branches that were merged into each other: neither of the two merged tips is a cause of the other."""
    state, _ = await store.open(Rules())
    drafts = [new_draft("test", number=0)]
    drafts += [new_draft("test", number=n, parents=[make_id(0)]) for n in (1, 2)]
    drafts += [new_draft("test", number=n, parents=[make_id(1), make_id(2)]) for n in (3, 4)]
    assert await store.append(plan_of(state, *drafts))
    found = await store.common_causes([make_id(3), make_id(4)], LineageFilter())
    assert [(one.event.id, one.depth) for one in found] == [(make_id(2), 1), (make_id(1), 1)]
    assert [one.event.id for one in await store.common_causes([make_id(3), make_id(1)], LineageFilter())] == [make_id(1)]
