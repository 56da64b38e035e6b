"""Where a POST spends processor time: samples of the service's Python frames, and the time of the database, for each POST under load.

The picture is `benchmarks/results/post.svg`.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections import Counter
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import psutil

from benchmarks.report import RESULTS, Report
from benchmarks.sampling import LOOP, SAMPLES
from benchmarks.servers import load, process_on, running
from benchmarks.single import CONNECTIONS, WARM

DATABASE = "database (Java)"
ORDER = ("HTTP protocol", "routing", "decoding and checking", "planning", "database driver", "live delivery", LOOP, DATABASE)


def anatomy(report: Report, seconds: float = 20.0) -> None:
    """Report the processor time of a POST at 256 connections by part, and draw it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "samples"
        os.environ[SAMPLES] = str(file)
        try:
            with running("neo4j") as port:
                del os.environ[SAMPLES]
                load(port, CONNECTIONS, WARM / 2)
                java = next(one for one in psutil.process_iter(["name"]) if one.info["name"] == "java")
                service = process_on(port)
                sampled = Counter[str](json.loads(file.read_text()))
                before = [sum(one.cpu_times()[:2]) for one in (service, java)]
                began = time.perf_counter()
                result = load(port, CONNECTIONS, seconds)
                wall = time.perf_counter() - began
                used = [sum(one.cpu_times()[:2]) - was for one, was in zip((service, java), before, strict=True)]
        finally:
            os.environ.pop(SAMPLES, None)
        counts = Counter[str](json.loads(file.read_text()))
        counts.subtract(sampled)
    posts = result["rate"] * wall
    busy = [1e6 * seconds_used / posts for seconds_used in used]
    parts = {name: busy[0] * counts[name] / sum(counts.values()) for name in ORDER[:-1]} | {DATABASE: busy[1]}
    draw(parts, RESULTS / "post.svg")
    detail = ", ".join(f"{name} {cost:.0f}" for name, cost in parts.items())
    report.add("POST /events: processor time of the database / of the service", busy[1] / busy[0], "-", f"microseconds a POST: {detail}")


def draw(parts: dict[str, float], file: Path) -> None:
    """Draw the parts as bars, in their order."""
    mpl.rcParams["svg.hashsalt"] = "post"
    figure, axes = plt.subplots(figsize=(8, 3.4))
    names = list(parts)[::-1]
    bars = axes.barh(names, [parts[name] for name in names], color=["#b07aa1" if name == DATABASE else "#4e79a7" for name in names])
    axes.bar_label(bars, fmt="%.0f", padding=4)
    axes.set_xlabel(f"microseconds of processor time for each POST at {CONNECTIONS} connections; {sum(parts.values()):.0f} in all")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.08)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
