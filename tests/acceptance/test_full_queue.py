"""A service that is given more than its database takes says so, and loses nothing of what it accepted."""

from __future__ import annotations

import json
import threading
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from semp.storage.neo4j.connection import Target
from websockets.sync.client import connect

from tests.acceptance.test_health import Cable, metrics
from tests.acceptance.test_live import new_event
from tests.conftest import empty, neo4j_environment, start_service
from tests.waiting import eventually

LARGE = 5_000
"""Events of a batch; the queue takes 20,000, and two batches are under way."""


def with_ids(count: int) -> list[dict[str, Any]]:
    return [new_event(id=str(uuid.uuid4()), trace_id="full") for _ in range(count)]


def test_a_full_queue_is_503_with_retry_after_and_what_was_accepted_is_committed(neo4j_target: Target, tmp_path: Path) -> None:
    empty(neo4j_target)
    address = urlsplit(neo4j_target.uri)
    cable = Cable(address.hostname or "", address.port or 7687)
    environment = {**neo4j_environment(neo4j_target), "SEMP_NEO4J": f"bolt://127.0.0.1:{cable.port}"}
    running = start_service(tmp_path / "log", environment=environment)
    accepted: list[httpx.Response] = []
    refused: list[tuple[list[dict[str, Any]], httpx.Response]] = []

    def send(batch: list[dict[str, Any]]) -> None:
        answer = httpx.post(f"{running.url}/api/events/batch?return=minimal", json=batch, timeout=120)
        if answer.is_success:
            accepted.append(answer)
        else:
            refused.append((batch, answer))

    try:
        running.client.post("/api/events", json=new_event()).raise_for_status()
        cable.flowing.clear()
        senders = [threading.Thread(target=send, args=[with_ids(LARGE)]) for _ in range(9)]
        for sender in senders:
            sender.start()
        eventually("some are refused", lambda: len(refused) >= 2, 30)
        assert metrics(running)["semp_queue_events"] <= 20_000
        single = running.client.post("/api/events", json=new_event())
        with connect(f"{running.websocket_url}?v=1") as socket:
            socket.send(json.dumps({"type": "publish", "ref": 1, "data": new_event()}))
            published = [json.loads(socket.recv(timeout=30)) for _ in range(2)][1]
        cable.flowing.set()
        for sender in senders:
            sender.join(120)

        for answer in (single, *(answer for _, answer in refused)):
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json() == {"message": "the append queue is full; nothing was stored"}
        assert (published["type"], published["status"], published["ref"]) == ("error", 503, 1)
        assert published["retry_after"] >= 1
        assert len(accepted) + len(refused) == 9
        head = running.client.get("/health/ready").json()["position"]
        assert head == 1 + LARGE * len(accepted) == 1 + sum(answer.json()["count"] for answer in accepted)
        for batch, answer in refused:
            assert running.client.get(f"/api/events/{batch[0]['id']}").status_code == 404
            time.sleep(int(answer.headers["retry-after"]))
            again = running.client.post("/api/events/batch?return=minimal", json=batch)
            assert again.status_code == 201, "after the time it named there is room"
    finally:
        cable.flowing.set()
        assert running.stop() == 0, running.log.read_text()
        cable.unplug()
