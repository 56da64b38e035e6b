"""`semp tail`: what is there, then what comes, without a gap and without a repeat."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import Service
from tests.events import head
from tests.gateway import DROP, Asked, Reply, gateway
from tests.semp_command import assert_one_clear_line, command, new_events, semp
from tests.waiting import eventually


def post(service: Service, count: int = 1, **changes: Any) -> list[int]:
    """Append events; their positions."""
    answer = service.client.post("/api/events/batch", json=new_events(count, **changes))
    return [event["position"] for event in answer.raise_for_status().json()]


@dataclass
class Tail:
    """`semp tail --json`."""

    process: subprocess.Popen[bytes]
    said: str = ""
    """On standard error, once it has ended."""

    def event(self) -> dict[str, Any]:
        """The next event that it prints."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def positions(self, count: int) -> list[int]:
        """Of the next events that it prints."""
        return [self.event()["position"] for _ in range(count)]


@contextmanager
def tailing(url: str, *arguments: str) -> Generator[Tail]:
    """`semp tail --json`, ended by Ctrl-C, which is no failure."""
    line, variables = command("tail", "--json", *arguments, "--url", url)
    with subprocess.Popen(line, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        tail = Tail(process)
        try:
            yield tail
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            assert process.stderr is not None
            tail.said = process.stderr.read().decode()
        finally:
            process.kill()


def test_it_begins_with_the_newest_and_goes_on_with_what_comes(memory_service: Service) -> None:
    there = post(memory_service, 15)
    with tailing(memory_service.url, "-n", "3") as tail:
        assert tail.positions(3) == there[-3:]
        come = post(memory_service, 5)
        assert tail.positions(5) == come
    assert tail.said == ""


def test_it_begins_after_a_position_however_far_back(memory_service: Service) -> None:
    post(memory_service, 1_200)
    with tailing(memory_service.url, "--after", "2") as tail:
        assert tail.positions(1_198) == list(range(3, 1_201))
        come = post(memory_service)
        last = come[0]
        assert tail.positions(last - 1_200) == list(range(1_201, last + 1))


def test_filters_hold_for_what_is_there_and_for_what_comes(memory_service: Service) -> None:
    def some() -> list[int]:
        kinds: list[dict[str, Any]] = [
            {"scope": "f.a", "trace_id": "one", "agent_id": "ann"}, {"scope": "f.a", "trace_id": "two", "agent_id": "ann"},
            {"scope": "f.b", "trace_id": "one", "agent_id": "bob"}, {"scope": "g", "trace_id": "one", "agent_id": "ann"},
            {"scope": "f.a", "trace_id": "one", "agent_id": "ann", "type": "ready", "payload": {"status": "x"}},
        ]  # fmt: skip
        return [post(memory_service, **kind)[0] for kind in kinds]

    cases: list[tuple[list[str], list[int]]] = [
        (["--scope", "f.*"], [0, 1, 2, 4]), (["--trace", "two"], [1]), (["--agent", "bob"], [2]),
        (["--type", "ready", "--scope", "f.**"], [4]),
        (["--scope", "f.a", "--trace", "one", "--agent", "ann", "--type", "ready", "--type", "proposal"], [0, 4]),
    ]  # fmt: skip
    before = some()
    for arguments, fitting in cases:
        after = str(before[0] - 1)
        with tailing(memory_service.url, *arguments, "--after", after) as tail:
            assert tail.positions(len(fitting)) == [before[index] for index in fitting], arguments
            come = some()
            assert tail.positions(len(fitting)) == [come[index] for index in fitting], arguments
        before = come


def test_after_a_lost_connection_it_goes_on_without_gap_or_repeat(memory_service: Service) -> None:
    """The gateway cuts the stream twice instead of passing events on, and refuses to connect in between."""
    left = ["cut", "refuse", "drop", "cut"]

    def breaking(asked: Asked) -> Reply | None:
        has_events = asked.method == "STREAM" and b"data:" in asked.body
        connects = asked.method == "GET" and asked.path.startswith("/api/stream") and begun.is_set()
        if not left or not ((left[0] == "cut" and has_events) or (left[0] != "cut" and connects)):
            return None
        return Reply(502) if left.pop(0) == "refuse" else DROP

    begun = threading.Event()
    with gateway(memory_service.url, breaking) as front, tailing(front.url, "-n", "0") as tail:
        eventually("it reads", lambda: any(asked.path.startswith("/api/stream") for asked in front.asked), 30)
        begun.set()
        first = post(memory_service, 2)
        assert tail.positions(2) == first
        second = post(memory_service, 3)
        assert tail.positions(3) == second
    assert left == []
    assert tail.said.count("trying again until it is back") == tail.said.count("connected again") == 2


@pytest.mark.parametrize("code", [1001, 4008, 1013])
def test_an_end_that_the_service_tells_is_no_end(memory_service: Service, code: int) -> None:
    closing = b'event: close\ndata: {"code": %d, "reason": "x", "position": 1}\n\n' % code

    def once(asked: Asked) -> Reply | None:
        streams = [one for one in front.asked if one.path.startswith("/api/stream") and one.method == "GET"]
        return Reply(200, closing, (("content-type", "text/event-stream"),)) if asked.method == "GET" and len(streams) == 1 else None

    with gateway(memory_service.url, once) as front, tailing(front.url, "-n", "0") as tail:
        eventually("it reads again", lambda: sum(asked.path.startswith("/api/stream") for asked in front.asked) >= 2, 30)
        come = post(memory_service)
        assert tail.positions(1) == come


def test_another_log_ends_it_with_a_clear_line(memory_service: Service) -> None:
    closing = Reply(200, b'event: close\ndata: {"code": 4009, "reason": "x", "position": 1}\n\n', (("content-type", "text/event-stream"),))
    with gateway(memory_service.url, lambda asked: closing if asked.path.startswith("/api/stream") else None) as front:
        assert_one_clear_line(semp("tail", "-n", "0", "--url", front.url), "replaced by another")
    ready = Reply(200, b'{"status":"ok","epoch":"another","position":1}', (("content-type", "application/json"),))
    with gateway(memory_service.url, lambda asked: ready if "ready" in asked.path else None) as front:
        assert_one_clear_line(semp("tail", "-n", "0", "--url", front.url), "another one than before")
    beyond = semp("tail", "--after", str(head(memory_service) + 10), "--url", memory_service.url)
    assert beyond.returncode == 1


def test_characters_that_python_takes_for_line_ends_are_no_line_ends_here(memory_service: Service) -> None:
    action = "a\u2028b\u0085c\x0bd\x1ce"
    with tailing(memory_service.url, "-n", "0", "--scope", "ends") as tail:
        marker = threading.Event()
        poster = threading.Thread(target=_post_until, args=[memory_service, marker, action])
        poster.start()
        event = tail.event()
        marker.set()
        poster.join()
    assert event["payload"]["action"] == action


def _post_until(service: Service, done: threading.Event, action: str) -> None:
    while not done.wait(0.1):
        post(service, scope="ends", payload={"action": action})


def test_for_people_each_event_is_a_line_whole_in_a_pipe(memory_service: Service) -> None:
    long = "x" * 300
    [position] = post(memory_service, scope="people", payload={"action": long}, agent_id="ann")
    found = semp("tail", "--no-follow", "-n", "1", "--url", memory_service.url)
    assert found.returncode == 0
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\dZ +{position}  ann +proposal  people +{long}  t\n", found.stdout.decode()), (
        found.stdout
    )


def test_an_empty_log_is_waited_on(empty_service: Service) -> None:
    with tailing(empty_service.url) as tail:
        assert tail.process.stderr is not None
        assert b"no event yet; waiting for one" in tail.process.stderr.readline()
        come = post(empty_service)
        assert tail.positions(1) == come


def test_a_type_that_is_none_is_refused_in_the_services_words(memory_service: Service) -> None:
    assert_one_clear_line(semp("tail", "--type", "propsal", "--url", memory_service.url), "propsal")
