"""Offered queries on the real Neo4j: they are read-only and bounded, and their rows can be written as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, LiteralString, cast

import msgspec
import pytest
from neo4j import Driver, GraphDatabase
from semp.domain.errors import InvalidInput, NotFound, QueryTimeout
from semp.domain.events import Event
from semp.engine.records import QUERY_BYTES, QUERY_ROWS, EventFilter, QueryAnswer
from semp.storage import queries
from semp.storage.neo4j import connection
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import Neo4jStore

from tests.conftest import empty
from tests.strategies import filled, selects

VALUES = {"id": "none", "trace_id": "t1", "signal": "ui:a1", "last": "1000", "position": "1", "scope": "ui.**"}
"""Values for required parameters."""


@pytest.fixture(scope="module")
def log(neo4j_target: Target) -> list[Event]:
    """A database that holds a log; its events."""

    async def fill() -> list[Event]:
        store = Neo4jStore(neo4j_target)
        found = await filled(store, 5, moments=60)
        await store.close()
        return [entry.event for entry in found]

    empty(neo4j_target)
    return asyncio.run(fill())


@pytest.fixture
async def store(log: list[Event], neo4j_target: Target) -> AsyncIterator[Neo4jStore]:
    assert log
    found = Neo4jStore(neo4j_target)
    yield found
    await found.close()


@pytest.fixture
def driver(log: list[Event], neo4j_target: Target) -> Iterator[Driver]:
    assert log
    with GraphDatabase.driver(neo4j_target.uri, auth=(neo4j_target.user, neo4j_target.password), notifications_min_severity="OFF") as found:
        yield found


async def run_text(store: Neo4jStore, text: str, **parameters: Any) -> tuple[list[list[Any]], bool]:
    return await store.connection.ask(text, parameters)


async def test_every_read_query_in_a_folder_is_offered(store: Neo4jStore) -> None:
    names = [query.name for query in store.offered()]
    assert names == sorted(name for name, query in queries.load().items() if "/" in name and query.mode == "read")
    assert {"cookbook/who_unblocks_whom", "mirror/events"} <= set(names)
    assert not {"append", "read_log", "schema/01_stream_name"} & set(names)


async def test_every_offered_query_runs_and_has_its_declared_columns(store: Neo4jStore) -> None:
    for query in store.offered():
        needed = {parameter.name: VALUES[parameter.name] for parameter in query.parameters if parameter.required}
        found = await store.ask(query.name, needed)
        assert found.columns == [column.name for column in query.columns], query.name
        assert all(len(row) == len(found.columns) for row in found.rows), query.name
        assert msgspec.json.decode(msgspec.json.encode(found), type=QueryAnswer) == found, query.name


async def test_every_query_that_can_give_many_rows_takes_a_limit(store: Neo4jStore) -> None:
    one_row = {"mirror/head", "mirror/timestamp"}
    for query in store.offered():
        limits = [parameter for parameter in query.parameters if parameter.name == "limit"]
        assert bool(limits) == (query.name not in one_row), query.name
        assert all(not limit.required and limit.minimum == 1 and limit.maximum is not msgspec.UNSET for limit in limits), query.name


@pytest.mark.parametrize("scope", ["ui", "ui.*", "ui.**", "**", "*.login", "nowhere.**"])
async def test_a_mirror_reads_the_scopes_that_a_glob_selects(store: Neo4jStore, log: list[Event], scope: str) -> None:
    selected = [event for event in log if selects(scope, event.scope)]
    found = await store.ask("mirror/events_of_scopes", {"scope": scope, "last": "100000", "limit": "5000"})
    assert [row[0] for row in found.rows] == [event.id for event in selected][:QUERY_ROWS]
    trace = log[0].trace_id
    found = await store.ask("mirror/events_of_trace", {"scope": scope, "trace_id": trace, "last": "100000", "limit": "5000"})
    assert [row[0] for row in found.rows] == [event.id for event in selected if event.trace_id == trace][:QUERY_ROWS]


def test_a_mirror_reads_by_index(driver: Driver) -> None:
    for name, indexes in {
        "events": ("event:Event(position)",),
        "events_of_trace": ("event:Event(trace_id, position)",),
        "events_of_scopes": ("scope:Scope(path)", "event:Event(scope, position)"),
        "ancestors": (":Event(id)",),
        "descendants": (":Event(id)",),
        "timestamp": ("event:Event(position)",),
    }.items():
        query = queries.load()[f"mirror/{name}"]
        given = {"scope": "ui.**", "trace_id": "t1", "after": 0, "last": 50, "limit": 10, "id": "x", "position": 1}
        text = cast("LiteralString", "EXPLAIN " + query.text)
        summary = driver.execute_query(text, {name: given[name] for name in query.params}).summary
        plan = str(cast("dict[str, Any] | None", summary.plan))
        assert "LabelScan" not in plan, name
        assert "AllNodesScan" not in plan, name
        assert all(index in plan for index in indexes), f"{name}: {plan}"


@pytest.mark.parametrize(
    "text", ["CREATE (n:Event {id: 'x'}) RETURN n.id", "MATCH (e:Event) SET e.type = 'x'", "MATCH (e:Event) DETACH DELETE e"]
)
async def test_a_text_that_writes_is_refused_by_the_database(store: Neo4jStore, log: list[Event], text: str) -> None:
    with pytest.raises(Exception, match=r"(?i)writ"):
        await run_text(store, text)
    assert (await store.page(EventFilter(limit=1000, newest_first=False))).events == log[:1000]


async def test_rows_beyond_the_bound_are_left_out_and_the_answer_says_so(store: Neo4jStore) -> None:
    exactly, truncated = await run_text(store, f"UNWIND range(1, {QUERY_ROWS}) AS n RETURN n")
    assert (len(exactly), truncated) == (QUERY_ROWS, False)
    found, truncated = await run_text(store, f"UNWIND range(1, {QUERY_ROWS + 1}) AS n RETURN n")
    assert (found, truncated) == (exactly, True)


async def test_bytes_beyond_the_bound_are_left_out_and_the_answer_says_so(store: Neo4jStore) -> None:
    found, truncated = await run_text(store, "UNWIND range(1, 100) AS n RETURN reduce(t = 'x', i IN range(1, 17) | t + t) AS text")
    assert truncated
    assert QUERY_BYTES // 2 < sum(len(row[0]) for row in found) <= QUERY_BYTES


async def test_a_query_that_takes_too_long_is_stopped(store: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "READ_TIMEOUT", 0.5)
    with pytest.raises(QueryTimeout):
        await run_text(store, "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b WITH a + b AS c RETURN max(c)")


async def test_values_that_the_database_refuses_are_invalid_input(store: Neo4jStore) -> None:
    with pytest.raises(InvalidInput, match="values"):
        await run_text(store, "RETURN duration({days: $many})", many=2**62)


async def test_the_error_for_an_unknown_name_lists_the_known_ones(store: Neo4jStore) -> None:
    for name in ("append", "nothing", "", "cookbook/../append"):
        with pytest.raises(NotFound, match="cookbook/rework_scopes"):
            await store.ask(name, {})


async def test_values_without_a_json_type_are_converted(store: Neo4jStore) -> None:
    text = """
    MATCH (n:Stream) WITH n LIMIT 1
    RETURN n {.name} AS map, datetime('2025-01-15T10:30:00Z') AS at, date('2025-01-15') AS day, duration('PT1M') AS long,
           point({x: 1, y: 2}) AS place, [date('2025-01-16')] AS days, 1.5 AS number, true AS yes, null AS nothing
    """
    [row], _ = await run_text(store, text)
    assert msgspec.json.decode(msgspec.json.encode(row)) == [
        {"name": "events"}, "2025-01-15T10:30:00.000000000+00:00", "2025-01-15", "PT1M", [1.0, 2.0], ["2025-01-16"], 1.5, True, None,
    ]  # fmt: skip
    [[node, edge, path]], _ = await run_text(store, "MATCH path = (a:Event)-[edge:PARENT]->(b) RETURN a, edge, path LIMIT 1")
    assert node["labels"] == ["Event"]
    assert node["properties"]["position"] >= 1
    assert edge == {"type": "PARENT", "properties": {}}
    assert [one["labels"] for one in path["nodes"]] == [["Event"], ["Event"]]
    assert path["relationships"] == [edge]
