"""A new service for a notebook: it runs on an embedded Neo4j in a temporary folder, and both are deleted when the kernel ends."""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
for place in (ROOT, ROOT / "sdk" / "python" / "src"):  # so that the SDK of this checkout is used, even if it is not installed
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))

from examples.service import Running  # noqa: E402


def fresh_service(*, decay_interval: float = 60.0) -> str:
    """Start a service, wait until it accepts events (about ten seconds), and return its URL. If SEMP_URL is set, return that instead.

    Args:
        decay_interval: seconds in which a signal loses 5 %.

    Raises:
        RuntimeError: the service did not start; contains its output.
    """
    if url := os.environ.get("SEMP_URL"):
        return url
    running = Running({"--decay-interval": str(decay_interval)})
    atexit.register(running.stop)
    return running.url
