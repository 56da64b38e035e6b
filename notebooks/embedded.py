"""A fresh service for a notebook: an embedded Neo4j on data of its own, gone when the notebook's kernel ends."""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
for place in (ROOT, ROOT / "sdk" / "python" / "src"):  # the SDK of this checkout, installed or not
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))

from examples.service import Running  # noqa: E402


def fresh_service(*, decay_interval: float = 60.0) -> str:
    """Start one and wait until it takes events (some ten seconds); its URL. With SEMP_URL set, that service is used instead.

    Args:
        decay_interval: seconds in which a signal loses 5 %.

    Raises:
        RuntimeError: it did not start; holds what it printed.
    """
    if url := os.environ.get("SEMP_URL"):
        return url
    running = Running({"--decay-interval": str(decay_interval)})
    atexit.register(running.stop)
    return running.url
