"""What was measured, where, with what; printed as it comes, written as JSON and Markdown."""

from __future__ import annotations

import json
import os
import platform
import statistics
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).parent / "results"


class Report:
    """Collects figures; a bar is what the project asks of itself."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, name: str, ratio: float, bar: str, detail: str) -> None:
        """One comparison: the ratio, what it should be, the figures behind it."""
        self.rows.append({"name": name, "ratio": round(ratio, 3), "bar": bar, "detail": detail})
        print(f"{name:58} {ratio:8.2f}   ({bar})   {detail}", flush=True)

    def write(self, neo4j: str, label: str = "latest") -> None:
        """results/LABEL.json and results/LABEL.md."""
        memory = psutil.virtual_memory().total
        machine = {
            "date": datetime.now(UTC).strftime("%Y-%m-%d"),
            "machine": f"{os.cpu_count()} cores, {round(memory / 2**30)} GiB, {platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "neo4j": neo4j,
            **{name: version(name) for name in ("neo4j", "litestar", "uvicorn", "msgspec", "uvloop")},
        }
        machine["neo4j"] = f"{neo4j} (driver {version('neo4j')})"
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{label}.json").write_text(json.dumps({"machine": machine, "results": self.rows}, indent=1) + "\n")
        lines = ["# Results", "", "Ratios of both sides measured in one run; absolute figures hold for this machine and hour only.", ""]
        lines += [f"- {name}: {value}" for name, value in machine.items()]
        lines += ["", "| Comparison | Ratio | Bar | Figures |", "|---|---|---|---|"]
        lines += [f"| {row['name']} | {row['ratio']} | {row['bar']} | {row['detail']} |" for row in self.rows]
        (RESULTS / f"{label}.md").write_text("\n".join(lines) + "\n")


def median(values: list[float]) -> float:
    """The middle value."""
    return statistics.median(values)
