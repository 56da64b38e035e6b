"""`semp tail`: what is there, then what comes, without a gap and without a repeat."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.conftest import Service
from tests.gateway import DROP, Asked, Reply, gateway
from tests.semp_command import assert_one_clear_line, command, head, new_events, semp


def post(service: Service, count: int = 1, **changes: Any) -> list[int]:
    """Append events; their positions."""
    answer = service.client.post("/api/events/batch", json=new_events(count, **changes))
    return [event["position"] for event in answer.raise_for_status().json()]


@contextmanager
def tailing(url: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """`semp tail --json`, ended by Ctrl-C, which is no failure."""
    line, variables = command("tail", "--json", *arguments, "--url", url)
    with subprocess.Popen(line, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()


def positions(process: subprocess.Popen[bytes], count: int) -> list[int]:
    """Of the next events that it prints."""
    assert process.stdout is not None
    return [json.loads(process.stdout.readline())["position"] for _ in range(count)]


def messages(process: subprocess.Popen[bytes]) -> str:
    """What it said, once it has ended."""
    assert process.stderr is not None
    return process.stderr.read().decode()


def test_it_begins_with_the_newest_and_goes_on_with_what_comes(memory_service: Service) -> None:
    there = post(memory_service, 15)
    with tailing(memory_service.url, "-n", "3") as process:
        assert positions(process, 3) == there[-3:]
        come = post(memory_service, 5)
        assert positions(process, 5) == come
    assert messages(process) == ""


def test_it_begins_after_a_position_however_far_back(memory_service: Service) -> None:
    post(memory_service, 1_200)
    with tailing(memory_service.url, "--after", "2") as process:
        assert positions(process, 1_198) == list(range(3, 1_201))
        come = post(memory_service)
        last = come[0]
        assert positions(process, last - 1_200) == list(range(1_201, last + 1))


def test_filters_hold_for_what_is_there_and_for_what_comes(memory_service: Service) -> None:
    def some() -> list[int]:
        kinds = [
            {"scope": "f.a", "trace_id": "one", "agent_id": "ann"}, {"scope": "f.a", "trace_id": "two", "agent_id": "ann"},
            {"scope": "f.b", "trace_id": "one", "agent_id": "bob"}, {"scope": "g", "trace_id": "one", "agent_id": "ann"},
            {"scope": "f.a", "trace_id": "one", "agent_id": "ann", "type": "ready", "payload": {"status": "x"}},
        ]  # fmt: skip
        return [post(memory_service, **kind)[0] for kind in kinds]

    cases: list[tuple[list[str], list[int]]] = [
        (["--scope", "f.*"], [0, 1, 2, 4]), (["--trace", "two"], [1]), (["--agent", "bob"], [2]), (["--type", "ready", "--scope", "f.**"], [4]),
        (["--scope", "f.a", "--trace", "one", "--agent", "ann", "--type", "ready", "--type", "proposal"], [0, 4]),
    ]  # fmt: skip
    before = some()
    for arguments, fitting in cases:
        after = str(before[0] - 1)
        with tailing(memory_service.url, *arguments, "--after", after) as process:
            assert positions(process, len(fitting)) == [before[index] for index in fitting], arguments
            come = some()
            assert positions(process, len(fitting)) == [come[index] for index in fitting], arguments
        before = come


def test_after_a_lost_connection_it_goes_on_without_gap_or_repeat(memory_service: Service) -> None:
    """The gateway cuts the stream at each event it has passed on, then refuses twice; events are appended meanwhile."""
    state = {"refusals": 0}

    def breaking(asked: Asked) -> Reply | None:
        if asked.method == "STREAM" and b"data:" in asked.body:
            state["refusals"] = 2
            return DROP
        if asked.path.startswith("/api/stream") and state["refusals"]:
            state["refusals"] -= 1
            return Reply(502) if state["refusals"] else DROP
        return None

    passed: list[bytes] = []

    def cut_after_some(asked: Asked) -> Reply | None:
        """Lets one chunk with events pass, cuts at the next."""
        if asked.method != "STREAM" or b"data:" not in asked.body:
            return breaking(asked) if asked.method != "STREAM" else None
        if len(passed) < 3:
            passed.append(asked.body)
            return breaking(asked) if len(passed) == 2 else None
        return None

    with gateway(memory_service.url, cut_after_some) as front, tailing(front.url, "-n", "0") as process:
        wait_for(lambda: any(asked.path.startswith("/api/stream") for asked in front.asked))
        first = post(memory_service, 2)
        assert positions(process, 2) == first
        second = post(memory_service, 3)
        assert positions(process, 3) == second
        resumed = [
            asked.headers["last-event-id"] for asked in front.asked if asked.path.startswith("/api/stream") and asked.method == "GET"
        ]
        third = post(memory_service, 2)
        assert positions(process, 2) == third
    assert len(resumed) >= 4
    assert resumed[-1].endswith(f":{first[-1]}")
    said = messages(process)
    assert said.count("trying again until it is back") == 1
    assert said.count("connected again") == 1


def wait_for(condition: Any) -> None:
    done = threading.Event()
    for _ in range(600):
        if condition():
            return
        done.wait(0.05)
    pytest.fail("not in time")


@pytest.mark.parametrize("code", [1001, 4008, 1013])
def test_an_end_that_the_service_tells_is_no_end(memory_service: Service, code: int) -> None:
    closing = b'event: close\ndata: {"code": %d, "reason": "x", "position": 1}\n\n' % code

    def once(asked: Asked) -> Reply | None:
        streams = [one for one in front.asked if one.path.startswith("/api/stream") and one.method == "GET"]
        return Reply(200, closing, (("content-type", "text/event-stream"),)) if asked.method == "GET" and len(streams) == 1 else None

    with gateway(memory_service.url, once) as front, tailing(front.url, "-n", "0") as process:
        wait_for(lambda: sum(asked.path.startswith("/api/stream") for asked in front.asked) >= 2)
        assert positions(process, 1) == post(memory_service)


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
    with tailing(memory_service.url, "-n", "0", "--scope", "ends") as process:
        assert process.stderr is not None
        marker = threading.Event()
        poster = threading.Thread(target=_post_until, args=[memory_service, marker, action])
        poster.start()
        assert process.stdout is not None
        event = json.loads(process.stdout.readline())
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
    with tailing(empty_service.url) as process:
        assert process.stderr is not None
        assert b"no event yet; waiting for one" in process.stderr.readline()
        assert positions(process, 1) == post(empty_service)


def test_a_type_that_is_none_is_refused_in_the_services_words(memory_service: Service) -> None:
    assert_one_clear_line(semp("tail", "--type", "propsal", "--url", memory_service.url), "propsal")
