"""A load of clients on a service that is killed again and again, and checks that no event was lost, stored twice or reordered."""

from __future__ import annotations

import random
import signal
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
import psutil

from tests.conftest import Service, free_port, start_service
from tests.events import Event


@dataclass
class Record:
    """What the clients know of their events, by the marker that each event has in its payload."""

    acknowledged: dict[str, int] = field(default_factory=dict[str, int])
    """The position of each event that was answered 200 or 201."""
    unanswered: set[str] = field(default_factory=set[str])
    """Events that were sent, and whose clients gave up without such an answer."""
    refused: int = 0
    """Requests answered 503."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def acknowledge(self, events: list[Event]) -> None:
        with self.lock:
            for event in events:
                self.acknowledged[event["payload"]["marker"]] = event["position"]


class Chaos:
    """A service on its own embedded Neo4j, clients that append without pause, and kills of both processes."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.directory = directory
        self.random = random.Random(seed)
        self.port = free_port()
        self.record = Record()
        self.kills = Counter[str]()
        self.stopping = threading.Event()
        self.service = self._start()
        self.clients = [
            threading.Thread(target=self._client, args=(kind, seed * 100 + number), daemon=True)
            for number, kind in enumerate(("single", "single", "retried", "batch", "batch"))
        ]

    @property
    def home(self) -> Path:
        return self.directory / "data" / "neo4j"

    def _start(self) -> Service:
        return start_service(
            self.directory / "log", "--data", str(self.directory / "data"), "--heap", "512m", "--page-cache", "128m", port=self.port
        )

    def run(self, kills: list[str]) -> None:
        """Start the clients, then kill each process that `kills` names ("service" or "neo4j"), and wait for recovery after each kill."""
        for client in self.clients:
            client.start()
        for target in kills:
            self._await_progress(self.random.randint(1, 40))
            time.sleep(self.random.random() * 0.5)  # a random moment between two commits
            self.kill(target)
            self._await_progress(1)
        self.stopping.set()
        for client in self.clients:
            client.join(120)
            assert not client.is_alive(), "a client hangs"

    def kill(self, target: str) -> None:
        """Kill with SIGKILL. The service is then started again, as a supervisor would do; it starts its database itself."""
        if target == "neo4j":
            for process in self._java():
                process.kill()
        else:
            self.service.stop(signal.SIGKILL)
            self.service = self._start()
        self.kills[target] += 1

    def _java(self) -> list[psutil.Process]:
        from semp.storage.neo4j.embedded.processes import java_of

        processes = java_of(self.home.resolve())
        assert processes, "the embedded Neo4j is not running"
        return processes

    def _await_progress(self, events: int) -> None:
        """Wait until this many more events are acknowledged, for at most 180 s."""
        goal = len(self.record.acknowledged) + events
        deadline = time.monotonic() + 180
        while len(self.record.acknowledged) < goal:
            assert time.monotonic() < deadline, f"no progress after {dict(self.kills)}:\n{(self.directory / 'log').read_text()[-4000:]}"
            time.sleep(0.01)

    def _client(self, kind: str, seed: int) -> None:
        rng = random.Random(seed)
        known: list[str] = []
        with httpx.Client(base_url=self.service.url, timeout=60) as client:
            while not self.stopping.is_set():
                events = [self._event(rng, known) for _ in range(rng.randint(2, 60) if kind == "batch" else 1)]
                if kind == "batch":
                    events[-1]["parent_ids"] = [events[0]["id"]]
                if kind == "single":
                    del events[0]["id"]
                answered = self._send(client, kind, events)
                known = [event["id"] for event in answered][-3:] or known
                time.sleep(rng.random() * 0.02)

    def _event(self, rng: random.Random, known: list[str]) -> Event:
        kind = rng.choice(["proposal", "ready", "test", "reward", "penalty"])
        payload: Event = {"marker": str(uuid.UUID(int=rng.getrandbits(128)))}
        if kind == "proposal":
            payload["action"] = rng.choice(["a", "b", "c"])
        elif kind in ("reward", "penalty"):
            payload["value"] = round(rng.random(), 3)
        else:
            payload["status"] = "passed"
        scope = rng.choice(["ui.login", "ui.form", "api.orders"])
        parents = rng.sample(known, min(len(known), rng.randint(0, 2)))
        return {
            "id": str(uuid.UUID(int=rng.getrandbits(128))), "type": kind, "scope": scope, "trace_id": rng.choice("tuv"),
            "agent_id": "chaos", "payload": payload, "parent_ids": parents,
        }  # fmt: skip

    def _send(self, client: httpx.Client, kind: str, events: list[Event]) -> list[Event]:
        """Send the events once, or, for the client `retried`, until they are acknowledged; the stored events."""
        markers = {event["payload"]["marker"] for event in events}
        path, body = ("/api/events/batch", events) if kind == "batch" else ("/api/events", events[0])
        while True:
            try:
                answer = client.post(path, json=body)
            except httpx.ConnectError:  # nothing was sent
                time.sleep(0.1)
                if kind != "retried" or self.stopping.is_set():
                    return []
                continue
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.is_success:
                stored: list[Event] = answer.json() if kind == "batch" else [answer.json()]
                self.record.acknowledge(stored)
                return stored
            if answer is not None and answer.status_code == 503:
                self.record.refused += 1
            elif answer is not None:
                raise AssertionError(f"unexpected answer {answer.status_code}: {answer.text}")
            if kind != "retried" or self.stopping.is_set():
                with self.record.lock:
                    self.record.unanswered |= markers
                time.sleep(0.05)
                return []
            time.sleep(0.05)

    def log(self) -> list[Event]:
        """The whole log, read as a client does."""
        log: list[Event] = []
        with httpx.Client(base_url=self.service.url, timeout=60) as client:
            while True:
                page = client.get("/api/events", params={"order": "asc", "after": len(log), "limit": 1000})
                page.raise_for_status()
                events = msgspec.json.decode(page.content)
                if not events:
                    return log
                log += events

    def check(self) -> str:
        """Assert what the service promises; one line of figures to print.

        Acknowledged events are stored exactly once, at the position that was answered; unanswered events at most once. Positions
        have no gap, and timestamps never decrease.
        """
        log = self.log()
        assert [event["position"] for event in log] == list(range(1, len(log) + 1))
        assert [event["timestamp"] for event in log] == sorted(event["timestamp"] for event in log)
        copies = Counter(event["payload"]["marker"] for event in log)
        assert max(copies.values()) == 1, "an event is stored twice"
        position_of_marker = {event["payload"]["marker"]: event["position"] for event in log}
        lost = {marker for marker, position in self.record.acknowledged.items() if position_of_marker.get(marker) != position}
        assert not lost, f"{len(lost)} acknowledged events are lost or at another position"
        unknown = position_of_marker.keys() - self.record.acknowledged.keys() - self.record.unanswered
        assert not unknown, "the log holds events that no client sent"
        position_of = {event["id"]: event["position"] for event in log}
        assert all(position_of[parent] < event["position"] for event in log for parent in event["parent_ids"])
        stored = len(self.record.unanswered & position_of_marker.keys())
        return (
            f"{sum(self.kills.values())} kills ({self.kills['service']} service, {self.kills['neo4j']} Neo4j), {len(log)} events, "
            f"{len(self.record.acknowledged)} acknowledged, 0 lost, 0 doubled; {len(self.record.unanswered)} unanswered, "
            f"{stored} of them stored; {self.record.refused} answered 503"
        )
