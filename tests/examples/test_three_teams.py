"""Three teams repair one package: each is needed, they exchange no messages, and the log shows who unblocked whom."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.answers import get
from tests.conftest import Service

TEAMS = Path(__file__).parents[2] / "examples/three_teams"
REPAIRED_BY = {"money": "langgraph", "lines": "crewai", "tax": "autogen", "totals": "langgraph", "report": "crewai"}
"""For each module, the agent that can repair it."""


class Job:
    """The events of a job, as the service stores them."""

    def __init__(self, events: list[dict[str, Any]], job: str) -> None:
        self.events = {event["id"]: event for event in events}
        self.passed = {
            event["payload"]["action"]: event["id"]
            for event in reversed(events)
            if (event["scope"], event["type"], event["payload"]["status"] if event["type"] == "test" else "") == (job, "test", "passed")
        }
        """For each module, the id of the first test that passed."""

    def causes(self, event: str) -> set[str]:
        """The ids of all ancestors of an event."""
        ancestors: set[str] = set()
        waiting = [event]
        while waiting:
            for parent in self.events[waiting.pop()]["parent_ids"]:
                if parent not in ancestors:
                    ancestors.add(parent)
                    waiting.append(parent)
        return ancestors


@pytest.mark.timeout(300)
def test_the_teams_repair_together_what_no_team_could_and_the_log_shows_how(service: Service) -> None:
    command = [sys.executable, TEAMS / "run.py", "--url", service.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("\n0 tests fail\n")
    job = re.search(r"trace (\S+)", done.stdout)
    assert job is not None
    events = get(service, f"events/trace/{job[1]}")
    log = Job(events, job[1])

    assert {module: log.events[test]["agent_id"] for module, test in log.passed.items()} == REPAIRED_BY
    causes = {module: log.causes(test) for module, test in log.passed.items()}
    assert log.passed["money"] in causes["lines"] & causes["tax"]
    assert {log.passed["lines"], log.passed["tax"]} <= causes["totals"]
    assert log.passed["totals"] in causes["report"]

    proposals = [log.events[cause] for cause in causes["report"] if log.events[cause]["type"] == "proposal"]
    parts = {event["scope"].split(".")[0]: event["payload"]["action"] for event in proposals if not event["scope"].startswith(job[1])}
    assert set(parts) == {"langgraph", "crewai", "autogen"}, "events of every framework are among the causes"

    summary = done.stdout.split("from the log:\n")[1]
    assert re.search(
        r"^  langgraph mended totals, unblocked by (crewai, who had mended lines|autogen, who had mended tax)", summary, re.MULTILINE
    )
    assert "crewai mended report, unblocked by langgraph, who had mended totals" in summary


def test_the_tests_of_the_package_fail_before_the_repair() -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-m", "unittest", "discover", "-t", ".", "invoices/tests"],
        cwd=TEAMS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert set(re.findall(r"^(?:FAIL|ERROR): \w+ \(invoices\.tests\.test_(\w+)\.", done.stderr, re.MULTILINE)) == set(REPAIRED_BY)
