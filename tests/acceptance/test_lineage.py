"""Ancestors and descendants over HTTP: counted by distinct events, nearest first, paged, filtered."""

from __future__ import annotations

import json
import random
import uuid
from typing import Any

import httpx
import networkx as nx
import pytest

from tests.conftest import Service

EVENT_FIELDS = {"id", "type", "scope", "trace_id", "agent_id", "parent_ids", "timestamp", "position"}
DIRECTIONS = ["ancestors", "descendants"]
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def new_id(number: int) -> str:
    """Ids whose order is not that of the log."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{random.random()} {number}"))


def new_event(event_id: str, parents: list[str], **changes: Any) -> dict[str, Any]:
    event = {"id": event_id, "type": "ready", "scope": "l", "trace_id": "t", "agent_id": "a", "payload": {"status": "x"}}
    return {**event, "parent_ids": parents, **changes}


def append(service: Service, events: list[dict[str, Any]]) -> list[int]:
    """Their positions."""
    body = "\n".join(map(json.dumps, events))
    answer = service.client.post("/api/events/batch", content=body, headers={"content-type": "application/x-ndjson"})
    assert answer.status_code == 201, answer.text
    return [event["position"] for event in answer.json()]


def ask(service: Service, event_id: str, direction: str, **query: Any) -> dict[str, Any]:
    answer = service.client.get(f"/api/events/{event_id}/{direction}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def pages(service: Service, event_id: str, direction: str, **query: Any) -> list[dict[str, Any]]:
    answer = service.client.get(f"/api/events/{event_id}/{direction}", params=query)
    found = [answer.json()]
    while "next" in answer.links:
        answer = service.client.get(answer.links["next"]["url"])
        found.append(answer.json())
    return found


class Diamond:
    """a -> (b, c) -> d -> e; d also answers to a directly, and a stranger has no part in it."""

    def __init__(self, service: Service) -> None:
        self.a, self.b, self.c, self.d, self.e, self.stranger = (new_id(number) for number in range(6))
        append(
            service,
            [
                new_event(self.a, [], type="proposal", scope="l.root", payload={"action": "x"}),
                new_event(self.b, [self.a], scope="l.left"),
                new_event(self.c, [self.a], scope="l.right", type="test", payload={"status": "passed", "n": 1}),
                new_event(self.stranger, []),
                new_event(self.d, [self.b, self.c, self.a], scope="l.left.low"),
                new_event(self.e, [self.d], scope="l.left"),
            ],
        )


@pytest.fixture(scope="module")
def diamond(service: Service) -> Diamond:
    return Diamond(service)


def ids(answer: dict[str, Any]) -> list[str]:
    return [node["id"] for node in answer["nodes"]]


def test_ancestors_are_distinct_events_nearest_first_then_newest_first(service: Service, diamond: Diamond) -> None:
    answer = ask(service, diamond.e, "ancestors")
    assert (answer["count"], answer["truncated"]) == (4, False)
    assert [(node["id"], node["depth"]) for node in answer["nodes"]] == [(diamond.d, 1), (diamond.c, 2), (diamond.b, 2), (diamond.a, 2)]


def test_descendants_are_distinct_events_nearest_first_then_oldest_first(service: Service, diamond: Diamond) -> None:
    answer = ask(service, diamond.a, "descendants")
    assert (answer["count"], answer["truncated"]) == (4, False)
    assert [(node["id"], node["depth"]) for node in answer["nodes"]] == [(diamond.b, 1), (diamond.c, 1), (diamond.d, 1), (diamond.e, 2)]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_an_event_without_relatives_has_an_empty_lineage(service: Service, diamond: Diamond, direction: str) -> None:
    assert ask(service, diamond.stranger, direction) == {"count": 0, "truncated": False, "nodes": []}


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_lineage_shows_events_without_payload_unless_asked(service: Service, diamond: Diamond, direction: str) -> None:
    event = service.client.get(f"/api/events/{diamond.c}").json()
    around = diamond.d if direction == "ancestors" else diamond.a
    for query, fields in (({}, EVENT_FIELDS), ({"payload": 0}, EVENT_FIELDS), ({"payload": 1}, EVENT_FIELDS | {"payload"})):
        [node] = [node for node in ask(service, around, direction, **query)["nodes"] if node["id"] == diamond.c]
        assert node == {**{name: event[name] for name in fields}, "depth": 1}


def test_depth_bounds_the_way_and_the_count(service: Service, diamond: Diamond) -> None:
    assert [ask(service, diamond.e, "ancestors", depth=depth)["count"] for depth in (1, 2, 3, 1_000_000)] == [1, 4, 4, 4]
    assert [ask(service, diamond.a, "descendants", depth=depth)["count"] for depth in (1, 2, 3, 1_000_000)] == [3, 4, 4, 4]
    assert ids(ask(service, diamond.e, "ancestors", depth=1)) == [diamond.d]


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
def test_filters_choose_what_is_counted_and_shown_and_never_cut_the_way(
    service: Service, diamond: Diamond, query: dict[str, Any], names: str
) -> None:
    answer = ask(service, diamond.e, "ancestors", **query)
    assert ids(answer) == [getattr(diamond, name) for name in names]
    assert answer["count"] == len(names)
    assert ask(service, diamond.e, "ancestors", **query, limit=0) == {"count": len(names), "truncated": False, "nodes": []}


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_pages_follow_one_another_without_gap_or_repeat(service: Service, diamond: Diamond, direction: str, limit: int) -> None:
    end = diamond.e if direction == "ancestors" else diamond.a
    whole = ask(service, end, direction)
    found = pages(service, end, direction, limit=limit)
    assert [node for page in found for node in page["nodes"]] == whole["nodes"]
    assert [page["truncated"] for page in found] == [True] * (len(found) - 1) + [False]
    assert all(page["count"] == 4 for page in found), "the count is that of the whole lineage on every page"
    assert len(found) == -(-4 // limit)


def test_a_link_keeps_every_filter(service: Service, diamond: Diamond) -> None:
    query = {"type": ["ready", "test"], "scope": "l.**", "depth": 7, "payload": 1, "limit": 1}
    answer = service.client.get(f"/api/events/{diamond.e}/ancestors", params=query)
    linked = httpx.URL(answer.links["next"]["url"]).params
    assert {name: linked.get_list(name) for name in query} == {name: httpx.QueryParams(query).get_list(name) for name in query}
    found = pages(service, diamond.e, "ancestors", **query)
    assert [node["id"] for page in found for node in page["nodes"]] == [diamond.d, diamond.c, diamond.b]
    assert all("payload" in node for page in found for node in page["nodes"])


def test_limit_0_answers_the_count_alone(service: Service, diamond: Diamond) -> None:
    assert ask(service, diamond.e, "ancestors", limit=0) == {"count": 4, "truncated": False, "nodes": []}
    assert ask(service, diamond.e, "ancestors", limit=0, depth=1)["count"] == 1


def test_ids_are_taken_in_any_case(service: Service, diamond: Diamond) -> None:
    assert ask(service, diamond.e.upper(), "ancestors")["count"] == 4


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("name", [UNKNOWN, "nonsense"])
@pytest.mark.parametrize("query", [{}, {"limit": 0}, {"depth": 1}, {"type": "ready"}])
def test_the_lineage_of_an_unknown_event_is_404(service: Service, direction: str, name: str, query: dict[str, Any]) -> None:
    answer = service.client.get(f"/api/events/{name}/{direction}", params=query)
    assert answer.status_code == 404, answer.text
    assert name in answer.json()["message"]


def test_descendants_grow_as_events_arrive_and_ancestors_do_not(service: Service) -> None:
    end = Diamond(service)
    new = new_id(0)
    append(service, [new_event(new, [end.e, end.stranger])])
    assert ask(service, end.a, "descendants")["count"] == 5
    assert ask(service, end.stranger, "descendants")["count"] == 1
    assert ask(service, end.e, "ancestors")["count"] == 4
    assert ask(service, new, "ancestors")["count"] == 6


def test_a_ladder_of_a_thousand_diamonds_is_counted_by_events_not_by_paths(service: Service) -> None:
    """Each rung of two events answers to both of the rung before: 2 ** 999 paths, 1,998 ancestors."""
    rungs = [(new_id(2 * number), new_id(2 * number + 1)) for number in range(1_000)]
    below: list[list[str]] = [[], *(list(rung) for rung in rungs)]
    append(service, [new_event(end, below[number]) for number, rung in enumerate(rungs) for end in rung])
    assert ask(service, rungs[-1][0], "ancestors", limit=0)["count"] == 1_998
    assert ask(service, rungs[0][0], "descendants", limit=0)["count"] == 1_998
    assert ask(service, rungs[-1][0], "ancestors", limit=0, depth=10)["count"] == 20
    assert ask(service, rungs[500][1], "ancestors", limit=0, type="ready")["count"] == 1_000
    deep = pages(service, rungs[-1][1], "ancestors", limit=1_000)
    nodes = [node for page in deep for node in page["nodes"]]
    assert [len(page["nodes"]) for page in deep] == [1_000, 998]
    assert [node["depth"] for node in nodes] == [depth for depth in range(1, 1_000) for _ in range(2)]
    assert len({node["id"] for node in nodes}) == 1_998


def test_random_histories_have_the_lineage_that_networkx_computes(service: Service) -> None:
    chance = random.Random(20)
    for _ in range(2):
        graph: nx.DiGraph[str] = nx.DiGraph()
        names = [new_id(number) for number in range(80)]
        events: list[dict[str, Any]] = []
        for number, name in enumerate(names):
            parents = chance.sample(names[max(0, number - 12) : number], min(number, chance.choice([0, 1, 1, 2, 3])) if number < 12 else 2)
            graph.add_node(name)
            graph.add_edges_from((name, parent) for parent in parents)
            events.append(new_event(name, parents))
        places = dict(zip(names, append(service, events), strict=True))
        for name in chance.sample(names, 8):
            for direction, reach, sign in (("ancestors", graph, -1), ("descendants", graph.reverse(copy=False), 1)):
                for depth in (None, 1, 3):
                    reached = nx.single_source_shortest_path_length(reach, name, cutoff=depth)
                    wanted = sorted((away, sign * places[found]) for found, away in reached.items() if away)
                    answer = ask(service, name, direction, limit=1_000, **({"depth": depth} if depth else {}))
                    assert [(node["depth"], sign * node["position"]) for node in answer["nodes"]] == wanted
                    assert answer["count"] == len(wanted)
