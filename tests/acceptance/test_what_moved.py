"""Withdrawing proposals, what is still open, why an event moved nothing, and errors that name what is allowed: over HTTP and WebSocket."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.conftest import Service, start_service


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = start_service(tmp_path_factory.mktemp("memory") / "log", "--memory")
    yield running
    assert running.stop() == 0, running.log.read_text()
    assert "Traceback" not in running.log.read_text()


def post(service: Service, kind: str, scope: str, payload: dict[str, Any], *parents: str, trace: str = "t") -> dict[str, Any]:
    event = {"type": kind, "scope": scope, "trace_id": trace, "agent_id": "a", "payload": payload, "parent_ids": list(parents)}
    answer = service.client.post("/api/events", json=event)
    assert answer.status_code == 201, answer.text
    return answer.json()


def unique() -> str:
    return f"s{uuid.uuid4().hex}"


def test_a_cancel_withdraws_proposals_and_open_lists_what_to_stop(memory: Service) -> None:
    scope = unique()
    plan = post(memory, "proposal", scope, {"action": "plan"})
    left, right = (post(memory, "proposal", scope, {"action": name}, plan["id"]) for name in ("left", "right"))
    deep = post(memory, "proposal", scope, {"action": "deep"}, left["id"])
    done = post(memory, "proposal", scope, {"action": "done"}, right["id"])
    tested = post(memory, "test", scope, {"status": "passed"}, done["id"])
    post(memory, "ready", scope, {"status": "ok"}, tested["id"])
    cancelled = post(memory, "cancel", scope, {"reason": "another way", "value": 0.2}, plan["id"], left["id"])
    assert [(move["pattern"], move["before"], round(move["before"] - move["after"], 6)) for move in cancelled["signals"]] == [
        ("plan", pytest.approx(0.3, abs=0.01), 0.2), ("left", pytest.approx(0.3, abs=0.01), 0.2)
    ]  # fmt: skip
    answer = memory.client.get(f"/api/events/{plan['id']}/open").json()
    assert [(node["id"], node["depth"]) for node in answer["nodes"]] == [(right["id"], 1), (deep["id"], 2)]
    assert (answer["count"], answer["truncated"]) == (2, False)
    explained = memory.client.get(f"/api/signals/{scope}/plan/explain").json()
    assert [(step["type"], step.get("value")) for step in explained["events"]] == [("proposal", None), ("cancel", 0.2)]
    first = memory.client.get(f"/api/events/{plan['id']}/open", params={"limit": 1})
    assert first.json()["truncated"]
    second = memory.client.get(first.links["next"]["url"]).json()
    assert [node["id"] for node in second["nodes"]] == [deep["id"]]


def test_what_is_open_below_an_unknown_event_is_404(memory: Service) -> None:
    assert memory.client.get(f"/api/events/{uuid.uuid4()}/open").status_code == 404


@pytest.mark.parametrize(
    ("event", "field", "reason"),
    [
        ({}, "parent_ids", "names the proposals"),
        ({"parent_ids": []}, "parent_ids", "names the proposals"),
        ({"parent_ids": [str(uuid.uuid4())]}, "parent_ids[0]", "no event has the id"),
        ({"parent_ids": [str(uuid.uuid4())], "payload": {"value": 1.5}}, "payload.value", "<= 1"),
        ({"parent_ids": [str(uuid.uuid4())], "payload": {"value": -0.1}}, "payload.value", ">= 0"),
        ({"parent_ids": [str(uuid.uuid4())], "payload": {"reason": 5}}, "payload.reason", "str"),
    ],
)
def test_a_cancel_that_cannot_be_names_the_field(memory: Service, event: dict[str, Any], field: str, reason: str) -> None:
    body: dict[str, Any] = {"type": "cancel", "scope": "s", "trace_id": "t", "agent_id": "a", "payload": {}}
    answer = memory.client.post("/api/events", json=body | event)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert reason in error["reason"]


def test_what_moves_nothing_says_why(memory: Service) -> None:
    scope = unique()
    lone = post(memory, "reward", scope, {"value": 0.5}, trace="lone")
    assert lone["signals"] == []
    assert lone["moved"] == f"no payload.action, no parent_ids, and no proposal in scope {scope} of trace lone"
    ready = post(memory, "ready", scope, {"status": "x"}, lone["id"], trace="lone")
    assert ready["moved"] == f"no proposal among its causes, and none in scope {scope} of trace lone"
    absent = post(memory, "penalty", scope, {"value": 0.5, "action": "gone"})
    assert absent["moved"] == f"no live signal {scope}:gone: a penalty lowers what is there"
    proposal = post(memory, "proposal", scope, {"action": "x"})
    assert "moved" not in proposal
    assert "moved" not in post(memory, "test", scope, {"status": "running"}, proposal["id"])
    assert "moved" not in post(memory, "reward", scope, {"value": 0.1}, proposal["id"])
    assert post(memory, "reward", scope, {"value": 0}, proposal["id"])["moved"] == "its value is 0"
    assert post(memory, "reward", scope, {"value": 1, "alpha": 0}, proposal["id"])["moved"] == "alpha is 0"


def test_a_value_at_the_limit_and_one_that_is_too_small_are_told_apart(memory: Service) -> None:
    scope = unique()
    assert post(memory, "reward", scope, {"action": "new", "value": 0.005})["moved"] == "its value is too small: a strength below 0.01 is 0"
    full = {"type": "reward", "scope": scope, "trace_id": "t", "agent_id": "a", "payload": {"action": "full", "value": 1, "alpha": 1}}
    first, second = memory.client.post("/api/events/batch", json=[full, full]).json()
    assert "moved" not in first
    assert second["moved"] == "the signal stands at its limit"


def test_the_reason_comes_with_batches_and_acks_too_and_not_with_retries(memory: Service) -> None:
    scope = unique()
    event = {"type": "reward", "scope": scope, "trace_id": "b", "agent_id": "a", "payload": {"value": 0.5}, "id": str(uuid.uuid4())}
    [first] = memory.client.post("/api/events/batch", json=[event]).json()
    assert "no proposal" in first["moved"]
    retried = memory.client.post("/api/events", json=event)
    assert retried.status_code == 200
    assert "moved" not in retried.json()
    with connect(f"{memory.websocket_url}?v=1&trace_id=none", compression=None) as socket:
        socket.recv(10)
        socket.send(json.dumps({"type": "publish", "ref": 1, "data": {**event, "id": str(uuid.uuid4())}}))
        assert "no proposal" in json.loads(socket.recv(10))["data"]["moved"]


TYPES = "expected proposal, ready, test, reward, penalty or cancel"
NEW = {"type": "proposal", "scope": "s", "trace_id": "t", "agent_id": "a", "payload": {"action": "x"}}


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
def test_errors_of_bodies_say_what_is_allowed(memory: Service, event: dict[str, Any], field: str, reason: str) -> None:
    for path, body, prefix in (("/api/events", NEW | event, ""), ("/api/events/batch", [NEW, NEW | event], "[1].")):
        answer = memory.client.post(path, json=body)
        assert answer.status_code == 400
        [error] = answer.json()["errors"]
        assert error["field"] == prefix + field
        assert reason in error["reason"]
    lines = "\n".join(json.dumps(one) for one in (NEW, NEW | event))
    answer = memory.client.post("/api/events/batch", content=lines, headers={"content-type": "application/x-ndjson"})
    assert answer.json()["errors"][0]["field"] == f"[1].{field}"
    assert reason in answer.json()["errors"][0]["reason"]
    with connect(f"{memory.websocket_url}?v=1", compression=None) as socket:
        socket.recv(10)
        socket.send(json.dumps({"type": "publish", "ref": 1, "data": NEW | event}))
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
def test_errors_of_queries_say_what_is_allowed(memory: Service, path: str, query: dict[str, str], field: str, reason: str) -> None:
    answer = memory.client.get(path, params=query)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert reason in error["reason"]


def test_errors_of_commands_and_other_bodies_say_what_is_allowed(memory: Service) -> None:
    with connect(f"{memory.websocket_url}?v=1", compression=None) as socket:
        socket.recv(10)
        socket.send(json.dumps({"type": "subscibe", "ref": 1}))
        assert "expected ping, publish, subscribe or unsubscribe" in json.loads(socket.recv(10))["message"]
    answer = memory.client.post("/api/nodes", json={"type": "file", "date": {}})
    assert "there are type, data, id" in answer.json()["message"]
    answer = memory.client.post("/api/signals/what-if", json={"drop": [], "ad": []})
    assert "there are drop, add" in answer.json()["message"]
