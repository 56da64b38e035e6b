"""The tests of each connector, run in the environment of its framework on the real service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Service

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "sdk/python/tests/connectors"
CONNECTORS = sorted(path.name for path in TESTS.iterdir() if path.is_dir() and path.name[0] not in "._")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CONNECTORS)
def test_the_tests_of_a_connector_pass(service: Service, name: str) -> None:
    python = ROOT / ".envs" / name / "bin/python"
    assert python.exists(), "make connectors"
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", TESTS / "pytest.ini", TESTS / name]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"SEMP_URL": service.url}, capture_output=True, text=True, check=False, timeout=580
    )  # fmt: skip
    print(done.stdout[-4000:])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_connector_and_its_tests_have_correct_types_with_its_framework(name: str, tmp_path: Path) -> None:
    source, sdk = ROOT / "sdk/python/src/semp_sdk/connectors" / name, str(ROOT / "sdk/python/src")
    tests = {
        "root": str(TESTS / name), "extraPaths": [sdk, str(TESTS), str(TESTS / name)],
        "reportPrivateUsage": False,  # tests look at private state, to see that it is released
    }  # fmt: skip
    settings = {
        "include": [str(source), str(TESTS / name)], "exclude": ["**/__pycache__"], "extraPaths": [sdk], "executionEnvironments": [tests],
        "pythonVersion": "3.11", "typeCheckingMode": "strict", "reportMissingTypeStubs": False, "reportUnknownMemberType": False,
    }  # fmt: skip
    project = tmp_path / "pyrightconfig.json"  # the configuration of the repository excludes these modules even when they are named
    project.write_text(json.dumps(settings))
    checker = Path(sys.executable).with_name("basedpyright")
    command = [checker, "--pythonpath", ROOT / ".envs" / name / "bin/python", "-p", project]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No source files found" not in done.stdout
