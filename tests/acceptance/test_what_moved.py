"""Cancelling, the list of what is still open, why an event moved nothing, and errors that name what is allowed: over HTTP and WebSocket."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.acceptance.refusals import NDJSON
from tests.conftest import Service
from tests.events import append, new_event, new_id, post, unique


def test_a_cancel_withdraws_proposals_and_open_lists_what_to_stop(memory_service: Service) -> None:
    scope = unique("s")
    plan = post(memory_service, "proposal", {"action": "plan"}, scope=scope)
    left, right = (post(memory_service, "proposal", {"action": name}, plan, scope=scope) for name in ("left", "right"))
    deep = post(memory_service, "proposal", {"action": "deep"}, left, scope=scope)
    done = post(memory_service, "proposal", {"action": "done"}, right, scope=scope)
    tested = post(memory_service, "test", {"status": "passed"}, done, scope=scope)
    post(memory_service, "ready", {"status": "ok"}, tested, scope=scope)
    cancelled = post(memory_service, "cancel", {"reason": "another plan", "value": 0.2}, plan, left, scope=scope)
    assert [(move["pattern"], move["before"], round(move["before"] - move["after"], 6)) for move in cancelled["signals"]] == [
        ("plan", pytest.approx(0.3, abs=0.01), 0.2), ("left", pytest.approx(0.3, abs=0.01), 0.2)
    ]  # fmt: skip
    answer = memory_service.client.get(f"/api/events/{plan['id']}/open").json()
    assert [(node["id"], node["depth"]) for node in answer["nodes"]] == [(right["id"], 1), (deep["id"], 2)]
    assert (answer["count"], answer["truncated"]) == (2, False)
    explained = memory_service.client.get(f"/api/signals/{scope}/plan/explain").json()
    assert [(step["type"], step.get("value")) for step in explained["events"]] == [("proposal", None), ("cancel", 0.2)]
    first = memory_service.client.get(f"/api/events/{plan['id']}/open", params={"limit": 1})
    assert first.json()["truncated"]
    second = memory_service.client.get(first.links["next"]["url"]).json()
    assert [node["id"] for node in second["nodes"]] == [deep["id"]]


def test_what_is_open_below_an_unknown_event_is_404(memory_service: Service) -> None:
    assert memory_service.client.get(f"/api/events/{new_id()}/open").status_code == 404


@pytest.mark.parametrize(
    ("event", "field", "reason"),
    [
        ({}, "parent_ids", "names the proposals"),
        ({"parent_ids": []}, "parent_ids", "names the proposals"),
        ({"parent_ids": [new_id()]}, "parent_ids[0]", "no event has the id"),
        ({"parent_ids": [new_id()], "payload": {"value": 1.5}}, "payload.value", "<= 1"),
        ({"parent_ids": [new_id()], "payload": {"value": -0.1}}, "payload.value", ">= 0"),
        ({"parent_ids": [new_id()], "payload": {"reason": 5}}, "payload.reason", "str"),
    ],
)
def test_a_bad_cancel_is_refused_by_its_field(memory_service: Service, event: dict[str, Any], field: str, reason: str) -> None:
    answer = memory_service.client.post("/api/events", json=new_event("cancel", {}) | event)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert reason in error["reason"]


def test_an_event_that_moves_nothing_is_answered_with_the_reason(memory_service: Service) -> None:
    scope = unique("s")
    lone = post(memory_service, "reward", {"value": 0.5}, scope=scope, trace_id="lone")
    assert lone["signals"] == []
    assert lone["moved"] == f"no payload.action, no parent_ids, and no proposal in scope {scope} of trace lone"
    ready = post(memory_service, "ready", {"status": "x"}, lone, scope=scope, trace_id="lone")
    assert ready["moved"] == f"no proposal among its causes, and none in scope {scope} of trace lone"
    absent = post(memory_service, "penalty", {"value": 0.5, "action": "gone"}, scope=scope)
    assert absent["moved"] == f"no live signal {scope}:gone: a penalty lowers what is there"
    proposal = post(memory_service, "proposal", {"action": "x"}, scope=scope)
    assert "moved" not in proposal
    assert "moved" not in post(memory_service, "test", {"status": "running"}, proposal, scope=scope)
    assert "moved" not in post(memory_service, "reward", {"value": 0.1}, proposal, scope=scope)
    assert post(memory_service, "reward", {"value": 0}, proposal, scope=scope)["moved"] == "its value is 0"
    assert post(memory_service, "reward", {"value": 1, "alpha": 0}, proposal, scope=scope)["moved"] == "alpha is 0"


def test_a_value_at_the_limit_and_one_that_is_too_small_have_different_reasons(memory_service: Service) -> None:
    scope = unique("s")
    small = post(memory_service, "reward", {"action": "new", "value": 0.005}, scope=scope)
    assert small["moved"] == "its value is too small: a strength below 0.01 is 0"
    full = new_event("reward", {"action": "full", "value": 1, "alpha": 1}, scope=scope)
    first, second = append(memory_service, [full, full])
    assert "moved" not in first
    assert second["moved"] == "the signal stands at its limit"


def test_the_reason_comes_with_batches_and_acks_too_and_not_with_retries(memory_service: Service) -> None:
    scope = unique("s")
    event = new_event("reward", {"value": 0.5}, scope=scope, id=new_id())
    [first] = append(memory_service, [event])
    assert "no proposal" in first["moved"]
    retried = memory_service.client.post("/api/events", json=event)
    assert retried.status_code == 200
    assert "moved" not in retried.json()
    with connect(f"{memory_service.websocket_url}?v=1&trace_id=none", compression=None) as socket:
        socket.recv(10)
        socket.send(json.dumps({"type": "publish", "ref": 1, "data": {**event, "id": new_id()}}))
        assert "no proposal" in json.loads(socket.recv(10))["data"]["moved"]


TYPES = "expected proposal, ready, test, reward, penalty or cancel"


@pytest.mark.parametrize(
    ("event", "field", "reason"),
    [
        ({"type": "propsal"}, "type", "invalid enum value 'propsal'; expected cancel, penalty, proposal, ready, reward or test"),
        ({"type": "test", "payload": {"status": "fine"}}, "payload.status", "value 'fine'; expected failed, passed or running"),
        ({"payload": {"action": "x", "priority": "urgent"}}, "payload.priority", "value 'urgent'; expected high, low or medium"),
        ({"parent_id": []}, "parent_id", "unknown field; there are type, scope, trace_id, agent_id, payload, parent_ids, id, "
         "position, timestamp, signals, moved"),
        ({"type": "reward", "payload": {"value": 1, "credit": {"discount": 2}}}, "payload.credit.discount", "<= 1"),
    ],
)  # fmt: skip
def test_errors_of_bodies_say_what_is_allowed(memory_service: Service, event: dict[str, Any], field: str, reason: str) -> None:
    for path, body, prefix in (("/api/events", new_event() | event, ""), ("/api/events/batch", [new_event(), new_event() | event], "[1].")):
        answer = memory_service.client.post(path, json=body)
        assert answer.status_code == 400
        [error] = answer.json()["errors"]
        assert error["field"] == prefix + field
        assert reason in error["reason"]
    lines = "\n".join(json.dumps(one) for one in (new_event(), new_event() | event))
    answer = memory_service.client.post("/api/events/batch", content=lines, headers=NDJSON)
    assert answer.json()["errors"][0]["field"] == f"[1].{field}"
    assert reason in answer.json()["errors"][0]["reason"]
    with connect(f"{memory_service.websocket_url}?v=1", compression=None) as socket:
        socket.recv(10)
        socket.send(json.dumps({"type": "publish", "ref": 1, "data": new_event() | event}))
        assert reason in json.loads(socket.recv(10))["errors"][0]["reason"]


@pytest.mark.parametrize(
    ("path", "query", "field", "reason"),
    [
        ("/api/events", {"type": "propsal"}, "type", TYPES),
        ("/api/events", {"order": "up"}, "order", "expected asc or desc"),
        ("/api/traces", {"type": "x"}, "type", TYPES),
        ("/api/signals/a/b/explain", {"order": "up"}, "order", "expected asc or desc"),
        ("/api/stream", {"type": "x"}, "type", TYPES),
        ("/api/stream", {"signals": "yes"}, "signals", "expected 0 or 1"),
    ],
)
def test_errors_of_queries_say_what_is_allowed(memory_service: Service, path: str, query: dict[str, str], field: str, reason: str) -> None:
    answer = memory_service.client.get(path, params=query)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert reason in error["reason"]


def test_errors_of_commands_and_other_bodies_say_what_is_allowed(memory_service: Service) -> None:
    with connect(f"{memory_service.websocket_url}?v=1", compression=None) as socket:
        socket.recv(10)
        socket.send(json.dumps({"type": "subscibe", "ref": 1}))
        assert "expected ping, publish, subscribe or unsubscribe" in json.loads(socket.recv(10))["message"]
    answer = memory_service.client.post("/api/nodes", json={"type": "file", "date": {}})
    assert "there are type, data, id" in answer.json()["message"]
    answer = memory_service.client.post("/api/signals/what-if", json={"drop": [], "ad": []})
    assert "there are drop, add" in answer.json()["message"]
