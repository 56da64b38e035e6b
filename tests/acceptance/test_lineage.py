"""Ancestors and descendants over HTTP: distinct events, nearest first, with pages and filters."""

from __future__ import annotations

import random
from typing import Any

import httpx
import networkx as nx
import pytest

from tests.acceptance.lineage import EVENT_FIELDS, Diamond, ids, lineage_of
from tests.acceptance.refusals import UNKNOWN
from tests.answers import nodes, pages
from tests.conftest import Service
from tests.events import append, new_event, new_id, post

DIRECTIONS = ["ancestors", "descendants"]


def test_ancestors_are_distinct_events_nearest_first_then_newest_first(service: Service, diamond: Diamond) -> None:
    answer = lineage_of(service, diamond.e, "ancestors")
    assert (answer["count"], answer["truncated"]) == (4, False)
    assert [(node["id"], node["depth"]) for node in answer["nodes"]] == [(diamond.d, 1), (diamond.c, 2), (diamond.b, 2), (diamond.a, 2)]


def test_descendants_are_distinct_events_nearest_first_then_oldest_first(service: Service, diamond: Diamond) -> None:
    answer = lineage_of(service, diamond.a, "descendants")
    assert (answer["count"], answer["truncated"]) == (4, False)
    assert [(node["id"], node["depth"]) for node in answer["nodes"]] == [(diamond.b, 1), (diamond.c, 1), (diamond.d, 1), (diamond.e, 2)]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_an_event_without_relatives_has_an_empty_lineage(service: Service, diamond: Diamond, direction: str) -> None:
    assert lineage_of(service, diamond.unrelated, direction) == {"count": 0, "truncated": False, "nodes": []}


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_lineage_shows_events_without_payload_unless_asked(service: Service, diamond: Diamond, direction: str) -> None:
    event = service.client.get(f"/api/events/{diamond.c}").json()
    around = diamond.d if direction == "ancestors" else diamond.a
    for query, fields in (({}, EVENT_FIELDS), ({"payload": 0}, EVENT_FIELDS), ({"payload": 1}, EVENT_FIELDS | {"payload"})):
        [node] = [node for node in lineage_of(service, around, direction, **query)["nodes"] if node["id"] == diamond.c]
        assert node == {**{name: event[name] for name in fields}, "depth": 1}


def test_depth_limits_the_search_and_the_count(service: Service, diamond: Diamond) -> None:
    assert [lineage_of(service, diamond.e, "ancestors", depth=depth)["count"] for depth in (1, 2, 3, 1_000_000)] == [1, 4, 4, 4]
    assert [lineage_of(service, diamond.a, "descendants", depth=depth)["count"] for depth in (1, 2, 3, 1_000_000)] == [3, 4, 4, 4]
    assert ids(lineage_of(service, diamond.e, "ancestors", depth=1)) == [diamond.d]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"type": "ready"}, "db"),
        ({"type": ["test", "proposal"]}, "ca"),
        ({"type": "reward"}, ""),
        ({"scope": "l.left"}, "b"),
        ({"scope": "l.*"}, "cba"),
        ({"scope": "l.left.**"}, "d"),
        ({"scope": "l.**", "type": "ready"}, "db"),
        ({"scope": "other.**"}, ""),
        ({"scope": "l.*", "type": ["ready"], "depth": 2}, "b"),
    ],
)
def test_filters_select_what_is_counted_and_shown_and_never_cut_the_search(
    service: Service, diamond: Diamond, query: dict[str, Any], names: str
) -> None:
    answer = lineage_of(service, diamond.e, "ancestors", **query)
    assert ids(answer) == [getattr(diamond, name) for name in names]
    assert answer["count"] == len(names)
    assert lineage_of(service, diamond.e, "ancestors", **query, limit=0) == {"count": len(names), "truncated": False, "nodes": []}


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_pages_follow_one_another_without_gap_or_repeat(service: Service, diamond: Diamond, direction: str, limit: int) -> None:
    start = diamond.e if direction == "ancestors" else diamond.a
    whole = lineage_of(service, start, direction)
    found = pages(service, f"/api/events/{start}/{direction}", limit=limit)
    assert [node for page in found for node in page["nodes"]] == whole["nodes"]
    assert [page["truncated"] for page in found] == [True] * (len(found) - 1) + [False]
    assert all(page["count"] == 4 for page in found), "the count is that of the whole lineage on every page"
    assert len(found) == -(-4 // limit)


def test_a_link_keeps_every_filter(service: Service, diamond: Diamond) -> None:
    query = {"type": ["ready", "test"], "scope": "l.**", "depth": 7, "payload": 1, "limit": 1}
    answer = service.client.get(f"/api/events/{diamond.e}/ancestors", params=query)
    linked = httpx.URL(answer.links["next"]["url"]).params
    assert {name: linked.get_list(name) for name in query} == {name: httpx.QueryParams(query).get_list(name) for name in query}
    found = nodes(service, f"/api/events/{diamond.e}/ancestors", **query)
    assert [node["id"] for node in found] == [diamond.d, diamond.c, diamond.b]
    assert all("payload" in node for node in found)


def test_limit_0_answers_the_count_alone(service: Service, diamond: Diamond) -> None:
    assert lineage_of(service, diamond.e, "ancestors", limit=0) == {"count": 4, "truncated": False, "nodes": []}
    assert lineage_of(service, diamond.e, "ancestors", limit=0, depth=1)["count"] == 1


def test_an_id_may_be_written_in_upper_case(service: Service, diamond: Diamond) -> None:
    assert lineage_of(service, diamond.e.upper(), "ancestors")["count"] == 4


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("name", [UNKNOWN, "nonsense"])
@pytest.mark.parametrize("query", [{}, {"limit": 0}, {"depth": 1}, {"type": "ready"}])
def test_the_lineage_of_an_unknown_event_is_404(service: Service, direction: str, name: str, query: dict[str, Any]) -> None:
    answer = service.client.get(f"/api/events/{name}/{direction}", params=query)
    assert answer.status_code == 404, answer.text
    assert name in answer.json()["message"]


def test_descendants_grow_as_events_arrive_and_ancestors_do_not(service: Service) -> None:
    graph = Diamond(service)
    new = post(service, "ready", None, graph.e, graph.unrelated)["id"]
    assert lineage_of(service, graph.a, "descendants")["count"] == 5
    assert lineage_of(service, graph.unrelated, "descendants")["count"] == 1
    assert lineage_of(service, graph.e, "ancestors")["count"] == 4
    assert lineage_of(service, new, "ancestors")["count"] == 6


def test_a_ladder_of_a_thousand_diamonds_is_counted_by_events_not_by_paths(service: Service) -> None:
    """Each rung has two events, whose parents are both events of the rung before: 2 ** 999 paths, 1,998 ancestors."""
    rungs = [(new_id(), new_id()) for _ in range(1_000)]
    before: list[tuple[str, ...]] = [(), *rungs]
    append(service, [new_event("ready", None, *before[number], id=event_id) for number, rung in enumerate(rungs) for event_id in rung])
    assert lineage_of(service, rungs[-1][0], "ancestors", limit=0)["count"] == 1_998
    assert lineage_of(service, rungs[0][0], "descendants", limit=0)["count"] == 1_998
    assert lineage_of(service, rungs[-1][0], "ancestors", limit=0, depth=10)["count"] == 20
    assert lineage_of(service, rungs[500][1], "ancestors", limit=0, type="ready")["count"] == 1_000
    deep = pages(service, f"/api/events/{rungs[-1][1]}/ancestors", limit=1_000)
    reached = [node for page in deep for node in page["nodes"]]
    assert [len(page["nodes"]) for page in deep] == [1_000, 998]
    assert [node["depth"] for node in reached] == [depth for depth in range(1, 1_000) for _ in range(2)]
    assert len({node["id"] for node in reached}) == 1_998


def test_random_histories_have_the_lineage_that_networkx_computes(service: Service) -> None:
    rng = random.Random(20)
    for _ in range(2):
        graph: nx.DiGraph[str] = nx.DiGraph()
        names = [new_id() for _ in range(80)]
        events: list[dict[str, Any]] = []
        for number, name in enumerate(names):
            parents = rng.sample(names[max(0, number - 12) : number], min(number, rng.choice([0, 1, 1, 2, 3])) if number < 12 else 2)
            graph.add_node(name)
            graph.add_edges_from((name, parent) for parent in parents)
            events.append(new_event("ready", None, *parents, id=name))
        positions = {event["id"]: event["position"] for event in append(service, events)}
        for name in rng.sample(names, 8):
            for direction, edges, sign in (("ancestors", graph, -1), ("descendants", graph.reverse(copy=False), 1)):
                for depth in (None, 1, 3):
                    reached = nx.single_source_shortest_path_length(edges, name, cutoff=depth)
                    expected = sorted((distance, sign * positions[other]) for other, distance in reached.items() if distance)
                    answer = lineage_of(service, name, direction, limit=1_000, **({"depth": depth} if depth else {}))
                    assert [(node["depth"], sign * node["position"]) for node in answer["nodes"]] == expected
                    assert answer["count"] == len(expected)
