"""A service that receives events faster than its database commits them refuses some, and loses none that it accepted."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from semp.storage.neo4j.connection import Target
from websockets.sync.client import connect

from tests.answers import metrics
from tests.cable import Cable, plugged
from tests.conftest import Service, empty, running_service
from tests.events import Event, head, new_event, new_events, post
from tests.waiting import eventually

LARGE = 800
"""Events of a batch. Larger ones wait in a lane of their own."""
BATCHES = 36
"""The queue holds 25 of them, 20,000 events, and four more are being committed."""

CONNECTIONS = 4
"""Connections to the database that are open before the cable holds. One that is opened while it holds fails after five seconds, and then
the service knows that the database is away."""

LARGEST_PIECE = 8_000
"""Bytes that pass at once: whether the database answers can be asked, a batch cannot be sent."""


def _open_connections(service: Service, cable: Cable) -> None:
    def read_at_once() -> bool:
        with ThreadPoolExecutor(4 * CONNECTIONS) as pool:
            list(pool.map(service.client.get, ["/api/traces"] * 8 * CONNECTIONS))
        return len(cable.connections) // 2 >= CONNECTIONS

    eventually(f"{CONNECTIONS} connections to the database are open", read_at_once, 30)


def test_a_full_queue_is_503_with_retry_after_and_what_was_accepted_is_committed(neo4j_target: Target, tmp_path: Path) -> None:
    empty(neo4j_target)
    accepted: list[httpx.Response] = []
    refused: list[tuple[list[Event], httpx.Response]] = []

    def send(batch: list[Event]) -> None:
        answer = httpx.post(f"{service.url}/api/events/batch?return=minimal", json=batch, timeout=120)
        if answer.is_success:
            accepted.append(answer)
        else:
            refused.append((batch, answer))

    with plugged(neo4j_target) as cable, running_service(tmp_path, environment=cable.environment) as service:
        post(service)
        _open_connections(service, cable)
        senders = [threading.Thread(target=send, args=[new_events(LARGE, trace_id="full")]) for _ in range(BATCHES)]
        with cable.holding(above=LARGEST_PIECE):
            for sender in senders:
                sender.start()
            eventually("two batches are refused", lambda: len(refused) >= 2, 30)
            assert metrics(service)["semp_queue_events"] <= 20_000
            single = service.client.post("/api/events", json=new_event())
            with connect(f"{service.websocket_url}?v=1") as socket:
                socket.send(json.dumps({"type": "publish", "ref": 1, "data": new_event()}))
                published = [json.loads(socket.recv(timeout=30)) for _ in range(2)][1]
        for sender in senders:
            sender.join(120)

        for answer in (single, *(answer for _, answer in refused)):
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json() == {"message": "the append queue is full; nothing was stored"}
        assert (published["type"], published["status"], published["ref"]) == ("error", 503, 1)
        assert published["retry_after"] >= 1
        assert len(accepted) + len(refused) == BATCHES
        assert head(service) == 1 + LARGE * len(accepted) == 1 + sum(answer.json()["count"] for answer in accepted)
        for batch, answer in refused:
            assert service.client.get(f"/api/events/{batch[0]['id']}").status_code == 404
            time.sleep(int(answer.headers["retry-after"]))
            again = service.client.post("/api/events/batch?return=minimal", json=batch)
            assert again.status_code == 201, "after the time in Retry-After there is room"
