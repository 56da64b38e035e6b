"""Starting and stopping the real service: when a start is refused, how the service ends, what a restart finds."""

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
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from semp.main import _cannot_listen  # pyright: ignore[reportPrivateUsage]
from semp.storage.neo4j.connection import Target
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.answers import items
from tests.cable import plugged
from tests.conftest import empty, free_port, neo4j_environment, running_service
from tests.events import Event, as_read, new_event, new_events, new_id, post
from tests.live_streams import silent_websocket
from tests.programs import program
from tests.raw_http import connection
from tests.waiting import eventually

STOPS_WITHIN = 15.0
"""Seconds within which a service must end after a signal."""
SIGNALS = [signal.SIGINT, signal.SIGTERM]
SMALL = {"SEMP_HEAP": "512m", "SEMP_PAGE_CACHE": "128m"}
LAUNCHED: list[subprocess.Popen[str]] = []
SAME = {"scope": "ui", "trace_id": "t"}
"""Scope and trace of events that move the same signal."""


@pytest.fixture(autouse=True)
def no_process_outlives_its_test() -> Iterator[None]:
    """A test that fails leaves no process behind."""
    yield
    while LAUNCHED:
        process = LAUNCHED.pop()
        if process.poll() is None:
            process.kill()
            process.wait()


def launch(log: Path, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """Start `semp serve` and do not wait until it is ready."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("SEMP_")}
    variables |= {"SEMP_PORT": "0", **(environment or {})}
    with log.open("a") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "semp", "serve", *arguments],
            stdout=stream, stderr=subprocess.STDOUT, env=variables, text=True, start_new_session=True,
        )  # fmt: skip
    LAUNCHED.append(process)
    return process


def refused(log: Path, *arguments: str, environment: dict[str, str] | None = None, within: float = 20) -> str:
    """Start `semp serve`, which must fail with exit code 1 and one line that says why; the line."""
    status = launch(log, *arguments, environment=environment).wait(within)
    text = log.read_text()
    assert status == 1, text
    assert "Traceback" not in text
    lines = [line for line in text.splitlines() if line.startswith("semp: ")]
    assert len(lines) == 1, text
    assert text.rstrip().endswith(lines[0]), "the reason is the last line"
    return lines[0]


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes that it started, and those that these started."""
    return psutil.Process(process.pid).children(recursive=True)


def ended(processes: list[psutil.Process]) -> bool:
    """Whether all of these processes have ended."""
    return not [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


# Starting


def test_a_port_in_use_is_named_with_the_option_to_change_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = refused(tmp_path / "log", "--memory", "--port", str(port))
    assert f":{port}" in line
    assert "--port" in line
    assert "SEMP_PORT" in line
    assert "AirPlay" not in line


def test_a_port_that_another_process_took_during_the_start_is_named(neo4j_target: Target, tmp_path: Path) -> None:
    """The service checks the address when it starts, but listens only when its database answers."""
    log, port = tmp_path / "log", free_port()
    with plugged(neo4j_target) as cable:
        cable.unplug()
        process = launch(log, environment={**cable.environment, "SEMP_PORT": str(port)})
        eventually("it waits for its database", lambda: "not there yet" in log.read_text(), 30)
        with socket.create_server(("127.0.0.1", port)):
            cable.plug()
            assert process.wait(60) == 1, log.read_text()
    text = log.read_text()
    assert "Traceback" not in text
    assert text.splitlines()[-1].startswith(f"semp: cannot listen on 127.0.0.1:{port}"), text
    assert "--port" in text.splitlines()[-1]


def test_an_address_of_another_machine_is_named(tmp_path: Path) -> None:
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


def test_the_service_waits_for_a_database_that_is_not_there_and_can_be_stopped_meanwhile(neo4j_target: Target, tmp_path: Path) -> None:
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
    assert pauses[3] >= 4 * pauses[0], "it tries less and less often"


def test_a_busy_port_5000_names_airplay() -> None:
    in_use = OSError(errno.EADDRINUSE, "Address already in use")
    assert "AirPlay" in str(_cannot_listen("127.0.0.1", 5000, in_use))
    assert "AirPlay" not in str(_cannot_listen("127.0.0.1", 5001, in_use))


def test_the_driver_logs_nothing_of_its_own_while_the_service_waits(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = launch(log, "--log-level", "warning", environment={"SEMP_NEO4J": f"neo4j://127.0.0.1:{free_port()}"})
    eventually("it has tried", lambda: "not there yet" in log.read_text(), 30)
    process.send_signal(signal.SIGINT)
    assert process.wait(STOPS_WITHIN) == 0
    assert "routing information" not in log.read_text()


def test_port_0_chooses_a_free_port_and_the_printed_command_works(tmp_path: Path) -> None:
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
        done = subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=30, check=True)
        assert '"position":1' in done.stdout
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(STOPS_WITHIN) == 0


# Stopping


@pytest.mark.parametrize("how", SIGNALS)
def test_a_signal_stops_the_service_cleanly(how: signal.Signals, tmp_path: Path) -> None:
    with running_service(tmp_path, "--memory") as service:
        post(service)
        children = descendants(service.process)
        service.process.send_signal(how)
        assert service.process.wait(STOPS_WITHIN) == 0, service.log.read_text()
        assert ended(children)
        assert "stopped" in service.log.read_text().splitlines()[-1]


def test_a_second_signal_while_it_stops_changes_nothing(tmp_path: Path) -> None:
    with running_service(tmp_path, "--memory") as service, connect(service.websocket_url):
        for _ in range(3):
            service.process.send_signal(signal.SIGINT)
        assert service.process.wait(STOPS_WITHIN) == 0, service.log.read_text()


def test_the_service_stops_in_time_with_idle_connections_open_and_closes_them(tmp_path: Path) -> None:
    """Two WebSockets, one of which never answers a close, and half a request: none delays the stop."""
    with (
        running_service(tmp_path, "--memory") as service,
        silent_websocket(service),
        connection(service) as half,
        connect(service.websocket_url) as polite,
    ):
        half.send(b"POST /api/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")
        service.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed):
            polite.recv(timeout=STOPS_WITHIN)
        assert polite.close_code == 1001
        assert service.process.wait(STOPS_WITHIN) == 0, service.log.read_text()


def test_events_acknowledged_before_a_stop_under_load_are_there_after_a_restart(neo4j_target: Target, tmp_path: Path) -> None:
    empty(neo4j_target)
    environment = neo4j_environment(neo4j_target)
    acknowledged: dict[str, Event] = {}
    sent: set[str] = set()
    problems: list[str] = []
    lock = threading.Lock()

    def load(number: int) -> None:
        """Odd numbers send batches of five, even numbers single events, until the service no longer accepts them."""
        with httpx.Client(base_url=service.url, timeout=30) as client:
            while True:
                events = new_events(5 if number % 2 else 1, agent_id=str(number))
                with lock:
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
                with lock:
                    acknowledged.update((event["id"], event) for event in stored)

    with running_service(tmp_path, environment=environment) as service:
        writers = [threading.Thread(target=load, args=[number]) for number in range(8)]
        for writer in writers:
            writer.start()
        eventually("more than 200 events are acknowledged", lambda: len(acknowledged) > 200, 60)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(STOPS_WITHIN) == 0, service.log.read_text()
        for writer in writers:
            writer.join(60)
        assert problems == []

    with running_service(tmp_path, environment=environment) as service:
        stored = items(service, "/api/events", order="asc", limit=1000)
        assert [event["position"] for event in stored] == list(range(1, len(stored) + 1))
        by_id = {event["id"]: event for event in stored}
        assert len(by_id) == len(stored), "no event is stored twice"
        assert acknowledged.keys() <= by_id.keys() <= sent
        for event_id, event in acknowledged.items():
            assert by_id[event_id] == as_read(event)
        assert post(service)["position"] == len(stored) + 1


def test_epoch_events_signals_and_retries_survive_a_restart(neo4j_target: Target, tmp_path: Path) -> None:
    empty(neo4j_target)
    environment = neo4j_environment(neo4j_target)
    events = [new_event(kind, id=new_id(), **SAME) for kind in ("proposal", "reward", "ready")]
    with running_service(tmp_path, environment=environment) as service:
        answers = [service.client.post("/api/events", json=event).json() for event in events]
        ready, before = service.client.get("/health/ready").json(), service.client.get("/api/signals").json()
    with running_service(tmp_path, environment=environment) as service:
        assert service.client.get("/health/ready").json() == ready
        assert [event["id"] for event in service.client.get("/api/events").json()] == [event["id"] for event in events[::-1]]
        [then], [now] = before, service.client.get("/api/signals").json()
        assert 0 < now.pop("strength") <= then.pop("strength")
        assert now == then
        for event, answer in zip(events, answers, strict=True):
            retry = service.client.post("/api/events", json=event)
            assert retry.status_code == 200
            assert retry.json()["position"] == answer["position"]
        reward = post(service, "reward", {"value": 0.1}, **SAME)
        assert [move["pattern"] for move in reward["signals"]] == ["x"], "the newest proposal of the trace and scope is still known"
        post(service, "proposal", None, answers[0])


def test_signals_made_before_a_restart_with_other_rules_keep_theirs(neo4j_target: Target, tmp_path: Path) -> None:
    empty(neo4j_target)
    environment = neo4j_environment(neo4j_target)
    with running_service(tmp_path, environment=environment) as service:
        old = post(service, scope="old")
    with running_service(tmp_path, environment={**environment, "SEMP_ALPHA": "2.0", "SEMP_LAMBDA": "0.5"}) as service:
        new = post(service, scope="new")
        signals = {signal["scope"]: (signal["alpha"], signal["lambda"]) for signal in service.client.get("/api/signals").json()}
        assert signals == {"old": (1.2, 0.95), "new": (2.0, 0.5)}
        for event, alpha in ((old, 1.2), (new, 2.0)):
            [move] = post(service, "reward", {"value": 0.1}, event)["signals"]
            assert move["after"] == pytest.approx(move["before"] + 0.1 * alpha, abs=1e-9)
        check = subprocess.run(
            [sys.executable, "-m", "semp", "verify"], env=service.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert check.returncode == 0, check.stdout + check.stderr


# The embedded database


def test_a_data_directory_has_one_service_at_a_time_and_its_database_ends_with_it(tmp_path: Path) -> None:
    arguments = ("--data", str(tmp_path / "data"))
    with running_service(tmp_path, *arguments, environment=SMALL) as service:
        stored = post(service)
        line = refused(tmp_path / "second", *arguments, environment=SMALL)
        assert arguments[1] in line
        assert service.client.get(f"/api/events/{stored['id']}").status_code == 200, "the first service goes on"
        password = (tmp_path / "data" / "neo4j" / "password").read_text().strip()
        children = descendants(service.process)
        assert any("java" in child.name() for child in children)
        for child in children:
            assert password not in " ".join(child.cmdline())
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(60) == 0, service.log.read_text()
        assert ended(children)

    unready = launch(tmp_path / "unready", *arguments, environment=SMALL)
    eventually("Java is starting", lambda: any("java" in child.name() for child in descendants(unready)), 60)
    children = descendants(unready)
    unready.send_signal(signal.SIGINT)
    assert unready.wait(60) == 0, (tmp_path / "unready").read_text()
    assert ended(children), "a service that is stopped before it is ready stops its database too"

    with running_service(tmp_path, *arguments, environment=SMALL) as service:
        children = descendants(service.process)
        assert service.client.get("/api/events").json()[0]["id"] == stored["id"]
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 0, service.log.read_text()
        assert ended(children)
    for name in ("log", "second", "unready"):
        assert password not in (tmp_path / name).read_text()
        assert "Traceback" not in (tmp_path / name).read_text()


def test_a_watched_event_loop_serves_requests(tmp_path: Path) -> None:
    with running_service(tmp_path, "--memory", environment={"SEMP_LOOP_WATCHDOG": "0.02"}) as watched:
        assert watched.client.get("/health/live").status_code == 200
