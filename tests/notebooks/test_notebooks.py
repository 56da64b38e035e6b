"""The notebooks run from top to bottom on a fresh service, and what is committed of them is small and of nobody's machine."""

from __future__ import annotations

import getpass
import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from notebooks.run import NOTEBOOKS, executed

HERE = Path(__file__).parents[2] / "notebooks"
LARGEST = 300 * 1024
pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # of the kernel's own machinery


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == kind]


def pictures(outputs: list[dict[str, Any]]) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs)


def test_there_are_four_and_the_page_names_each_with_its_question() -> None:
    page = (HERE / "README.md").read_text("utf-8")
    assert len(NOTEBOOKS) == 4
    for path in NOTEBOOKS:
        question = cells(path, "markdown")[0]["source"][0].removeprefix("# ").strip()
        assert question.endswith("?")
        assert f"| [{path.stem}]({path.name}) | {question} |" in page


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_committed_has_outputs_is_small_and_of_nobodys_machine(path: Path) -> None:
    text = path.read_text("utf-8")
    assert path.stat().st_size < LARGEST
    code = cells(path, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1)), "run from top to bottom, once"
    assert sum(pictures(cell["outputs"]) for cell in code) >= 1
    told = re.sub(r'"image/png": "[^"]*"', "", text)
    for private in (str(Path.home()), socket.gethostname(), f"/{getpass.getuser()}/", "/tmp/", "127.0.0.1"):
        assert private not in told, private
    assert "application/vnd.jupyter.widget-view+json" not in text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path: Path) -> None:
    """Its own assertions hold the figures it states."""
    done = executed(path)
    kept = cells(path, "code")
    ran = [cell for cell in done.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in ran] == [cell["execution_count"] for cell in kept]
    assert [pictures(cell.outputs) for cell in ran] == [pictures(cell["outputs"]) for cell in kept]
