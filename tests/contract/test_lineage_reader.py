"""What every storage must answer about reachability along PARENT."""

from __future__ import annotations

import asyncio
import itertools
import random
import re

import networkx as nx
import pytest

from app.domain.events import Event
from app.domain.scopes import glob_regex
from app.domain.signals import Rules
from app.engine.ports import Direction, LineageFilter, Relative, Storage
from tests.strategies import few_at_a_time, filled, make_id, new_draft, plan_of

DIRECTIONS: tuple[Direction, Direction] = ("ancestors", "descendants")
ABSENT = make_id(987_654)


def expected(events: list[Event], event_id: str, direction: Direction, wanted: LineageFilter) -> list[Relative]:
    """The whole answer by its definition, `after` and `limit` aside."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(event.id for event in events)
    graph.add_edges_from((event.id, parent) for event in events for parent in event.parent_ids)
    if direction == "descendants":
        graph = graph.reverse()
    by_id = {event.id: event for event in events}
    pattern = re.compile(glob_regex(wanted.scope)) if wanted.scope else None
    found = [
        Relative(by_id[other], depth)
        for other, depth in nx.single_source_shortest_path_length(graph, event_id).items()
        if 0 < depth <= (wanted.depth or len(events))
        and (not wanted.types or by_id[other].type in wanted.types)
        and (pattern is None or pattern.fullmatch(by_id[other].scope))
    ]
    sign = -1 if direction == "ancestors" else 1
    return sorted(found, key=lambda relative: (relative.depth, sign * relative.event.position))


@pytest.mark.parametrize("direction", DIRECTIONS)
async def test_relatives_and_their_count_are_what_a_search_of_the_graph_gives(store: Storage, direction: Direction) -> None:
    events = [entry.event for entry in await filled(store, 11)]
    rng = random.Random(12)
    filters = [
        LineageFilter(depth=depth, types=types, scope=scope, limit=10_000)  # type: ignore[arg-type]
        for depth, types, scope in itertools.product(
            (None, 1, 2, 3, 60), (None, ["reward"], ["proposal", "test"]), (None, "ui", "ui.*", "**", "ui.**", "none")
        )
    ]
    asked = [(rng.choice(events).id, rng.choice(filters)) for _ in range(60)] + [
        (event.id, LineageFilter(limit=10_000)) for event in events[::8]
    ]
    pages = await few_at_a_time(store.relatives(event_id, direction, wanted) for event_id, wanted in asked)
    counts = await few_at_a_time(store.count(event_id, direction, wanted) for event_id, wanted in asked)
    for (event_id, wanted), page, count in zip(asked, pages, counts, strict=True):
        answer = expected(events, event_id, direction, wanted)
        assert page == answer, (event_id, wanted)
        assert count == len(answer), (event_id, wanted)
    assert max(map(len, pages)) > 20


@pytest.mark.parametrize("direction", DIRECTIONS)
async def test_pages_of_relatives_follow_one_another_and_the_count_ignores_them(store: Storage, direction: Direction) -> None:
    events = [entry.event for entry in await filled(store, 13)]
    wanted = LineageFilter(limit=10_000)
    event_id = max((event.id for event in events), key=lambda found: len(expected(events, found, direction, wanted)))
    for types in (None, ["reward", "penalty", "test"]):
        answer = expected(events, event_id, direction, LineageFilter(types=types))  # type: ignore[arg-type]
        seen: list[Relative] = []
        after: tuple[int, int] | None = None
        while True:
            page = await store.relatives(event_id, direction, LineageFilter(types=types, after=after, limit=9))  # type: ignore[arg-type]
            if not page:
                break
            seen += page
            after = page[-1].depth, page[-1].event.position
            assert await store.count(event_id, direction, LineageFilter(types=types, after=after, limit=9)) == len(answer)  # type: ignore[arg-type]
        assert seen == answer
        assert len(seen) > 8


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
    assert await store.count(make_id(1), direction, LineageFilter()) == 0
    assert await store.count(make_id(1), direction, LineageFilter(scope="ui", depth=3)) == 0
    assert await store.relatives(make_id(1), direction, LineageFilter(limit=0)) == []


@pytest.mark.parametrize("direction", DIRECTIONS)
async def test_a_ladder_of_200_diamonds_counts_by_its_nodes(store: Storage, direction: Direction) -> None:
    """2^200 paths from one end to the other; whoever walks paths never returns."""
    state, _ = await store.open(Rules())
    drafts = [new_draft("test", number=0)]
    for rung in range(200):
        base = 3 * rung
        drafts += [new_draft("test", "ui.side", number=base + side, parents=[make_id(base)]) for side in (1, 2)]
        drafts.append(new_draft("test", number=base + 3, parents=[make_id(base + 1), make_id(base + 2)]))
    assert await store.append(plan_of(state, *drafts))
    start = make_id(600) if direction == "ancestors" else make_id(0)
    async with asyncio.timeout(15):
        assert await store.count(start, direction, LineageFilter()) == 600
        assert await store.count(start, direction, LineageFilter(depth=4)) == 6
        assert await store.count(start, direction, LineageFilter(scope="ui.side")) == 400
        page = await store.relatives(start, direction, LineageFilter(limit=1000))
    assert [relative.depth for relative in page] == [depth for rung in range(200) for depth in (2 * rung + 1, 2 * rung + 1, 2 * rung + 2)]


async def test_a_long_chain_is_walked_to_its_end(store: Storage) -> None:
    state, _ = await store.open(Rules())
    drafts = [new_draft("test", number=n, parents=[make_id(n - 1)] if n else []) for n in range(1500)]
    assert await store.append(plan_of(state, *drafts))
    assert await store.count(make_id(1499), "ancestors", LineageFilter()) == 1499
    assert await store.count(make_id(1499), "ancestors", LineageFilter(depth=1000)) == 1000
    last = await store.relatives(make_id(1499), "ancestors", LineageFilter(after=(1498, 2), limit=5))
    assert [(relative.depth, relative.event.position) for relative in last] == [(1499, 1)]
