"""Counts which part of a service's work its event loop is in, for `benchmarks.anatomy`."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path

SAMPLES = "BENCHMARK_SAMPLES"
"""Environment variable of a server: the file that it writes samples to."""
INTERVAL = 0.002
"""Seconds between two samples."""

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
"""The part where no piece fits: also when the loop is idle."""


def sample_main_thread(file: Path) -> None:
    """Count from now on which part the main thread is in. The counts are written to the file as JSON, each second anew."""
    counts: Counter[str] = Counter()
    main = threading.main_thread().ident or 0

    def sample() -> None:
        write_at = time.monotonic() + 1
        while True:
            time.sleep(INTERVAL)
            frame = sys._current_frames().get(main)  # pyright: ignore[reportPrivateUsage] - documented, in spite of its name
            part = LOOP
            while frame is not None:
                path = frame.f_code.co_filename
                if found := next((name for piece, name in PARTS.items() if f"/{piece}" in path), None):
                    part = found
                    break
                frame = frame.f_back
            counts[part] += 1
            if time.monotonic() > write_at:
                file.write_text(json.dumps(counts))
                write_at += 1

    threading.Thread(target=sample, daemon=True).start()
