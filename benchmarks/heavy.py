"""What a light client notices of a heavy one, and what memory the heavy one leaves behind."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.heavy_clients import CLIENTS
from benchmarks.light import beside
from benchmarks.report import Report
from benchmarks.servers import process_on, running


def beside_heavy_clients(report: Report, seconds: float = 6.0, settling: float = 5.0) -> None:
    """Measure the light client alone and beside each heavy client in turn.

    Args:
        settling: seconds that a heavy client has for its preparations before the light one begins, and that pass before memory is read.
    """
    for name, function in CLIENTS.items():
        with running("neo4j") as port:
            service = process_on(port)
            alone = beside(port, seconds / 2)
            before = service.memory_info().rss
            heavy = subprocess.Popen([sys.executable, "-m", "benchmarks.heavy_clients", name, str(port)], stdout=subprocess.DEVNULL)
            try:
                time.sleep(settling)
                with_it = beside(port, seconds)
            finally:
                heavy.kill()
                heavy.wait()
            beside(port, settling)
            after = service.memory_info().rss
        what = (function.__doc__ or name).rstrip(".")
        worst = max(with_it[kind]["p99"] for kind in with_it)
        detail = ", ".join(
            f"{kind} p50 {with_it[kind]['p50']:.1f} ms, p99 {with_it[kind]['p99']:.0f} ms (alone {alone[kind]['p50']:.1f} and "
            f"{alone[kind]['p99']:.0f}), {with_it[kind]['failures']:.0f} failed"
            for kind in with_it
        )
        detail += f"; memory {before / 2**20:.0f} MiB, {after / 2**20:.0f} MiB afterwards"
        report.add(f"p99 beside: {what} / alone", worst / max(alone[kind]["p99"] for kind in alone), "p99 below 100 ms", detail)
