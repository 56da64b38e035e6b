"""When a client closes its connection, its request frees what it holds: a queued append is dropped, a read ends in the database."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest
from semp.storage.neo4j.connection import Target

from tests.answers import metrics
from tests.cable import plugged
from tests.conftest import Service, empty, running_service
from tests.events import new_event, new_id, post
from tests.waiting import eventually


def test_an_append_whose_client_left_the_queue_is_not_stored_and_one_that_was_sent_is(neo4j_target: Target, tmp_path: Path) -> None:
    empty(neo4j_target)
    sent, queued = new_event(id=new_id()), new_event(id=new_id())
    with plugged(neo4j_target) as cable, running_service(tmp_path, environment=cable.environment) as service:
        post(service)
        with cable.holding():
            first = threading.Thread(target=_leave, args=[service, sent], daemon=True)
            first.start()
            first.join()  # it was sent at once, for nothing else was
            second = threading.Thread(target=_leave, args=[service, queued], daemon=True)
            second.start()
            eventually("the second waits", lambda: metrics(service)["semp_queue_events"] == 1, 30)
            second.join()
        last = post(service)
        assert last["position"] == 3
        assert service.client.get(f"/api/events/{sent['id']}").json()["position"] == 2
        assert service.client.get(f"/api/events/{queued['id']}").status_code == 404


def _leave(service: Service, event: dict[str, object]) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{service.url}/api/events", json=event, timeout=1)
