"""What a read costs does not grow with the log. Database hits of the real Neo4j, in a log of 2,000 events and in one of 20,000."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from semp.domain.events import Draft
from semp.domain.interests import Interest
from semp.domain.scopes import Glob
from semp.domain.signals import Rules
from semp.engine.live.history import missed
from semp.engine.live.hub import Hub
from semp.engine.records import EventFilter, TraceFilter
from semp.storage.neo4j import pages, traces
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import Neo4jStore

from tests.conftest import empty
from tests.database_hits import Profiled, Read
from tests.strategies import new_draft, plan_of

SMALL, BIG = 2_000, 20_000
LOOKED_AT, FIRST_LOOK = 200, 50
"""How far a page looks here, so that also the small log is longer."""
PAIR = 6 * LOOKED_AT
"""Database hits of a page of two fields, at most: both indexes, as far as it looks, and then each event with its properties."""
TRACES = 30 * LOOKED_AT
"""Database hits of a page of traces, at most, when it looks at so many positions, and for each whether its trace has such an event."""

FIELDS: dict[str, dict[str, list[Any]]] = {
    "type": {"rare": ["penalty"], "frequent": ["proposal"], "several": ["penalty", "ready"], "none": ["cancel"]},
    "scope": {
        "rare": ["rare"],
        "frequent": ["often"],
        "several": ["rare", "s1", "s2"],
        "glob": ["few.*"],
        "wide": ["many.**"],
        "none": ["x"],
    },
    "trace": {"rare": ["rare"], "frequent": ["often"], "several": ["rare", "t1", "t2"], "none": ["x"]},
    "agent": {"rare": ["rare"], "frequent": ["often"], "several": ["rare", "g1", "g2"], "none": ["x"]},
}
NAMES = {"type": "types", "scope": "scopes", "trace": "trace_ids", "agent": "agent_ids"}
SPANS: dict[str, Callable[[int], dict[str, Any]]] = {
    "newest": lambda head: {},
    "oldest": lambda head: {"newest_first": False},
    "middle": lambda head: {"before": head // 2},
    "resumed": lambda head: {"after": head // 2, "newest_first": False},
}


def drafts(first: int, last: int) -> Iterator[Draft]:
    """Events at these positions. Half of them are of `often`, ten of `rare` (only at the begin), the rest of many others."""
    for position in range(first, last + 1):
        rare, often = position % 100 == 7 and position < 1_000, position % 2 == 0
        others = position % 10
        yield new_draft(
            "penalty" if rare else "proposal" if often else "ready",
            scope="rare" if rare else "often" if position % 3 == 0 else f"few.a{others}" if position % 50 == 1
            else f"many.m{position % 1000}" if position % 5 == 2 else f"s{others}",
            trace="rare" if rare else "often" if position % 4 < 2 else f"t{others}",
            agent="rare" if rare else "often" if position % 7 < 3 else f"g{others}",
        )  # fmt: skip


def page_reads() -> Iterator[tuple[str, Read]]:
    """Pages by every filter, alone and in pairs, in both orders, from the ends and from the middle."""

    def read(fields: dict[str, Any], span: Callable[[int], dict[str, Any]]) -> Read:
        return lambda store, head: store.page(EventFilter(**(fields | span(head)), limit=10))

    singles = [(f"{field}={kind}", {NAMES[field]: values}) for field, kinds in FIELDS.items() for kind, values in kinds.items()]
    pairs = [(f"{a}&{b}", one | other) for (a, one), (b, other) in itertools.combinations(singles, 2) if one.keys() != other.keys()]
    for name, fields in [("all", {}), *singles, *pairs]:
        fields = {key: list(map(Glob.parse, values)) if key == "scopes" else values for key, values in fields.items()}
        for place, span in SPANS.items():
            if "&" not in name or place in ("newest", "resumed"):
                yield f"{name} {place}", read(fields, span)


async def resumed(store: Neo4jStore, head: int) -> None:
    """What a subscriber of two rare scopes and of nothing else missed since the begin of the log."""
    interest = Interest.of(scopes=["rare", "x"])
    spans = [span async for span in missed(store, Hub(head), interest, 0)]
    assert sum(len(span.entries) for span in spans) == 10


async def in_a_long_trace(store: Neo4jStore, head: int) -> None:
    """What an append of a `ready` without causes asks, in a scope of a long trace that has no proposal."""
    assert await store.newest_proposals([("often", "rare"), ("often", "new")]) == {}


def trace_reads() -> Iterator[tuple[str, Read]]:
    """Lists of traces by type, by scope, and by both."""

    def read(fields: dict[str, Any]) -> Read:
        return lambda store, head: store.traces(TraceFilter(before=head + 1, until=head, limit=10, **fields))

    for a, types in [("", []), *FIELDS["type"].items()]:
        for b, scopes in [("", []), *FIELDS["scope"].items()]:
            yield f"traces type={a} scope={b}", read({"types": types, "scopes": list(map(Glob.parse, scopes))})


READS: dict[str, Read] = dict(page_reads()) | dict(trace_reads()) | {"resume": resumed, "proposals of threads": in_a_long_trace}


@pytest.fixture(scope="module")
def costs(neo4j_target: Target) -> Iterator[dict[str, tuple[int, int]]]:
    """By read: its database hits in the small log and in the big one."""

    async def measured() -> dict[str, tuple[int, int]]:
        store = Neo4jStore(neo4j_target)
        profiled = Profiled(store, neo4j_target)
        state, _ = await store.open(Rules())
        found: list[dict[str, int]] = []
        for first, last in ((1, SMALL), (SMALL + 1, BIG)):
            for begin in range(first, last + 1, 2_000):
                plan = plan_of(state, *drafts(begin, min(begin + 1_999, last)))
                assert await store.append(plan)
                state = plan.state
            profiled.driver.execute_query("CALL db.resampleOutdatedIndexes()")
            found.append({name: await profiled.cost(read, last) for name, read in READS.items()})
        await store.close()
        profiled.close()
        small, big = found
        return {name: (small[name], big[name]) for name in READS}

    empty(neo4j_target)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "LOOKED_AT", LOOKED_AT)
        patch.setattr(pages, "FIRST_LOOK", FIRST_LOOK)
        patch.setattr(traces, "MATCHES", LOOKED_AT)
        patch.setattr(traces, "WINDOW", LOOKED_AT // 2)
        yield asyncio.run(measured())
    empty(neo4j_target)


@pytest.mark.parametrize("read", READS)
def test_a_read_costs_in_a_big_log_what_it_costs_in_a_small_one(costs: dict[str, tuple[int, int]], read: str) -> None:
    small, big = costs[read]
    stated = TRACES if read.startswith("traces") else PAIR if "&" in read else 50
    assert big <= max(1.5 * small, stated), f"{small} database hits in a log of {SMALL:,} events, {big} in one of {BIG:,}"
