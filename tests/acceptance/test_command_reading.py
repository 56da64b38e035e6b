"""`semp signals`, `semp explain`, `semp trace` and `semp status`: what they print, also of text with control characters."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import threading
import time
from typing import Any

import pytest

from tests.conftest import Service
from tests.events import Event, append_minimal, head, new_event, post
from tests.gateway import Reply, gateway
from tests.semp_command import assert_one_clear_line, command, semp

ESCAPES = "\x1b]0;x\x07\x1b[2J\x9b2J\u202e"
"""Sequences that change a terminal, if they are printed to it."""
SHOWN = r"\x1b]0;x\x07\x1b[2J\x9b2J\u202e"
MARKUP = "[/x][red]not markup[/red] :smile:"


@pytest.fixture(scope="module")
def story(memory_service: Service) -> Service:
    """A service with eight events: a proposal that is tested, rewarded and penalised, and names with control characters."""

    def add(type: str, agent: str, payload: dict[str, Any], *parents: Event, scope: str = "ui.login", trace: str = "checkout-42") -> Event:
        return post(memory_service, type, payload, *parents, scope=scope, trace_id=trace, agent_id=agent)

    first = add("proposal", "designer", {"action": "improve_ux"})
    second = add("proposal", "designer", {"action": "bigger_button"}, first)
    passed = add("test", "tester", {"status": "passed", "suite": "e2e"}, second)
    reward = add("reward", "critic", {"value": 0.5, "reason": "fewer clicks"}, first, passed)
    failed = add("test", "tester", {"status": "failed"}, second)
    add("penalty", "critic", {"value": -0.2, "reason": "slow"}, failed, first)
    add("ready", "designer", {"status": "done"}, reward)
    add("reward", f"agent {ESCAPES}", {"action": ESCAPES + MARKUP, "value": 1}, scope="odd", trace=f"trace/{ESCAPES}")
    return memory_service


def text_of(*arguments: str, service: Service) -> str:
    """The standard output of a command, which must succeed and print no error."""
    found = semp(*arguments, "--url", service.url)
    assert found.returncode == 0, found.stderr
    assert found.stderr == b"", found.stderr
    return found.stdout.decode()


def on_terminal(*arguments: str, columns: int = 80, stop_at: str | None = None) -> tuple[int, str]:
    """Run a command on a terminal of this width; its exit code and all bytes that it sent to the terminal.

    Once the terminal has received the text `stop_at`, Ctrl-C is pressed.
    """
    line, variables = command(*arguments, environment={"COLUMNS": str(columns), "LINES": "30", "TERM": "xterm-256color"})
    controller, terminal = pty.openpty()
    process = subprocess.Popen(line, env=variables, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)
    os.close(terminal)
    sent, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([controller], [], [], 0.1)[0]:
            try:
                sent += os.read(controller, 65_536)
            except OSError:  # the command has ended
                break
        if stop_at is not None and stop_at in sent.decode("utf-8", "replace"):
            process.send_signal(signal.SIGINT)
            stop_at = None
    os.close(controller)
    return process.wait(30), sent.decode()


def test_signals_are_printed_strongest_first_and_a_pipe_gets_whole_lines(story: Service) -> None:
    lines = text_of("signals", service=story).splitlines()
    assert lines[0].split() == ["STRENGTH", "SCOPE", "PATTERN", "LAST", "MOVED"]
    strengths = [float(line.split()[0]) for line in lines[1:]]
    assert strengths == sorted(strengths, reverse=True)
    assert [re.split(r" {2,}", line.strip())[2:4] for line in lines[1:]] == [
        ["odd", SHOWN + MARKUP], ["ui.login", "improve_ux"], ["ui.login", "bigger_button"],
    ]  # fmt: skip


def test_signals_have_the_filters_of_the_api(story: Service) -> None:
    def patterns(*arguments: str) -> list[str]:
        return [json.loads(line)["pattern"] for line in semp("signals", "--json", *arguments, "--url", story.url).stdout.splitlines()]

    assert patterns("--scope", "ui.**") == ["improve_ux", "bigger_button"]
    assert patterns("--pattern", "bigger_button") == ["bigger_button"]
    assert patterns("--min-strength", "0.5", "--scope", "ui.*") == ["improve_ux"]
    assert patterns("--limit", "1") == [ESCAPES + MARKUP]
    assert patterns("--at", "1") == ["improve_ux"]


def test_json_is_the_answer_of_the_api_without_control_characters(story: Service) -> None:
    text = text_of("signals", "--json", "--at", str(head(story)), service=story)
    assert [json.loads(line) for line in text.splitlines()] == story.client.get(f"/api/signals?at={head(story)}").json()
    assert all(line.isprintable() for line in text.splitlines())


def test_explain_prints_each_move_with_its_agent_and_time(story: Service) -> None:
    lines = text_of("explain", "ui.login", "improve_ux", "--at", "7", service=story).splitlines()
    api = story.client.get("/api/signals/ui.login/improve_ux/explain?at=7").json()
    assert lines[0].startswith(f"ui.login:improve_ux is {api['strength']:.3f} at position 7, ")
    rows = [re.split(r" {2,}", line.strip()) for line in lines if re.match(r"^ *\d", line)]
    assert [(row[0], row[2], row[6], row[7]) for row in rows] == [
        ("1", "proposal", "designer", "checkout-42"), ("4", "reward", "critic", "checkout-42"),
        ("6", "penalty", "critic", "checkout-42"), ("7", "ready", "designer", "checkout-42"),
    ]  # fmt: skip
    assert [[float(part) for part in row[3:6]] for row in rows] == [
        [pytest.approx(event[name], abs=6e-4) for name in ("before", "change", "after")] for event in api["events"]
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", row[1]) for row in rows)


def test_explain_prints_the_newest_moves_and_json_is_the_answer_of_the_api(story: Service) -> None:
    whole = story.client.get("/api/signals/ui.login/improve_ux/explain?at=7").json()
    assert json.loads(text_of("explain", "ui.login", "improve_ux", "--at", "7", "--json", service=story)) == whole
    part = json.loads(text_of("explain", "ui.login", "improve_ux", "--at", "7", "--json", "--limit", "2", service=story))
    assert part == {**whole, "truncated": True, "events": whole["events"][-2:]}
    assert "the newest 2 of 4 moves" in text_of("explain", "ui.login", "improve_ux", "--at", "7", "--limit", "2", service=story)


def test_explain_of_many_moves_follows_the_pages(memory_service: Service) -> None:
    append_minimal(memory_service, [new_event("test", {"action": "m", "status": "passed"}, scope="many") for _ in range(2_500)])
    found = json.loads(text_of("explain", "many", "m", "--json", "--limit", "2400", service=memory_service))
    positions = [event["position"] for event in found["events"]]
    assert positions == list(range(head(memory_service) - 2_399, head(memory_service) + 1))


def test_names_with_escapes_and_slashes_are_explained_and_traced(story: Service) -> None:
    assert SHOWN in text_of("explain", "odd", ESCAPES + MARKUP, service=story)
    text = text_of("trace", f"trace/{ESCAPES}", service=story)
    assert f"trace/{SHOWN}" in text
    assert f"agent {SHOWN}" in text


def test_a_trace_is_printed_as_a_summary_and_a_tree(story: Service) -> None:
    """A chain goes straight down; where it forks, each branch is indented. Events on the critical path have a filled mark."""
    text = text_of("trace", "checkout-42", service=story)
    assert re.search(r"events +7: 2 proposal, 2 test", text)
    assert re.search(r"^designer +3 ", text, re.MULTILINE)
    tree = [re.sub(r" +ui\.login +\+[\d.]+ s", "", line) for line in text.splitlines() if re.search("[●○] \\d", line)]
    assert tree == [
        "● 1 proposal  designer  improve_ux",
        "● 2 proposal  designer  bigger_button",
        "├─ ● 3 test  tester  passed e2e",
        '│  ● 4 reward  critic  +0.5 "fewer clicks"  also after 1',
        "│  ● 7 ready  designer  done",
        "└─ ○ 5 test  tester  failed",
        '   ○ 6 penalty  critic  -0.2 "slow"  also after 1',
    ]


def test_a_trace_as_json_has_its_graph_and_a_limit_reports_that_there_are_more(story: Service) -> None:
    found = json.loads(text_of("trace", "checkout-42", "--json", service=story))
    graph = found.pop("graph")
    assert found == story.client.get("/api/traces/checkout-42").json()
    assert ([node["position"] for node in graph["nodes"]], len(graph["edges"])) == ([1, 2, 3, 4, 5, 6, 7], 8)
    short = semp("trace", "checkout-42", "--limit", "2", "--url", story.url)
    assert b"the oldest 2 events of 7" in short.stderr


@pytest.mark.parametrize(
    "arguments",
    [["status"], ["signals"], ["explain", "odd", ESCAPES + MARKUP], ["trace", f"trace/{ESCAPES}"],
     ["tail", "--no-follow", "--trace", f"trace/{ESCAPES}"],
     ["signals", "--json"], ["tail", "--no-follow", "--json"], ["export"]],
    ids=lambda arguments: arguments[0] + str(len(arguments)),
)  # fmt: skip
@pytest.mark.parametrize("columns", [80, 300])
def test_a_terminal_gets_no_control_characters_and_lines_fit_its_width(story: Service, arguments: list[str], columns: int) -> None:
    code, sent = on_terminal(*arguments, "--url", story.url, columns=columns)
    assert code == 0, sent
    assert "\x1b]" not in sent
    assert "\x1b[2J" not in sent
    assert not re.search("[\x80-\x9f\u202e\x07]", sent)
    lines = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", sent).replace("\r", "").split("\n")
    if not {"--json", "export"} & set(arguments):
        assert max(map(len, lines)) <= columns
        assert columns == 80 or any(MARKUP[:4] in line for line in lines) or arguments[0] == "trace"


def test_errors_that_repeat_text_of_agents_have_no_control_characters(story: Service) -> None:
    found = semp("explain", "odd", f"nothing {ESCAPES}", "--url", story.url)
    assert_one_clear_line(found, SHOWN)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["signals"], "no signal is alive"), (["signals", "--json"], "no signal is alive"),
        (["signals", "--scope", "a"], "no signal that fits"),
        (["tail", "--no-follow"], "no event yet"), (["tail", "--no-follow", "--type", "reward"], "no event that fits"),
        (["tail", "--no-follow", "--json", "--after", "0"], "no event yet"),
    ],
)  # fmt: skip
def test_an_empty_answer_is_reported(empty_service: Service, arguments: list[str], words: str) -> None:
    found = semp(*arguments, "--url", empty_service.url)
    assert (found.returncode, found.stdout) == (0, b"")
    assert words in found.stderr.decode()


def test_status_reports_an_empty_log_and_a_database_that_is_away(empty_service: Service) -> None:
    assert re.search(r"events +0, the log is empty", text_of("status", service=empty_service))
    away = Reply(503, b'{"message":"the database is not available"}', (("content-type", "application/json"),))
    with gateway(empty_service.url, lambda asked: away if "ready" in asked.path else None) as front:
        found = semp("status", "--url", front.url)
    assert found.returncode == 1
    assert "the database is not available" in found.stdout.decode()


def test_options_that_exclude_each_other_are_an_error(story: Service) -> None:
    assert_one_clear_line(semp("signals", "--watch", "--at", "1", "--url", story.url), "--watch", "--at")
    assert_one_clear_line(semp("tail", "-n", "1", "--after", "1", "--url", story.url), "--last", "--after")


def test_watching_in_a_pipe_prints_each_change_and_ctrl_c_is_no_failure(memory_service: Service) -> None:
    line, variables = command("signals", "--watch", "--json", "--scope", "watched.**", "--url", memory_service.url)
    with subprocess.Popen(line, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        done = threading.Event()

        def reward() -> None:
            while not done.wait(0.1):
                for scope in ("other", "watched.x"):
                    post(memory_service, "reward", {"action": "y", "value": 0.5}, scope=scope)

        writer = threading.Thread(target=reward)
        writer.start()
        changes = [json.loads(process.stdout.readline()) for _ in range(3)]
        done.set()
        writer.join()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert {change["scope"] for change in changes} == {"watched.x"}
    assert changes[0]["position"] < changes[1]["position"] < changes[2]["position"]


def test_watching_on_a_terminal_draws_a_table_and_ctrl_c_is_no_failure(story: Service) -> None:
    code, sent = on_terminal("signals", "--watch", "--url", story.url, stop_at="Ctrl-C to stop")
    assert code == 0, sent
    assert "improve_ux" in sent
    assert "Traceback" not in sent
