"""Plans of the real Neo4j for `cypher/`: index seeks, no sorting, pruned lineage expansion. Checked by EXPLAIN, not by timing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any, LiteralString, cast

import pytest
from neo4j import Driver, GraphDatabase
from semp.domain.signals import Rules, Signal
from semp.engine.records import LogState
from semp.storage import queries
from semp.storage.neo4j import rows
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import USED, Neo4jStore

from tests.conftest import empty
from tests.database_hits import hits_of
from tests.strategies import filled, make_id, new_draft, plan_of

EVENT_SEEK = r"Node(Unique)?IndexSeek(ByRange)?"
RISING = {"rising": [0, 2**62], "falling": [0, 0]}
FALLING = {"rising": [0, 0], "falling": [0, 2**62]}
SPAN = {"limit": 100, "types": None, "pattern": None, "traces": None, "agents": None} | RISING

POINT: dict[str, dict[str, Any]] = {
    "stream_state": {},
    "lock_stream": {"turn": "t"},
    "set_rules": {"tip": "t", "rules": "[]"},
    "create_stream": {"epoch": "e", "tip": "t", "rules": "[]", "schema": 1},
    "events_by_id": {"ids": [make_id(1), make_id(2)]},
    "causes": {"ids": [make_id(1), make_id(2)]},
    "ancestry": {"ids": [make_id(1), make_id(2)], "limit": 10},
    "newest_proposals": {"threads": [["t1", "ui"], ["t2", "api"]]},
    "read_log": {"after": 10, "last": 60},
    "aimed_at": {"positions": [1, 2]},
    "timestamps": {"positions": [1, 2]},
    "put_moves": {"events": [[1, "ui:a1", 0.0, 0.3, None, []]]},
    "set_schema": {"tip": "t", "schema": 2},
    "put_snapshot": {"epoch": "e", "position": 1, "timestamp": 1, "field": b"", "signals": 0},
    "snapshot": {"upto": 50},
    "newest_snapshot": {"upto": 50},
    "snapshot_positions": {"after": 10, "upto": 50},
    "nodes_of_event": {"id": make_id(1)},
    "signals_moved": {"after": 10, "upto": 60},
    "signals_of": {"keys": [["ui", "a1"], ["ui", "a2"]]},
    "put_signals": {"signals": [["ui", "a1", 0.3, 1, 1, 1, 1.2, 0.95, 60.0]]},
    "sweep_signals": {"signals": [["ui", "a1", 1]]},
    "node": {"id": make_id(1)},
    "put_node": {"id": make_id(1), "type": "t", "data": "{}", "token": "t"},
    "cursor": {"name": "x"},
    "advance_cursor": {"name": "x", "epoch": "e", "position": 1, "back": False, "lease": "l", "token": 1},
    "delete_cursor": {"name": "x"},
    "lease": {"name": "l"},
    "acquire_lease": {"name": "l", "holder": "h", "milliseconds": 1000},
    "renew_lease": {"name": "l", "token": 1, "milliseconds": 1000},
    "release_lease": {"name": "l", "token": 1},
    "add_edge": {"from": make_id(1), "to": make_id(2), "type": "t"},
}
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "page_by_position": ("position", SPAN),
    "page_by_scope": ("scope, position", SPAN | {"scopes": ["ui"]}),
    "page_by_trace": ("trace_id, position", SPAN | {"traces": ["t1"]}),
    "page_by_agent": ("agent_id, position", SPAN | {"agents": ["ann"]}),
    "page_by_type": ("type, position", SPAN | {"types": ["reward"]}),
    "page_by_thread": ("trace_id, type, scope, position", SPAN | {"threads": [["t1", "ui", "reward"]]}),
}
"""For each access path: its index, and parameters."""
EDGES: dict[str, Any] = RISING | {
    "scopes": ["ui"], "traces": ["t1"], "agents": ["ann"], "types": ["reward"], "whole": [""],
    "look": {"scope": 10, "trace": 10, "agent": 10, "type": 10, "position": 10},
}  # fmt: skip
NEWEST: dict[str, Any] = {"types": ["reward"], "traces": ["t1"], "signals": ["ui:a1"], "after": 0, "until": 50, "look": 10}
MOVES: dict[str, dict[str, Any]] = {
    "moves": {"signal": "ui:a1", "after": 0, "upto": 50, "limit": 10},
    "moves_back": {
        "signal": "ui:a1",
        "after": 0,
        "upto": 50,
        "limit": 10,
        "kind": "any",
        "lowering": ["penalty"],
        "making_anew": ["reward", "penalty"],
    },
    "count_moves": {"signal": "ui:a1", "upto": 50, "look": 10},
    "signals_before": {"keys": ["ui:a1", "ui:a2"], "upto": 50, "lowering": ["penalty"], "making_anew": ["reward", "penalty"]},
}
LINEAGE = [
    "count_provenance",
    "nearest_provenance",
    "count_consequences",
    "nearest_consequences",
    "count_ancestors",
    "count_descendants",
    "count_ancestors_where",
    "count_descendants_where",
    "nearest_ancestors",
    "nearest_descendants",
    "count_open",
    "nearest_open",
    "count_roots",
    "count_impact",
    "nearest_roots",
    "nearest_impact",
    "count_between",
    "nearest_between",
    "common_causes",
    "common_causes_near",
]
LINEAGE_PARAMETERS = {
    "id": make_id(1), "types": None, "prefix": None, "pattern": None, "after_depth": 0, "after_position": 0, "limit": 100,
    "until": 2**62, "cause": make_id(1), "effect": make_id(2), "ids": [make_id(1), make_id(2)],
    "hops": None, "span": 1000, "budget": 1_000_001, "payload": False, "edge": None, "ending": ["ready", "cancel"],
}  # fmt: skip
TRACES: dict[str, dict[str, Any]] = {
    "traces": {"first": 1, "before": 1000, "until": 2000, "limit": 10, "kinds": [["reward", "ui", "ui"]], "pattern": "ui"},
    "traces_among": {"ids": ["t1", "t2"], "before": 1000, "until": 2000, "limit": 10},
    "matching_traces": {"scopes": ["ui"], "types": ["reward"], "only": ["reward"], "pattern": "ui", "until": 2000, "look": 10},
    "trace_events": {"trace_id": "t1", "after": 0, "limit": 10, "valued": ["reward"]},
}
WHOLE = {"cursors", "await_indexes"}
"""Queries that read all nodes of a small label, and so may scan it, or that read no nodes."""
MAY_COLLECT = {"put_node", "sweep_signals", "put_moves", "advance_cursor", "delete_cursor", "acquire_lease", "renew_lease", "release_lease"}
"""Queries whose plan may have an Eager: they handle one row, or run in the sweeper or once in an upgrade, so that it delays nothing."""


@pytest.fixture(scope="module")
def driver(neo4j_target: Target) -> Iterator[Driver]:
    """A driver on a database that holds a log, so that the planner has statistics."""

    async def fill() -> None:
        store = Neo4jStore(neo4j_target)
        await filled(store, 1, moments=250)
        state = await store.state()
        await store.append(plan_of(state, *(new_draft(scope=f"s{n}", trace=f"t{n}", agent=f"g{n}", action=f"a{n}") for n in range(1000))))
        await store.close()

    empty(neo4j_target)
    asyncio.run(fill())
    with GraphDatabase.driver(neo4j_target.uri, auth=(neo4j_target.user, neo4j_target.password), notifications_min_severity="OFF") as found:
        found.execute_query("CALL db.awaitIndexes(60)", database_=neo4j_target.database)
        found.execute_query("CALL db.resampleOutdatedIndexes()", database_=neo4j_target.database)
        yield found


class Explained:
    """The operators of a plan, outermost first, each with its details."""

    def __init__(self, driver: Driver, text: str, parameters: dict[str, Any]) -> None:
        used = {name: parameters[name] for name in re.findall(r"\$(\w+)", text)}
        summary = driver.execute_query(cast("LiteralString", "EXPLAIN " + text), used).summary
        self.operators: list[tuple[str, str]] = []
        plan = cast("dict[str, Any] | None", summary.plan)
        assert plan is not None
        self._walk(plan)

    def _walk(self, plan: dict[str, Any]) -> None:
        self.operators.append((plan["operatorType"].split("@")[0], plan.get("args", {}).get("Details", "")))
        for child in plan.get("children", []):
            self._walk(child)

    def matching(self, pattern: str) -> list[tuple[str, str]]:
        return [(name, details) for name, details in self.operators if re.fullmatch(pattern, name)]

    def __str__(self) -> str:
        return "\n".join(f"{name}: {details}" for name, details in self.operators)


def eagers(plan: Explained) -> list[tuple[str, str]]:
    """Eager operators, without aggregations."""
    return [operator for operator in plan.operators if operator[0].startswith("Eager") and "Aggregation" not in operator[0]]


def test_every_query_of_the_service_is_explained_here() -> None:
    assert set(POINT) | set(PAGES) | set(MOVES) | set(LINEAGE) | set(TRACES) | WHOLE | {
        "append",
        "edges",
        "matching_scopes",
        "newest_in_span",
        "shortest_path",
        "signals",
    } == set(USED)


READS: dict[str, dict[str, Any]] = (
    POINT | {name: given for name, (_, given) in PAGES.items()} | MOVES | TRACES | dict.fromkeys(LINEAGE, LINEAGE_PARAMETERS)
)


@pytest.mark.parametrize("name", [name for name in READS if queries.load()[name].mode == "read"])
def test_a_packed_query_has_the_plan_of_the_query_itself(driver: Driver, name: str) -> None:
    query = queries.load()[name]
    plain, packed = (Explained(driver, text, READS[name]) for text in (query.text, queries.packed(query, query.text)))
    shown = r".*(Seek|Scan|Expand|Sort|Top|Path).*|Limit|Eager"
    assert [operator for operator, _ in plain.matching(shown)] == [operator for operator, _ in packed.matching(shown)], str(packed)
    assert not eagers(packed), str(packed)


def test_the_newest_proposal_is_sought_by_thread_whatever_the_statistics_say(driver: Driver) -> None:
    """Without a hint, Neo4j planned by scope while the log held one trace, and kept that plan for a million events in small traces."""
    query = queries.load()["newest_proposals"]
    assert "USING INDEX SEEK event:Event(trace_id, type, scope, position)" in query.text, "Neo4j follows a hint whatever the statistics say"
    plan = Explained(driver, queries.packed(query, query.text), READS["newest_proposals"])
    [(_, details)] = plan.matching("NodeIndexSeek")
    assert details.startswith("RANGE INDEX event:Event(trace_id, type, scope, position)"), str(plan)


@pytest.mark.parametrize("direction", ["ancestors", "descendants"])
def test_a_page_of_the_nearest_relatives_ends_its_search_when_it_is_full(driver: Driver, direction: str) -> None:
    query = queries.load()[f"nearest_{direction}"]
    plan = Explained(driver, queries.packed(query, query.bounded(None)), LINEAGE_PARAMETERS)
    assert plan.matching("PartialTop"), str(plan)
    assert plan.matching(r"VarLengthExpand\(Pruning,BFS.*\)"), str(plan)


@pytest.mark.parametrize("name", ["nearest_provenance", "count_provenance"])
def test_the_provenance_of_a_node_is_one_search_and_not_one_for_each_of_its_links(driver: Driver, name: str) -> None:
    query = queries.load()[name]
    plan = Explained(driver, queries.packed(query, query.bounded(None)), LINEAGE_PARAMETERS)
    assert len(plan.matching(r".*Expand.*")) == 1, str(plan)
    assert plan.matching(r"VarLengthExpand\(Pruning,BFS.*\)"), str(plan)
    assert name == "count_provenance" or plan.matching("PartialTop"), str(plan)


@pytest.mark.parametrize("name", POINT)
def test_look_ups_and_small_writes_seek(driver: Driver, name: str) -> None:
    plan = Explained(driver, queries.load()[name].text, POINT[name])
    assert name in MAY_COLLECT or not eagers(plan), str(plan)
    assert not plan.matching(r"AllNodesScan|.*LabelScan|NodeIndexScan|.*TypeScan|.*AllRelationshipsScan"), str(plan)
    assert plan.matching(r".*IndexSeek.*|MergeUniqueNode"), str(plan)
    assert not plan.matching(r"(Partial)?(Sort|Top)") or name == "read_log", str(plan)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("order", [RISING, FALLING])
def test_a_page_is_read_in_the_order_of_its_index(driver: Driver, name: str, order: dict[str, Any]) -> None:
    """Neither Sort nor Top: a plan that sorts reads a whole scope or trace to show a hundred of its events.

    The pages of several values are merged, at most a page each.
    """
    index, parameters = PAGES[name]
    plan = Explained(driver, queries.load()[name].text, parameters | order)
    assert not eagers(plan), str(plan)
    assert not plan.matching(r"AllNodesScan|.*LabelScan|.*IndexScan|(Partial)?Sort|.*Aggregation.*"), str(plan)
    assert len(plan.matching(r"(Partial)?Top")) == (0 if name == "page_by_position" else 1), str(plan)
    seeks = plan.matching(r".*IndexSeek.*")
    assert len(seeks) == 2, str(plan)
    assert all(f"event:Event({index})" in details for _, details in seeks), str(plan)
    assert plan.matching("Limit"), str(plan)


def test_how_far_a_path_comes_is_read_from_the_indexes_alone(driver: Driver) -> None:
    """Two seeks for each path, one for each order. `cache[...]`: the position comes with the entry of the index."""
    plan = Explained(driver, queries.load()["edges"].text, EDGES)
    assert not eagers(plan), str(plan)
    assert not plan.matching(r"AllNodesScan|.*LabelScan|.*IndexScan|(Partial)?(Sort|Top)"), str(plan)
    seeks = [details for _, details in plan.matching(r".*IndexSeek.*")]
    for index in (index for name, (index, _) in PAGES.items() if name != "page_by_thread"):
        assert sum(f"event:Event({index})" in details for details in seeks) == 2, str(plan)
    assert all("cache[event.position]" in details for details in seeks), str(plan)


def test_a_span_is_found_from_the_indexes_alone(driver: Driver) -> None:
    plan = Explained(driver, queries.load()["newest_in_span"].text, NEWEST)
    assert not eagers(plan), str(plan)
    assert not plan.matching(r"AllNodesScan|.*LabelScan|.*IndexScan|(Partial)?Sort"), str(plan)
    seeks = [details for _, details in plan.matching(r".*IndexSeek.*")]
    for index in ("event:Event(type, ", "event:Event(trace_id, ", "event:Event(signal, ", "move:Move(signal, "):
        [details] = [details for details in seeks if index in details]
        assert ".position]" in details, "the position comes with the entry of the index"


def test_scopes_are_compared_with_a_glob_by_index(driver: Driver) -> None:
    plan = Explained(driver, queries.load()["matching_scopes"].text, {"prefix": "ui.", "pattern": r"ui\..*", "look": 10})
    assert not plan.matching(r"AllNodesScan|.*LabelScan|.*IndexScan"), str(plan)
    assert [details for _, details in plan.matching(r".*IndexSeek.*") if "scope:Scope(path)" in details], str(plan)


@pytest.mark.parametrize("name", MOVES)
def test_the_moves_of_a_signal_are_read_in_the_order_of_their_index(driver: Driver, name: str) -> None:
    """Only the results of the two halves of the query, at most a page each, are sorted."""
    plan = Explained(driver, queries.load()[name].text, MOVES[name])
    assert not eagers(plan), str(plan)
    assert not plan.matching(r"AllNodesScan|.*LabelScan|.*IndexScan|(Partial)?Sort"), str(plan)
    assert len(plan.matching("(Partial)?Top")) == {"count_moves": 0, "signals_before": 3}.get(name, 1), str(plan)
    seeks = " ".join(details for _, details in plan.matching(r".*IndexSeek.*"))
    assert "event:Event(signal, position)" in seeks, str(plan)
    assert "move:Move(signal, position)" in seeks, str(plan)


@pytest.mark.parametrize("order", [RISING, FALLING])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_one_event_touches_little(driver: Driver, name: str, order: dict[str, Any]) -> None:
    """The log holds more than a thousand events. The branch of the other order must not look at any of them."""
    text, parameters = queries.load()[name].text, PAGES[name][1] | order | {"limit": 1}
    used = {key: parameters[key] for key in re.findall(r"\$(\w+)", text)}
    profile = cast("dict[str, Any] | None", driver.execute_query(cast("LiteralString", "PROFILE " + text), used).summary.profile)
    assert profile is not None
    assert 0 < hits_of(profile) < 50


def test_a_page_of_the_whole_log_touches_as_much_at_its_end_as_at_its_begin(driver: Driver) -> None:
    """So an export, which reads page after page, is linear in the number of events."""
    text = cast("LiteralString", "PROFILE " + queries.load()["page_by_position"].text)
    hits: list[int] = []
    for after in (0, 500, 900):
        parameters = {"rising": [after, 1_001], "falling": [0, 0], "limit": 100}
        found = driver.execute_query(text, {**parameters, **dict.fromkeys(("types", "pattern", "traces", "agents"))})
        assert [record["position"] for record in found.records] == list(range(after + 1, after + 101))
        profile = cast("dict[str, Any] | None", found.summary.profile)
        assert profile is not None
        hits.append(hits_of(profile))
    assert max(hits) - min(hits) < 50, hits


@pytest.mark.parametrize("name", LINEAGE)
@pytest.mark.parametrize("depth", ["as written", None, 3])
def test_lineage_expands_pruned_from_an_index_seek(driver: Driver, name: str, depth: int | str | None) -> None:
    query = queries.load()[name]
    if query.bound is None and depth != "as written":
        return
    text = query.text if depth == "as written" else query.bounded(cast("int | None", depth))
    plan = Explained(driver, text, LINEAGE_PARAMETERS)
    expansions = plan.matching(r"VarLengthExpand.*")
    assert expansions, str(plan)
    assert all(re.fullmatch(r"VarLengthExpand\(Pruning.*\)", operator) for operator, _ in expansions), str(plan)
    assert not eagers(plan), str(plan)
    assert not plan.matching(r"AllNodesScan|.*LabelScan|.*IndexScan"), str(plan)
    assert not plan.matching(r"(Partial)?Sort") or name.startswith("common_causes"), str(plan)  # it has no pages, and a small answer
    assert plan.matching(r"NodeUniqueIndexSeek.*"), str(plan)


def test_a_shortest_path_is_searched_from_both_ends(driver: Driver) -> None:
    plan = Explained(driver, queries.load()["shortest_path"].text, LINEAGE_PARAMETERS)
    assert plan.matching(r"(Stateful)?ShortestPath.*"), str(plan)
    assert not plan.matching(r"AllNodesScan|.*LabelScan|.*IndexScan|VarLengthExpand\(All\)"), str(plan)


@pytest.mark.parametrize("name", TRACES)
def test_traces_are_found_by_index_in_its_order(driver: Driver, name: str) -> None:
    plan = Explained(driver, queries.load()[name].text, TRACES[name])
    assert not eagers(plan), str(plan)
    assert not plan.matching(r"AllNodesScan|.*LabelScan|.*IndexScan|.*TypeScan"), str(plan)
    assert plan.matching(r".*IndexSeek.*"), str(plan)
    assert name == "traces_among" or not plan.matching(r"(Partial)?(Sort|Top)"), str(plan)  # that one sorts the traces it was given


async def test_an_append_has_no_eager_operator(driver: Driver) -> None:
    parent = new_draft(number=1)
    state = LogState("e", 10_000, "no such tip", 0, [Rules()])
    plan = plan_of(state, new_draft("test", parents=[parent.id]), signals=[Signal("ui", "a1", 0.3, 1.2, 0.95, 1, 1, 1)])
    explained = Explained(driver, queries.load()["append"].text, await rows.append_parameters(plan))
    of_5_26 = driver.get_server_info().agent.startswith("Neo4j/5.")  # which puts Eager between clauses of one row
    assert of_5_26 or not eagers(explained), str(explained)
    assert not explained.matching(r"AllNodesScan|.*LabelScan|.*IndexScan|.*TypeScan"), str(explained)
    seeks = " ".join(details for _, details in explained.matching(r".*IndexSeek.*|MergeUniqueNode"))
    for needed in ("stream:Stream(name)", "trace:Trace(id)", "parent:Event(id)", "signal:Signal(scope, pattern)", "scope:Scope(path)"):
        assert needed in seeks, str(explained)


def test_signals_are_read_in_the_order_of_their_index(driver: Driver) -> None:
    query = queries.load()["signals"]
    plan = Explained(driver, queries.packed(query, query.text), {"scope": "ui", "pattern": "a", "limit": 10})
    assert not eagers(plan), str(plan)
    assert not plan.matching(r".*Scan|(Partial)?(Sort|Top)"), str(plan)
    assert len(plan.matching(r"Node(Unique)?IndexSeek.*")) == 2, str(plan)


def test_these_checks_detect_a_bad_plan(driver: Driver) -> None:
    scan = Explained(driver, "MATCH (event:Event) WHERE event.payload = $type RETURN event.id ORDER BY event.position", {"type": "x"})
    assert scan.matching(r".*LabelScan|.*IndexScan")
    paths = Explained(driver, "MATCH path = (event:Event {id: $id})-[:PARENT*1..50]->(other) RETURN other, length(path)", {"id": "x"})
    assert paths.matching(r"VarLengthExpand\(All\)")
    assert eagers(Explained(driver, queries.load()["sweep_signals"].text, POINT["sweep_signals"]))
    sorting = Explained(driver, "MATCH (event:Event {scope: $scope}) RETURN event ORDER BY event.agent_id LIMIT 3", {"scope": "ui"})
    assert sorting.matching("Top")
