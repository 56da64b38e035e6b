"""Server-sent events at /api/stream: the same delivery, resumed by Last-Event-ID."""

from __future__ import annotations

import json
import signal
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from semp.storage.neo4j.connection import Target

from tests.acceptance.test_live import new_event, post, subscribers, wait_for_subscribers
from tests.conftest import Service, neo4j_environment, start_service


@contextmanager
def stream(service: Service, seen: str | None = None, **query: Any) -> Generator[Iterator[dict[str, str]]]:
    """The messages of an event stream, each as its fields."""
    headers = {"last-event-id": seen} if seen else {}
    with httpx.stream("GET", f"{service.url}/api/stream", params=query, headers=headers, timeout=30) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield messages(answer.iter_lines())


def messages(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif fields:
            yield fields
            fields = {}


def events(found: Iterator[dict[str, str]], count: int) -> list[Any]:
    return [json.loads(next(found)["data"])["data"] for _ in range(count)]


def test_the_stream_begins_where_it_stands_and_brings_what_comes(service: Service) -> None:
    post(service, 2)
    ready = service.client.get("/health/ready").json()
    with stream(service) as found:
        first = next(found)
        assert first == {"retry": "1000", "id": f"{ready['epoch']}:{ready['position']}"}
        wait_for_subscribers(service, 1)
        sent = post(service, 3)
        assert events(found, 3) == sent
    wait_for_subscribers(service, 0)


@pytest.mark.parametrize("many", [5, 9_000])
def test_last_event_id_resumes_from_memory_and_from_the_log(service: Service, many: int) -> None:
    with stream(service) as found:
        next(found)
        wait_for_subscribers(service, 1)
        post(service, 1, scope="resumed")
        seen = next(found)["id"]
    sent = [post(service, 1, scope="resumed")[0] for _ in range(2)]
    service.client.post("/api/events/batch?return=minimal", json=[new_event(scope="between") for _ in range(many)]).raise_for_status()
    sent += post(service, 1, scope="resumed")
    with stream(service, seen, scope="resumed") as found:
        assert next(found)["id"] == seen
        assert events(found, 3) == sent
        last = post(service, 1, scope="resumed")
        assert events(found, 1) == last


def test_signals_follow_their_events(service: Service) -> None:
    scope = f"s{uuid.uuid4().hex}"
    with stream(service, scope=scope, signals="1") as found:
        next(found)
        wait_for_subscribers(service, 1)
        [event] = post(service, 1, scope=scope)
        pair = [next(found), next(found)]
    assert [json.loads(message["data"])["type"] for message in pair] == ["event", "signal"]
    assert {message["id"].rpartition(":")[2] for message in pair} == {str(event["position"])}


def test_a_frozen_reader_finds_all_up_to_the_position_it_is_closed_at(service: Service) -> None:
    """It reads nothing until far more was written than its buffers and the ring hold."""
    wait_for_subscribers(service, 0)
    with stream(service) as found:
        begin = int(next(found)["id"].rpartition(":")[2])
        wait_for_subscribers(service, 1)
        written = 0
        while subscribers(service):
            assert written < 2_000, "the frozen reader was never given up"
            post(service, 20, payload={"action": "x", "text": "x" * 50_000})
            written += 20
        rest = list(found)
    closing = json.loads(rest[-1]["data"])
    assert (rest[-1]["event"], closing["code"]) == ("close", 4008)
    positions = [json.loads(message["data"])["data"]["position"] for message in rest[:-1]]
    assert positions == list(range(begin + 1, closing["position"] + 1))
    assert len(positions) < written


@pytest.mark.parametrize(
    ("query", "seen", "status", "field"),
    [
        ({"scope": "a..b"}, None, 400, "scope"),
        ({"type": "wish"}, None, 400, "type"),
        ({"after": "-1"}, None, 400, "after"),
        ({"signals": "yes"}, None, 400, "signals"),
        ({}, "x:y", 400, "last-event-id"),
        ({}, "another-log:1", 409, "after"),
        ({"after": 1, "epoch": "no"}, None, 409, "after"),
        ({"after": 10**12}, None, 409, "after"),
    ],
)
def test_what_cannot_be_streamed_is_refused_by_name(
    service: Service, query: dict[str, Any], seen: str | None, status: int, field: str
) -> None:
    answer = service.client.get("/api/stream", params=query, headers={"last-event-id": seen} if seen else {})
    assert answer.status_code == status, answer.text
    assert [error["field"].partition("[")[0] for error in answer.json()["errors"]] == [field]


def test_a_stop_ends_the_stream_with_its_code_and_position(neo4j_target: Target, tmp_path: Path) -> None:
    service = start_service(tmp_path / "log", environment=neo4j_environment(neo4j_target))
    with stream(service) as found:
        next(found)
        wait_for_subscribers(service, 1)
        [event] = post(service)
        service.process.send_signal(signal.SIGTERM)
        rest = list(found)
    assert json.loads(rest[0]["data"])["data"] == event
    assert rest[-1]["event"] == "close"
    assert json.loads(rest[-1]["data"]) == {"code": 1001, "reason": "the service stops", "position": event["position"]}
    assert service.stop() == 0
