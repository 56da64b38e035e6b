"""A failed start is explained from the logs of that start alone, without the password."""

import json
from pathlib import Path

import pytest
from semp.storage.neo4j.embedded.diagnosis import StartLogs


@pytest.fixture
def logs(tmp_path: Path) -> StartLogs:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "neo4j.log").write_text("ERROR No space left on device (of an earlier start)\n", encoding="utf-8")
    return StartLogs(tmp_path, folder / "console.log")


def append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as log:
        log.write(text)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("ERROR bind(..) failed with error(-98): Address already in use", "the port 4711 is taken"),
        ("ERROR java.nio.file.AccessDeniedException: /x/data", "cannot be written"),
        ("ERROR Transaction logs are missing and recovery is not possible.", "the store is damaged"),
        ("ERROR Unrecognized setting. No declared setting with name: x", "does not know"),
    ],
)
def test_a_known_cause_is_explained_and_its_line_quoted(logs: StartLogs, line: str, cause: str) -> None:
    append(logs.log, f"INFO  Starting...\n{line}\n\tat org.neo4j.Some.frame(Some.java:1)\n")
    text = logs.explain(4711, "secret")
    assert cause in text
    assert line in text
    assert "Some.frame" not in text
    assert "earlier start" not in text
    assert str(logs.log) in text


def test_the_output_of_java_itself_is_used(logs: StartLogs) -> None:
    append(logs.log.with_name("console.log"), "Error: Could not reserve enough space for 9g object heap\n")
    assert "too little memory" in logs.explain(1, "secret")


def test_why_a_database_did_not_open_is_read_from_the_debug_log(logs: StartLogs) -> None:
    entry = {"message": "Failed to start DatabaseId{00000000[system]}", "stacktrace": "X: checksum mismatch\n\tat y"}
    append(logs.log.with_name("debug.log"), json.dumps(entry) + '\n{"message": "Failed to start DatabaseId{1[neo4j]')
    assert logs.database_failures("[system]") == ["Failed to start DatabaseId{00000000[system]}: X: checksum mismatch"]
    assert logs.database_failures("[neo4j]") == []
    assert "the store is damaged" in logs.explain(1, "secret")


def test_the_password_is_never_quoted(logs: StartLogs) -> None:
    append(logs.log, "ERROR something with hunter2 in it\n")
    assert "hunter2" not in logs.explain(1, "hunter2")
