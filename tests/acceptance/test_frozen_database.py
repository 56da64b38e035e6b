"""A database process that is stopped and continued, as a frozen machine would be: noticed, answered, and nothing lost or doubled."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from semp.storage.neo4j.connection import SILENCE
from semp.storage.neo4j.embedded.processes import java_of

from tests.conftest import Service, running_service
from tests.events import Event, head, new_event, new_id, post
from tests.waiting import eventually


@pytest.fixture
def embedded(tmp_path: Path) -> Generator[Service]:
    """A service with an embedded database of its own, which waits five seconds for a database that is away."""
    arguments = ("--data", str(tmp_path / "data"), "--heap", "512m", "--page-cache", "128m", "--patience", "5")
    with running_service(tmp_path, *arguments) as service:
        yield service


@contextmanager
def frozen(home: Path) -> Generator[None]:
    """Stop the database's process during the block."""
    [java] = java_of((home / "data" / "neo4j").resolve())
    process = psutil.Process(java.pid)
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def ready(service: Service) -> int:
    return service.client.get("/health/ready").status_code


class Sender(threading.Thread):
    """Posts one event."""

    def __init__(self, service: Service, event: Event) -> None:
        super().__init__(daemon=True)
        self.service, self.event = service, event
        self.start()

    def run(self) -> None:
        self.answer = httpx.post(f"{self.service.url}/api/events", json=self.event, timeout=120)


def test_a_frozen_database_is_noticed_and_all_goes_on_when_it_continues(embedded: Service, tmp_path: Path) -> None:
    post(embedded)
    first, second = new_event(id=new_id()), new_event(id=new_id())
    with frozen(tmp_path):
        senders = [Sender(embedded, event) for event in (first, second)]
        eventually("the service is not ready", lambda: ready(embedded) == 503, 20)
        refused = embedded.client.post("/api/events", json=new_event())
        assert (refused.status_code, "nothing was stored" in refused.text) == (503, True)
        assert int(refused.headers["retry-after"]) > 0
        for sender in senders:
            sender.join(60)
        assert [sender.answer.status_code for sender in senders] == [503, 503]
        assert "may be stored" in senders[0].answer.text or "may be stored" in senders[1].answer.text
    eventually("the service is ready again", lambda: ready(embedded) == 200, 60)
    answers = [embedded.client.post("/api/events", json=event) for event in (first, second)]
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert sorted(answer.json()["position"] for answer in answers) == [2, 3]
    assert head(embedded) == 3
    assert (tmp_path / "log").read_text().count("has not answered anything") == 1


class Asker(threading.Thread):
    """Sends a request, and waits for its answer longer than a request waits for a silent database, but not as long as a read may take."""

    def __init__(self, service: Service, method: str, path: str, body: object = None) -> None:
        super().__init__(daemon=True)
        self.service, self.method, self.path, self.body = service, method, path, body
        self.start()

    def run(self) -> None:
        self.answer = httpx.request(self.method, self.service.url + self.path, json=self.body, timeout=1.9 * SILENCE)


def test_every_request_that_waits_for_a_frozen_database_is_answered_in_time_and_later_ones_at_once(
    embedded: Service, tmp_path: Path
) -> None:
    event = post(embedded, trace_id="t", scope="ui")
    embedded.client.post("/api/nodes", json={"type": "file", "id": event["id"]})
    own, at = event["id"], f"/api/events/{event['id']}"
    paths = [
        at, f"{at}/descendants", f"{at}/open", f"{at}/lineage", f"/api/paths?from={own}&to={own}", "/api/traces", "/api/traces/t",
        "/api/traces/t/graph", f"/api/nodes/{own}", f"/api/nodes/{own}/provenance", "/api/queries/cookbook/rework_scopes",
        "/api/signals?at=1", "/api/signals/ui/x/explain",
    ]  # fmt: skip
    with frozen(tmp_path):
        askers = [Asker(embedded, "GET", path) for path in paths] + [Asker(embedded, "POST", "/api/nodes", {"type": "file"})]
        eventually("the service is not ready", lambda: ready(embedded) == 503, 20)
        for path in paths:
            refused = embedded.client.get(path, timeout=2)
            assert (path, refused.status_code) == (path, 503)
            assert int(refused.headers["retry-after"]) > 0
        assert embedded.client.get("/api/events").status_code == 200, "the newest events are in memory"
        for asker in askers:
            asker.join(2 * SILENCE)
            assert (asker.path, asker.answer.status_code) == (asker.path, 503)
            assert int(asker.answer.headers["retry-after"]) > 0
            assert ("may be stored" in asker.answer.text) == (asker.method == "POST")
    eventually("the service is ready again", lambda: ready(embedded) == 200, 60)
    assert [embedded.client.get(path).status_code for path in paths[:-1]] == [200] * (len(paths) - 1)


def test_an_append_in_a_short_freeze_is_committed_once(embedded: Service, tmp_path: Path) -> None:
    post(embedded)
    event = new_event(id=new_id())
    with frozen(tmp_path):
        sender = Sender(embedded, event)
        assert embedded.client.get("/health/live").is_success
    sender.join(60)
    assert (sender.answer.status_code, sender.answer.json()["position"]) == (201, 2)
    assert embedded.client.post("/api/events", json=event).status_code == 200
    assert head(embedded) == 2
