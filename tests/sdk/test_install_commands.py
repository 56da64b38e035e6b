"""The commands that the SDKs' pages print to install them and to work on them: README.md and connectors.md of sdk/python, README.md of
sdk/typescript.

Dependencies come from a registry, so these tests run the printed `pip` commands without dependencies. Of the `npm` commands they check the
names of the archive and of the scripts; tests/sdk/test_typescript.py runs `npm ci`, the tests and the linter.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON, TYPESCRIPT = ROOT / "sdk/python", ROOT / "sdk/typescript"
PIP = sorted({
    found
    for page in (PYTHON / "README.md", PYTHON / "connectors.md")
    for found in re.findall(r"pip install '?\./sdk/python[^\n`]*", page.read_text("utf-8"), re.MULTILINE)
})  # fmt: skip


def test_the_pages_print_an_install_command_for_the_package_and_for_every_extra() -> None:
    extras = tomllib.loads((PYTHON / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert set(PIP) == {"pip install ./sdk/python", *(f"pip install './sdk/python[{extra}]'" for extra in extras)}


@pytest.mark.parametrize("line", PIP)
def test_pip_installs_the_sdk_as_printed(line: str, tmp_path: Path) -> None:
    """Into a folder, without dependencies and without a registry."""
    offline = f"pip install --disable-pip-version-check --no-index --no-deps --no-build-isolation --target '{tmp_path}'"
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = ["bash", "-c", line.replace("pip install", offline, 1)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "semp_sdk/__init__.py").is_file()


def test_the_printed_archive_is_what_npm_packs() -> None:
    package = json.loads((TYPESCRIPT / "package.json").read_text("utf-8"))
    archive = f"{package['name'].removeprefix('@').replace('/', '-')}-{package['version']}.tgz"
    printed = re.findall(r"npm install (\S+)", (TYPESCRIPT / "README.md").read_text("utf-8"))
    assert printed == [f"./sdk/typescript/{archive}"]


def test_every_printed_npm_script_is_in_the_package() -> None:
    scripts = json.loads((TYPESCRIPT / "package.json").read_text("utf-8"))["scripts"]
    printed = re.findall(r"npm (?:run )?(test|(?<=run )\w+)", (TYPESCRIPT / "README.md").read_text("utf-8"))
    assert {"test", "types", "lint"} <= set(printed) <= set(scripts)
