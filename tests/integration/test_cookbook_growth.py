"""What a query of the cookbook costs does not grow with the log, and it says which part of the log it looked at.

Nor does it grow with the history of a signal what an answer about its newest moves costs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from semp.domain.signals import Rules
from semp.engine import explaining
from semp.engine.explaining import explain
from semp.engine.past import Moment
from semp.engine.records import QueryAnswer
from semp.storage import queries
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import Neo4jStore

from tests.conftest import empty
from tests.database_hits import Profiled
from tests.strategies import BEGIN, FakeClock, Writer, make_id, new_draft

SMALL, BIG, BATCH = 2_000, 12_000, 1_000
LOOK = 50
"""How much further a query looks in a real log."""
COOKBOOK = {name: query for name, query in queries.load().items() if name.startswith("cookbook/")}
Measured = dict[str, tuple[list[int], list[QueryAnswer]]]
"""By query: its database hits in the small log and in the big one, and its answers about four spans of the big one."""
TYPES = ("proposal", "ready", "test", "reward", "penalty", "ready", "proposal", "reward")
GIVEN = {"trace_id": "t0", "signal": "s0:a1", "id": make_id(SMALL - 3)}
"""Values for required parameters."""


async def fill(store: Neo4jStore, first: int, last: int) -> None:
    """Events at these positions, each caused by some of the sixty before it; the third trace and scope have half of them."""
    writer = await Writer.on(store, FakeClock())
    for begin in range(first, last + 1, BATCH):
        drafts = [
            new_draft(
                TYPES[position % len(TYPES)], f"s{position % 2 and position % 50}", number=position, agent=f"g{position % 7}",
                trace=f"t{position % 2 and position % 100}",
                parents=[make_id(position - back) for back in (1, 8, 60) if position > back and position % 11],
            )
            for position in range(begin, begin + BATCH)
        ]  # fmt: skip
        await writer.append(*drafts)
    await writer.committer.close()


def given(name: str) -> dict[str, str]:
    return {param: GIVEN[param] for param in COOKBOOK[name].params if param in GIVEN}


async def pages_of(store: Neo4jStore, name: str) -> list[QueryAnswer]:
    """The answers about the newest span, and about the three before it."""
    pages: list[QueryAnswer] = []
    until: object = None
    for _ in range(4):
        page = await store.ask(name, given(name) | ({} if until is None else {"until": str(until)}))
        pages.append(page)
        until = page.after
    return pages


async def explained(store: Neo4jStore, head: int) -> None:
    """Why a signal, that half of the events moved, is as strong as it is."""
    rules = [Rules()]
    assert await explain(store, rules, ("s0", "a1"), Moment(head, BEGIN), seen=None, limit=10, newest_first=True)


@pytest.fixture(scope="module")
def target(neo4j_target: Target) -> Iterator[Target]:
    empty(neo4j_target)
    yield neo4j_target
    empty(neo4j_target)


@pytest.fixture(scope="module")
def measured(target: Target) -> Measured:
    """By query: its database hits in the small log and in the big one, and its answers about four spans of the big one."""

    async def measure() -> Measured:
        store = Neo4jStore(target)
        store.connection.queries = {
            name: replace(query, span=replace(query.span, events=query.span.events // LOOK)) if query.span else query
            for name, query in queries.load().items()
        }
        profiled = Profiled(store, target)
        hits: dict[str, list[int]] = {name: [] for name in (*COOKBOOK, "explained")}
        for first, last in ((1, SMALL), (SMALL + 1, BIG)):
            await fill(store, first, last)
            for name in COOKBOOK:
                hits[name].append(await profiled.cost(lambda store, _: store.ask(name, given(name)), last))  # noqa: B023
            hits["explained"].append(await profiled.cost(explained, last))
        pages = {name: await pages_of(store, name) for name, query in COOKBOOK.items() if query.span}
        profiled.close()
        await store.close()
        return {name: (hits[name], pages.get(name, [])) for name in hits}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explaining, "COUNTED", 100)
        return asyncio.run(measure())


@pytest.mark.parametrize("name", [*COOKBOOK, "explained"])
def test_a_query_costs_in_a_big_log_what_it_costs_in_a_small_one(measured: Measured, name: str) -> None:
    (small, big), _ = measured[name]
    assert 0 < big <= 1.5 * small, f"{small} database hits in a log of {SMALL:,} events, {big} in one of {BIG:,}"


@pytest.mark.parametrize("name", [name for name, query in COOKBOOK.items() if query.span])
def test_a_query_says_where_it_looked_and_goes_on_from_there(measured: Measured, name: str) -> None:
    _, pages = measured[name]
    assert pages[0].until == BIG
    assert [page.until for page in pages[1:]] == [page.after for page in pages[:-1]]
    assert all(0 < page.after < page.until for page in pages), [(page.after, page.until) for page in pages]  # type: ignore[operator]


def test_every_query_has_a_span_or_begins_at_an_event() -> None:
    assert {name for name, query in COOKBOOK.items() if not query.span} == {"cookbook/before_a_penalty"}


async def test_a_query_looks_ten_times_as_far_when_it_is_told_where_to_begin(target: Target, measured: object) -> None:
    assert measured
    store = Neo4jStore(target)
    name = "cookbook/who_rewards_whom"
    newest, all_of_them = await store.ask(name, {}), await store.ask(name, {"after": "0"})
    past = await store.ask(name, {"until": "5000", "after": "4900"})
    beyond = await store.ask(name, {"until": str(10 * BIG)})
    await store.close()
    assert sum(row[2] for row in newest.rows) == 909
    assert (newest.until, newest.after) == (BIG, BIG - 3_998)
    assert (all_of_them.until, all_of_them.after) == (BIG, 0)
    assert sum(row[2] for row in past.rows) == 23
    assert (past.until, past.after) == (5_000, 4_900)
    assert beyond == newest
