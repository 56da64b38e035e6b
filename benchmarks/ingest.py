"""Batch ingest compared with the bare driver, and the ingest rate in a log of a million events."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec

from benchmarks import bare
from benchmarks.report import Report, median
from benchmarks.servers import process_on, running

BATCH = 1_000
CONCURRENT = 3
"""Requests in progress at a time, as a pipelining client sends them; the service writes them in two transactions at a time."""


def post(client: httpx.Client, body: bytes) -> None:
    """Send one batch, which must be stored."""
    answer = client.post("/api/events/batch?return=minimal", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 201, answer.text


def ingest(client: httpx.Client, bodies: list[bytes]) -> float:
    """Send these batches, CONCURRENT at a time; the rate in events per second."""
    with ThreadPoolExecutor(CONCURRENT) as pool:
        began = time.perf_counter()
        for done in [pool.submit(post, client, body) for body in bodies]:
            done.result()
        return len(bodies) * BATCH / (time.perf_counter() - began)


def prepared(events: bare.Events, batches: int) -> list[bytes]:
    """Encoded batches. None has parents in another batch, so they may be stored in any order."""
    bodies: list[bytes] = []
    for _ in range(batches):
        events.last = []
        bodies.append(msgspec.json.encode(events.batch(BATCH)))
    return bodies


def against_bare_driver(report: Report, rounds: int = 6, batches: int = 15) -> None:
    """Compare the rates of the service and of the bare driver, in turn. Events have a trace and up to two parents."""
    service_rates: list[float] = []
    bare_rates: list[float] = []
    service_events, bare_events = bare.Events(1), bare.Events(2)
    positions = itertools.count(-1_000_000_000, BATCH)
    with running("neo4j") as port, bare.connect() as driver, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        for round_ in range(rounds + 1):
            rate = ingest(client, prepared(service_events, batches))
            row_batches: list[list[dict[str, object]]] = []
            for _ in range(batches):
                bare_events.last = []
                row_batches.append(bare.rows(bare_events.batch(BATCH), next(positions)))
            began = time.perf_counter()
            for batch in row_batches:
                bare.append(driver, batch)
            bare_rate = batches * BATCH / (time.perf_counter() - began)
            if round_:
                service_rates.append(rate)
                bare_rates.append(bare_rate)
    ratio = median([a / b for a, b in zip(service_rates, bare_rates, strict=True)])
    report.add(
        "batch ingest / bare driver, batches of 1,000",
        ratio,
        "at least 0.85",
        f"{median(service_rates):,.0f}/s, bare {median(bare_rates):,.0f}/s",
    )


def at_scale(report: Report, total: int = 1_000_000, window: int = 10, windows: int = 9) -> None:
    """Ingest rate and memory of the service at 10,000 events and at `total`: the median of several windows of each.

    Minutes pass between the two, and the speed of the machine may change. So each window is compared with a window of the same service
    on a store that does nothing, measured directly after it.
    """
    with running("neo4j") as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        ingest(client, prepared(bare.Events(8, growing=True), 200))  # warm up: Java compiles the hot code
    bare.empty()
    events, yard = bare.Events(3, growing=True), bare.Events(4, growing=True)

    def measure() -> tuple[float, float]:
        """Events per second, and their ratio to the rate of the store that does nothing."""
        pairs = [(ingest(client, prepared(events, window)), ingest(nothing, prepared(yard, window))) for _ in range(windows)]
        return median([rate for rate, _ in pairs]), median([rate / baseline for rate, baseline in pairs])

    with (
        running("neo4j") as port,
        running("none") as other_port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client,
        httpx.Client(base_url=f"http://127.0.0.1:{other_port}", timeout=120) as nothing,
    ):
        service = process_on(port)
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
