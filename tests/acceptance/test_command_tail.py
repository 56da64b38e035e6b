"""`semp tail`: it prints stored events, then new ones, without a gap and without a repeat."""

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
from tests.events import append, head, new_events
from tests.gateway import DROP, Asked, Reply, gateway
from tests.semp_command import assert_one_clear_line, command, semp
from tests.waiting import eventually


def grow(service: Service, count: int = 1, **changes: Any) -> list[int]:
    """Append this many events; their positions."""
    return [event["position"] for event in append(service, new_events(count, **changes))]


@dataclass
class Tail:
    """A running `semp tail --json`."""

    process: subprocess.Popen[bytes]
    errors: str = ""
    """Its standard error, once it has ended."""

    def event(self) -> dict[str, Any]:
        """Read the next event that it prints."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def positions(self, count: int) -> list[int]:
        """Read the next events that it prints; their positions."""
        return [self.event()["position"] for _ in range(count)]


@contextmanager
def tailing(url: str, *arguments: str) -> Generator[Tail]:
    """`semp tail --json` during the block. At the end Ctrl-C ends it, with exit code 0."""
    line, variables = command("tail", "--json", *arguments, "--url", url)
    with subprocess.Popen(line, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        tail = Tail(process)
        try:
            yield tail
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            assert process.stderr is not None
            tail.errors = process.stderr.read().decode()
        finally:
            process.kill()


def test_it_begins_with_the_newest_events_and_goes_on_with_new_ones(memory_service: Service) -> None:
    stored = grow(memory_service, 15)
    with tailing(memory_service.url, "-n", "3") as tail:
        assert tail.positions(3) == stored[-3:]
        new = grow(memory_service, 5)
        assert tail.positions(5) == new
    assert tail.errors == ""


def test_it_begins_after_a_position_however_far_back(memory_service: Service) -> None:
    grow(memory_service, 1_200)
    with tailing(memory_service.url, "--after", "2") as tail:
        assert tail.positions(1_198) == list(range(3, 1_201))
        new = grow(memory_service)
        last = new[0]
        assert tail.positions(last - 1_200) == list(range(1_201, last + 1))


def test_filters_select_stored_events_and_new_ones(memory_service: Service) -> None:
    def grow_by_five() -> list[int]:
        kinds: list[dict[str, Any]] = [
            {"scope": "f.a", "trace_id": "one", "agent_id": "ann"}, {"scope": "f.a", "trace_id": "two", "agent_id": "ann"},
            {"scope": "f.b", "trace_id": "one", "agent_id": "bob"}, {"scope": "g", "trace_id": "one", "agent_id": "ann"},
            {"scope": "f.a", "trace_id": "one", "agent_id": "ann", "type": "ready", "payload": {"status": "x"}},
        ]  # fmt: skip
        return [grow(memory_service, **kind)[0] for kind in kinds]

    cases: list[tuple[list[str], list[int]]] = [
        (["--scope", "f.*"], [0, 1, 2, 4]), (["--trace", "two"], [1]), (["--agent", "bob"], [2]),
        (["--type", "ready", "--scope", "f.**"], [4]),
        (["--scope", "f.a", "--trace", "one", "--agent", "ann", "--type", "ready", "--type", "proposal"], [0, 4]),
    ]  # fmt: skip
    before = grow_by_five()
    for arguments, selected in cases:
        with tailing(memory_service.url, *arguments, "--after", str(before[0] - 1)) as tail:
            assert tail.positions(len(selected)) == [before[index] for index in selected], arguments
            after = grow_by_five()
            assert tail.positions(len(selected)) == [after[index] for index in selected], arguments
        before = after


def test_after_a_lost_connection_it_goes_on_without_gap_or_repeat(memory_service: Service) -> None:
    """The gateway closes the stream twice instead of passing events on, and refuses new streams in between."""
    faults = ["cut", "refuse", "drop", "cut"]

    def breaking(asked: Asked) -> Reply | None:
        has_events = asked.method == "STREAM" and b"data:" in asked.body
        connects = asked.method == "GET" and asked.path.startswith("/api/stream") and begun.is_set()
        if not faults or not ((faults[0] == "cut" and has_events) or (faults[0] != "cut" and connects)):
            return None
        return Reply(502) if faults.pop(0) == "refuse" else DROP

    begun = threading.Event()
    with gateway(memory_service.url, breaking) as front, tailing(front.url, "-n", "0") as tail:
        eventually("it has connected", lambda: any(asked.path.startswith("/api/stream") for asked in front.asked), 30)
        begun.set()
        first = grow(memory_service, 2)
        assert tail.positions(2) == first
        second = grow(memory_service, 3)
        assert tail.positions(3) == second
    assert faults == []
    assert tail.errors.count("trying again until it is back") == tail.errors.count("connected again") == 2


@pytest.mark.parametrize("code", [1001, 4008, 1013])
def test_after_a_close_by_the_service_it_connects_again(memory_service: Service, code: int) -> None:
    closing = b'event: close\ndata: {"code": %d, "reason": "x", "position": 1}\n\n' % code

    def once(asked: Asked) -> Reply | None:
        streams = [one for one in front.asked if one.path.startswith("/api/stream") and one.method == "GET"]
        return Reply(200, closing, (("content-type", "text/event-stream"),)) if asked.method == "GET" and len(streams) == 1 else None

    with gateway(memory_service.url, once) as front, tailing(front.url, "-n", "0") as tail:
        eventually("it has connected again", lambda: sum(asked.path.startswith("/api/stream") for asked in front.asked) >= 2, 30)
        new = grow(memory_service)
        assert tail.positions(1) == new


def test_another_log_ends_it_with_one_clear_line(memory_service: Service) -> None:
    closing = Reply(200, b'event: close\ndata: {"code": 4009, "reason": "x", "position": 1}\n\n', (("content-type", "text/event-stream"),))
    with gateway(memory_service.url, lambda asked: closing if asked.path.startswith("/api/stream") else None) as front:
        assert_one_clear_line(semp("tail", "-n", "0", "--url", front.url), "replaced by another")
    ready = Reply(200, b'{"status":"ok","epoch":"another","position":1}', (("content-type", "application/json"),))
    with gateway(memory_service.url, lambda asked: ready if "ready" in asked.path else None) as front:
        assert_one_clear_line(semp("tail", "-n", "0", "--url", front.url), "another one than before")
    beyond = semp("tail", "--after", str(head(memory_service) + 10), "--url", memory_service.url)
    assert beyond.returncode == 1


def test_characters_that_python_takes_for_line_ends_do_not_split_an_event(memory_service: Service) -> None:
    action = "a\u2028b\u0085c\x0bd\x1ce"
    with tailing(memory_service.url, "-n", "0", "--scope", "ends") as tail:
        done = threading.Event()
        poster = threading.Thread(target=_append_until, args=[memory_service, done, action])
        poster.start()
        event = tail.event()
        done.set()
        poster.join()
    assert event["payload"]["action"] == action


def _append_until(service: Service, done: threading.Event, action: str) -> None:
    while not done.wait(0.1):
        grow(service, scope="ends", payload={"action": action})


def test_without_json_each_event_is_one_line_which_a_pipe_gets_whole(memory_service: Service) -> None:
    long = "x" * 300
    [position] = grow(memory_service, scope="people", payload={"action": long}, agent_id="ann")
    found = semp("tail", "--no-follow", "-n", "1", "--url", memory_service.url)
    assert found.returncode == 0
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\dZ +{position}  ann +proposal  people +{long}  t\n", found.stdout.decode()), (
        found.stdout
    )


def test_with_an_empty_log_it_waits_for_the_first_event(empty_service: Service) -> None:
    with tailing(empty_service.url) as tail:
        assert tail.process.stderr is not None
        assert b"no event yet; waiting for one" in tail.process.stderr.readline()
        new = grow(empty_service)
        assert tail.positions(1) == new


def test_an_unknown_type_is_refused_with_the_message_of_the_service(memory_service: Service) -> None:
    assert_one_clear_line(semp("tail", "--type", "propsal", "--url", memory_service.url), "propsal")
