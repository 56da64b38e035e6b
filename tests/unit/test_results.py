"""Figures in the documents are those of the committed results, and not of another run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from benchmarks.report import as_markdown

ROOT = Path(__file__).parents[2]
RESULTS: dict[str, Any] = json.loads((ROOT / "benchmarks/results/latest.json").read_text("utf-8"))
README = (ROOT / "README.md").read_text("utf-8")


def readme_ratios() -> list[str]:
    """The second column of the README's table of figures; a row may hold several."""
    table = README.partition("| | ratio |\n|---|---|\n")[2].partition("\n\n")[0]
    found: list[str] = []
    for line in table.splitlines():
        found += re.sub(r"\(.*?\)", "", line.rstrip("| ").rpartition("|")[2]).replace(" ", "").split(",")
    return found


def test_the_page_of_results_shows_what_was_measured_last() -> None:
    assert (ROOT / "benchmarks/results/latest.md").read_text("utf-8") == as_markdown(RESULTS)


def test_every_figure_of_the_readme_is_one_of_the_committed_results() -> None:
    measured = {f"{row['ratio'] + shift:.2f}" for row in RESULTS["results"] for shift in (0, 1e-9, -1e-9)}
    ratios = readme_ratios()
    assert len(ratios) >= 10
    assert [ratio for ratio in ratios if ratio not in measured] == []
    [idle] = [row["ratio"] for row in RESULTS["results"] if row["benchmark"] == "idle"]
    assert f"An idle connection takes {idle:.0f} KiB." in README


def test_every_benchmark_has_a_result() -> None:
    source = (ROOT / "benchmarks/__main__.py").read_text("utf-8").partition("BENCHMARKS = {")[2].partition("}")[0]
    assert {row["benchmark"] for row in RESULTS["results"]} == set(re.findall(r'"(\w+)":', source))
