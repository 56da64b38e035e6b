"""Server-sent events at /api/stream: the same delivery as over WebSocket, resumed by Last-Event-ID."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from semp.storage.neo4j.connection import Target

from tests.conftest import Service, neo4j_environment, running_service
from tests.events import append_alike, append_minimal, new_event, unique
from tests.live_streams import event_stream, stream_events, subscribers, wait_for_subscribers


def test_the_stream_begins_with_its_position_and_goes_on_with_new_events(service: Service) -> None:
    append_alike(service, 2)
    ready = service.client.get("/health/ready").json()
    with event_stream(service) as messages:
        first = next(messages)
        assert first == {"retry": "1000", "id": f"{ready['epoch']}:{ready['position']}"}
        wait_for_subscribers(service, 1)
        sent = append_alike(service, 3)
        assert stream_events(messages, 3) == sent
    wait_for_subscribers(service, 0)


@pytest.mark.parametrize("between", [5, 9_000])
def test_last_event_id_resumes_from_memory_and_from_the_log(service: Service, between: int) -> None:
    with event_stream(service) as messages:
        next(messages)
        wait_for_subscribers(service, 1)
        append_alike(service, 1, scope="resumed")
        last_id = next(messages)["id"]
    sent = [append_alike(service, 1, scope="resumed")[0] for _ in range(2)]
    append_minimal(service, [new_event(scope="between") for _ in range(between)])
    sent += append_alike(service, 1, scope="resumed")
    with event_stream(service, last_id, scope="resumed") as messages:
        assert next(messages)["id"] == last_id
        assert stream_events(messages, 3) == sent
        last = append_alike(service, 1, scope="resumed")
        assert stream_events(messages, 1) == last


def test_signals_follow_their_events(service: Service) -> None:
    scope = unique("s")
    with event_stream(service, scope=scope, signals="1") as messages:
        next(messages)
        wait_for_subscribers(service, 1)
        [event] = append_alike(service, 1, scope=scope)
        pair = [next(messages), next(messages)]
    assert [json.loads(message["data"])["type"] for message in pair] == ["event", "signal"]
    assert {message["id"].rpartition(":")[2] for message in pair} == {str(event["position"])}


def test_a_frozen_reader_finds_every_event_up_to_the_position_named_at_its_close(service: Service) -> None:
    """It reads nothing until far more was appended than its buffers and the ring hold."""
    wait_for_subscribers(service, 0)
    with event_stream(service) as messages:
        begin = int(next(messages)["id"].rpartition(":")[2])
        wait_for_subscribers(service, 1)
        written = 0
        while subscribers(service):
            assert written < 2_000, "the frozen reader was never closed"
            append_alike(service, 20, payload={"action": "x", "text": "x" * 50_000})
            written += 20
        rest = list(messages)
    closing = json.loads(rest[-1]["data"])
    assert (rest[-1]["event"], closing["code"]) == ("close", 4008)
    positions = [json.loads(message["data"])["data"]["position"] for message in rest[:-1]]
    assert positions == list(range(begin + 1, closing["position"] + 1))
    assert len(positions) < written


@pytest.mark.parametrize(
    ("query", "last_id", "status", "field"),
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
def test_a_stream_that_cannot_begin_is_refused_and_the_parameter_named(
    service: Service, query: dict[str, Any], last_id: str | None, status: int, field: str
) -> None:
    answer = service.client.get("/api/stream", params=query, headers={"last-event-id": last_id} if last_id else {})
    assert answer.status_code == status, answer.text
    assert [error["field"].partition("[")[0] for error in answer.json()["errors"]] == [field]


def test_a_stop_ends_the_stream_with_its_code_and_position(neo4j_target: Target, tmp_path: Path) -> None:
    environment = neo4j_environment(neo4j_target)
    with running_service(tmp_path, environment=environment) as service, event_stream(service) as messages:
        next(messages)
        wait_for_subscribers(service, 1)
        [event] = append_alike(service)
        service.process.send_signal(signal.SIGTERM)
        rest = list(messages)
    assert json.loads(rest[0]["data"])["data"] == event
    assert rest[-1]["event"] == "close"
    assert json.loads(rest[-1]["data"]) == {"code": 1001, "reason": "the service stops", "position": event["position"]}
