"""The `semp` command against a running service: what it prints, what it changes, how it fails."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from neo4j import GraphDatabase
from semp.storage.neo4j.connection import Target

from tests.conftest import Service, free_port, neo4j_environment

COMMANDS = ["serve", "status", "import", "export", "query", "verify", "mcp"]
SECRET = "do-not-print-4711"


def command(*arguments: str, environment: dict[str, str] | None = None) -> tuple[list[str], dict[str, str]]:
    """The line and its variables. Data would go to a directory that cannot be made, so that no mistake here starts a database."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("SEMP_")}
    ours = {"SEMP_DATA": "/dev/null/semp", "SEMP_NEO4J_PASSWORD": SECRET}
    return [sys.executable, "-m", "semp", *arguments], {**variables, **ours, **(environment or {})}


def semp(
    *arguments: str, stdin: bytes = b"", environment: dict[str, str] | None = None, within: float = 120
) -> subprocess.CompletedProcess[bytes]:
    line, variables = command(*arguments, environment=environment)
    found = subprocess.run(line, input=stdin, capture_output=True, env=variables, timeout=within, check=False)
    for text in (found.stdout, found.stderr):
        assert SECRET.encode() not in text
        assert b"Traceback" not in text, text.decode()
    password = variables["SEMP_NEO4J_PASSWORD"].encode()
    assert password not in found.stdout + found.stderr
    return found


def assert_one_clear_line(found: subprocess.CompletedProcess[bytes], *words: str) -> None:
    assert found.returncode == 1, (found.returncode, found.stderr)
    assert found.stdout == b""
    text = found.stderr.decode()
    progress = ("importing", "exporting", "replaying")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(progress)]
    assert len(lines) == 1, text
    assert lines[0].startswith("semp: ")
    for word in words:
        assert word in lines[0]


def new_events(count: int, **changes: Any) -> list[dict[str, Any]]:
    event = {"type": "proposal", "scope": "ui", "trace_id": "t", "agent_id": "a", "payload": {"action": "x"}}
    return [{"id": str(uuid.uuid4()), **event, "agent_id": str(number), **changes} for number in range(count)]


def write(file: Path, events: list[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events), encoding="utf-8")
    return file


def head(service: Service) -> int:
    return service.client.get("/health/ready").json()["position"]


def database(target: Target) -> dict[str, str]:
    return neo4j_environment(target)


# status


def test_status_shows_where_the_log_stands_and_its_strongest_signals(service: Service) -> None:
    service.client.post("/api/events", json=new_events(1, payload={"action": "improve"})[0])
    found = semp("status", "--url", service.url)
    text = found.stdout.decode()
    assert found.returncode == 0
    assert "ready" in text
    assert service.client.get("/health/ready").json()["epoch"] in text
    assert re.search(rf"events\s+{head(service)}\b", text)
    assert "ui:improve" in text


def test_the_service_may_be_named_by_a_variable(service: Service) -> None:
    assert semp("status", environment={"SEMP_URL": service.url}).returncode == 0


def test_signals_with_odd_names_are_shown_as_they_are(service: Service) -> None:
    action = "[red]not markup[/red] [/] [link=x]"
    service.client.post("/api/events", json=new_events(1, type="reward", scope="odd", payload={"action": action, "value": 1})[0])
    assert action in semp("status", "--url", service.url).stdout.decode()


@pytest.mark.parametrize("arguments", [["status"], ["export"], ["import", "FILE"]])
def test_a_service_that_is_not_there_is_one_clear_line(arguments: list[str], tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    file = write(tmp_path / "events", new_events(1))
    assert_one_clear_line(semp(*[str(file) if part == "FILE" else part for part in arguments], "--url", url), "no answer", url)


@pytest.mark.parametrize(
    ("arguments", "url"),
    [
        (["status"], "nonsense"),
        (["export"], "ftp://x"),
        (["import", "FILE"], "http://"),
        (["status"], "http://["),
        (["export"], "http://x:99999"),
    ],
)
def test_a_bad_url_is_one_clear_line(arguments: list[str], url: str, tmp_path: Path) -> None:
    file = write(tmp_path / "events", new_events(1))
    assert_one_clear_line(semp(*[str(file) if part == "FILE" else part for part in arguments], "--url", url))


def test_something_else_that_answers_at_the_url_is_one_clear_line(service: Service, tmp_path: Path) -> None:
    """A web server that is no SEL/SEMP: here, a path of ours that is nothing."""
    for arguments in (["status"], ["export"], ["import", str(write(tmp_path / "events", new_events(1)))]):
        assert_one_clear_line(semp(*arguments, "--url", f"{service.url}/elsewhere"))


# export and import


def test_export_writes_the_log_oldest_first_and_import_of_it_doubles_nothing(service: Service, tmp_path: Path) -> None:
    parents = new_events(3, payload={"action": "Größe 日本", "n": [1.5, None, {"a": "\u2028"}]})
    child = new_events(1, type="ready", payload={"status": "x"}, parent_ids=[event["id"] for event in parents])
    service.client.post("/api/events/batch", json=parents + child)
    file = tmp_path / "log.ndjson"
    found = semp("export", "--output", str(file), "--url", service.url)
    assert found.returncode == 0
    assert found.stdout == b""
    lines = [json.loads(line) for line in file.read_text("utf-8").split("\n") if line]
    assert [event["position"] for event in lines] == list(range(1, head(service) + 1))
    assert f"{len(lines)} events written" in found.stderr.decode()
    asked = {"order": "asc", "after": len(lines) - 4}
    assert lines[-4:] == service.client.get("/api/events", params=asked).json()
    before = head(service)
    again = semp("import", str(file), "--url", service.url)
    assert again.returncode == 0
    assert f"0 events appended, {len(lines)} were there already" in again.stderr.decode()
    assert head(service) == before


def test_export_goes_to_standard_output_unless_a_file_is_named_and_may_begin_later(service: Service) -> None:
    service.client.post("/api/events/batch", json=new_events(1_100))
    stand = head(service)
    whole = semp("export", "--url", service.url).stdout.splitlines()
    assert len(whole) == stand
    assert semp("export", "--url", service.url, "--after", str(stand - 2)).stdout.splitlines() == whole[-2:]
    assert semp("export", "--url", service.url, "--after", str(stand)).stdout == b""


def test_import_appends_in_order_and_repeats_without_doubling(service: Service, tmp_path: Path) -> None:
    events = new_events(250)
    for number in range(1, 250):
        events[number]["parent_ids"] = [events[number - 1]["id"]]
    file, before = write(tmp_path / "events", events), head(service)
    first = semp("import", str(file), "--url", service.url, "--batch", "40")
    assert first.returncode == 0, first.stderr
    assert "250 events appended, 0 were there already" in first.stderr.decode()
    again = semp("import", str(file), "--url", service.url, "--batch", "33")
    assert "0 events appended, 250 were there already" in again.stderr.decode()
    stored = service.client.get("/api/events", params={"after": before, "order": "asc", "limit": 1000}).json()
    assert [event["id"] for event in stored] == [event["id"] for event in events]


def test_lines_without_an_id_are_appended_once_each_however_often_they_are_imported(service: Service, tmp_path: Path) -> None:
    """Two equal lines are two events; the same file again is neither."""
    events = [{name: value for name, value in event.items() if name != "id"} for event in new_events(5)]
    file, before = write(tmp_path / "events", [*events, events[0], events[0]]), head(service)
    for _ in range(2):
        assert semp("import", str(file), "--url", service.url, "--batch", "2").returncode == 0
        assert head(service) == before + 7


def test_import_reads_standard_input_and_skips_empty_lines(service: Service) -> None:
    before = head(service)
    text = "\n\n" + "\n \n".join(json.dumps(event) for event in new_events(3)) + "\n\n"
    found = semp("import", "-", "--url", service.url, stdin=text.encode())
    assert found.returncode == 0, found.stderr
    assert head(service) == before + 3


def test_an_import_that_was_killed_in_the_middle_is_completed_by_repeating_it(service: Service, tmp_path: Path) -> None:
    events, before = new_events(1_500), head(service)
    file = write(tmp_path / "events", events)
    line, variables = command("import", str(file), "--url", service.url, "--batch", "5")
    process = subprocess.Popen(line, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while head(service) < before + 100:
        assert time.monotonic() < deadline
        assert process.poll() is None, "it ended by itself; it should be stopped in the middle"
    process.kill()
    process.wait(30)
    assert head(service) < before + 1_500
    assert semp("import", str(file), "--url", service.url).returncode == 0
    assert head(service) == before + 1_500
    read = semp("export", "--url", service.url, "--after", str(before)).stdout.decode().splitlines()
    assert [json.loads(text)["id"] for text in read] == [event["id"] for event in events]


@pytest.mark.parametrize("bad", ["{", "[]", "{}}", "\u0000", "[" * 5_000])
def test_a_malformed_line_is_named_and_the_lines_of_batches_before_it_stay(service: Service, bad: str, tmp_path: Path) -> None:
    lines = [json.dumps(event) for event in new_events(5)]
    file, before = tmp_path / "events", head(service)
    file.write_text("\n".join([*lines[:4], "", bad, lines[4]]))
    assert_one_clear_line(semp("import", str(file), "--url", service.url, "--batch", "2"), "line 6")
    assert head(service) == before + 4


def test_a_line_that_is_not_utf_8_is_named(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_bytes(json.dumps(new_events(1)[0]).encode() + b'\n{"type":"\xff"}\n')
    assert_one_clear_line(semp("import", str(file), "--url", service.url), "line 2")


@pytest.mark.parametrize(
    ("change", "words"),
    [({"type": "wish"}, ["type"]), ({"parent_ids": [str(uuid.uuid4())]}, ["parent_ids"]), ({"payload": {}}, ["payload.action"])],
)
def test_a_line_the_service_refuses_is_named(service: Service, change: dict[str, Any], words: list[str], tmp_path: Path) -> None:
    events = new_events(7)
    events[4].update(change)
    lines = [json.dumps(event) for event in events]
    lines.insert(1, "")  # so that counting events is not counting lines
    file = tmp_path / "events"
    file.write_text("\n".join(lines))
    assert_one_clear_line(semp("import", str(file), "--url", service.url, "--batch", "3"), "line 6", *words)


@pytest.mark.parametrize("name", ["nowhere.ndjson", "."])
def test_a_file_that_cannot_be_read_is_one_clear_line(service: Service, name: str, tmp_path: Path) -> None:
    assert_one_clear_line(semp("import", str(tmp_path / name), "--url", service.url), str(tmp_path))


def test_a_file_that_cannot_be_written_is_one_clear_line(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "no" / "such" / "directory"
    assert_one_clear_line(semp("export", "--output", str(file), "--url", service.url), str(file))


def test_output_to_a_reader_that_has_gone_is_no_stack_trace(service: Service) -> None:
    service.client.post("/api/events/batch", json=new_events(2_000))
    line, variables = command("export", "--url", service.url)
    process = subprocess.Popen(line, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    text = process.stderr.read().decode()
    process.stderr.close()
    process.wait(60)
    assert "Traceback" not in text
    assert "Exception" not in text


# query and verify


def test_query_runs_a_file_of_cypher_with_parameters(service: Service, neo4j_target: Target) -> None:
    ids = [str(uuid.uuid4()) for _ in range(3)]
    chain = [{**new_events(1)[0], "id": name, "parent_ids": ids[max(0, number - 1) : number]} for number, name in enumerate(ids)]
    service.client.post("/api/events/batch", json=chain)
    found = semp("query", "count_ancestors", "--param", f"id={ids[2]}", environment=database(neo4j_target))
    assert found.returncode == 0, found.stderr
    [row] = [json.loads(line) for line in found.stdout.decode().splitlines()]
    assert 2 in row.values()


def test_query_takes_json_values_and_prints_a_row_a_line(service: Service, neo4j_target: Target) -> None:
    events = new_events(3)
    service.client.post("/api/events/batch", json=events)
    wanted = json.dumps([event["id"] for event in events])
    found = semp("query", "events_by_id", "--param", f"ids={wanted}", environment=database(neo4j_target))
    rows = [json.loads(line) for line in found.stdout.decode().splitlines()]
    assert {row["id"] for row in rows} == {event["id"] for event in events}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["../secrets"], ["../secrets"]),
        (["count_ancestors"], ["id"]),
        (["count_ancestors", "--param", "id=x", "--param", "more=1"], ["more"]),
        (["count_ancestors", "--param", "nonsense"], ["nonsense", "key=value"]),
        (["sweep_signals", "--param", "faded=[]"], ["sweep_signals"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_query_that_cannot_be_run_is_one_clear_line(
    service: Service, neo4j_target: Target, arguments: list[str], words: list[str]
) -> None:
    assert_one_clear_line(semp("query", *arguments, environment=database(neo4j_target)), *words)


def test_verify_says_that_stored_signals_are_what_the_log_says(service: Service, neo4j_target: Target) -> None:
    service.client.post("/api/events/batch", json=[*new_events(20), *new_events(5, type="reward", payload={"value": 0.2})])
    found = semp("verify", environment=database(neo4j_target))
    assert found.returncode == 0, found.stderr
    assert "what the log says" in found.stderr.decode()


def test_verify_names_a_signal_that_differs_and_repairs_it(service: Service, neo4j_target: Target) -> None:
    service.client.post("/api/events", json=new_events(1, scope="broken", payload={"action": "y"})[0])
    with GraphDatabase.driver(
        neo4j_target.uri, auth=(neo4j_target.user, neo4j_target.password), notifications_min_severity="OFF"
    ) as driver:
        changed = driver.execute_query(
            "MATCH (s:Signal {scope: 'broken'}) SET s.strength = 0.77 RETURN count(s)", database_=neo4j_target.database
        )
    assert changed.records[0][0] == 1
    found = semp("verify", environment=database(neo4j_target))
    assert found.returncode == 1
    assert "broken:y" in found.stdout.decode()
    assert "0.77" in found.stdout.decode()
    assert semp("verify", "--repair", environment=database(neo4j_target)).returncode == 0
    assert semp("verify", environment=database(neo4j_target)).returncode == 0


@pytest.mark.parametrize("arguments", [["query", "stream_state"], ["verify"]])
def test_without_a_service_or_a_database_it_says_so(arguments: list[str], tmp_path: Path) -> None:
    assert_one_clear_line(semp(*arguments, "--data", str(tmp_path / "nothing")), str(tmp_path / "nothing"))


@pytest.mark.parametrize("arguments", [["query", "stream_state"], ["verify"]])
def test_a_database_that_is_not_there_or_refuses_is_one_clear_line(arguments: list[str], neo4j_target: Target) -> None:
    away = {"SEMP_NEO4J": f"bolt://127.0.0.1:{free_port()}"}
    assert_one_clear_line(semp(*arguments, environment=away), "database")
    refused = {**database(neo4j_target), "SEMP_NEO4J_USER": "nobody", "SEMP_NEO4J_PASSWORD": SECRET}
    assert_one_clear_line(semp(*arguments, environment=refused), "refused")


@pytest.mark.parametrize("uri", ["nonsense", "http://localhost", "bolt://localhost:port"])
def test_a_bad_uri_is_one_clear_line(uri: str) -> None:
    assert_one_clear_line(semp("query", "stream_state", environment={"SEMP_NEO4J": uri}))


# help and usage


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_each_command_names_every_variable_it_reads(name: str) -> None:
    found = semp(name, "--help", environment={"COLUMNS": "200"})
    assert found.returncode == 0
    text = found.stdout.decode()
    reads = {
        "serve": (
            "DATA NEO4J NEO4J_USER NEO4J_PASSWORD NEO4J_DATABASE MEMORY HOST PORT ALPHA LAMBDA DECAY_INTERVAL SWEEP_INTERVAL "
            "POLL_INTERVAL PATIENCE HEAP PAGE_CACHE NEO4J_VERSION CACHE REPOSITORY"
        ),
        "status": "URL", "import": "URL", "export": "URL", "mcp": "URL",
        "query": "DATA NEO4J NEO4J_USER NEO4J_PASSWORD NEO4J_DATABASE",
        "verify": "DATA NEO4J NEO4J_USER NEO4J_PASSWORD NEO4J_DATABASE",
    }[name]  # fmt: skip
    assert [variable for variable in reads.split() if not re.search(rf"\bSEMP_{variable}\b", text)] == []


def test_help_lists_every_command_with_a_description() -> None:
    text = semp("--help").stdout.decode()
    for name in COMMANDS:
        assert re.search(rf"^\W*{name}\s+\w+", text, re.MULTILINE), name


def test_version_is_printed() -> None:
    from semp import __version__

    assert semp("--version").stdout.decode().strip() == __version__


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"], ["serve", "--nonsense"], ["serve", "--port", "70000"], ["serve", "--lambda", "nan"], ["serve", "--alpha", "inf"],
        ["serve", "--decay-interval", "inf"], ["import"], ["import", "x", "--batch", "10001"], ["export", "--after", "-1"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_is_said_on_standard_error_and_fails(arguments: list[str]) -> None:
    found = semp(*arguments, environment={"SEMP_MEMORY": "1", "SEMP_URL": f"http://127.0.0.1:{free_port()}"}, within=15)
    assert found.returncode == 2
    assert found.stdout == b""
    named = next((part for part in arguments if part.startswith("--")), arguments[-1])
    assert named in found.stderr.decode() or len(arguments) == 1
    assert "no answer" not in found.stderr.decode(), "it is refused before anything is tried"
