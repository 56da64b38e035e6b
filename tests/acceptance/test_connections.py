"""Roots, impact, both directions at once, the ways between two events and what events have in common, over HTTP."""

from __future__ import annotations

import itertools
import random
from typing import Any

import networkx as nx
import pytest

from tests.acceptance.test_lineage import EVENT_FIELDS, UNKNOWN, Diamond, append, ask, ids, new_event, new_id, pages
from tests.conftest import Service


@pytest.fixture(scope="module")
def diamond(service: Service) -> Diamond:
    return Diamond(service)


def test_lineage_tells_causes_from_effects(service: Service, diamond: Diamond) -> None:
    answer = ask(service, diamond.b, "lineage")
    assert (answer["count"], answer["truncated"]) == (3, False)
    assert [(node["id"], node["depth"], node["relation"]) for node in answer["nodes"]] == [
        (diamond.a, 1, "ancestor"),
        (diamond.d, 1, "descendant"),
        (diamond.e, 2, "descendant"),
    ]
    assert ask(service, diamond.b, "lineage", depth=1)["count"] == 2
    assert ask(service, diamond.b, "lineage", type="proposal")["count"] == 1
    assert ask(service, diamond.stranger, "lineage") == {"count": 0, "truncated": False, "nodes": []}


def test_pages_of_a_lineage_have_every_event_once(service: Service) -> None:
    rng = random.Random(31)
    names = [new_id(number) for number in range(60)]
    append(service, [new_event(name, rng.sample(names[:n], min(n, rng.choice((1, 1, 2, 3))))) for n, name in enumerate(names)])
    whole = ask(service, names[20], "lineage", limit=1000)
    for size in (1, 3, 7):
        found = pages(service, names[20], "lineage", limit=size)
        assert [node for page in found for node in page["nodes"]] == whole["nodes"]
        assert {page["count"] for page in found} == {whole["count"]} == {len(whole["nodes"])}
    assert {node["relation"] for node in whole["nodes"]} == {"ancestor", "descendant"}


@pytest.mark.parametrize("kind", ["descendants", "lineage", "impact"])
def test_pages_hold_together_while_events_arrive(service: Service, kind: str) -> None:
    begin = new_id(0)
    names = [new_id(number) for number in range(1, 8)]
    append(service, [new_event(begin, []), *[new_event(name, [begin]) for name in names]])
    whole = ask(service, begin, kind)
    first = service.client.get(f"/api/events/{begin}/{kind}", params={"limit": 3})
    append(service, [new_event(new_id(9), [names[-1]]), new_event(new_id(10), [begin])])
    seen, answer = first.json()["nodes"], first
    while "next" in answer.links:
        answer = service.client.get(answer.links["next"]["url"])
        assert answer.json()["count"] == whole["count"]
        seen += answer.json()["nodes"]
    assert seen == whole["nodes"]
    assert ask(service, begin, kind)["count"] == whole["count"] + (1 if kind == "impact" else 2)


def test_roots_and_impact_are_the_ends(service: Service, diamond: Diamond) -> None:
    assert ids(ask(service, diamond.e, "roots")) == [diamond.a]
    assert ask(service, diamond.e, "roots")["nodes"][0]["depth"] == 2
    assert ids(ask(service, diamond.a, "impact")) == [diamond.e]
    for kind in ("roots", "impact"):
        [alone] = ask(service, diamond.stranger, kind)["nodes"]
        assert (alone["id"], alone["depth"]) == (diamond.stranger, 0)
    assert ask(service, diamond.e, "roots", type="reward") == {"count": 0, "truncated": False, "nodes": []}


def test_paths_show_what_lies_between_and_a_shortest_way(service: Service, diamond: Diamond) -> None:
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
        assert set(answer["nodes"][0]) == EVENT_FIELDS | {"depth"}
    page = service.client.get("/api/paths", params={"from": diamond.a, "to": diamond.e, "limit": 2, "payload": 1})
    assert (ids(page.json()), page.json()["truncated"]) == ([diamond.a, diamond.b], True)
    assert page.json()["nodes"][0]["payload"] == {"action": "x"}
    assert ids(service.client.get(page.links["next"]["url"]).json()) == [diamond.c, diamond.d]


def test_there_is_no_way_between_strangers(service: Service, diamond: Diamond) -> None:
    nothing: dict[str, Any] = {"count": 0, "truncated": False, "nodes": [], "shortest": []}
    assert service.client.get("/api/paths", params={"from": diamond.stranger, "to": diamond.e}).json() == nothing
    assert service.client.get("/api/paths", params={"from": diamond.b, "to": diamond.c}).json() == nothing


def test_common_causes_of_random_events_are_the_lowest(service: Service) -> None:
    rng = random.Random(33)
    names = [new_id(number) for number in range(80)]
    parents = {name: rng.sample(names[:n][-15:], min(n, rng.choice((0, 1, 2, 2, 3)))) for n, name in enumerate(names)}
    append(service, [new_event(name, parents[name]) for name in names])
    graph = nx.DiGraph([(name, parent) for name in names for parent in parents[name]])
    graph.add_nodes_from(names)
    sizes: set[int] = set()
    for _ in range(25):
        asked = rng.sample(names, rng.choice((2, 2, 3)))
        common = set[str].intersection(*[{one} | nx.descendants(graph, one) for one in asked])
        lowest = {cause for cause in common if not any(cause in nx.descendants(graph, other) for other in common)}
        answer = service.client.get("/api/common-causes", params={"ids": ",".join(asked)}).json()
        assert set(ids(answer)) == lowest
        assert answer["count"] == len(lowest)
        sizes.add(len(lowest))
        paged: list[str] = []
        reply = service.client.get("/api/common-causes", params={"ids": ",".join(asked), "limit": 1})
        paged += ids(reply.json())
        while "next" in reply.links:
            reply = service.client.get(reply.links["next"]["url"])
            paged += ids(reply.json())
        assert paged == ids(answer)
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


def test_a_graph_of_ladders_answers_at_once(service: Service) -> None:
    """2^150 ways from one end to the other."""
    names = [new_id(number) for number in range(451)]
    events = [new_event(names[0], [])]
    for rung in range(0, 450, 3):
        events += [new_event(names[rung + side], [names[rung]]) for side in (1, 2)]
        events.append(new_event(names[rung + 3], [names[rung + 1], names[rung + 2]]))
    append(service, events)
    answer = service.client.get("/api/paths", params={"from": names[0], "to": names[-1], "limit": 0}).json()
    assert answer["count"] == 451
    way = answer["shortest"]
    assert len(way) == 301
    known = {event["id"]: set(event["parent_ids"]) for event in events}
    assert all(earlier in known[later] for earlier, later in itertools.pairwise(way))


def test_every_answer_of_these_has_its_fields(service: Service, diamond: Diamond) -> None:
    def fields(answer: dict[str, Any]) -> set[str]:
        return {name for node in answer["nodes"] for name in node}

    assert fields(ask(service, diamond.b, "lineage")) == EVENT_FIELDS | {"depth", "relation"}
    assert fields(ask(service, diamond.b, "roots", payload=1)) == EVENT_FIELDS | {"depth", "payload"}
