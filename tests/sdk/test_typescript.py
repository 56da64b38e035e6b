"""The TypeScript SDK: its own tests against the real service, and a reader that lives through restarts of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.storage.neo4j.connection import Target
from tests.conftest import Service, empty, free_port, neo4j_environment, start_service

PACKAGE = Path(__file__).parents[2] / "sdk" / "typescript"


def why_not() -> str | None:
    """What is missing to run them."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "the TypeScript SDK needs node and npm"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return None if int(version[1:].split(".")[0]) >= 20 else f"the TypeScript SDK needs node 20, this is {version}"


REASON = why_not()
pytestmark = [pytest.mark.skipif(REASON is not None, reason=str(REASON)), pytest.mark.timeout(600)]


def run(*command: str, **variables: str) -> str:
    done = subprocess.run(command, cwd=PACKAGE, env=os.environ | variables, capture_output=True, text=True, check=False, timeout=580)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-4_000:]
    return done.stdout


@pytest.fixture(scope="module")
def installed() -> None:
    """The pinned development tools are there, and everything is compiled."""
    lock, mark = PACKAGE / "package-lock.json", PACKAGE / "node_modules" / ".package-lock.json"
    if not mark.exists() or mark.stat().st_mtime < lock.stat().st_mtime:
        run("npm", "ci", "--ignore-scripts")
    run("npm", "run", "pretest")


@pytest.mark.usefixtures("installed")
def test_the_typescript_sdk_keeps_its_word(service: Service) -> None:
    said = run("npm", "test", "--ignore-scripts", SEMP_URL=service.url)
    totals = [line for line in said.splitlines() if line.startswith(("# tests", "# pass", "# skipped"))]
    print("\n".join(line for line in said.splitlines() if "# SKIP" in line), *totals, sep="\n")


@pytest.mark.usefixtures("installed")
def test_a_reader_lives_through_restarts_and_is_told_of_another_log(neo4j_target: Target, tmp_path: Path) -> None:
    port = free_port()
    environment = neo4j_environment(neo4j_target)
    empty(neo4j_target)
    service = start_service(tmp_path / "log", environment=environment, port=port)
    printed = tmp_path / "printed"
    with printed.open("w") as output:
        variables = os.environ | {"SEMP_URL": service.url}
        command = ["node", "build/follower.js"]
        reader = subprocess.Popen(command, cwd=PACKAGE, env=variables, stdout=output, stderr=subprocess.PIPE, text=True)

    def lines() -> list[str]:
        return printed.read_text().split("\n")[:-1]

    def emit(count: int) -> None:
        event = {"type": "ready", "scope": "s", "trace_id": "t", "agent_id": "a", "payload": {"status": "x"}}
        assert service.client.post("/api/events/batch", json=[event] * count).is_success

    try:
        for how, total in ((signal.SIGINT, 300), (signal.SIGKILL, 600)):
            emit(300)
            until(lambda total=total: len(lines()) == total)
            service.stop(how)
            service = start_service(tmp_path / "log", environment=environment, port=port)
        emit(300)
        until(lambda: len(lines()) == 900)
        service.stop()
        empty(neo4j_target)
        service = start_service(tmp_path / "log", environment=environment, port=port)
        assert reader.wait(60) == 0
        assert lines() == [*map(str, range(1, 901)), "lost after 900"]
    finally:
        reader.kill()
        _, complaints = reader.communicate()
        print(complaints)
        assert service.stop() == 0


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
