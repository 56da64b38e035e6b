"""Roots, impact, both directions at once, paths between two events and common causes, over HTTP."""

from __future__ import annotations

import itertools
import random
from typing import Any

import networkx as nx
import pytest

from tests.acceptance.lineage import EVENT_FIELDS, Diamond, ids, lineage_of
from tests.acceptance.refusals import UNKNOWN
from tests.answers import each_page, get, nodes, pages
from tests.conftest import Service
from tests.events import append, new_event, new_id


def test_lineage_tells_causes_from_effects(service: Service, diamond: Diamond) -> None:
    answer = lineage_of(service, diamond.b, "lineage")
    assert (answer["count"], answer["truncated"]) == (3, False)
    assert [(node["id"], node["depth"], node["relation"]) for node in answer["nodes"]] == [
        (diamond.a, 1, "ancestor"),
        (diamond.d, 1, "descendant"),
        (diamond.e, 2, "descendant"),
    ]
    assert lineage_of(service, diamond.b, "lineage", depth=1)["count"] == 2
    assert lineage_of(service, diamond.b, "lineage", type="proposal")["count"] == 1
    assert lineage_of(service, diamond.unrelated, "lineage") == {"count": 0, "truncated": False, "nodes": []}


def test_pages_of_a_lineage_list_every_event_once(service: Service) -> None:
    rng = random.Random(31)
    names = [new_id() for _ in range(60)]
    parents = [rng.sample(names[:n], min(n, rng.choice((1, 1, 2, 3)))) for n in range(len(names))]
    append(service, [new_event("ready", None, *some, id=name) for name, some in zip(names, parents, strict=True)])
    whole = lineage_of(service, names[20], "lineage", limit=1000)
    for size in (1, 3, 7):
        found = pages(service, f"/api/events/{names[20]}/lineage", limit=size)
        assert [node for page in found for node in page["nodes"]] == whole["nodes"]
        assert {page["count"] for page in found} == {whole["count"]} == {len(whole["nodes"])}
    assert {node["relation"] for node in whole["nodes"]} == {"ancestor", "descendant"}


@pytest.mark.parametrize("kind", ["descendants", "lineage", "impact"])
def test_pages_leave_out_events_that_arrive_after_the_first_page(service: Service, kind: str) -> None:
    begin = new_id()
    names = [new_id() for _ in range(7)]
    append(service, [new_event("ready", id=begin), *[new_event("ready", None, begin, id=name) for name in names]])
    whole = lineage_of(service, begin, kind)
    listed: list[Any] = []
    for page in each_page(service, f"/api/events/{begin}/{kind}", limit=3):
        if not listed:
            append(service, [new_event("ready", None, names[-1]), new_event("ready", None, begin)])
        assert page["count"] == whole["count"]
        listed += page["nodes"]
    assert listed == whole["nodes"]
    assert lineage_of(service, begin, kind)["count"] == whole["count"] + (1 if kind == "impact" else 2)


def test_roots_and_impact_are_the_ends(service: Service, diamond: Diamond) -> None:
    assert ids(lineage_of(service, diamond.e, "roots")) == [diamond.a]
    assert lineage_of(service, diamond.e, "roots")["nodes"][0]["depth"] == 2
    assert ids(lineage_of(service, diamond.a, "impact")) == [diamond.e]
    for kind in ("roots", "impact"):
        [alone] = lineage_of(service, diamond.unrelated, kind)["nodes"]
        assert (alone["id"], alone["depth"]) == (diamond.unrelated, 0)
    assert lineage_of(service, diamond.e, "roots", type="reward") == {"count": 0, "truncated": False, "nodes": []}


def test_paths_list_the_events_between_and_one_shortest_path(service: Service, diamond: Diamond) -> None:
    for query in ({"from": diamond.a, "to": diamond.e}, {"from": diamond.e.upper(), "to": diamond.a}):
        answer = service.client.get("/api/paths", params=query).json()
        assert (answer["count"], answer["truncated"]) == (5, False)
        assert [(node["id"], node["depth"]) for node in answer["nodes"]] == [
            (diamond.a, 0),
            (diamond.b, 1),
            (diamond.c, 1),
            (diamond.d, 1),
            (diamond.e, 2),
        ]
        assert answer["shortest"] == [diamond.a, diamond.d, diamond.e]
        assert answer["hops"] == 2
        assert set(answer["nodes"][0]) == EVENT_FIELDS | {"depth"}
    page = service.client.get("/api/paths", params={"from": diamond.a, "to": diamond.e, "limit": 2, "payload": 1})
    assert (ids(page.json()), page.json()["truncated"]) == ([diamond.a, diamond.b], True)
    assert page.json()["nodes"][0]["payload"] == {"action": "x"}
    assert ids(service.client.get(page.links["next"]["url"]).json()) == [diamond.c, diamond.d]


def test_events_that_are_not_related_have_no_path(service: Service, diamond: Diamond) -> None:
    nothing: dict[str, Any] = {"count": 0, "truncated": False, "nodes": [], "shortest": [], "hops": None}
    assert service.client.get("/api/paths", params={"from": diamond.unrelated, "to": diamond.e}).json() == nothing
    assert service.client.get("/api/paths", params={"from": diamond.b, "to": diamond.c}).json() == nothing


def test_common_causes_of_random_events_are_the_lowest(service: Service) -> None:
    rng = random.Random(33)
    names = [new_id() for _ in range(80)]
    parents = {name: rng.sample(names[:n][-15:], min(n, rng.choice((0, 1, 2, 2, 3)))) for n, name in enumerate(names)}
    append(service, [new_event("ready", None, *parents[name], id=name) for name in names])
    graph = nx.DiGraph([(name, parent) for name in names for parent in parents[name]])
    graph.add_nodes_from(names)
    sizes: set[int] = set()
    for _ in range(25):
        asked = rng.sample(names, rng.choice((2, 2, 3)))
        common = set[str].intersection(*[{one} | nx.descendants(graph, one) for one in asked])
        lowest = {cause for cause in common if not any(cause in nx.descendants(graph, other) for other in common)}
        answer = get(service, "common-causes", ids=",".join(asked))
        assert set(ids(answer)) == lowest
        assert answer["count"] == len(lowest)
        sizes.add(len(lowest))
        assert [node["id"] for node in nodes(service, "/api/common-causes", ids=",".join(asked), limit=1)] == ids(answer)
    assert max(sizes) > 1


def test_unknown_and_malformed_ids_are_named(service: Service, diamond: Diamond) -> None:
    for path, params, status, names in (
        ("/api/paths", {"from": diamond.a, "to": UNKNOWN}, 404, "to"),
        ("/api/paths", {"from": "x", "to": diamond.a}, 404, "from"),
        ("/api/paths", {"from": diamond.a}, 400, "to"),
        ("/api/paths", {"from": diamond.a, "to": diamond.e, "cursor": "x"}, 400, "cursor"),
        ("/api/common-causes", {"ids": f"{diamond.a},{UNKNOWN}"}, 404, "ids[1]"),
        ("/api/common-causes", {"ids": ""}, 400, "ids"),
        ("/api/common-causes", {"ids": ",".join(map(str, range(17)))}, 400, "ids"),
        ("/api/common-causes", {}, 400, "ids"),
        (f"/api/events/{UNKNOWN}/lineage", {}, 404, UNKNOWN),
        (f"/api/events/{UNKNOWN}/roots", {}, 404, UNKNOWN),
        (f"/api/events/{diamond.a}/impact", {"cursor": "1:2:3:4:5"}, 400, "cursor"),
    ):
        answer = service.client.get(path, params=params)
        assert answer.status_code == status, (path, params, answer.text)
        assert names in answer.text, answer.text


def test_paths_through_a_ladder_of_diamonds_are_found_in_time(service: Service) -> None:
    """There are 2 ** 150 paths from one end to the other."""
    names = [new_id() for _ in range(451)]
    events = [new_event("ready", id=names[0])]
    for rung in range(0, 450, 3):
        events += [new_event("ready", None, names[rung], id=names[rung + side]) for side in (1, 2)]
        events.append(new_event("ready", None, names[rung + 1], names[rung + 2], id=names[rung + 3]))
    append(service, events)
    answer = service.client.get("/api/paths", params={"from": names[0], "to": names[-1], "limit": 0}).json()
    assert answer["count"] == 451
    path = answer["shortest"]
    assert len(path) == 301
    parents = {event["id"]: set(event.get("parent_ids", ())) for event in events}
    assert all(earlier in parents[later] for earlier, later in itertools.pairwise(path))


def test_nodes_have_a_relation_or_a_payload_where_they_should(service: Service, diamond: Diamond) -> None:
    def fields(answer: dict[str, Any]) -> set[str]:
        return {name for node in answer["nodes"] for name in node}

    assert fields(lineage_of(service, diamond.b, "lineage")) == EVENT_FIELDS | {"depth", "relation"}
    assert fields(lineage_of(service, diamond.b, "roots", payload=1)) == EVENT_FIELDS | {"depth", "payload"}
