"""Counts which part of a service's work its event loop is in, for `benchmarks.anatomy`."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path
from types import FrameType

SAMPLES = "BENCHMARK_SAMPLES"
"""Environment variable of a server: the file that it writes samples to."""
INTERVAL = 0.002
"""Seconds of processor time between two samples."""

PARTS = {
    "uvicorn/protocols": "HTTP protocol", "semp/api/http_protocol": "HTTP protocol",
    "litestar": "routing", "semp/api/security": "routing", "semp/mcp": "routing",
    "semp/api": "decoding and checking", "semp/domain/events": "decoding and checking", "semp/domain/validation": "decoding and checking",
    "semp/domain/scopes": "decoding and checking",
    "semp/engine/live": "live delivery", "semp/engine/listeners": "live delivery", "semp/engine/blocks": "live delivery",
    "semp/engine": "planning", "semp/domain": "planning",
    "semp/storage": "database driver", "neo4j": "database driver",
}  # fmt: skip
"""By a piece of a file's path: the part of the work that it does. The first that fits counts."""
LOOP = "event loop and sockets"
"""The part where no piece fits."""


def sample_main_thread(file: Path) -> None:
    """Count from now on which part the main thread is in, each time the process has used INTERVAL of processor time. To be called there.

    The counts are written to the file as JSON, every second of processor time. What the event loop does outside Python counts for the next
    call into Python.
    """
    counts: Counter[str] = Counter()

    def sample(_: int, frame: FrameType | None) -> None:
        part = LOOP
        while frame is not None:
            path = frame.f_code.co_filename
            if found := next((name for piece, name in PARTS.items() if f"/{piece}" in path), None):
                part = found
                break
            frame = frame.f_back
        counts[part] += 1
        if counts.total() % round(1 / INTERVAL) == 0:
            file.write_text(json.dumps(counts))

    signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
