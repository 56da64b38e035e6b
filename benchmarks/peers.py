"""POSTs of single events and pages of the log, compared with what a user would build instead: Litestar on PostgreSQL and on Redis.

This needs the server programs of PostgreSQL and Redis (Debian packages `postgresql` and `redis-server`). Without them a message is printed
and nothing is measured.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any

from redis import Redis, RedisError

from benchmarks.load import bodies
from benchmarks.peer_apps import POSTGRES, REDIS
from benchmarks.postgres import programs, server
from benchmarks.report import Report, median
from benchmarks.rest import BATCH, asking
from benchmarks.servers import free_port, load, running
from benchmarks.single import CONNECTIONS, WARM

KINDS = ("neo4j", "postgres", "redis")
NAMES = {"postgres": "PostgreSQL", "redis": "Redis"}
READERS = 64
"""Connections that read pages."""


@contextmanager
def redis_server() -> Generator[str]:
    """A Redis that writes each change to the disk before it answers; yields its URL."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="redis-") as home:
        options = {"port": str(port), "bind": "127.0.0.1", "dir": home, "save": "", "appendonly": "yes", "appendfsync": "always"}
        command = ["redis-server", *chain.from_iterable((f"--{name}", value) for name, value in options.items())]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            with Redis(port=port) as client:
                deadline = time.monotonic() + 10
                while True:
                    try:
                        client.ping()
                        break
                    except RedisError:
                        if time.monotonic() > deadline:
                            raise
                        time.sleep(0.05)
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def all_running() -> Generator[dict[str, int]]:
    """The service and its peers; yields the port of each by kind. Empty when a program is missing."""
    binaries = programs()
    if binaries is None or shutil.which("redis-server") is None:
        print("  no PostgreSQL (initdb, pg_ctl) or no Redis (redis-server): the comparison with them is not measured", flush=True)
        yield {}
        return
    with ExitStack() as stack:
        os.environ[POSTGRES] = str(stack.enter_context(server(Path(binaries))))
        os.environ[REDIS] = stack.enter_context(redis_server())
        yield {kind: stack.enter_context(running(kind)) for kind in KINDS}


def compare(report: Report, what: str, ports: dict[str, int], bars: dict[str, str], measure: dict[str, Any]) -> None:
    """Measure all in turn, and report how many times more requests a second the service answers than each peer.

    Args:
        bars: the target by kind of peer.
        measure: `rounds`, and the arguments of `load`.
    """
    rounds = measure.pop("rounds")
    rates: dict[str, list[float]] = {kind: [] for kind in ports}
    for _ in range(rounds):
        for kind, port in ports.items():
            result = load(port, **measure)
            assert not result["failures"], f"{result['failures']:.0f} requests failed on {kind}"
            rates[kind].append(result["rate"])
    for kind in bars:
        ratio = median([ours / theirs for ours, theirs in zip(rates["neo4j"], rates[kind], strict=True)])
        detail = f"{median(rates['neo4j']):,.0f}/s, {NAMES[kind]} {median(rates[kind]):,.0f}/s"
        report.add(f"{what} / Litestar on {NAMES[kind]}", ratio, bars[kind], detail)


def posts(report: Report, rounds: int = 5, seconds: float = 5.0) -> None:
    """Compare single POSTs at 256 connections: each is answered when the event, its indexes and its signal are durable."""
    with all_running() as ports:
        if not ports:
            return
        load(ports["neo4j"], CONNECTIONS, WARM)
        for kind in ("postgres", "redis"):
            load(ports[kind], CONNECTIONS, 3)
        measure = {"connections": CONNECTIONS, "seconds": seconds, "rounds": rounds}
        compare(report, f"POST /events at {CONNECTIONS} connections", ports, {"postgres": "at least 5", "redis": "at least 4"}, measure)


def pages(report: Report, sizes: tuple[int, ...] = (10_000, 500_000), rounds: int = 3, seconds: float = 4.0) -> None:
    """Compare pages of 100 events, newest and anywhere in the log, at 64 connections and several sizes of the log."""
    with all_running() as ports:
        if not ports:
            return
        stored = 0
        events = bodies()
        for size in sizes:
            for first in range(stored, size, BATCH):
                batch = list(islice(events, min(BATCH, size - first)))
                for kind, port in ports.items():
                    with asking(port) as rest:
                        rest.post("/api/events/batch?return=minimal" if kind == "neo4j" else "/load", batch)
            stored = size
            for where, path in (("newest", "/api/events?limit=100"), ("anywhere", f"/api/events?limit=100&before={{{size}}}")):
                measure = {"connections": READERS, "seconds": seconds, "path": path, "method": "GET", "rounds": rounds}
                for port in ports.values():
                    load(port, READERS, 5, path, "GET")
                bars = {"postgres": "at least 3", "redis": "-"}
                compare(report, f"page of 100, {where}, of {size:,} events", ports, bars, measure)
