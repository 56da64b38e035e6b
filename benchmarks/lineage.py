"""Lineage through REST, compared with the bare query and with networkx in memory, on generated histories and a ladder of diamonds."""

from __future__ import annotations

from typing import Literal, LiteralString, cast

import networkx as nx
from neo4j import Session

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
COUNT_WITHIN: LiteralString = "MATCH (:Event {id: $id})-[:PARENT*1..]->(a) RETURN count(DISTINCT a)"
PAGE: LiteralString = """
MATCH path = (:Event {id: $id})-[:PARENT*1..]->(a)
WITH a, min(length(path)) AS depth ORDER BY depth, a.position DESC LIMIT 100
RETURN depth, a.id, a.type, a.scope, a.trace_id, a.agent_id, a.parent_ids, a.timestamp, a.position
"""
"""Neo4j stops such a search when it has found the 100th event."""


def counts(report: Report, size: int = 100_000) -> None:
    """Count ancestors and descendants in a long history, and ancestors in the ladder."""
    with running("neo4j") as port, asking(port) as rest, bare.connect() as driver, driver.session() as session:
        events = history(size)
        rest.store(events)
        graph = graph_of(events)
        compare_counts(report, rest, session, f"history of {size:,}", events[-1]["id"], "ancestors", graph)
        compare_counts(report, rest, session, f"history of {size:,}", events[0]["id"], "descendants", graph)
        events = ladder(1_000)
        rest.store(events)
        compare_counts(report, rest, session, "ladder of 1,000 diamonds", events[-1]["id"], "ancestors", bar="well under a second")


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
    """Count by REST, by the bare query and, if a graph is given, by networkx, in turn. All counts must be equal.

    Args:
        where: describes the log, for the report.
    """
    answers: dict[str, int] = {}

    def through_rest() -> None:
        answers["rest"] = rest.get(f"/api/events/{event_id}/{way}", limit=0)["count"]

    def through_driver() -> None:
        answers["bare"] = session.run(COUNT[way], id=event_id).single(strict=True).value()

    sides = {"rest": through_rest, "bare": through_driver}
    if graph is not None:

        def in_memory(graph: nx.DiGraph[str] = graph) -> None:  # its edges point to the cause
            answers["networkx"] = len(nx.descendants(graph, event_id) if way == "ancestors" else nx.ancestors(graph, event_id))

        sides["networkx"] = in_memory
    times = in_turn(sides, rounds)
    assert len(set(answers.values())) == 1, f"{way}: {answers}"
    figures = f"{answers['rest']:,}: {milliseconds(times, 'rest')} through REST"
    detail = f"{figures}, {milliseconds(times, 'bare')} bare"
    report.add(f"{way} counted, {where} / bare query", ratio(times, "rest", "bare"), bar, detail)
    if graph is not None:
        detail = f"{figures}, {milliseconds(times, 'networkx')} networkx"
        report.add(f"{way} counted, {where} / networkx in memory", ratio(times, "rest", "networkx"), "at most 1.0", detail)


def compare_first_page(
    report: Report, rest: Rest, session: Session, where: str, event_id: str, depth: int | None, rounds: int = 15
) -> None:
    """Read the 100 nearest causes, within `depth` hops or without a bound (None); once with and once without the count of all causes."""
    bound = "*1..]" if depth is None else f"*1..{depth}]"
    page, count = cast("list[LiteralString]", [text.replace("*1..]", bound) for text in (PAGE, COUNT_WITHIN)])
    query = {"limit": 100} if depth is None else {"limit": 100, "depth": depth}

    def through_rest(count: int = 0) -> list[str]:
        return [node["id"] for node in rest.get(f"/api/events/{event_id}/ancestors", **query, count=count)["nodes"]]

    def counted_through_rest() -> list[str]:
        return through_rest(1)

    def through_driver() -> list[str]:
        return [row[1] for row in session.run(page, id=event_id).values()]

    def with_count() -> int:
        through_driver()
        return session.run(count, id=event_id).single(strict=True).value()

    assert through_rest() == counted_through_rest() == through_driver()
    sides = {"rest": through_rest, "page": through_driver, "both through rest": counted_through_rest, "both": with_count}
    times = in_turn(sides, rounds)
    name = f"first 100 ancestors {'at any depth' if depth is None else f'within {depth:,} hops'}, {where}"
    detail = f"{milliseconds(times, 'rest')} through REST, {milliseconds(times, 'page')} bare"
    report.add(f"{name} / bare query", ratio(times, "rest", "page"), "below 1.5", detail)
    detail = f"{milliseconds(times, 'both through rest')} through REST, {milliseconds(times, 'both')} bare"
    report.add(f"{name} and the count of all / bare queries", ratio(times, "both through rest", "both"), "below 1.5", detail)
