"""Bad input, and what a refusal must look like: its shape, the field it names, the log unchanged, nothing of it in the service log."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import httpx
from semp.storage.neo4j.connection import Target

from tests.conftest import Service
from tests.events import head

UNKNOWN = "00000000-0000-4000-8000-000000000000"
"""An id that no event has."""
JSON = {"content-type": "application/json"}
NDJSON = {"content-type": "application/x-ndjson"}
CANARY = "canary-3f1b9c"
"""Stands in every event that these tests send, and must never stand in the service's own log."""
MISSING = object()


def new_event(**changes: Any) -> dict[str, Any]:
    """A good event with changes. `MISSING` leaves a field out. The payload holds the canary."""
    event = {"type": "proposal", "scope": "ui.login", "trace_id": "t", "agent_id": "a", "payload": {"action": "x", "secret": CANARY}}
    return {name: value for name, value in {**event, **changes}.items() if value is not MISSING}


def send(service: Service, content: bytes | str, headers: dict[str, str] = JSON, path: str = "/api/events") -> httpx.Response:
    """Post a body as it stands; the answer, whatever it is."""
    return service.client.post(path, content=content, headers=headers)


@contextmanager
def log_unchanged(service: Service) -> Generator[None]:
    """Assert that the block appends nothing."""
    before = head(service)
    yield
    assert head(service) == before


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The body of an error answer, after its shape was checked."""
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    body = answer.json()
    assert set(body) <= {"message", "errors"}, body
    assert isinstance(body["message"], str)
    assert body["message"]
    assert "Traceback" not in answer.text
    for error in cast("list[dict[str, str]]", body.get("errors") or []):
        assert set(error) == {"field", "reason"}
        assert error["reason"]
    return body


def assert_refused(answer: httpx.Response, field: str, status: int = 400) -> None:
    """The answer has this status, and names this field and no other."""
    assert answer.status_code == status, answer.text
    body = problem(answer)
    assert [error["field"] for error in body["errors"]] == [field], body
    assert body["message"].startswith("Validation error: ") or status == 415, body
    assert field in body["message"] or status == 415, body


def assert_log_gives_nothing_away(service: Service, target: Target) -> None:
    """The service's own log holds nothing that a client sent, no credential and no query.

    Call it after the other tests of a module, most of which sent a canary. It sends the canary again, in ways that come close to a failure.
    """
    for body in (
        json.dumps(new_event(parent_ids=[UNKNOWN])),
        json.dumps(new_event(type="wish")),
        json.dumps(new_event(payload={"action": CANARY * 200})),
        json.dumps(new_event(scope=CANARY + " ")),
        json.dumps(new_event())[:-3],
        json.dumps(new_event(payload={"action": "x", CANARY: "HERE"})).replace('"HERE"', "1" + "0" * 5_000),
    ):
        assert send(service, body, {**JSON, "authorization": f"Bearer {CANARY}"}).status_code == 400
    service.client.get(f"/api/{CANARY}", params={"token": CANARY})
    text = service.log.read_text()
    assert "ready" in text
    assert CANARY not in text
    assert not target.password or target.password not in text
    assert "Traceback" not in text
    assert not re.search(r"\b(MATCH|MERGE|UNWIND)\b", text)
