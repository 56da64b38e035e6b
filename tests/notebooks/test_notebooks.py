"""The notebooks run from top to bottom on a new service. The committed ones are small and name no machine and no user."""

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
"""Bytes that a committed notebook may have."""
pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # from the Jupyter kernel


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    """The cells of a committed notebook that are `code` or `markdown`."""
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == kind]


def pictures(outputs: list[dict[str, Any]]) -> int:
    """How many outputs are pictures."""
    return sum("image/png" in output.get("data", {}) for output in outputs)


def test_there_are_four_notebooks_and_the_page_lists_each_with_its_question() -> None:
    page = (HERE / "README.md").read_text("utf-8")
    assert len(NOTEBOOKS) == 4
    for path in NOTEBOOKS:
        question = cells(path, "markdown")[0]["source"][0].removeprefix("# ").strip()
        assert question.endswith("?")
        assert f"| [{path.stem}]({path.name}) | {question} |" in page


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_committed_notebook_has_outputs_is_small_and_names_no_machine(path: Path) -> None:
    text = path.read_text("utf-8")
    assert path.stat().st_size < LARGEST
    code = cells(path, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1)), "run from top to bottom, once"
    assert sum(pictures(cell["outputs"]) for cell in code) >= 1
    text_without_pictures = re.sub(r'"image/png": "[^"]*"', "", text)
    for private in (str(Path.home()), socket.gethostname(), f"/{getpass.getuser()}/", "/tmp/", "127.0.0.1"):
        assert private not in text_without_pictures, private
    assert "application/vnd.jupyter.widget-view+json" not in text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path: Path) -> None:
    """Its own assertions check the numbers in its text."""
    done = executed(path)
    committed = cells(path, "code")
    run = [cell for cell in done.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in run] == [cell["execution_count"] for cell in committed]
    assert [pictures(cell.outputs) for cell in run] == [pictures(cell["outputs"]) for cell in committed]
