"""The public contract: a client that was written from the public SEL/SEMP documents works unchanged."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import quote

import httpx
import pytest
from websockets.sync.client import connect

from tests.answers import items
from tests.conftest import Service
from tests.events import append, as_read, new_event, post, unique

EVENT_FIELDS = {"id", "type", "scope", "trace_id", "agent_id", "parent_ids", "timestamp", "payload"}
SIGNAL_FIELDS = {"id", "scope", "pattern", "strength", "last_updated", "alpha", "lambda"}
TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")
PAYLOADS: dict[str, dict[str, Any]] = {
    "proposal": {"action": "rename", "params": {"to": "b"}, "estimated_effort": 1.5, "priority": "high", "own": [1, None, {"x": "ü"}]},
    "ready": {"status": "done", "result": {"files": 3}, "next_action": "review"},
    "test": {"status": "failed", "suite": "unit", "coverage": 81.5, "failures": ["a", {"b": 1}]},
    "reward": {"value": 0.5, "α": 1.2, "reason": "faster"},
    "penalty": {"value": -0.25, "reason": "slower"},
}


def test_a_posted_event_is_answered_201_with_what_was_stored(service: Service) -> None:
    sent = new_event(scope="ui.login")
    answer = service.client.post("/api/events", json=sent)
    assert answer.status_code == 201
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    event = answer.json()
    assert {name: event[name] for name in sent} == sent
    assert set(event) == EVENT_FIELDS | {"position", "signals"}, "the public documents' fields and the two documented extensions"
    assert str(uuid.UUID(event["id"])) == event["id"]
    assert event["parent_ids"] == []


@pytest.mark.parametrize("parents", [[], None])
def test_no_parents_may_be_said_as_an_empty_list_or_null(service: Service, parents: Any) -> None:
    assert post(service, parent_ids=parents)["parent_ids"] == []


def test_parents_are_kept_in_the_order_sent(service: Service) -> None:
    parents = [post(service)["id"] for _ in range(3)][::-1]
    assert post(service, parent_ids=parents)["parent_ids"] == parents


@pytest.mark.parametrize("kind", PAYLOADS)
def test_every_type_keeps_its_payload_as_it_was_sent(service: Service, kind: str) -> None:
    event = post(service, type=kind, payload=PAYLOADS[kind])
    assert event["type"] == kind
    assert event["payload"] == PAYLOADS[kind]
    [read] = service.client.get(f"/api/events/scope/{event['scope']}").json()
    assert read == as_read(event)
    assert set(read) == EVENT_FIELDS | {"position"}


def test_timestamps_are_the_servers_in_utc_with_milliseconds(service: Service) -> None:
    before = datetime.now(UTC)
    text = post(service)["timestamp"]
    after = datetime.now(UTC)
    assert TIMESTAMP.fullmatch(text), text
    assert before - timedelta(milliseconds=1) <= datetime.fromisoformat(text) <= after + timedelta(seconds=0.001)


def test_timestamps_never_run_backwards_along_the_log(service: Service) -> None:
    trace = unique("t")
    for _ in range(20):
        post(service, trace_id=trace)
    times = [event["timestamp"] for event in items(service, f"/api/events/trace/{trace}")]
    assert len(times) == 20
    assert times == sorted(times)


def test_events_are_read_newest_first_and_at_most_100(service: Service) -> None:
    sent = append(service, [new_event(agent_id=str(number)) for number in range(105)])
    read = service.client.get("/api/events").json()
    assert isinstance(read, list)
    events = cast("list[dict[str, Any]]", read)
    assert [event["id"] for event in events] == [event["id"] for event in sent[::-1][:100]]


def test_a_scopes_events_are_read_newest_first_and_of_exactly_that_scope(service: Service) -> None:
    scope = unique("ui")
    sent = append(service, [new_event(scope=scope) for _ in range(105)])
    append(service, [new_event(scope=f"{scope}.form"), new_event(scope=f"{scope}x"), new_event(scope=scope.upper())])
    read = service.client.get(f"/api/events/scope/{scope}").json()
    assert [event["id"] for event in read] == [event["id"] for event in sent[::-1][:100]]


@pytest.mark.parametrize("written", ["ui.login-form.A_1", "ui%2Elogin-form%2EA_1", "%75i.login-form.A_1", "ui.login%2dform.A%5F1"])
def test_a_scope_in_the_path_is_url_decoded(service: Service, written: str) -> None:
    event = post(service, scope="ui.login-form.A_1")
    assert service.client.get(f"/api/events/scope/{written}").json()[0]["id"] == event["id"]


def test_an_unknown_scope_or_trace_is_an_empty_array(service: Service) -> None:
    for path in ("/api/events/scope/nobody.was.here", "/api/events/trace/nobody"):
        answer = service.client.get(path)
        assert (answer.status_code, answer.json()) == (200, [])


def test_a_trace_is_read_in_log_order_and_whole_by_following_its_links(service: Service) -> None:
    trace = unique("t")
    sent = append(service, [new_event(trace_id=trace, agent_id=str(number)) for number in range(2_345)])
    post(service)
    read = items(service, f"/api/events/trace/{trace}")
    assert [event["id"] for event in read] == [event["id"] for event in sent]
    assert [event["position"] for event in read] == sorted(event["position"] for event in read)


@pytest.mark.parametrize("name", ["a b", "a/b", "ü-日本", "50%", "a+b&c=d?e#f", "a%2Fb", "tab\there", "..", ".", "a//b", "/a", "a/"])
def test_a_trace_id_of_any_characters_is_found_by_its_url_encoded_name(service: Service, name: str) -> None:
    event = post(service, trace_id=name)
    encoded = quote(name, safe="").replace(".", "%2E")  # clients resolve a path of bare dots themselves
    read = service.client.get(f"/api/events/trace/{encoded}").json()
    assert [found["id"] for found in read] == [event["id"]]


def test_signals_have_the_documented_fields_and_are_read_strongest_first(service: Service) -> None:
    scope = unique("api")
    for number, value in enumerate((0.2, 0.9, 0.5)):
        post(service, type="reward", scope=scope, payload={"value": value, "action": f"a{number}"})
    mine = [signal for signal in service.client.get("/api/signals").json() if signal["scope"] == scope]
    assert [signal["pattern"] for signal in mine] == ["a1", "a2", "a0"]
    for signal in mine:
        assert set(signal) == SIGNAL_FIELDS
        assert (signal["alpha"], signal["lambda"]) == (1.2, 0.95)
        assert TIMESTAMP.fullmatch(signal["last_updated"])
        assert isinstance(signal["id"], str)
        assert 0 <= signal["strength"] <= 1
    assert len({signal["id"] for signal in mine}) == 3
    strengths = [signal["strength"] for signal in service.client.get("/api/signals").json()]
    assert strengths == sorted(strengths, reverse=True)


def test_a_proposal_makes_a_signal_whose_pattern_is_its_action(service: Service) -> None:
    event = post(service, payload={"action": "improve_ux"})
    [signal] = [found for found in service.client.get("/api/signals").json() if found["scope"] == event["scope"]]
    assert signal["pattern"] == "improve_ux"
    assert signal["last_updated"] == event["timestamp"]


def test_a_websocket_gets_each_new_event_as_one_message_and_nothing_else(service: Service) -> None:
    post(service)
    with connect(service.websocket_url) as socket:
        first = post(service, payload={"action": "Größe", "nested": {"a": [1, 2.5, None, True]}})
        second, third = append(service, [new_event(), new_event(type="ready", payload={"status": "ok"})])
        for event in (first, second, third):
            frame = socket.recv(timeout=10)
            assert isinstance(frame, str), "text frames, as browsers expect them"
            assert json.loads(frame) == {"type": "event", "data": as_read(event)}
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.3)


def test_bad_input_is_answered_400_with_a_validation_message(service: Service) -> None:
    answer = service.client.post("/api/events", json=new_event(type="wish"))
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Validation error: ")
    assert "type" in answer.json()["message"]


def test_a_client_of_the_public_documents_gets_from_a_proposal_to_a_stronger_signal(service: Service) -> None:
    """The requests that the SDK sends in the example of the public integration page."""
    scope, trace = unique("perf"), unique("trace")
    with httpx.Client(base_url=f"{service.url}/api") as client:
        proposal = client.post("/events", json=new_event(scope=scope, trace_id=trace, payload={"action": "cache"})).json()
        ready = client.post(
            "/events",
            json=new_event(type="ready", scope=scope, trace_id=trace, payload={"status": "ok"}, parent_ids=[proposal["id"]]),
        ).json()
        client.post(
            "/events",
            json=new_event(type="reward", scope=scope, trace_id=trace, payload={"value": 0.5, "α": 1.2}, parent_ids=[ready["id"]]),
        )
        assert [event["type"] for event in client.get("/events").json()[:3]] == ["reward", "ready", "proposal"]
        assert [event["type"] for event in client.get(f"/events/trace/{trace}").json()] == ["proposal", "ready", "reward"]
        [signal] = [found for found in client.get("/signals").json() if found["scope"] == scope]
    assert signal["pattern"] == "cache"
    assert signal["strength"] == pytest.approx(0.9, abs=0.01)
