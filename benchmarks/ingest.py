"""Batch ingest against the bare driver, and the same at a million events."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec
import psutil

from benchmarks import bare
from benchmarks.report import Report, median
from benchmarks.servers import running

BATCH = 1_000
CONCURRENT = 3
"""Batches under way at once, as a client that pipelines would send them; the log keeps them in two transactions."""


def post(client: httpx.Client, body: bytes) -> None:
    """One batch; it must be stored."""
    answer = client.post("/api/events/batch?return=minimal", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 201, answer.text


def ingest(client: httpx.Client, bodies: list[bytes]) -> float:
    """Events a second over these batches, several requests at once."""
    with ThreadPoolExecutor(CONCURRENT) as pool:
        began = time.perf_counter()
        for done in [pool.submit(post, client, body) for body in bodies]:
            done.result()
        return len(bodies) * BATCH / (time.perf_counter() - began)


def prepared(events: bare.Events, batches: int) -> list[bytes]:
    """Batches ready to send, each without parents in the one before it, so that they may overtake each other."""
    made: list[bytes] = []
    for _ in range(batches):
        events.last = []
        made.append(msgspec.json.encode(events.batch(BATCH)))
    return made


def against_bare_driver(report: Report, rounds: int = 6, batches: int = 15) -> None:
    """Both write events with a trace and two parents each, in turn."""
    ours: list[float] = []
    theirs: list[float] = []
    mine, other = bare.Events(1), bare.Events(2)
    positions = itertools.count(-1_000_000_000, BATCH)
    with running("neo4j") as port, bare.connect() as driver, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        for round_ in range(rounds + 1):
            rate = ingest(client, prepared(mine, batches))
            made: list[list[dict[str, object]]] = []
            for _ in range(batches):
                other.last = []
                made.append(bare.rows(other.batch(BATCH), next(positions)))
            began = time.perf_counter()
            for batch in made:
                bare.append(driver, batch)
            bare_rate = batches * BATCH / (time.perf_counter() - began)
            if round_:
                ours.append(rate)
                theirs.append(bare_rate)
    ratio = median([a / b for a, b in zip(ours, theirs, strict=True)])
    report.add(
        "batch ingest / bare driver, batches of 1,000", ratio, "at least 0.85", f"{median(ours):,.0f}/s, bare {median(theirs):,.0f}/s"
    )


def at_scale(report: Report, total: int = 1_000_000, window: int = 10, windows: int = 9) -> None:
    """Ingest rate and memory of the service, at 10,000 events and at a million; the median of several windows of each.

    Minutes lie between the two, in which a machine changes its speed. So each window is set against one of the same app on a store
    that does nothing, right after it.
    """
    with running("neo4j") as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        ingest(client, prepared(bare.Events(8, growing=True), 200))  # the database compiles what is hot
    bare.empty()
    events, yard = bare.Events(3, growing=True), bare.Events(4, growing=True)

    def measure() -> tuple[float, float]:
        """Events a second, and that as a part of what the store that does nothing takes."""
        pairs = [(ingest(client, prepared(events, window)), ingest(nothing, prepared(yard, window))) for _ in range(windows)]
        return median([mine for mine, _ in pairs]), median([mine / other for mine, other in pairs])

    with (
        running("neo4j") as port,
        running("none") as other_port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client,
        httpx.Client(base_url=f"http://127.0.0.1:{other_port}", timeout=120) as nothing,
    ):
        pid = next(c.pid for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port and c.status == "LISTEN")
        service = psutil.Process(pid)
        ingest(client, prepared(events, 10))
        ingest(nothing, prepared(yard, 10))
        early_memory = service.memory_info().rss
        early, early_part = measure()
        count = 10 + windows * window
        while count < total // BATCH:
            ingest(client, prepared(events, 20))
            count += 20
            if count % 100 < 20:
                print(f"  {count * BATCH:,} events", flush=True)
        late, late_part = measure()
        late_memory = service.memory_info().rss
    detail = f"{early:,.0f}/s at 10,000, {late:,.0f}/s at {total:,}; {early_part:.2f} and {late_part:.2f} of the no-op store"
    report.add(f"ingest rate at {total:,} events / at 10,000", late_part / early_part, "at least 0.9", detail)
    detail = f"{early_memory / 2**20:.0f} MiB, {late_memory / 2**20:.0f} MiB"
    report.add(f"service memory at {total:,} events / at 10,000", late_memory / early_memory, "at most 1.2", detail)
