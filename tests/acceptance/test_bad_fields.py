"""Fields, payloads and parents that are missing, of the wrong type or out of range: refused by name, and the log unchanged."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from semp.storage.neo4j.connection import Target

from tests.acceptance.refusals import MISSING, UNKNOWN, assert_log_gives_nothing_away, assert_refused, log_unchanged, new_event, problem
from tests.conftest import Service
from tests.events import append, post

# Fields


WRONG: list[tuple[str, list[Any]]] = [
    ("type", [None, 5, True, [], {}, "", "Proposal", "proposal ", "wish", "propos\u0430l"]),
    ("scope", [None, 5, [], {}, "", ".", "a.", ".a", "a..b", "a b", "a/b", "ü", "a\n", "a.b\n", "*", "ui.*", "a\u0000", "x" * 257]),
    ("trace_id", [None, 5, True, [], {}, "", "x" * 257]),
    ("agent_id", [None, 5.5, False, [], {}, "", "x" * 257]),
    ("payload", [None, 5, True, [], "", "{}", [{}]]),
    ("parent_ids", [5, True, {}, "x", UNKNOWN]),
    (
        "id",
        [
            5,
            True,
            [],
            {},
            "",
            "x",
            UNKNOWN[:-1],
            UNKNOWN + "0",
            UNKNOWN.replace("-", ""),
            "{" + UNKNOWN + "}",
            UNKNOWN + "\n",
            "g" + UNKNOWN[1:],
        ],
    ),
]


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in WRONG for value in values])
def test_a_field_of_the_wrong_type_or_form_is_refused_by_name(service: Service, field: str, value: Any) -> None:
    with log_unchanged(service):
        assert_refused(service.client.post("/api/events", json=new_event(**{field: value})), field)
        batch = service.client.post("/api/events/batch", json=[new_event(), new_event(**{field: value})])
        assert_refused(batch, f"[1].{field}")


@pytest.mark.parametrize("field", ["type", "scope", "trace_id", "agent_id", "payload"])
def test_a_missing_field_is_refused_by_name(service: Service, field: str) -> None:
    with log_unchanged(service):
        assert_refused(service.client.post("/api/events", json=new_event(**{field: MISSING})), field)


@pytest.mark.parametrize(
    ("path", "field"),
    [("/api/paths?from=a", "to"), ("/api/paths?to=a", "from"), ("/api/common-causes", "ids"), ("/api/common-causes?limit=5", "ids")],
)
def test_a_missing_query_parameter_is_refused_by_name(service: Service, path: str, field: str) -> None:
    assert_refused(service.client.get(path), field)


@pytest.mark.parametrize("name", ["parent_id", "parentIds", "foo", "Type", "payload "])
def test_an_unknown_field_is_refused_by_name(service: Service, name: str) -> None:
    with log_unchanged(service):
        answer = service.client.post("/api/events", json=new_event(**{name: []}))
        assert_refused(answer, name)


PAYLOADS: list[tuple[str, dict[str, Any], str]] = [
    ("proposal", {}, "payload.action"),
    ("proposal", {"action": None}, "payload.action"),
    ("proposal", {"action": ""}, "payload.action"),
    ("proposal", {"action": 5}, "payload.action"),
    ("proposal", {"action": "x" * 1025}, "payload.action"),
    ("proposal", {"action": "x", "params": 5}, "payload.params"),
    ("proposal", {"action": "x", "params": []}, "payload.params"),
    ("proposal", {"action": "x", "estimated_effort": "2h"}, "payload.estimated_effort"),
    ("proposal", {"action": "x", "estimated_effort": -1}, "payload.estimated_effort"),
    ("proposal", {"action": "x", "priority": "urgent"}, "payload.priority"),
    ("proposal", {"action": "x", "priority": 1}, "payload.priority"),
    ("ready", {}, "payload.status"),
    ("ready", {"status": 1}, "payload.status"),
    ("ready", {"status": None}, "payload.status"),
    ("ready", {"status": "x", "action": ""}, "payload.action"),
    ("test", {}, "payload.status"),
    ("test", {"status": "skipped"}, "payload.status"),
    ("test", {"status": "passed", "coverage": -0.1}, "payload.coverage"),
    ("test", {"status": "passed", "coverage": 100.1}, "payload.coverage"),
    ("test", {"status": "passed", "coverage": "80%"}, "payload.coverage"),
    ("test", {"status": "passed", "suite": 5}, "payload.suite"),
    ("test", {"status": "passed", "failures": 3}, "payload.failures"),
    ("reward", {}, "payload.value"),
    ("reward", {"value": None}, "payload.value"),
    ("reward", {"value": "0.5"}, "payload.value"),
    ("reward", {"value": True}, "payload.value"),
    ("reward", {"value": -0.1}, "payload.value"),
    ("reward", {"value": 1.1}, "payload.value"),
    ("reward", {"value": 0.5, "α": -1}, "payload.α"),
    ("reward", {"value": 0.5, "α": "1"}, "payload.α"),
    ("reward", {"value": 0.5, "alpha": -0.1}, "payload.alpha"),
    ("reward", {"value": 0.5, "reason": 5}, "payload.reason"),
    ("reward", {"value": 0.5, "action": {}}, "payload.action"),
    ("penalty", {}, "payload.value"),
    ("penalty", {"value": -1.1}, "payload.value"),
    ("penalty", {"value": 1.1}, "payload.value"),
    ("penalty", {"value": []}, "payload.value"),
]


@pytest.mark.parametrize(("kind", "payload", "field"), PAYLOADS)
def test_a_payload_that_does_not_fit_its_type_is_refused_by_field(service: Service, kind: str, payload: dict[str, Any], field: str) -> None:
    with log_unchanged(service):
        assert_refused(service.client.post("/api/events", json=new_event(type=kind, payload=payload)), field)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("proposal", {"action": "x" * 1024}),
        ("proposal", {"action": "ü" * 1024}),
        ("proposal", {"action": "x", "estimated_effort": 0, "priority": "low", "params": None}),
        ("test", {"status": "running", "coverage": 0}),
        ("test", {"status": "failed", "coverage": 100, "failures": []}),
        ("reward", {"value": 0}),
        ("reward", {"value": 1}),
        ("reward", {"value": 1.0, "α": 0, "alpha": 0}),
        ("penalty", {"value": -1}),
        ("penalty", {"value": 1}),
        ("penalty", {"value": -0.0}),
    ],
)
def test_payloads_at_the_limits_of_their_ranges_are_accepted(service: Service, kind: str, payload: dict[str, Any]) -> None:
    answer = service.client.post("/api/events", json=new_event(type=kind, payload=payload))
    assert answer.status_code == 201, answer.text
    assert answer.json()["payload"] == payload


@pytest.mark.parametrize(("field", "character"), [("scope", "a"), ("trace_id", "ü"), ("agent_id", "日")])
def test_256_characters_are_accepted_and_257_refused(service: Service, field: str, character: str) -> None:
    answer = service.client.post("/api/events", json=new_event(**{field: character * 256}))
    assert answer.status_code == 201, answer.text
    assert answer.json()[field] == character * 256
    with log_unchanged(service):
        assert_refused(service.client.post("/api/events", json=new_event(**{field: character * 257})), field)


# Parents


def test_an_unknown_parent_is_refused_and_named(service: Service) -> None:
    known = post(service)["id"]
    with log_unchanged(service):
        answer = service.client.post("/api/events", json=new_event(parent_ids=[known, UNKNOWN]))
        assert_refused(answer, "parent_ids[1]")
        assert UNKNOWN in answer.json()["message"]


def test_every_unknown_parent_is_named(service: Service) -> None:
    unknown = [str(uuid.uuid4()) for _ in range(3)]
    with log_unchanged(service):
        answer = service.client.post("/api/events", json=new_event(parent_ids=unknown))
        assert answer.status_code == 400
        assert [error["field"] for error in problem(answer)["errors"]] == [f"parent_ids[{index}]" for index in range(3)]
        assert all(event_id in answer.text for event_id in unknown)


@pytest.mark.parametrize("parent", ["x", "", 5, None, [], UNKNOWN + "\n", UNKNOWN[:-1]])
def test_a_parent_that_is_no_uuid_is_refused_by_its_index(service: Service, parent: Any) -> None:
    known = post(service)["id"]
    with log_unchanged(service):
        assert_refused(service.client.post("/api/events", json=new_event(parent_ids=[known, parent])), "parent_ids[1]")


@pytest.mark.parametrize("written", [str.lower, str.upper])
def test_an_event_cannot_be_its_own_parent(service: Service, written: Any) -> None:
    event = new_event(id=(own := str(uuid.uuid4())), parent_ids=[written(own)])
    with log_unchanged(service):
        for path, body, field in (("/api/events", event, "parent_ids"), ("/api/events/batch", [event], "[0].parent_ids")):
            assert_refused(service.client.post(path, json=body), field)


def test_64_parents_are_accepted_and_65_refused(service: Service) -> None:
    known = [event["id"] for event in append(service, [new_event() for _ in range(65)])]
    answer = service.client.post("/api/events", json=new_event(parent_ids=known[:64]))
    assert answer.status_code == 201, answer.text
    assert answer.json()["parent_ids"] == known[:64]
    with log_unchanged(service):
        assert_refused(service.client.post("/api/events", json=new_event(parent_ids=known)), "parent_ids")


def test_a_parent_named_twice_is_one_parent(service: Service) -> None:
    known = post(service)["id"]
    answer = service.client.post("/api/events", json=new_event(parent_ids=[known, known.upper(), known]))
    assert answer.status_code == 201
    assert answer.json()["parent_ids"] == [known]


def test_the_log_file_of_the_service_holds_nothing_secret(service: Service, neo4j_target: Target) -> None:
    assert_log_gives_nothing_away(service, neo4j_target)
