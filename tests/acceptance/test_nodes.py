"""Nodes and edges that clients add to the graph of events, over HTTP."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from tests.acceptance.refusals import UNKNOWN
from tests.answers import each_page, get
from tests.conftest import Service
from tests.events import new_id, post


def create(service: Service, **node: Any) -> httpx.Response:
    return service.client.post("/api/nodes", json={"type": "file", "data": {"path": "src/ü.py", "lines": [1, None]}, **node})


def link(service: Service, source: str, to: str, kind: str = "depends_on") -> httpx.Response:
    return service.client.post(f"/api/nodes/{source}/edges", json={"to": to, "type": kind})


def read(service: Service, node_id: str) -> dict[str, Any]:
    return get(service, f"nodes/{node_id}")


def test_a_node_is_stored_and_read_with_its_type_data_and_edges(service: Service) -> None:
    answer = create(service)
    assert answer.status_code == 201
    node = answer.json()
    assert node == {"id": node["id"], "type": "file", "data": {"path": "src/ü.py", "lines": [1, None]}, "edges": []}
    assert str(uuid.UUID(node["id"])) == node["id"]
    assert read(service, node["id"]) == node
    assert read(service, node["id"].upper()) == node


def test_a_node_may_have_no_data(service: Service) -> None:
    answer = service.client.post("/api/nodes", json={"type": "file"})
    assert answer.status_code == 201
    assert read(service, answer.json()["id"])["data"] == {}


def test_sending_a_node_again_is_200_and_with_other_content_409(service: Service) -> None:
    node_id = new_id()
    first = create(service, id=node_id, data={"a": 1, "b": {"c": 2, "d": 3}})
    assert first.status_code == 201
    again = create(service, id=node_id.upper(), data={"b": {"d": 3, "c": 2}, "a": 1})
    assert (again.status_code, again.json()) == (200, first.json())
    for other in ({"data": {"a": 2}}, {"type": "folder", "data": {"a": 1, "b": {"c": 2, "d": 3}}}):
        answer = create(service, id=node_id, **other)
        assert answer.status_code == 409, answer.text
        assert node_id in answer.json()["message"]
        assert [error["field"] for error in answer.json()["errors"]] == ["id"]
        assert "event" not in answer.text, "the id belongs to a node"
    assert read(service, node_id) == first.json()


def test_edges_are_answered_with_the_node_they_leave_from(service: Service) -> None:
    source, one, two = (create(service).json()["id"] for _ in range(3))
    assert link(service, source, one).status_code == 201
    answer = link(service, source, two.upper(), "contains")
    assert answer.status_code == 201
    expected = sorted([{"to": one, "type": "depends_on"}, {"to": two, "type": "contains"}], key=lambda edge: edge["to"])
    assert sorted(answer.json()["edges"], key=lambda edge: edge["to"]) == expected
    assert answer.json() == read(service, source)
    assert read(service, one)["edges"] == []


def test_the_same_edge_twice_is_one_edge_and_another_type_another_edge(service: Service) -> None:
    source, to = (create(service).json()["id"] for _ in range(2))
    for kind in ("a", "a", "b", "a"):
        assert link(service, source, to, kind).status_code == 201
    assert read(service, source)["edges"] == [{"to": to, "type": "a"}, {"to": to, "type": "b"}]


def test_a_node_may_point_to_itself_and_edges_may_form_a_cycle(service: Service) -> None:
    one, two = (create(service).json()["id"] for _ in range(2))
    for source, to in ((one, one), (one, two), (two, one)):
        assert link(service, source, to).status_code == 201
    assert {edge["to"] for edge in read(service, one)["edges"]} == {one, two}


def test_a_new_node_adds_nothing_to_the_log(service: Service) -> None:
    before = service.client.get("/health/ready").json()
    create(service)
    assert service.client.get("/health/ready").json() == before
    assert service.client.get("/api/events").json() == []


@pytest.mark.parametrize("name", [UNKNOWN, "nonsense"])
def test_an_unknown_node_is_404_to_read_and_to_link_from(service: Service, name: str) -> None:
    known = create(service).json()["id"]
    for answer in (
        service.client.get(f"/api/nodes/{name}"),
        link(service, name, known),
        link(service, name, name if name == UNKNOWN else UNKNOWN),
    ):
        assert answer.status_code == 404, answer.text
        assert name in answer.json()["message"]


def test_an_edge_to_an_unknown_node_is_refused_by_its_field_and_not_made(service: Service) -> None:
    known = create(service).json()["id"]
    answer = link(service, known, UNKNOWN)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["to"]
    assert read(service, known)["edges"] == []


@pytest.mark.parametrize(
    ("node", "field"),
    [
        ({}, "type"),
        ({"type": ""}, "type"),
        ({"type": 5}, "type"),
        ({"type": "x" * 257}, "type"),
        ({"type": "x", "data": []}, "data"),
        ({"type": "x", "data": None}, "data"),
        ({"type": "x", "id": "nonsense"}, "id"),
        ({"type": "x", "more": 1}, "more"),
        ([], "body"),
    ],
)
def test_a_bad_node_is_refused_by_its_field(service: Service, node: Any, field: str) -> None:
    answer = service.client.post("/api/nodes", json=node)
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_the_data_of_a_node_has_the_limits_of_a_payload(service: Service) -> None:
    def nested(depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for _ in range(depth - 1):
            data = {"a": data}
        return data

    assert create(service, data=nested(128)).status_code == 201
    assert create(service, data=nested(129)).status_code == 400
    assert create(service, data={"text": "x" * (256 * 1024 - len('{"text":""}'))}).status_code == 201
    assert create(service, data={"text": "x" * (256 * 1024 - len('{"text":""}') + 1)}).status_code == 413


@pytest.mark.parametrize(
    ("edge", "field"),
    [
        ({"to": UNKNOWN}, "type"),
        ({"type": "x"}, "to"),
        ({"to": "nonsense", "type": "x"}, "to"),
        ({"to": UNKNOWN, "type": ""}, "type"),
        ({"to": UNKNOWN, "type": "x" * 257}, "type"),
        ({"to": UNKNOWN, "type": "x", "data": {}}, "data"),
    ],
)
def test_a_bad_edge_is_refused_by_its_field(service: Service, edge: Any, field: str) -> None:
    known = create(service).json()["id"]
    answer = service.client.post(f"/api/nodes/{known}/edges", json=edge)
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_node_takes_part_in_lineage(service: Service) -> None:
    idea = post(service)["id"]
    change = post(service, "proposal", None, idea)["id"]
    failure = post(service, "test", {"status": "failed"}, change, scope="ui.tests")["id"]
    file = create(service).json()["id"]
    linked = link(service, file, change.upper(), "changed_by")
    assert linked.status_code == 201
    assert linked.json()["edges"] == [{"to": change, "type": "changed_by"}]

    def lineage(direction: str, **query: Any) -> dict[str, Any]:
        return get(service, f"nodes/{file}/{direction}", **query)

    provenance = lineage("provenance")
    assert [(node["id"], node["depth"]) for node in provenance["nodes"]] == [(change, 0), (idea, 1)]
    assert (provenance["count"], provenance["truncated"]) == (2, False)
    assert "payload" not in provenance["nodes"][0]
    descendants = lineage("descendants", payload=1)
    assert [(node["id"], node["payload"].get("status")) for node in descendants["nodes"]] == [(change, None), (failure, "failed")]
    assert [node["id"] for node in lineage("descendants", type="test", scope="ui.*")["nodes"]] == [failure]
    assert lineage("descendants", edge="read_by")["count"] == 0
    assert lineage("provenance", limit=0) == {"count": 2, "truncated": False, "nodes": []}
    nodes = service.client.get(f"/api/events/{change}/nodes").json()
    assert [(node["id"], node["type"], node["edge"]) for node in nodes] == [(file, "file", "changed_by")]
    assert service.client.get(f"/api/events/{idea}/nodes").json() == []


def test_pages_of_a_nodes_descendants_leave_out_events_that_arrive_after_the_first_page(service: Service) -> None:
    change = post(service)["id"]
    expected = [change, *(post(service, "proposal", None, change)["id"] for _ in range(4))]
    file = create(service).json()["id"]
    link(service, file, change, "changed_by")
    listed: list[str] = []
    for page in each_page(service, f"/api/nodes/{file}/descendants", limit=2):
        assert page["count"] == 5
        listed += [node["id"] for node in page["nodes"]]
        post(service, "proposal", None, change)
    assert listed == expected


@pytest.mark.parametrize("name", ["provenance", "descendants"])
def test_the_lineage_of_an_unknown_node_or_event_is_404(service: Service, name: str) -> None:
    answer = service.client.get(f"/api/nodes/{UNKNOWN}/{name}")
    assert answer.status_code == 404
    assert UNKNOWN in answer.json()["message"]
    assert service.client.get(f"/api/events/{UNKNOWN}/nodes").status_code == 404
