"""Bytes on disk for each event, by part, and the processor time that each index costs an append."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import LiteralString, cast

import httpx
import msgspec
from neo4j import GraphDatabase, Query
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.embedded.processes import java_of

from benchmarks import bare
from benchmarks.databases import embedded
from benchmarks.ingest import BATCH, ingest
from benchmarks.report import Report, median
from benchmarks.servers import running

EVENTS = 100_000
GOAL = 600
"""Bytes on disk for an event of 200 bytes."""
NEW = ("event_type", "event_thread")
"""The indexes that pages by type and threads added; together they may cost a tenth of an append's processor time in Java."""
OTHERS = ("event_scope", "event_trace", "event_agent", "event_signal")
PARTS = {
    "nodestore": "nodes", "propertystore.db.strings": "long texts", "propertystore.db.arrays": "lists", "propertystore": "properties",
    "relationship": "edges",
}  # fmt: skip
"""By a piece of a file's name: what it holds. The first that fits counts."""


def bodies(events: bare.Events, batches: int) -> Iterator[bytes]:
    """Encoded batches of events of about 200 bytes as a client sends them: with an id, and all but the first of a batch with a parent."""
    for _ in range(batches):
        events.last = []
        batch = events.batch(BATCH)
        for event in batch:
            event["payload"].pop("params")
            event["parent_ids"] = event["parent_ids"][-1:]
        yield msgspec.json.encode(batch)


def sizes(home: Path, names: dict[str, str]) -> Counter[str]:
    """Bytes of the log's database, by part; indexes by name."""
    found: Counter[str] = Counter()
    data = home / "neo4j" / "data" / "databases" / "neo4j"
    for file in (file for file in data.rglob("*") if file.is_file()):
        place = file.relative_to(data).parts
        if "index" in place:
            number = place[place.index("index") + 2]
            found[f"index {names.get(number, number)}"] += file.stat().st_size
        else:
            found[next((part for piece, part in PARTS.items() if piece in file.name), "the rest")] += file.stat().st_size
    return found


def log_size(home: Path) -> int:
    """Bytes of the transaction log, with the file that is created in advance."""
    return sum(file.stat().st_size for file in (home / "neo4j" / "data" / "transactions" / "neo4j").iterdir())


def on_disk(report: Report, events: int = EVENTS) -> None:
    """Report the bytes that the database grows by for each event, and the most that its transaction log takes meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with embedded(home) as database, running("neo4j", database=database):
            names = index_names(database)
        before = sizes(home, names)
        sent, logs = 0, 0
        with embedded(home) as database, running("neo4j", database=database) as port, sending(port) as client:
            for body in bodies(bare.Events(21, growing=True), events // BATCH):
                ingest(client, [body])
                sent += len(body)
                logs = max(logs, log_size(home))
        grown = sizes(home, names)
    grown.subtract(before)
    parts = ", ".join(f"{name} {size / events:.0f}" for name, size in grown.most_common() if size / events >= 1)
    total, size = grown.total() / events, sent / events
    report.add(
        f"bytes on disk for an event, {events:,} events / bytes of its JSON as sent", total / size, f"at most {GOAL / 200:g}",
        f"{total:,.0f} bytes for {size:.0f}: {parts}",
    )  # fmt: skip
    report.add(
        f"most of the transaction log while {events:,} events are appended / what they take on disk", logs / grown.total(), "-",
        f"{logs / 2**20:.0f} MiB, {grown.total() / 2**20:.0f} MiB",
    )  # fmt: skip


def indexes(report: Report, warm: int = 120, rounds: int = 5, batches: int = 6) -> None:
    """Report the processor time of Java for an event with each index / without it, in turn. An index that is dropped is built again."""
    events = bare.Events(22, growing=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with (
            embedded(home) as database,
            running("neo4j", database=database) as port,
            sending(port) as client,
            GraphDatabase.driver(database.uri, auth=(database.user, database.password), notifications_min_severity="OFF") as driver,
        ):
            [java] = java_of(home / "neo4j")
            created = {
                record["name"]: record["createStatement"]
                for record in driver.execute_query("SHOW INDEXES YIELD name, createStatement").records
            }

            def appended(count: int) -> float:
                """Microseconds of Java for an event, while so many batches are appended."""
                before = sum(java.cpu_times()[:2])
                ingest(client, list(bodies(events, count)))
                return (sum(java.cpu_times()[:2]) - before) * 1e6 / (count * BATCH)

            def cost(names: Sequence[str]) -> tuple[float, float]:
                """Microseconds of Java for an event with these indexes, before and after each time without them, and without them."""
                around, sides = appended(batches), list[tuple[float, float]]()
                for _ in range(rounds):
                    for name in names:
                        driver.execute_query(Query(cast("LiteralString", f"DROP INDEX {name}")))
                    without = appended(batches)
                    for name in names:
                        driver.execute_query(Query(cast("LiteralString", created[name])))
                    driver.execute_query("CALL db.awaitIndexes(600)")
                    before, around = around, appended(batches)
                    sides.append(((before + around) / 2, without))
                return median([side[0] for side in sides]), median([side[1] for side in sides])

            appended(warm)
            for name in (*OTHERS, *NEW, NEW):
                names = (name,) if isinstance(name, str) else name
                with_it, without = cost(names)
                report.add(
                    f"Java's processor time for an event, with {' and '.join(names)} / without", with_it / without,
                    "at most 1.1" if names == NEW else "-", f"{with_it:.0f} and {without:.0f} microseconds",
                )  # fmt: skip


def index_names(database: Target) -> dict[str, str]:
    """The names of the indexes, by the number in their paths."""
    with GraphDatabase.driver(database.uri, auth=(database.user, database.password)) as driver:
        return {str(record["id"]): record["name"] for record in driver.execute_query("SHOW INDEXES YIELD id, name").records}


def sending(port: int) -> httpx.Client:
    """A client of the service on a port of this machine."""
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120)


def measure(report: Report) -> None:
    """Bytes on disk, then what the indexes cost."""
    on_disk(report)
    indexes(report)
