"""Several replicas of the service on one Neo4j: every subscriber gets every event, whichever process is killed."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from semp.storage.neo4j.connection import Target
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

from tests.conftest import Service, empty, free_port, neo4j_environment, start_service
from tests.programs import program
from tests.waiting import eventually

WITHIN = 60.0
NEVER = {"SEMP_POLL_INTERVAL": "1000"}
OFTEN = {"SEMP_POLL_INTERVAL": "0.2"}


class Redis:
    """A real Redis server."""

    def __init__(self, home: Path) -> None:
        executable = program("redis-server")
        self.port = free_port()
        self.home = home
        self.command = [executable, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(home)]
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def environment(self) -> dict[str, str]:
        return {"SEMP_REDIS": f"redis://127.0.0.1:{self.port}/0"}

    def start(self) -> None:
        if self.process is not None and self.process.poll() is None:
            return
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    found = Redis(tmp_path)
    yield found
    found.kill()


@pytest.fixture
def replica(neo4j_target: Target, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Starts replicas on one empty database, and stops those that are left."""
    empty(neo4j_target)
    started: list[Service] = []

    def start(**variables: str) -> Service:
        environment = {**neo4j_environment(neo4j_target), **variables}
        started.append(start_service(tmp_path / f"log{len(started)}", environment=environment))
        return started[-1]

    yield start
    for service in started:
        if service.process.poll() is None:
            assert service.stop() == 0, service.log.read_text()
        service.client.close()


def new_event() -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()), "type": "proposal", "scope": "ui", "trace_id": "t", "agent_id": "a", "payload": {"action": "x"},
    }  # fmt: skip


class Subscriber:
    """Follows the log over one replica after another, from its own position."""

    def __init__(self, choose: Callable[[], Service]) -> None:
        self.choose = choose
        self.seen: list[int] = []
        self.moves = 0
        self.over = threading.Event()
        self.broken: Exception | None = None
        self.thread = threading.Thread(target=self._follow)
        self.thread.start()

    @property
    def position(self) -> int:
        return self.seen[-1] if self.seen else 0

    def _follow(self) -> None:
        while not self.over.is_set():
            service = self.choose()
            self.moves += 1
            try:
                url = f"{service.websocket_url}?v=1&after={self.position}"
                with connect(url, max_size=None, compression=None, open_timeout=5) as socket:
                    while not self.over.is_set() and self.choose() is service:
                        try:
                            message = json.loads(socket.recv(timeout=0.2))
                        except TimeoutError:
                            continue
                        if message["type"] == "event":
                            self.seen.append(message["data"]["position"])
            except (ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
                continue  # connect to the replica that `choose` gives by then
            except Exception as error:
                self.broken = error
                return

    def stop(self) -> None:
        self.over.set()
        self.thread.join(WITHIN)


def test_a_hint_over_redis_brings_the_events_of_other_replicas(redis: Redis, replica: Callable[..., Service]) -> None:
    """No replica polls here, so only hints can deliver the events; also after Redis was restarted."""
    services = [replica(**NEVER, **redis.environment) for _ in range(3)]
    with ExitStack() as stack:
        sockets = [stack.enter_context(connect(service.websocket_url, compression=None)) for service in services]
        position = 0
        for restart in (False, True):
            if restart:
                redis.kill()
                redis.start()
            for service in services:
                deadline = time.monotonic() + WITHIN
                waiting = set(range(3))
                while waiting:  # after a restart of Redis the first hints may go unheard
                    assert time.monotonic() < deadline, f"replicas {waiting} were not told"
                    service.client.post("/api/events", json=new_event()).raise_for_status()
                    position += 1
                    for index in sorted(waiting):
                        try:
                            while json.loads(sockets[index].recv(timeout=1.0))["data"]["position"] < position:
                                pass
                            waiting.discard(index)
                        except TimeoutError:
                            assert restart, f"replica {index} was not told of position {position}"


def test_without_redis_polling_brings_them(replica: Callable[..., Service]) -> None:
    services = [replica(**OFTEN, SEMP_REDIS=f"redis://127.0.0.1:{free_port()}/0") for _ in range(2)]
    with connect(services[1].websocket_url, compression=None) as socket:
        for position in range(1, 6):
            services[0].client.post("/api/events", json=new_event()).raise_for_status()
            assert json.loads(socket.recv(timeout=WITHIN))["data"]["position"] == position


def test_subscribers_lose_and_double_nothing_while_redis_and_replicas_are_killed(redis: Redis, replica: Callable[..., Service]) -> None:
    """Writers on three replicas, and subscribers that move between them, while Redis and two replicas are killed with SIGKILL."""
    services = [replica(**OFTEN, **redis.environment) for _ in range(3)]
    alive = list(services)
    acknowledged: dict[str, int] = {}
    over = threading.Event()

    def write(number: int) -> None:
        client = httpx.Client(timeout=30)
        while not over.is_set():
            event = new_event()
            while event["id"] not in acknowledged and not over.is_set():
                number += 1
                try:
                    answer = client.post(f"{alive[number % len(alive)].url}/api/events", json=event)
                except httpx.TransportError:
                    continue
                if answer.status_code in (200, 201):
                    acknowledged[event["id"]] = answer.json()["position"]
                else:
                    assert answer.status_code == 503, answer.text
        client.close()

    writers = [threading.Thread(target=write, args=[number]) for number in range(4)]
    current = {"one": 0, "two": 1}
    fixed, moving = Subscriber(lambda: services[0]), Subscriber(lambda: alive[current["one"] % len(alive)])
    other = Subscriber(lambda: alive[current["two"] % len(alive)])
    for writer in writers:
        writer.start()

    def progress(more: int) -> None:
        goal = len(acknowledged) + more
        eventually("the writers stand still", lambda: len(acknowledged) >= goal, WITHIN)

    try:
        progress(100)
        current["one"] = 1
        progress(50)
        redis.kill()
        progress(50)
        current["two"] = 2
        for victim in (services[2], services[1]):
            alive.remove(victim)
            victim.process.kill()
            victim.process.wait(30)
            progress(50)
            redis.start()
        current["one"] = 0
        progress(50)
    finally:
        over.set()
        for writer in writers:
            writer.join(WITHIN)
    head = services[0].client.get("/health/ready").json()["position"]
    subscribers = (fixed, moving, other)
    try:
        eventually("a subscriber never saw the end", lambda: all(one.position >= head for one in subscribers), WITHIN)
    finally:
        for one in subscribers:
            one.stop()
    for one in subscribers:
        assert one.broken is None
        assert one.seen == list(range(1, head + 1))
    assert moving.moves > 1
    assert len(set(acknowledged.values())) == len(acknowledged) <= head
