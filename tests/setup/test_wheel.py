"""A wheel built from the source distribution works in another environment, next to a package `app` of the user."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port, wait_ready

ROOT = Path(__file__).parents[2]


def run(*line: str | Path, cwd: Path, **options: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SEMP_", "PYTHON"))} | options
    done = subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the unpacked source distribution, as pip and Linux distributions do."""
    directory = tmp_path_factory.mktemp("build")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", directory, cwd=ROOT)
    [source] = directory.glob("sel_semp-*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(directory, filter="data")
    [folder] = [path for path in directory.iterdir() if path.is_dir()]
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory, cwd=folder)
    [built] = directory.glob("sel_semp-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` directory of an environment with the wheel. It uses the dependencies of the environment that runs the tests."""
    directory = tmp_path_factory.mktemp("environment")
    venv.create(directory, with_pip=False)
    [packages] = directory.glob("lib/python*/site-packages")
    dependencies = next(path for path in sys.path if path.endswith("site-packages"))
    run(
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--python",
        directory / "bin/python",
        "install",
        "--no-deps",
        wheel,
        cwd=directory,
    )
    (packages / "dependencies.pth").write_text(dependencies + "\n")
    return directory / "bin"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of a user, with a package `app`, which was the name of this one in the past."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app/__init__.py").write_text("raise RuntimeError('the user\\'s own package was imported')\n")
    return tmp_path


def test_the_wheel_holds_one_package_with_its_queries_and_pages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"semp", f"sel_semp-{wheel.name.split('-')[1]}.dist-info"}
    queries = {path.relative_to(ROOT / "cypher").as_posix() for path in (ROOT / "cypher").rglob("*.cypher")}
    assert {name.removeprefix("semp/cypher/") for name in names if name.startswith("semp/cypher/")} == queries
    assert "semp/py.typed" in names
    assert "semp/api/pages/assets/swagger-ui-bundle.js" in names
    assert not [name for name in names if name.rsplit("/", 1)[-1].startswith(("test", "conftest")) or name.endswith((".pyc", ".map"))]


def test_the_metadata_names_license_and_python_versions(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    [metadata] = [archive.read(name).decode() for name in archive.namelist() if name.endswith("METADATA")]
    lines = metadata.partition("\n\n")[0].splitlines()
    assert "Name: sel-semp" in lines
    assert "Requires-Python: >=3.11" in lines
    assert "License-Expression: Apache-2.0" in lines
    for version in ("3.11", "3.14"):
        assert f"Classifier: Programming Language :: Python :: {version}" in lines


def test_the_command_works_beside_a_users_own_package(installed: Path, project: Path) -> None:
    version = run(installed / "semp", "--version", cwd=project, PYTHONPATH=".")
    assert version == run(installed / "python", "-m", "semp", "--version", cwd=project, PYTHONPATH=".")
    where = "import semp.storage.queries as q; print(q.directory()); assert len(q.load()) > 50"
    assert "site-packages/semp/cypher" in run(installed / "python", "-c", where, cwd=project, PYTHONPATH=".")


@pytest.fixture
def service(installed: Path, project: Path) -> Iterator[str]:
    port = free_port()
    line = [installed / "semp", "serve", "--memory", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": "."}
    with (project / "log").open("w") as log:
        process = subprocess.Popen(line, cwd=project, env=environment, stdout=log, stderr=log)
    try:
        yield wait_ready(f"http://127.0.0.1:{port}", process, project / "log")
    finally:
        process.terminate()
        assert process.wait(30) == 0


def test_the_service_and_its_tools_run_from_the_wheel(installed: Path, project: Path, service: str) -> None:
    event = {"type": "proposal", "scope": "ui", "trace_id": "t", "agent_id": "a", "payload": {"action": "x"}}
    assert httpx.post(f"{service}/api/events", json=event).status_code == 201
    assert httpx.get(f"{service}/schema/assets/swagger-ui.css").status_code == 200
    initialize = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}},
    }  # fmt: skip
    done = subprocess.run(
        [installed / "semp", "mcp", "--url", service], input=json.dumps(initialize) + "\n", cwd=project,
        env={**os.environ, "PYTHONPATH": "."}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0])["result"]["serverInfo"]["name"] == "semp"


def test_a_checkout_is_installed_without_a_copy_of_anything(tmp_path: Path) -> None:
    """An editable install refers to the checkout; a copied query would be an old one tomorrow."""
    run(sys.executable, "-c", f"from hatchling.build import build_editable; build_editable({str(tmp_path)!r})", cwd=ROOT)
    [built] = tmp_path.glob("sel_semp-*.whl")
    names = [name for name in zipfile.ZipFile(built).namelist() if ".dist-info/" not in name]
    assert names == ["_sel_semp.pth"]
    assert zipfile.ZipFile(built).read(names[0]).decode().split() == [str(ROOT / "app")]
