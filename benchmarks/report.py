"""The report of a run: rows are printed as they are measured, and written as JSON and Markdown with the machine and versions."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).parent / "results"


class Report:
    """Collects the rows of a run. A `bar` is the target that the project sets for a ratio."""

    def __init__(self) -> None:
        self.benchmark = ""
        """Name of the benchmark that runs now."""
        self.rows: list[dict[str, Any]] = []

    def add(self, name: str, ratio: float, bar: str, detail: str) -> None:
        """Add and print one comparison: its name, the ratio, the target, and the absolute figures as a text."""
        date = datetime.now(UTC).strftime("%Y-%m-%d")
        self.rows.append({"benchmark": self.benchmark, "date": date, "name": name, "ratio": round(ratio, 3), "bar": bar, "detail": detail})
        print(f"{name:58} {ratio:8.2f}   ({bar})   {detail}", flush=True)

    def write(self, neo4j: str, order: Sequence[str]) -> None:
        """Write results/latest.json and latest.md. Benchmarks that did not run keep their rows if machine and versions are the same.

        Args:
            neo4j: version of the database.
            order: names of all benchmarks, in the order of the rows.
        """
        memory = psutil.virtual_memory().total
        machine = {
            "machine": f"{os.cpu_count()} cores, {round(memory / 2**30)} GiB, {platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            **{name: version(name) for name in ("neo4j", "litestar", "uvicorn", "msgspec", "uvloop")},
        }
        machine["neo4j"] = f"{neo4j} (driver {version('neo4j')})"
        RESULTS.mkdir(exist_ok=True)
        file = RESULTS / "latest.json"
        before: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        known: list[dict[str, Any]] = before.get("results", []) if before.get("machine") == machine else []
        new = {row["benchmark"] for row in self.rows}
        old = [row for row in known if row["benchmark"] not in new]
        rows = sorted([*old, *self.rows], key=lambda row: order.index(row["benchmark"]))
        results = {"machine": machine, "results": rows}
        file.write_text(json.dumps(results, indent=1) + "\n")
        (RESULTS / "latest.md").write_text(as_markdown(results))


def as_markdown(results: dict[str, Any]) -> str:
    """The contents of `latest.json` as a Markdown page."""
    lines = ["# Results", "", "Ratios of both sides measured in one run; absolute figures hold for this machine and hour only.", ""]
    lines += [f"- {name}: {value}" for name, value in results["machine"].items()]
    lines += ["", "| Benchmark | Comparison | Ratio | Bar | Figures | Date |", "|---|---|---|---|---|---|"]
    columns = ("benchmark", "name", "ratio", "bar", "detail", "date")
    lines += [f"| {' | '.join(str(row[name]) for name in columns)} |" for row in results["results"]]
    return "\n".join(lines) + "\n"


def median(values: list[float]) -> float:
    """The median."""
    return statistics.median(values)
