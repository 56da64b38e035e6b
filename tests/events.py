"""Events that tests make and append to a running service, and how far its log has grown."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import Service

Event = dict[str, Any]

NDJSON = {"content-type": "application/x-ndjson"}
PAYLOADS: dict[str, dict[str, Any]] = {
    "proposal": {"action": "x"},
    "ready": {"status": "x"},
    "test": {"status": "passed"},
    "reward": {"value": 0.5},
    "penalty": {"value": 0.2},
}
"""A payload that fits each type."""


def new_id() -> str:
    """A random id. The order of such ids is not the order of the log."""
    return str(uuid.uuid4())


def unique(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def new_event(type: str = "proposal", payload: Any = None, *parents: str | Mapping[str, Any], **changes: Any) -> Event:
    """A valid event without an id, in a scope and a trace of its own.

    Without a payload it gets one that fits its type. Parents are ids or stored events. `changes` replace or add fields, valid or not.
    """
    event: Event = {"type": type, "scope": unique("s"), "trace_id": unique("t"), "agent_id": "a"}
    event["payload"] = PAYLOADS.get(type, PAYLOADS["proposal"]) if payload is None else payload
    if parents:
        event["parent_ids"] = [parent if isinstance(parent, str) else parent["id"] for parent in parents]
    return {**event, **changes}


def new_events(count: int, **changes: Any) -> list[Event]:
    """Proposals with ids, of agents `0`, `1`, `2`, ... They share a scope (`ui`) and a trace (`t`), and so move one signal only."""
    return [new_event(id=new_id(), **{"scope": "ui", "trace_id": "t", "agent_id": str(number), **changes}) for number in range(count)]


def post(service: Service, type: str = "proposal", payload: Any = None, *parents: str | Mapping[str, Any], **changes: Any) -> Event:
    """Append one event, see `new_event`; the answer, which must be 201: the stored event with the signals it moved."""
    answer = service.client.post("/api/events", json=new_event(type, payload, *parents, **changes))
    assert answer.status_code == 201, answer.text
    return answer.json()


def post_batch(service: Service, events: list[Event], **query: Any) -> httpx.Response:
    """Send a batch; the answer, whatever its status."""
    return service.client.post("/api/events/batch", json=events, params=query)


def append(service: Service, events: list[Event]) -> list[Event]:
    """Append a batch; the answer, which must be 201: the stored events with the signals they moved."""
    answer = post_batch(service, events)
    assert answer.status_code == 201, answer.text
    return answer.json()


def append_minimal(service: Service, events: list[Event]) -> dict[str, Any]:
    """Append a batch, which must be answered 201, and ask for the short answer: `count`, `created`, `first` and `last`."""
    answer = post_batch(service, events, **{"return": "minimal"})
    assert answer.status_code == 201, answer.text
    return answer.json()


def append_alike(service: Service, count: int = 1, **changes: Any) -> list[Event]:
    """Append events of one kind, a single one by itself and more as a batch; they come back as they are read."""
    if count == 1:
        return [as_read(post(service, **changes))]
    return [as_read(event) for event in append(service, [new_event(**changes) for _ in range(count)])]


def as_read(event: Event) -> Event:
    """An event as it is read and delivered: without `signals` and `moved`, which only the answer to an append has."""
    return {name: value for name, value in event.items() if name not in ("signals", "moved")}


def head(service: Service) -> int:
    """The position of the newest event; 0 where the log is empty."""
    return service.client.get("/health/ready").json()["position"]


def epoch(service: Service) -> str:
    """The epoch of the log."""
    return service.client.get("/health/ready").json()["epoch"]


def write_ndjson(file: Path, events: list[Event]) -> Path:
    """Write the events to the file, one a line; the file."""
    file.write_text("".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events), encoding="utf-8")
    return file
