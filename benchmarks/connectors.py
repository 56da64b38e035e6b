"""The cost of a connector: the same scripted run of each framework with and without its connector, in turn, in one process of the
framework's environment (see `benchmarks.watched`). The service and its database run in other processes, but on the same cores, which
is seldom so for a user.

A step is one call of a model that only sleeps. A call of a hosted model takes from some tenths of a second to many seconds, so 200 ms
is a fast call and 50 ms is shorter than any. The shorter the step, the larger the share of the connector. Steps of 0 ms show the cost
of the connector alone.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from benchmarks.report import Report, median
from benchmarks.servers import running
from benchmarks.turns import Seconds, ratio

ROOT = Path(__file__).parents[1]
FRAMEWORKS = {"langgraph": "LangGraph", "crewai": "CrewAI", "autogen": "AutoGen", "otel": "OpenTelemetry"}
STEPS = 20
PACES = ((0.2, 5, "at most 1.02"), (0.05, 6, "-"), (0.0, 12, "-"))
"""Seconds of one call of the model, number of pairs of runs, and the target for the ratio."""


def overhead(report: Report) -> None:
    """Time of a run with the connector, divided by its time without. Processor time is that of the whole process of the run, including
    the sending thread, until all events are sent."""
    with running("neo4j") as port:
        for name, title in FRAMEWORKS.items():
            for seconds, rounds, bar in PACES:
                wall, cpu = runs(name, port, seconds, rounds)
                pace = f"of {1000 * seconds:.0f} ms" if seconds else "that do nothing"
                step = 1e6 * median(wall["without"]) / STEPS
                detail = f"{more(wall):+,.0f} us a step, {more(cpu):+,.0f} us of processor time; without {step:,.0f} us"
                report.add(f"{title}: a run of {STEPS} steps {pace}, with connector / without", ratio(wall, "with", "without"), bar, detail)


def runs(name: str, port: int, seconds: float, rounds: int) -> tuple[Seconds, Seconds]:
    """Wall time and processor time of each run, in seconds, with and without the connector of framework `name`."""
    python = ROOT / ".envs" / name / "bin/python"
    assert python.exists(), "make connectors"
    command = [python, "-m", "benchmarks.watched", name, f"http://127.0.0.1:{port}", str(STEPS), str(seconds), str(rounds)]
    path = os.environ | {"PYTHONPATH": str(ROOT / "sdk/python/src")}
    done = subprocess.run(command, cwd=ROOT, env=path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    wall, cpu = json.loads(done.stdout.splitlines()[-1])
    return wall, cpu


def more(times: Seconds) -> float:
    """Median of the extra microseconds per step of a run with the connector, compared with the run without it in the same pair."""
    return 1e6 * median([a - b for a, b in zip(times["with"], times["without"], strict=True)]) / STEPS
