"""What orchestrators and scrapers read."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import uuid
from pathlib import Path
from urllib.parse import urlsplit

from semp.storage.neo4j.connection import Target
from websockets.sync.client import connect

from tests.conftest import Service, neo4j_environment, start_service
from tests.waiting import eventually

EVENT = {"type": "proposal", "scope": "ui", "trace_id": "t", "agent_id": "a", "payload": {"action": "x"}}


def metrics(service: Service) -> dict[str, float]:
    answer = service.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    lines = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}


def test_live_says_that_the_process_serves(service: Service) -> None:
    answer = service.client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_says_where_the_log_stands(service: Service) -> None:
    before = service.client.get("/health/ready")
    assert before.status_code == 200
    assert set(before.json()) == {"status", "epoch", "position"}
    assert before.json()["status"] == "ok"
    assert str(uuid.UUID(before.json()["epoch"])) == before.json()["epoch"]
    position = service.client.post("/api/events", json=EVENT).json()["position"]
    assert service.client.get("/health/ready").json() == {**before.json(), "position": position}


def test_metrics_count_events_signals_and_subscribers(service: Service) -> None:
    before = metrics(service)
    service.client.post("/api/events/batch", json=[{**EVENT, "payload": {"action": uuid.uuid4().hex}} for _ in range(5)])
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


class Cable:
    """A TCP relay to the database that can be unplugged, and made to hold what it is given; the port stays the same."""

    def __init__(self, host: str, port: int) -> None:
        self.target = host, port
        self.listener: socket.socket | None = None
        self.port = 0
        self.open: list[socket.socket] = []
        self.flowing = threading.Event()
        self.flowing.set()
        self.plug()

    def plug(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=[self.listener], daemon=True).start()

    def unplug(self) -> None:
        assert self.listener is not None
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in self.open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.open.clear()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self.target)
                self.open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._relay, args=[source, sink], daemon=True).start()

    def _relay(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                self.flowing.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)


def test_while_the_database_is_away_ready_is_503_live_is_200_and_events_are_taken_again_after(neo4j_target: Target, tmp_path: Path) -> None:
    """The service says so, refuses politely, and recovers with everything it acknowledged."""
    address = urlsplit(neo4j_target.uri)
    cable = Cable(address.hostname or "", address.port or 7687)
    environment = {**neo4j_environment(neo4j_target), "SEMP_NEO4J": f"bolt://127.0.0.1:{cable.port}", "SEMP_PATIENCE": "1"}
    running = start_service(tmp_path / "log", "--poll-interval", "0.2", environment=environment)
    try:
        stored = running.client.post("/api/events", json=EVENT).json()
        cable.unplug()
        eventually("ready turns 503", lambda: running.client.get("/health/ready").status_code == 503, 60)
        down = running.client.get("/health/ready")
        assert set(down.json()) == {"message"}
        assert int(down.headers["retry-after"]) >= 1
        assert running.client.get("/health/live").status_code == 200
        assert metrics(running)["semp_database_available"] == 0
        assert running.client.get("/api/signals").status_code == 200, "signals are read from memory"
        for answer in (
            running.client.post("/api/events", json=EVENT),
            running.client.post("/api/events/batch", json=[EVENT, EVENT]),
            running.client.get("/api/events"),
            running.client.get(f"/api/events/{stored['id']}"),
            running.client.get(f"/api/events/{stored['id']}/ancestors"),
            running.client.post("/api/nodes", json={"type": "file"}),
        ):
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) >= 1
            assert set(answer.json()) == {"message"}
            assert str(cable.port) not in answer.text
        cable.plug()
        eventually("ready turns 200 again", lambda: running.client.get("/health/ready").status_code == 200, 120)
        read = running.client.get(f"/api/events/{stored['id']}").json()
        assert read == {name: value for name, value in stored.items() if name not in ("signals", "moved")}
        assert running.client.post("/api/events", json=EVENT).json()["position"] == stored["position"] + 1, (
            "what was refused was not stored"
        )
    finally:
        assert running.stop() == 0, running.log.read_text()
        cable.unplug()
    assert neo4j_target.password not in running.log.read_text()
