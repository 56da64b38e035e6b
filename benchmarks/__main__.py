"""Run the benchmarks on an embedded Neo4j of their own.

python -m benchmarks [single web latency ingest lineage delivery filters idle resume whole scale]
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
from pathlib import Path

from app.storage.neo4j.embedded import DEFAULT_VERSION, EmbeddedNeo4j, StepReporter
from benchmarks import bare, delivery, ingest, lineage, single, subscribers
from benchmarks.report import Report

BENCHMARKS = {
    "single": single.throughput,
    "web": single.web_layer,
    "latency": single.latency,
    "ingest": ingest.against_bare_driver,
    "lineage": lineage.counts,
    "delivery": delivery.against_centrifuge,
    "filters": subscribers.filters,
    "idle": subscribers.idle,
    "resume": subscribers.resume,
    "whole": subscribers.whole_service,
    "scale": ingest.at_scale,
}


def main(names: list[str]) -> None:
    """Each benchmark on an emptied database; the database itself stays warm."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    report = Report()
    with tempfile.TemporaryDirectory() as home, StepReporter() as reporter:
        neo4j = EmbeddedNeo4j(Path(home) / "neo4j", progress=reporter.report)
        found = asyncio.run_coroutine_threadsafe(neo4j.start(), loop).result()
        os.environ.update(SEMP_NEO4J=found.uri, SEMP_NEO4J_USER=found.user, SEMP_NEO4J_PASSWORD=found.password)
        try:
            for name in names:
                bare.empty()
                print(f"-- {name}", flush=True)
                report.benchmark = name
                BENCHMARKS[name](report)
        finally:
            asyncio.run_coroutine_threadsafe(neo4j.stop(), loop).result()
    report.write(DEFAULT_VERSION, list(BENCHMARKS))


if __name__ == "__main__":
    chosen = sys.argv[1:] or list(BENCHMARKS)
    if unknown := set(chosen) - BENCHMARKS.keys():
        sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; there are: {', '.join(BENCHMARKS)}")
    main(chosen)
