"""Lineage through REST against the bare query and against networkx in memory, on made histories and on a ladder of diamonds."""

from __future__ import annotations

from typing import Any, Literal, LiteralString, cast

import networkx as nx
from neo4j import Session

from app.storage import queries
from benchmarks import bare
from benchmarks.histories import graph_of, history, ladder
from benchmarks.report import Report
from benchmarks.rest import Rest, asking
from benchmarks.servers import running
from benchmarks.turns import in_turn, milliseconds, ratio

Way = Literal["ancestors", "descendants"]

COUNT: dict[Way, LiteralString] = {
    "ancestors": "MATCH (:Event {id: $id})-[:PARENT*]->(a) RETURN count(DISTINCT a)",
    "descendants": "MATCH (:Event {id: $id})<-[:PARENT*]-(a) RETURN count(DISTINCT a)",
}
"""As a person writes it. What is compared with is the query of `cypher/`, which is faster."""
PAGE: LiteralString = """
MATCH path = (:Event {id: $id})-[:PARENT*1..]->(a)
WITH a, min(length(path)) AS depth ORDER BY depth, a.position DESC LIMIT 100
RETURN depth, a.id, a.type, a.scope, a.trace_id, a.agent_id, a.parent_ids, a.timestamp, a.position
"""


def counts(report: Report, size: int = 100_000) -> None:
    """Both ways on a long history; ancestors alone on the ladder."""
    with running("neo4j") as port, asking(port) as rest, bare.connect() as driver, driver.session() as session:
        made = history(size)
        rest.store(made)
        graph = graph_of(made)
        compare_counts(report, rest, session, f"history of {size:,}", made[-1]["id"], "ancestors", graph)
        compare_counts(report, rest, session, f"history of {size:,}", made[0]["id"], "descendants", graph)
        made = ladder(1_000)
        rest.store(made)
        compare_counts(report, rest, session, "ladder of 1,000 diamonds", made[-1]["id"], "ancestors", bar="well under a second")


def compare_counts(
    report: Report,
    rest: Rest,
    session: Session,
    where: str,
    event_id: str,
    way: Way,
    graph: nx.DiGraph[str] | None = None,
    *,
    bar: str = "at most 1.3",
    rounds: int = 15,
) -> None:
    """All sides count the same, in turn: REST, the bare query, the query as a person writes it, and networkx where a graph is given."""
    text = cast("LiteralString", queries.load()[f"count_{way}"].text)
    found: dict[str, int] = {}

    def through_rest() -> None:
        found["rest"] = rest.get(f"/api/events/{event_id}/{way}", limit=0)["count"]

    def as_stored() -> None:
        found["bare"] = session.run(text, id=event_id).single(strict=True).value()

    def as_written() -> None:
        found["plain"] = session.run(COUNT[way], id=event_id).single(strict=True).value()

    sides = {"rest": through_rest, "bare": as_stored, "plain": as_written}
    if graph is not None:

        def in_memory(graph: nx.DiGraph[str] = graph) -> None:  # its edges point to the cause
            found["networkx"] = len(nx.descendants(graph, event_id) if way == "ancestors" else nx.ancestors(graph, event_id))

        sides["networkx"] = in_memory
    taken = in_turn(sides, rounds)
    assert len(set(found.values())) == 1, f"{way}: {found}"
    figures = f"{found['rest']:,}: {milliseconds(taken, 'rest')} through REST"
    detail = f"{figures}, {milliseconds(taken, 'bare')} bare, {milliseconds(taken, 'plain')} as one pattern"
    report.add(f"{way} counted, {where} / bare query", ratio(taken, "rest", "bare"), bar, detail)
    if graph is not None:
        detail = f"{figures}, {milliseconds(taken, 'networkx')} networkx"
        report.add(f"{way} counted, {where} / networkx in memory", ratio(taken, "rest", "networkx"), "at most 1.0", detail)


def compare_first_pages(report: Report, rest: Rest, session: Session, where: str, event_id: str, rounds: int = 15) -> None:
    """The 100 nearest causes within several depths and within none. The bare query gives no count; ours counts all as well."""
    for depth in (10, 100, 1_000, None):
        text = cast("LiteralString", PAGE.replace("*1..]", f"*1..{depth or ''}]"))
        query: dict[str, Any] = {"limit": 100} if depth is None else {"limit": 100, "depth": depth}
        found: dict[str, list[str]] = {}

        def through_rest(query: dict[str, Any] = query, found: dict[str, list[str]] = found) -> None:
            found["rest"] = [node["id"] for node in rest.get(f"/api/events/{event_id}/ancestors", **query)["nodes"]]

        def as_stored(text: LiteralString = text, found: dict[str, list[str]] = found) -> None:
            found["bare"] = [row[1] for row in session.run(text, id=event_id).values()]

        taken = in_turn({"rest": through_rest, "bare": as_stored}, rounds)
        assert found["rest"] == found["bare"]
        detail = f"{milliseconds(taken, 'rest')} through REST, with the count; {milliseconds(taken, 'bare')} bare, without"
        within = "at any depth" if depth is None else f"within {depth:,} hops"
        report.add(f"first 100 ancestors {within}, {where} / bare query", ratio(taken, "rest", "bare"), "below 1.5", detail)
