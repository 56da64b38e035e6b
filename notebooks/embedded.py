"""A fresh service for a notebook: an embedded Neo4j on data of its own, gone when the notebook's kernel ends."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SDK = ROOT / "sdk" / "python" / "src"
if str(SDK) not in sys.path:
    sys.path.insert(0, str(SDK))  # the SDK of this checkout, installed or not


def fresh_service(*, decay_interval: float = 60.0) -> str:
    """Start one and wait until it takes events (some ten seconds); its URL. With SEMP_URL set, that service is used instead.

    Args:
        decay_interval: seconds in which a signal loses 5 %.

    Raises:
        RuntimeError: it did not start; holds what it printed.
    """
    if url := os.environ.get("SEMP_URL"):
        return url
    data = tempfile.mkdtemp(prefix="semp-notebook-")
    options = ["--port", "0", "--data", data, "--decay-interval", str(decay_interval), "--heap", "512m", "--page-cache", "128m"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEMP_") or name == "SEMP_CACHE"}
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", *options],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    atexit.register(_stop, process, data)
    assert process.stdout is not None
    printed: list[str] = []
    for line in process.stdout:
        printed.append(line)
        if "listening" in line:
            return line.split()[1]
    raise RuntimeError("the service did not start:\n" + "".join(printed))


def _stop(process: subprocess.Popen[str], data: str) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
    shutil.rmtree(data, ignore_errors=True)
