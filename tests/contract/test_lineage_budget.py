"""A page of a lineage keeps to its budget without counting first: the same cases on every storage."""

from __future__ import annotations

import random

import pytest
from semp.engine.lineage import Asked, nearest
from semp.engine.ports import Storage
from semp.engine.records import Counted, Direction, LineageFilter, Relative

from tests.strategies import filled

DIRECTIONS: tuple[Direction, ...] = ("ancestors", "descendants", "roots", "impact")


@pytest.mark.parametrize("direction", DIRECTIONS)
async def test_a_page_holds_the_nearest_events_that_the_budget_allows(store: Storage, direction: Direction) -> None:
    events = [entry.event for entry in await filled(store, 3)]
    rng = random.Random(4)
    cut = 0
    for origin in rng.sample(events, 12):
        whole = await store.relatives(origin.id, direction, LineageFilter(limit=1_000))
        around = "ancestors" if direction in ("ancestors", "roots") else "descendants"
        depths = sorted(one.depth for one in await store.relatives(origin.id, around, LineageFilter(limit=1_000)))
        reached = [0, *depths] if direction in ("roots", "impact") else depths
        for budget in (1, 3, 8, 1_000):
            found = await store.relatives(origin.id, direction, LineageFilter(limit=1_000, budget=budget))
            cut += budget < len(reached)
            complete = [one for one in whole if budget >= len(reached) or one.depth < reached[budget]]
            assert found[: len(complete)] == complete
            assert all(one in whole and one.depth <= reached[budget] for one in found[len(complete) :])
            assert direction in ("roots", "impact") or len(found) == min(budget, len(whole))
    assert cut > 6


@pytest.mark.parametrize("limit", [2, 1_000])
async def test_only_a_page_that_is_not_full_is_counted_when_no_count_is_asked_for(store: Storage, limit: int) -> None:
    """The log has more events than the budget, so that the count tells whether the budget ended the search."""
    events = [entry.event for entry in await filled(store, 3)]
    counts = 0

    async def count(selection: LineageFilter) -> Counted | None:
        nonlocal counts
        counts += 1
        return await store.count(events[-1].id, "ancestors", selection)

    async def find(selection: LineageFilter) -> list[Relative]:
        assert counts == 0, "the page comes first"
        return await store.relatives(events[-1].id, "ancestors", selection)

    ancestors = await store.relatives(events[-1].id, "ancestors", LineageFilter(limit=1_000))
    budget = len(ancestors) - 1
    assert budget > 2
    page, counted = await nearest(count, find, LineageFilter(limit=limit, budget=budget), Asked(counting=False, events=len(events)))
    assert (page[:2], len(page)) == (ancestors[:2], min(limit, budget))
    assert (counted, counts) == ((None, 0) if limit == 2 else (Counted(budget, complete=False), 1))
