"""What was measured, where, with what; printed as it comes, written as JSON and Markdown."""

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
    """Collects figures; a bar is what the project asks of itself."""

    def __init__(self) -> None:
        self.benchmark = ""
        """What is measured now."""
        self.rows: list[dict[str, Any]] = []

    def add(self, name: str, ratio: float, bar: str, detail: str) -> None:
        """One comparison: the ratio, what it should be, the figures behind it."""
        date = datetime.now(UTC).strftime("%Y-%m-%d")
        self.rows.append({"benchmark": self.benchmark, "date": date, "name": name, "ratio": round(ratio, 3), "bar": bar, "detail": detail})
        print(f"{name:58} {ratio:8.2f}   ({bar})   {detail}", flush=True)

    def write(self, neo4j: str, order: Sequence[str]) -> None:
        """results/latest.json and latest.md. Benchmarks that were not run keep the rows they have there from the same machine and versions.

        Args:
            order: all benchmarks, as they are listed.
        """
        memory = psutil.virtual_memory().total
        machine = {
            "machine": f"{os.cpu_count()} cores, {round(memory / 2**30)} GiB, {platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            **{name: version(name) for name in ("neo4j", "litestar", "uvicorn", "msgspec", "uvloop")},
        }
        machine["neo4j"] = f"{neo4j} (driver {version('neo4j')})"
        RESULTS.mkdir(exist_ok=True)
        kept = RESULTS / "latest.json"
        before: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
        known: list[dict[str, Any]] = before.get("results", []) if before.get("machine") == machine else []
        new = {row["benchmark"] for row in self.rows}
        old = [row for row in known if row["benchmark"] not in new]
        rows = sorted([*old, *self.rows], key=lambda row: order.index(row["benchmark"]))
        results = {"machine": machine, "results": rows}
        kept.write_text(json.dumps(results, indent=1) + "\n")
        (RESULTS / "latest.md").write_text(as_markdown(results))


def as_markdown(results: dict[str, Any]) -> str:
    """The results as a page: what `latest.json` holds, for people."""
    lines = ["# Results", "", "Ratios of both sides measured in one run; absolute figures hold for this machine and hour only.", ""]
    lines += [f"- {name}: {value}" for name, value in results["machine"].items()]
    lines += ["", "| Benchmark | Comparison | Ratio | Bar | Figures | Date |", "|---|---|---|---|---|---|"]
    columns = ("benchmark", "name", "ratio", "bar", "detail", "date")
    lines += [f"| {' | '.join(str(row[name]) for name in columns)} |" for row in results["results"]]
    return "\n".join(lines) + "\n"


def median(values: list[float]) -> float:
    """The middle value."""
    return statistics.median(values)
