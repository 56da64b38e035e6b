"""The commands of the examples' pages: examples/ant_colony/README.md, examples/three_teams/README.md and docs/git-history.md.

As printed, `make ants` takes minutes, and both `make` commands start a Neo4j. So these tests check which command `make` would run, and
run the ants with options that make them short. tests/acceptance/test_readme.py runs `make ants` and `make teams` with the options of the
main page.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Service

ROOT = Path(__file__).parents[2]
STORY = ROOT / "tests/fixtures/git_history.fast-import"
SCRIPTS = {"ant_colony": "examples/ant_colony/run.py", "three_teams": "examples/three_teams/run.py"}


def printed(page: str) -> list[str]:
    """The commands of a page: the lines of its blocks, and `make` commands in its text; `ARGS=...` alone is for `make ants`."""
    text = (ROOT / page).read_text("utf-8")
    lines = [line for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) for line in block.splitlines()]
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    inline = [" ".join(found.split()) for found in re.findall(r"`((?:make |ARGS=)[^`]*)`", prose)]
    return [*lines, *(line if line.startswith("make ") else f"make ants {line}" for line in inline)]


MAKE = [(name, line) for name in SCRIPTS for line in printed(f"examples/{name}/README.md")]


def options_of(line: str) -> list[str]:
    """The options that a `make` command passes to the example."""
    arguments = [word.removeprefix("ARGS=") for word in shlex.split(line) if word.startswith("ARGS=")]
    return shlex.split(arguments[0]) if arguments else []


@pytest.mark.parametrize(("name", "line"), MAKE)
def test_make_runs_the_example_with_the_printed_options(name: str, line: str) -> None:
    command = ["bash", "-c", line.replace("make ", "make -n ", 1)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # this test may run below make itself
    done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    last = shlex.split(done.stdout.splitlines()[-1])
    assert last == [".venv/bin/python", SCRIPTS[name], *options_of(line)]


def test_the_pages_print_the_commands_that_are_checked() -> None:
    assert ("ant_colony", "make ants") in MAKE
    assert ("three_teams", "make teams") in MAKE
    assert len(MAKE) == 5


@pytest.mark.parametrize("line", [line for name, line in MAKE if name == "ant_colony"])
def test_the_ants_accept_the_printed_options(memory_service: Service, tmp_path: Path, line: str) -> None:
    """On one map, with one colony and two rounds: the results of full runs are tested elsewhere."""
    picture = tmp_path / "curves.png"
    options = [str(picture) if word == "FILE" else word for word in options_of(line)]
    short = ["--url", memory_service.url, "--instances", "berlin52", "--seeds", "1", "--rounds", "2"]
    command = [sys.executable, ROOT / SCRIPTS["ant_colony"], *options, *short]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^berlin52 +7542 ", done.stdout, re.MULTILINE)
    assert picture.exists() == ("FILE" in line)


def test_the_git_history_command_works_as_printed(memory_service: Service, tmp_path: Path) -> None:
    """As printed, with a clone in place of CLONE."""
    [line] = printed("docs/git-history.md")
    clone = tmp_path / "story"
    subprocess.run(["git", "init", "--quiet", "--object-format=sha1", clone], check=True)
    subprocess.run(["git", "-C", clone, "symbolic-ref", "HEAD", "refs/heads/main"], check=True)
    subprocess.run(["git", "-C", clone, "fast-import", "--quiet", "--done"], input=STORY.read_bytes(), check=True)
    assert " CLONE " in line
    done = subprocess.run(
        ["bash", "-c", line.replace("CLONE", shlex.quote(str(clone)))], cwd=ROOT, env={**os.environ, "SEMP_URL": memory_service.url},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all 13 commits agree with Git" in done.stdout
