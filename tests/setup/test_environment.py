"""`make` creates a virtual environment that works, or says what is missing. One that failed is created again at the next try."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A directory with the Makefile alone, which its first rule needs."""
    directory = tmp_path / "project"
    directory.mkdir()
    shutil.copy(ROOT / "Makefile", directory)
    return directory


def make(checkout: Path, python: str = sys.executable, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the rule that creates the environment, with this Python and this PATH."""
    environment = {**os.environ, "PATH": path or os.environ["PATH"]}
    line = ["make", "--no-print-directory", ".venv/base.stamp", f"PYTHON={python}"]
    return subprocess.run(line, cwd=checkout, env=environment, capture_output=True, text=True, timeout=120, check=False)


def script(path: Path, text: str) -> str:
    """Write an executable shell script; its path."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def works(checkout: Path) -> bool:
    """Whether the environment has Python and pip."""
    return subprocess.run([checkout / ".venv/bin/python", "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0


def test_an_environment_that_failed_is_created_again_at_the_next_try(checkout: Path) -> None:
    failing = script(
        checkout / "failing",
        f'[ "$2" = venv ] || exec {sys.executable} "$@"\n'
        f'mkdir -p "$3/bin"; ln -s {sys.executable} "$3/bin/python"\n'
        'echo "ensurepip is not available" >&2; exit 1',
    )
    first = make(checkout, failing)
    assert first.returncode != 0
    assert "apt install python3-venv" in first.stdout
    again = make(checkout)
    assert again.returncode == 0, again.stderr
    assert works(checkout)


@pytest.mark.parametrize("damage", ["no pip", "no stamp", "moved"])
def test_a_damaged_environment_is_created_again_and_make_says_so(checkout: Path, damage: str) -> None:
    assert make(checkout).returncode == 0
    match damage:
        case "no pip":
            [packages] = checkout.glob(".venv/lib/*/site-packages/pip")
            shutil.rmtree(packages)
        case "no stamp":
            (checkout / ".venv/base.stamp").unlink()
        case _:
            checkout = checkout.rename(checkout.with_name("elsewhere"))
    again = make(checkout)
    assert again.returncode == 0, again.stderr
    assert "making it anew" in again.stdout
    assert works(checkout)


def test_an_undamaged_environment_is_kept(checkout: Path) -> None:
    assert make(checkout).returncode == 0
    mark = checkout / ".venv/mark"
    mark.touch()
    assert make(checkout).returncode == 0
    assert mark.exists()


def test_for_an_old_python_the_error_names_the_remedy(checkout: Path) -> None:
    version = "import sys; sys.version_info = (3, 9, 2); sys.version = '3.9.2 (default)'; exec(sys.argv.pop(1))"
    old = script(checkout / "old", f'if [ "$1" = -c ]; then exec {sys.executable} -c "{version}" "$2"; fi\nexit 9')
    done = make(checkout, old)
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stderr
    assert "is 3.9.2" in done.stderr
    assert "PYTHON=python3.12" in done.stderr
    assert not (checkout / ".venv").exists()


def test_for_a_missing_python_the_error_names_the_remedy(checkout: Path) -> None:
    done = make(checkout, "no-such-python")
    assert done.returncode != 0
    assert "There is no no-such-python on the PATH" in done.stdout
    assert "Install Python 3.11 or newer" in done.stdout
