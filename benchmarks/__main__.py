"""Run all benchmarks, or those named, on an embedded Neo4j that is started for them.

python -m benchmarks [single web latency anatomy ingest lineage git postgres posts pages mirror ants mcp connectors delivery
    filters idle resume whole scale million growth sizes crowd replicas heavy space]
"""

from __future__ import annotations

import os
import sys

from semp.storage.neo4j.embedded import DEFAULT_VERSION

from benchmarks import (
    anatomy,
    ants,
    bare,
    connectors,
    crowd,
    delivery,
    git,
    growth,
    heavy,
    ingest,
    lineage,
    mcp,
    million,
    mirror,
    peers,
    postgres,
    replicas,
    single,
    sizes,
    space,
    subscribers,
)
from benchmarks.databases import embedded, environment
from benchmarks.report import Report

BENCHMARKS = {
    "single": single.throughput,
    "web": single.web_layer,
    "latency": single.latency,
    "anatomy": anatomy.anatomy,
    "ingest": ingest.against_bare_driver,
    "lineage": lineage.counts,
    "git": git.history,
    "postgres": postgres.against_postgres,
    "posts": peers.posts,
    "pages": peers.pages,
    "mirror": mirror.against_bare_driver,
    "ants": ants.colony,
    "mcp": mcp.against_rest,
    "connectors": connectors.overhead,
    "delivery": delivery.against_centrifuge,
    "filters": subscribers.filters,
    "idle": subscribers.idle,
    "resume": subscribers.resume,
    "whole": subscribers.whole_service,
    "scale": ingest.at_scale,
    "million": million.events,
    "growth": growth.against_a_short_log,
    "sizes": sizes.many_signals,
    "crowd": crowd.large_batches,
    "replicas": replicas.three_and_one,
    "heavy": heavy.beside_heavy_clients,
    "space": space.measure,
}


def main(names: list[str]) -> None:
    """Run each named benchmark on an emptied database, which keeps running, and write the report."""
    report = Report()
    with embedded() as database:
        os.environ.update(environment(database))
        for name in names:
            bare.empty()
            print(f"-- {name}", flush=True)
            report.benchmark = name
            BENCHMARKS[name](report)
    report.write(DEFAULT_VERSION, list(BENCHMARKS))


if __name__ == "__main__":
    chosen = sys.argv[1:] or list(BENCHMARKS)
    if unknown := set(chosen) - BENCHMARKS.keys():
        sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; there are: {', '.join(BENCHMARKS)}")
    main(chosen)
