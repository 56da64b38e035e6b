"""`/health/live`, `/health/ready` and `/metrics`, which orchestrators and scrapers read."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

from semp.storage.neo4j.connection import Target
from websockets.sync.client import connect

from tests.answers import metrics
from tests.cable import plugged
from tests.conftest import Service, running_service
from tests.events import append, as_read, new_event, new_events, post
from tests.waiting import eventually


def test_live_answers_200_while_the_process_runs(service: Service) -> None:
    answer = service.client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_tells_the_epoch_and_the_position_of_the_log(service: Service) -> None:
    before = service.client.get("/health/ready")
    assert before.status_code == 200
    assert set(before.json()) == {"status", "epoch", "position"}
    assert before.json()["status"] == "ok"
    assert str(uuid.UUID(before.json()["epoch"])) == before.json()["epoch"]
    position = post(service)["position"]
    assert service.client.get("/health/ready").json() == {**before.json(), "position": position}


def test_metrics_count_events_signals_and_subscribers(service: Service) -> None:
    before = metrics(service)
    append(service, [new_event() for _ in range(5)])
    with connect(service.websocket_url):
        eventually("a subscriber is counted", lambda: metrics(service)["semp_subscribers"] == before["semp_subscribers"] + 1, 10)
        after = metrics(service)
    assert after["semp_events_total"] == before["semp_events_total"] + 5
    assert after["semp_signals"] == before["semp_signals"] + 5
    assert after["semp_transactions_total"] > before["semp_transactions_total"]
    assert after["semp_database_available"] == 1
    assert after["semp_queue_events"] == 0


def test_every_metric_has_help_and_type(service: Service) -> None:
    text = service.client.get("/metrics").text
    for name in set(re.findall(r"^(semp_[a-z_]+)", text, re.MULTILINE)):
        family = name.removesuffix("_total").removesuffix("_created")
        assert re.search(rf"^# HELP {family}(_total)? \S", text, re.MULTILINE), name
        assert re.search(rf"^# TYPE {family}(_total)? (counter|gauge)$", text, re.MULTILINE), name


def test_without_its_database_ready_is_503_and_live_is_200(neo4j_target: Target, tmp_path: Path) -> None:
    """Every request that needs the database is answered 503 with Retry-After; afterwards every acknowledged event is there."""
    with (
        plugged(neo4j_target) as cable,
        running_service(tmp_path, "--poll-interval", "0.2", environment={**cable.environment, "SEMP_PATIENCE": "1"}) as service,
    ):
        stored = post(service)
        cable.unplug()
        eventually("ready turns 503", lambda: service.client.get("/health/ready").status_code == 503, 60)
        unready = service.client.get("/health/ready")
        assert set(unready.json()) == {"message"}
        assert int(unready.headers["retry-after"]) >= 1
        assert service.client.get("/health/live").status_code == 200
        assert metrics(service)["semp_database_available"] == 0
        assert service.client.get("/api/signals").status_code == 200, "signals are read from memory"
        for answer in (
            service.client.post("/api/events", json=new_event()),
            service.client.post("/api/events/batch", json=new_events(2)),
            service.client.get("/api/events"),
            service.client.get(f"/api/events/{stored['id']}"),
            service.client.get(f"/api/events/{stored['id']}/ancestors"),
            service.client.post("/api/nodes", json={"type": "file"}),
        ):
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) >= 1
            assert set(answer.json()) == {"message"}
            assert str(cable.port) not in answer.text
        cable.plug()
        eventually("ready turns 200 again", lambda: service.client.get("/health/ready").status_code == 200, 120)
        assert service.client.get(f"/api/events/{stored['id']}").json() == as_read(stored)
        assert post(service)["position"] == stored["position"] + 1, "what was refused was not stored"
    assert neo4j_target.password not in service.log.read_text()
