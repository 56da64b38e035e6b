"""The `semp` command as a whole: its help, its options, `semp status`, and URLs where no service answers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import Service, free_port
from tests.events import epoch, head, new_events, post, write_ndjson
from tests.semp_command import assert_one_clear_line, semp

COMMANDS = ["serve", "status", "tail", "signals", "explain", "trace", "import", "export", "query", "verify", "mcp"]


def test_status_shows_the_newest_position_and_the_strongest_signals(service: Service) -> None:
    post(service, "proposal", {"action": "improve"}, scope="ui")
    found = semp("status", "--url", service.url)
    text = found.stdout.decode()
    assert found.returncode == 0
    assert "ready" in text
    assert epoch(service) in text
    assert re.search(rf"events\s+{head(service)}\b", text)
    assert "ui:improve" in text


def test_the_service_may_be_named_by_a_variable(service: Service) -> None:
    assert semp("status", environment={"SEMP_URL": service.url}).returncode == 0


def test_signals_with_odd_names_are_shown_as_they_are(service: Service) -> None:
    action = "[red]not markup[/red] [/] [link=x]"
    post(service, "reward", {"action": action, "value": 1}, scope="odd")
    assert action in semp("status", "--url", service.url).stdout.decode()


@pytest.mark.parametrize(
    "arguments", [["status"], ["export"], ["import", "FILE"], ["tail"], ["signals"], ["signals", "--watch"], ["explain", "a", "x"],
        ["trace", "t"]],
    ids=" ".join,
)  # fmt: skip
def test_a_url_where_nothing_listens_is_one_clear_line(arguments: list[str], tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    file = write_ndjson(tmp_path / "events", new_events(1))
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
    file = write_ndjson(tmp_path / "events", new_events(1))
    assert_one_clear_line(semp(*[str(file) if part == "FILE" else part for part in arguments], "--url", url))


def test_a_path_of_the_service_that_does_not_exist_is_one_clear_line(service: Service, tmp_path: Path) -> None:
    """It answers 404, as another web server might."""
    for arguments in (["status"], ["export"], ["import", str(write_ndjson(tmp_path / "events", new_events(1)))]):
        assert_one_clear_line(semp(*arguments, "--url", f"{service.url}/elsewhere"))


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_each_command_names_every_variable_it_reads(name: str) -> None:
    found = semp(name, "--help", environment={"COLUMNS": "200"})
    assert found.returncode == 0
    text = found.stdout.decode()
    variables = {
        "serve": (
            "DATA NEO4J NEO4J_USER NEO4J_PASSWORD NEO4J_DATABASE MEMORY HOST PORT ALPHA LAMBDA DECAY_INTERVAL SWEEP_INTERVAL "
            "POLL_INTERVAL PATIENCE HEAP PAGE_CACHE NEO4J_VERSION CACHE REPOSITORY LOG_LEVEL"
        ),
        "status": "URL", "import": "URL", "export": "URL", "mcp": "URL",
        "tail": "URL", "signals": "URL", "explain": "URL", "trace": "URL",
        "query": "DATA NEO4J NEO4J_USER NEO4J_PASSWORD NEO4J_DATABASE",
        "verify": "DATA NEO4J NEO4J_USER NEO4J_PASSWORD NEO4J_DATABASE",
    }[name]  # fmt: skip
    assert [variable for variable in variables.split() if not re.search(rf"\bSEMP_{variable}\b", text)] == []


def test_help_lists_every_command_with_a_description() -> None:
    text = semp("--help").stdout.decode()
    for name in COMMANDS:
        assert re.search(rf"^\W*{name}\s+\w+", text, re.MULTILINE), name


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "version"])
def test_help_describes_each_option(name: str) -> None:
    """Each line of the help that begins with an option has a description, not only its default."""
    text = semp(name, "--help", environment={"COLUMNS": "400"}).stdout.decode()
    options = [line for line in text.splitlines() if re.match(r"│ \*? *--(?!help|version)", line)]
    assert [line for line in options if not re.search(r" {2,}[A-Z-][^\[]+[.a-z0-9]", line)] == []


def test_help_names_the_exit_codes() -> None:
    assert {"0", "1", "2", "130"} <= set(re.findall(r"\d+", semp("--help").stdout.decode().partition("Commands")[0]))


def test_version_is_printed() -> None:
    from semp import __version__

    assert semp("--version").stdout.decode().strip() == __version__


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "--log-level", "loud"], ["tail", "-n", "-1"], ["signals", "--min-strength", "2"], ["explain", "ui"], ["trace"],
        ["nonsense"], ["serve", "--nonsense"], ["serve", "--port", "70000"], ["serve", "--lambda", "nan"], ["serve", "--alpha", "inf"],
        ["serve", "--decay-interval", "inf"], ["import"], ["import", "x", "--batch", "10001"], ["export", "--after", "-1"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_is_an_error_on_standard_error(arguments: list[str]) -> None:
    found = semp(*arguments, environment={"SEMP_MEMORY": "1", "SEMP_URL": f"http://127.0.0.1:{free_port()}"}, within=15)
    assert found.returncode == 2
    assert found.stdout == b""
    wrong = next((part for part in arguments if part.startswith("--")), arguments[-1])
    assert wrong in found.stderr.decode() or len(arguments) == 1
    assert "no answer" not in found.stderr.decode(), "no service is asked"
