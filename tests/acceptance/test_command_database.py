"""`semp query` and `semp verify`, which connect to the database and not to the service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from neo4j import GraphDatabase
from semp.cli.terminal import visible
from semp.storage.neo4j.connection import Target

from tests.conftest import Service, free_port, neo4j_environment
from tests.events import append, new_events, post
from tests.semp_command import SECRET, assert_one_clear_line, semp


def test_query_runs_a_file_of_cypher_with_parameters(service: Service, neo4j_target: Target) -> None:
    first = post(service)
    last = post(service, "proposal", None, post(service, "proposal", None, first))
    found = semp("query", "count_ancestors", "--param", f"id={last['id']}", environment=neo4j_environment(neo4j_target))
    assert found.returncode == 0, found.stderr
    [row] = [json.loads(line) for line in found.stdout.decode().splitlines()]
    assert 2 in row.values()


def test_query_takes_json_values_and_prints_a_row_a_line(service: Service, neo4j_target: Target) -> None:
    events = append(service, new_events(3))
    ids = json.dumps([event["id"] for event in events])
    found = semp("query", "events_by_id", "--param", f"ids={ids}", environment=neo4j_environment(neo4j_target))
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
    assert_one_clear_line(semp("query", *arguments, environment=neo4j_environment(neo4j_target)), *words)


def test_verify_finds_the_stored_signals_equal_to_a_replay_of_the_log(service: Service, neo4j_target: Target) -> None:
    append(service, [*new_events(20), *new_events(5, type="reward", payload={"value": 0.2})])
    found = semp("verify", environment=neo4j_environment(neo4j_target))
    assert found.returncode == 0, found.stderr
    assert "what the log says" in found.stderr.decode()


def test_verify_names_a_signal_that_differs_and_repairs_it(service: Service, neo4j_target: Target) -> None:
    post(service, "proposal", {"action": "y"}, scope="broken")
    with GraphDatabase.driver(
        neo4j_target.uri, auth=(neo4j_target.user, neo4j_target.password), notifications_min_severity="OFF"
    ) as driver:
        changed = driver.execute_query(
            "MATCH (s:Signal {scope: 'broken'}) SET s.strength = 0.77 RETURN count(s)", database_=neo4j_target.database
        )
    assert changed.records[0][0] == 1
    found = semp("verify", environment=neo4j_environment(neo4j_target))
    assert found.returncode == 1
    assert "broken:y" in found.stdout.decode()
    assert "0.77" in found.stdout.decode()
    assert semp("verify", "--repair", environment=neo4j_environment(neo4j_target)).returncode == 0
    assert semp("verify", environment=neo4j_environment(neo4j_target)).returncode == 0


@pytest.mark.parametrize("pattern", ["[/x]", "[red]x[/red]", "\x1b]0;x\x07\x1b[2J"], ids=ascii)
def test_verify_prints_patterns_with_escapes_made_visible(service: Service, neo4j_target: Target, pattern: str) -> None:
    post(service, "proposal", {"action": pattern}, scope="hostile")
    with GraphDatabase.driver(
        neo4j_target.uri, auth=(neo4j_target.user, neo4j_target.password), notifications_min_severity="OFF"
    ) as driver:
        driver.execute_query("MATCH (s:Signal {scope: 'hostile'}) SET s.strength = 0.77", database_=neo4j_target.database)
    found = semp("verify", environment=neo4j_environment(neo4j_target))
    assert found.returncode == 1
    assert f"hostile:{visible(pattern)}: stored 0.77" in found.stdout.decode()
    assert b"\x1b" not in found.stdout
    repaired = semp("verify", "--repair", environment=neo4j_environment(neo4j_target))
    assert repaired.returncode == 0


def test_a_query_without_rows_is_reported_and_no_failure(service: Service, neo4j_target: Target) -> None:
    found = semp("query", "events_by_id", "--param", "ids=[]", environment=neo4j_environment(neo4j_target))
    assert (found.returncode, found.stdout) == (0, b"")
    assert found.stderr == b"no rows\n"


def test_rows_are_json_with_control_characters_escaped(service: Service, neo4j_target: Target) -> None:
    event = post(service, "proposal", {"action": "\x9b2J\u202e"}, agent_id="\x9b2J")
    found = semp("query", "events_by_id", "--param", f"ids={json.dumps([event['id']])}", environment=neo4j_environment(neo4j_target))
    assert json.loads(found.stdout)["agent_id"] == "\x9b2J"
    assert "\x9b" not in found.stdout.decode()


@pytest.mark.parametrize("arguments", [["query", "stream_state"], ["verify"]])
def test_a_data_directory_without_a_database_is_one_clear_line(arguments: list[str], tmp_path: Path) -> None:
    assert_one_clear_line(semp(*arguments, "--data", str(tmp_path / "nothing")), str(tmp_path / "nothing"))


@pytest.mark.parametrize("arguments", [["query", "stream_state"], ["verify"]])
def test_a_database_that_is_away_or_refuses_the_login_is_one_clear_line(arguments: list[str], neo4j_target: Target) -> None:
    away = {"SEMP_NEO4J": f"bolt://127.0.0.1:{free_port()}"}
    assert_one_clear_line(semp(*arguments, environment=away), "database", away["SEMP_NEO4J"], "connection refused")
    denied = {**neo4j_environment(neo4j_target), "SEMP_NEO4J_USER": "nobody", "SEMP_NEO4J_PASSWORD": SECRET}
    assert_one_clear_line(semp(*arguments, environment=denied), "refused", neo4j_target.uri, "SEMP_NEO4J_PASSWORD")


@pytest.mark.parametrize("arguments", [["query", "stream_state"], ["verify"]], ids=lambda value: value[0])
@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_the_error_names_the_address_of_the_database_and_the_cause(arguments: list[str], scheme: str) -> None:
    unused = f"{scheme}://127.0.0.1:{free_port()}"
    assert_one_clear_line(semp(*arguments, environment={"SEMP_NEO4J": unused}), unused, "connection refused")
    unknown = f"{scheme}://nowhere.invalid:7687"
    assert_one_clear_line(semp(*arguments, environment={"SEMP_NEO4J": unknown}), unknown, "name is not known")


def test_a_server_that_is_no_neo4j_is_named_as_such(service: Service) -> None:
    host = service.url.removeprefix("http://")
    assert_one_clear_line(semp("verify", environment={"SEMP_NEO4J": f"bolt://{host}"}), f"bolt://{host}", "not as a Neo4j")
    assert_one_clear_line(semp("verify", environment={"SEMP_NEO4J": f"bolt+s://{host}"}), f"bolt+s://{host}", "TLS")


@pytest.mark.parametrize("uri", ["nonsense", "http://localhost", "bolt://localhost:port"])
def test_a_bad_uri_is_one_clear_line(uri: str) -> None:
    assert_one_clear_line(semp("query", "stream_state", environment={"SEMP_NEO4J": uri}))
