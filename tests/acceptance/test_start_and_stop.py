"""Starting and stopping the real service: who may start, how it ends, what is there afterwards."""

from __future__ import annotations

import errno
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from semp.main import _cannot_listen  # pyright: ignore[reportPrivateUsage]
from semp.storage.neo4j.connection import Target
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.acceptance.test_health import Cable
from tests.conftest import Service, empty, free_port, neo4j_environment, start_service
from tests.programs import program
from tests.waiting import eventually

STOPS_WITHIN = 15.0
SIGNALS = [signal.SIGINT, signal.SIGTERM]
SMALL = {"SEMP_HEAP": "512m", "SEMP_PAGE_CACHE": "128m"}
STARTED: list[subprocess.Popen[str]] = []
CLIENTS: list[httpx.Client] = []


@pytest.fixture(autouse=True)
def nothing_outlives_its_test() -> Iterator[None]:
    """A test that fails half-way leaves no service behind."""
    yield
    while CLIENTS:
        CLIENTS.pop().close()
    while STARTED:
        process = STARTED.pop()
        if process.poll() is None:
            process.kill()
            process.wait()


def start(log: Path, *arguments: str, environment: dict[str, str] | None = None) -> Service:
    """`semp serve`, ready."""
    running = start_service(log, *arguments, environment=environment)
    STARTED.append(running.process)
    CLIENTS.append(running.client)
    return running


def new_event(**changes: Any) -> dict[str, Any]:
    event = {"type": "proposal", "scope": "ui", "trace_id": "t", "agent_id": "a", "payload": {"action": "x"}}
    return {"id": str(uuid.uuid4()), **event, **changes}


def launch(log: Path, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """`semp serve` that is not waited for."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("SEMP_")}
    variables |= {"SEMP_PORT": "0", **(environment or {})}
    with log.open("a") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "semp", "serve", *arguments],
            stdout=stream, stderr=subprocess.STDOUT, env=variables, text=True, start_new_session=True,
        )  # fmt: skip
    STARTED.append(process)
    return process


def refused(log: Path, *arguments: str, environment: dict[str, str] | None = None, within: float = 20) -> str:
    """What a start that must fail said: one clear line."""
    status = launch(log, *arguments, environment=environment).wait(within)
    text = log.read_text()
    assert status == 1, text
    assert "Traceback" not in text
    lines = [line for line in text.splitlines() if line.startswith("semp: ")]
    assert len(lines) == 1, text
    assert text.rstrip().endswith(lines[0]), "the reason is the last thing said"
    return lines[0]


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def gone(processes: list[psutil.Process]) -> bool:
    return not [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


# Starting


def test_a_port_that_is_taken_is_said_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = refused(tmp_path / "log", "--memory", "--port", str(port))
    assert f":{port}" in line
    assert "--port" in line
    assert "SEMP_PORT" in line
    assert "AirPlay" not in line


def test_a_port_that_another_took_while_this_one_started_is_said(neo4j_target: Target, tmp_path: Path) -> None:
    """It has the address from the first moment, but listens only once its database answers."""
    database = urlsplit(neo4j_target.uri)
    cable = Cable(database.hostname or "", database.port or 7687)
    cable.unplug()
    log, port = tmp_path / "log", free_port()
    late = {**neo4j_environment(neo4j_target), "SEMP_NEO4J": f"bolt://127.0.0.1:{cable.port}", "SEMP_PORT": str(port)}
    process = launch(log, environment=late)
    eventually("it waits for its database", lambda: "not there yet" in log.read_text(), 30)
    with socket.create_server(("127.0.0.1", port)):
        cable.plug()
        assert process.wait(60) == 1, log.read_text()
    cable.unplug()
    text = log.read_text()
    assert "Traceback" not in text
    assert text.splitlines()[-1].startswith(f"semp: cannot listen on 127.0.0.1:{port}"), text
    assert "--port" in text.splitlines()[-1]


def test_an_address_that_is_not_ours_is_said(tmp_path: Path) -> None:
    assert "203.0.113.7" in refused(tmp_path / "log", "--memory", "--host", "203.0.113.7")


def test_a_data_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert str(tmp_path / "file") in refused(tmp_path / "log", "--data", str(tmp_path / "file"))


def test_wrong_credentials_are_refused_at_once_and_shown_nowhere(neo4j_target: Target, tmp_path: Path) -> None:
    password = "wrong-password-8215"
    wrong = {**neo4j_environment(neo4j_target), "SEMP_NEO4J_USER": "nobody", "SEMP_NEO4J_PASSWORD": password}
    line = refused(tmp_path / "log", environment=wrong)
    assert "SEMP_NEO4J_PASSWORD" in line or "password" in line
    assert password not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("uri", ["nonsense", "ftp://localhost", "bolt://user:hunter2-4432@127.0.0.1:1", "bolt://127.0.0.1:port"])
def test_a_bad_uri_is_refused_at_once_and_a_password_in_it_shown_nowhere(uri: str, tmp_path: Path) -> None:
    refused(tmp_path / "log", "--neo4j", uri)
    assert "hunter2" not in (tmp_path / "log").read_text()


def test_a_database_that_is_not_there_yet_is_waited_for_and_the_wait_can_be_stopped(neo4j_target: Target, tmp_path: Path) -> None:
    log = tmp_path / "log"
    away = {**neo4j_environment(neo4j_target), "SEMP_NEO4J": f"bolt://127.0.0.1:{free_port()}"}
    process = launch(log, environment=away)
    eventually("it says that the database is not there", lambda: "database" in log.read_text(), 30)
    assert process.poll() is None
    eventually("it tries again", lambda: log.read_text().count("not there yet") >= 4, 30)
    process.send_signal(signal.SIGINT)
    assert process.wait(STOPS_WITHIN) == 0, log.read_text()
    assert "Traceback" not in log.read_text()
    assert neo4j_target.password not in log.read_text()
    lines = [line for line in log.read_text().splitlines() if "not there yet" in line]
    assert all(away["SEMP_NEO4J"] in line and "connection refused" in line for line in lines)
    pauses = [float(line.rpartition(" in ")[2].removesuffix(" s")) for line in lines]
    assert pauses == sorted(pauses)
    assert pauses[3] >= 4 * pauses[0], "it says so less and less often"


def test_a_busy_port_5000_names_airplay() -> None:
    in_use = OSError(errno.EADDRINUSE, "Address already in use")
    assert "AirPlay" in str(_cannot_listen("127.0.0.1", 5000, in_use))
    assert "AirPlay" not in str(_cannot_listen("127.0.0.1", 5001, in_use))


def test_the_driver_says_nothing_that_our_own_lines_say_better(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = launch(log, "--log-level", "warning", environment={"SEMP_NEO4J": f"neo4j://127.0.0.1:{free_port()}"})
    eventually("it has tried", lambda: "not there yet" in log.read_text(), 30)
    process.send_signal(signal.SIGINT)
    assert process.wait(STOPS_WITHIN) == 0
    assert "routing information" not in log.read_text()


def test_a_free_port_is_chosen_for_port_0_and_what_is_printed_at_the_start_works(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = launch(log, "--memory")
    try:
        eventually("it prints where it listens", lambda: "try " in log.read_text(), 30)
        text = log.read_text()
        [url] = re.findall(r"listening +(http://127\.0\.0\.1:\d+)", text)
        assert httpx.get(f"{url}/health/ready").status_code == 200
        assert "memory" in text
        [line] = re.findall(r"try +(curl .*)", text)
        program("curl")
        tried = subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=30, check=True)
        assert '"position":1' in tried.stdout
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(STOPS_WITHIN) == 0


# Stopping


@pytest.mark.parametrize("how", SIGNALS)
def test_a_signal_stops_the_service_cleanly(how: signal.Signals, tmp_path: Path) -> None:
    running = start(tmp_path / "log", "--memory")
    assert running.client.post("/api/events", json=new_event()).status_code == 201
    children = family(running.process)
    running.process.send_signal(how)
    assert running.process.wait(STOPS_WITHIN) == 0, running.log.read_text()
    assert gone(children)
    assert "stopped" in running.log.read_text().splitlines()[-1]
    assert "Traceback" not in running.log.read_text()


def test_a_second_signal_while_it_stops_changes_nothing(tmp_path: Path) -> None:
    running = start(tmp_path / "log", "--memory")
    with connect(running.websocket_url):
        for _ in range(3):
            running.process.send_signal(signal.SIGINT)
        assert running.process.wait(STOPS_WITHIN) == 0, running.log.read_text()


def test_the_service_stops_in_time_with_idle_sockets_open_and_tells_them(tmp_path: Path) -> None:
    """Two WebSockets, one that never answers a close, a keep-alive connection and half a request: none may hold up the stop."""
    running = start(tmp_path / "log", "--memory")
    host, _, port = running.url.removeprefix("http://").partition(":")
    silent = socket.create_connection((host, int(port)))
    silent.sendall(
        b"GET /ws HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
    )
    half = socket.create_connection((host, int(port)))
    half.sendall(b"POST /api/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")
    with silent, half, connect(running.websocket_url) as polite:
        assert silent.recv(12) == b"HTTP/1.1 101"
        running.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed):
            polite.recv(timeout=STOPS_WITHIN)
        assert polite.close_code == 1001
        assert running.process.wait(STOPS_WITHIN) == 0, running.log.read_text()
    assert "Traceback" not in running.log.read_text()


def test_everything_acknowledged_before_a_stop_under_load_is_there_after_the_restart(neo4j_target: Target, tmp_path: Path) -> None:
    empty(neo4j_target)
    running = start(tmp_path / "log", environment=neo4j_environment(neo4j_target))
    acknowledged: dict[str, dict[str, Any]] = {}
    sent: set[str] = set()
    problems: list[str] = []
    guard = threading.Lock()

    def load(number: int) -> None:
        with httpx.Client(base_url=running.url, timeout=30) as client:
            while True:
                events = [new_event(agent_id=str(number)) for _ in range(5 if number % 2 else 1)]
                with guard:
                    sent.update(event["id"] for event in events)
                try:
                    answer = client.post("/api/events/batch", json=events) if number % 2 else client.post("/api/events", json=events[0])
                except httpx.TransportError:
                    return
                if answer.status_code == 503:
                    return
                if answer.status_code != 201:
                    problems.append(answer.text)
                    return
                stored = answer.json() if number % 2 else [answer.json()]
                with guard:
                    acknowledged.update((event["id"], event) for event in stored)

    writers = [threading.Thread(target=load, args=[number]) for number in range(8)]
    for writer in writers:
        writer.start()
    eventually("some load", lambda: len(acknowledged) > 200, 60)
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(STOPS_WITHIN) == 0, running.log.read_text()
    for writer in writers:
        writer.join(60)
    assert problems == []
    assert "Traceback" not in running.log.read_text()

    again = start(tmp_path / "again", environment=neo4j_environment(neo4j_target))
    try:
        stored: list[dict[str, Any]] = []
        while page := again.client.get("/api/events", params={"order": "asc", "limit": 1000, "after": len(stored)}).json():
            stored += page
        assert [event["position"] for event in stored] == list(range(1, len(stored) + 1))
        by_id = {event["id"]: event for event in stored}
        assert len(by_id) == len(stored), "nothing twice"
        assert acknowledged.keys() <= by_id.keys() <= sent
        for event_id, event in acknowledged.items():
            assert by_id[event_id] == {name: value for name, value in event.items() if name not in ("signals", "moved")}
        assert again.client.post("/api/events", json=new_event()).json()["position"] == len(stored) + 1
    finally:
        assert again.stop() == 0, again.log.read_text()


def test_epoch_events_signals_and_retries_survive_a_restart(neo4j_target: Target, tmp_path: Path) -> None:
    empty(neo4j_target)
    environment = neo4j_environment(neo4j_target)
    running = start(tmp_path / "log", environment=environment)
    events = [new_event(), new_event(type="reward", payload={"value": 0.5}), new_event(type="ready", payload={"status": "ok"})]
    answers = [running.client.post("/api/events", json=event).json() for event in events]
    ready, before = running.client.get("/health/ready").json(), running.client.get("/api/signals").json()
    assert running.stop() == 0
    again = start(tmp_path / "log", environment=environment)
    try:
        assert again.client.get("/health/ready").json() == ready
        assert [event["id"] for event in again.client.get("/api/events").json()] == [event["id"] for event in events[::-1]]
        [then], [now] = before, again.client.get("/api/signals").json()
        assert 0 < now.pop("strength") <= then.pop("strength")
        assert now == then
        for event, answer in zip(events, answers, strict=True):
            retry = again.client.post("/api/events", json=event)
            assert retry.status_code == 200
            assert retry.json()["position"] == answer["position"]
        reward = again.client.post("/api/events", json=new_event(type="reward", payload={"value": 0.1})).json()
        assert [move["pattern"] for move in reward["signals"]] == ["x"], "the newest proposal of the thread is still known"
        child = again.client.post("/api/events", json=new_event(parent_ids=[events[0]["id"]]))
        assert child.status_code == 201
    finally:
        assert again.stop() == 0, again.log.read_text()


def test_signals_made_before_a_restart_with_other_rules_keep_theirs(neo4j_target: Target, tmp_path: Path) -> None:
    empty(neo4j_target)
    environment = neo4j_environment(neo4j_target)
    running = start(tmp_path / "log", environment=environment)
    old = running.client.post("/api/events", json=new_event(scope="old")).json()
    assert running.stop() == 0
    changed = start(tmp_path / "log", environment={**environment, "SEMP_ALPHA": "2.0", "SEMP_LAMBDA": "0.5"})
    try:
        new = changed.client.post("/api/events", json=new_event(scope="new")).json()
        signals = {signal["scope"]: (signal["alpha"], signal["lambda"]) for signal in changed.client.get("/api/signals").json()}
        assert signals == {"old": (1.2, 0.95), "new": (2.0, 0.5)}
        for event, alpha in ((old, 1.2), (new, 2.0)):
            reward = new_event(type="reward", payload={"value": 0.1}, parent_ids=[event["id"]])
            [move] = changed.client.post("/api/events", json=reward).json()["signals"]
            assert move["after"] == pytest.approx(move["before"] + 0.1 * alpha, abs=1e-9)
        check = subprocess.run(
            [sys.executable, "-m", "semp", "verify"], env=changed.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert check.returncode == 0, check.stdout + check.stderr
    finally:
        assert changed.stop() == 0, changed.log.read_text()


# The embedded database


def test_a_data_directory_has_one_service_at_a_time_and_its_database_ends_with_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    running = start(tmp_path / "log", "--data", str(data), environment=SMALL)
    stored = running.client.post("/api/events", json=new_event()).json()
    second = refused(tmp_path / "second", "--data", str(data), environment=SMALL)
    assert str(data) in second
    assert running.client.get(f"/api/events/{stored['id']}").status_code == 200, "the first one does not mind"
    password = (data / "neo4j" / "password").read_text().strip()
    children = family(running.process)
    assert any("java" in child.name() for child in children)
    for child in children:
        assert password not in " ".join(child.cmdline())
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(60) == 0, running.log.read_text()
    assert gone(children)

    unready = launch(tmp_path / "unready", "--data", str(data), environment=SMALL)
    eventually("Java is starting", lambda: any("java" in child.name() for child in family(unready)), 60)
    children = family(unready)
    unready.send_signal(signal.SIGINT)
    assert unready.wait(60) == 0, (tmp_path / "unready").read_text()
    assert gone(children), "stopped before it was ready, it leaves nothing either"

    again = start(tmp_path / "log", "--data", str(data), environment=SMALL)
    children = family(again.process)
    assert again.client.get("/api/events").json()[0]["id"] == stored["id"]
    again.process.send_signal(signal.SIGTERM)
    assert again.process.wait(60) == 0, again.log.read_text()
    assert gone(children)
    for name in ("log", "second", "unready"):
        assert password not in (tmp_path / name).read_text()
        assert "Traceback" not in (tmp_path / name).read_text()
