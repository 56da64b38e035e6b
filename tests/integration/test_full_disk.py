"""A disk that fills while the service runs: events are refused with the reason, reading goes on, and it ends by itself."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from semp.storage.neo4j.embedded.processes import java_of

from tests.conftest import Service, free_port, wait_ready
from tests.waiting import eventually

SERVE = """
import pathlib, shutil, sys
full, measure = pathlib.Path(sys.argv.pop(1)), shutil.disk_usage
shutil.disk_usage = lambda path: measure(path)._replace(free=0) if full.exists() else measure(path)
from semp.cli.app import main
main()
"""
"""`semp` on a machine whose disk is full as long as a file is there."""


@dataclass
class Machine:
    """A service on its embedded Neo4j, and the file that makes the disk full."""

    service: Service
    full: Path
    home: Path

    def post(self, text: str = "x") -> httpx.Response:
        event = {"type": "proposal", "scope": "ui", "trace_id": "t", "agent_id": "a", "payload": {"action": "x", "text": text}}
        return self.service.client.post("/api/events", json=event)

    def takes_events(self) -> bool:
        return self.service.client.get("/health/ready").is_success and self.post().status_code == 201

    def log(self) -> str:
        return self.service.log.read_text()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    directory = tmp_path_factory.mktemp("disk")
    port, log, full = free_port(), directory / "log", directory / "full"
    line = [sys.executable, "-c", SERVE, str(full), "serve", "--port", str(port), "--data", str(directory / "data")]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("SEMP_")}
    with log.open("w") as stream:
        process = subprocess.Popen(line, stdout=stream, stderr=subprocess.STDOUT, env=variables, text=True, start_new_session=True)
    service = Service(wait_ready(f"http://127.0.0.1:{port}", process, log), process, variables, log)
    yield Machine(service, full, directory / "data" / "neo4j")
    assert service.stop(signal.SIGINT) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def test_events_are_refused_before_the_database_is_in_trouble_and_reading_goes_on(machine: Machine) -> None:
    kept = machine.post().json()["id"]
    machine.full.touch()
    try:
        refused = machine.post()
        assert refused.status_code == 503
        assert refused.json()["message"] == "the disk that holds the data is full; nothing was stored"
        assert refused.headers["retry-after"] == "30"
        node = machine.service.client.post("/api/nodes", json={"type": "file", "data": {}})
        assert (node.status_code, node.json()) == (503, refused.json())
        ready = machine.service.client.get("/health/ready")
        assert (ready.status_code, ready.json()) == (503, refused.json())
        assert machine.service.client.get(f"/api/events/{kept}").status_code == 200
        assert [event["id"] for event in machine.service.client.get("/api/events").json()] == [kept]
        eventually("the log says it", lambda: "is full: less than 200 MB are free" in machine.log(), 30)
    finally:
        machine.full.unlink()
    assert machine.takes_events()
    eventually("the log says that there is room", lambda: "has room again" in machine.log(), 30)
    assert machine.log().count("is full: ") == 1


@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="the limit of a running process can be set on Linux alone")
def test_a_database_that_stopped_itself_is_started_anew_and_nothing_acknowledged_is_lost(machine: Machine) -> None:
    """Files that may not grow are to a database what a full disk is."""
    [java] = java_of(machine.home)
    java.rlimit(psutil.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
    acknowledged: list[str] = []

    def stopped_itself() -> bool:
        answer = machine.post("y" * 100_000)
        assert answer.status_code in (201, 503), answer.text
        if answer.status_code == 201:
            acknowledged.append(answer.json()["id"])
        return "the database stopped itself: File too large" in machine.log()

    eventually("the database stopped itself", stopped_itself, 60)
    eventually("events are taken again", machine.takes_events, 90)
    assert [found.pid for found in java_of(machine.home)] not in ([], [java.pid])
    for event_id in acknowledged:
        assert machine.service.client.get(f"/api/events/{event_id}").status_code == 200
