"""Live delivery compared with a server on the Go library centrifuge. Both are fed directly, and loaded by the same client in turn."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.report import Report, median
from benchmarks.servers import free_port, running

GO = Path(__file__).parent / "go"
CONNECTIONS = 500
RATES = (50, 100, 200, 400)
"""Events per second; each goes to every connection."""
STEPS = (500, 1_000, 1_500, 2_000, 2_500, 3_000, 4_000, 5_000, 6_000, 8_000)
"""Events per second, tried in turn to find the saturation point."""


def built(into: Path) -> bool:
    """Build the load client and the peer into a folder. False if there is no `go` on the PATH."""
    go = shutil.which("go")
    if go is None:
        print("  no go on the PATH: live delivery is not measured", flush=True)
        return False
    for name in ("load", "peer"):
        subprocess.run([go, "build", "-o", str(into / name), f"./{name}"], cwd=GO, check=True)
    return True


@contextmanager
def peer(binaries: Path, rate: float) -> Generator[int]:
    """Run the centrifuge server, publishing `rate` events per second; yields its port."""
    port = free_port()
    process = subprocess.Popen([str(binaries / "peer"), str(port), str(rate)])
    try:
        deadline = time.monotonic() + 30
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def follow(binaries: Path, url: str, connections: int = CONNECTIONS, seconds: float = 4.0, first: str = "") -> dict[str, Any]:
    """Run the load client and return its result. `first` is the message that each connection sends after it opened."""
    command = [str(binaries / "load"), "-url", url, "-n", str(connections), "-seconds", str(seconds), "-first", first]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def hub(binaries: Path, rate: float, query: str = "") -> dict[str, Any]:
    """Load the hub of this service at `rate` events per second."""
    with running("hub", str(rate)) as port:
        return follow(binaries, f"ws://127.0.0.1:{port}/ws{query}")


def centrifuge(binaries: Path, rate: float) -> dict[str, Any]:
    """Load the centrifuge server at `rate` events per second."""
    with peer(binaries, rate) as port:
        return follow(binaries, f"ws://127.0.0.1:{port}/ws", first='{"id":1,"connect":{}}')


def against_centrifuge(report: Report, rounds: int = 5) -> None:
    """Deliveries per second and the 99th percentile of their delay at four rates, then the saturation of each server."""
    with tempfile.TemporaryDirectory() as home:
        binaries = Path(home)
        if not built(binaries):
            return
        for rate in RATES:
            pairs = [(hub(binaries, rate), centrifuge(binaries, rate)) for _ in range(rounds)]
            of_hub, of_centrifuge = ([pair[side] for pair in pairs] for side in (0, 1))
            name = f"hub at {rate * CONNECTIONS:,} deliveries/s / centrifuge"
            delivered = median([a["rate"] / b["rate"] for a, b in pairs])
            report.add(name, delivered, "at least 1", f"{median([a['rate'] for a in of_hub]):,.0f}/s")
            late = median([a["p99"] for a in of_hub]), median([b["p99"] for b in of_centrifuge])
            report.add(
                f"  p99 of the delay at {rate * CONNECTIONS:,}/s", late[0] / late[1], "at most 1", f"{late[0]:.1f} ms, {late[1]:.1f} ms"
            )
        limit = saturation(partial(centrifuge, binaries))
        for query, bar in (("", "at least 1"), ("?batch=1", "at least 1.5")):
            reached = saturation(partial(hub, binaries, query=query))
            name = f"saturation{' with batch=1' if query else ''} / centrifuge"
            report.add(name, reached / limit, bar, f"{reached:,.0f} deliveries/s, centrifuge {limit:,.0f}")


def saturation(measure: Callable[[float], dict[str, Any]]) -> float:
    """The highest number of deliveries per second that was reached without losing a connection."""
    best = 0.0
    for rate in STEPS:
        result = measure(rate)
        if not result["failed"]:
            best = max(best, result["rate"])
        if result["failed"] or result["rate"] < 0.9 * rate * CONNECTIONS:
            break
    return best
