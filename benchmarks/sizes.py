"""What must not depend on how much there is: a long trace, many signals, large lineages, and work in the background."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from semp.domain.events import new_id
from semp.storage.neo4j.connection import Target

from benchmarks.databases import embedded
from benchmarks.light import Latencies, LightClient
from benchmarks.replicas import start_and_stop_replica
from benchmarks.report import Report
from benchmarks.rest import Rest, asking
from benchmarks.servers import running, target
from benchmarks.turns import in_turn, milliseconds, ratio, repeating

SIGNALS = 300_000
LONG_TRACE, SHORT_TRACE = 100_000, 100
WIDE, NARROW = 12_000, 8_000
"""Descendants of an event that are more, and fewer, than `budget` lets a page search for."""
BUDGET = 10_000

EventBody = dict[str, Any]


def event(kind: str, scope: str, trace: str, action: str = "a", **fields: Any) -> EventBody:
    """An event of an agent."""
    payload = {"action": action} if kind == "proposal" else {"status": "done"}
    return {"type": kind, "scope": scope, "trace_id": trace, "agent_id": "a", "payload": payload} | fields


def traces(report: Report, rest: Rest, rounds: int = 100) -> None:
    """A `ready` in a scope that its trace has not had, in a long trace and in a short one."""
    for trace, length in (("long", LONG_TRACE), ("short", SHORT_TRACE)):
        rest.store(event("proposal", f"s{number % 1_000}", trace) for number in range(length))
    fresh = itertools.count()
    sides = {trace: partial(_ready, rest, trace, fresh) for trace in ("long", "short")}
    times = in_turn(sides, rounds, warm=20)
    name = f"`ready` in a new scope of a trace of {LONG_TRACE:,} events / of {SHORT_TRACE}"
    report.add(name, ratio(times, "long", "short"), "at most 1.2", f"{milliseconds(times, 'long')}, {milliseconds(times, 'short')}")


def _ready(rest: Rest, trace: str, fresh: Iterator[int]) -> None:
    rest.post("/api/events", event("ready", f"new{next(fresh)}", trace))


def lineages(report: Report, rest: Rest, rounds: int = 20) -> None:
    """Pages of an event that has more descendants than the budget, and of one that has fewer."""
    roots = {"wide": new_id(), "narrow": new_id()}
    for name, size in (("wide", WIDE), ("narrow", NARROW)):
        rest.post("/api/events", event("proposal", "lineage", name, id=roots[name]))
        rest.store(event("ready", "lineage", name, parent_ids=[roots[name]]) for _ in range(size))
    for more, what in (("", "a page"), ("&count=0", "a page without a count")):
        sides = {name: partial(rest.get, f"/api/events/{root}/descendants?limit=100&budget={BUDGET}{more}") for name, root in roots.items()}
        times = in_turn(sides, rounds)
        name = f"{what} of {WIDE:,} descendants / of {NARROW:,}, with a budget of {BUDGET:,}"
        report.add(name, ratio(times, "wide", "narrow"), "at most 1.5", f"{milliseconds(times, 'wide')}, {milliseconds(times, 'narrow')}")


def starts(report: Report, many: Target, none: Target, rounds: int = 3) -> None:
    """Starts of the service on a log with many signals, and on one with none."""

    def start(database: Target) -> None:
        with running("neo4j", database=database):
            pass

    times = in_turn({"many": partial(start, many), "none": partial(start, none)}, rounds, warm=1)
    detail = f"{milliseconds(times, 'many')}, {milliseconds(times, 'none')}, with the stop"
    report.add(f"start with {SIGNALS:,} signals / with none", ratio(times, "many", "none"), "at most 1.5", detail)


def light(port: int, seconds: float) -> Latencies:
    """What a light client sees for so many seconds."""
    with LightClient(port) as client:
        time.sleep(seconds)
        return client.stop()


def beside(report: Report, what: str, seen: Latencies, alone: Latencies) -> None:
    """Report what a light client saw while something else went on."""
    for kind in ("post", "read"):
        p99, before = seen[kind]["p99"], alone[kind]["p99"]
        detail = (
            f"p50 {seen[kind]['p50']:.1f} ms, alone p50 {alone[kind]['p50']:.1f} and p99 {before:.0f} ms; {seen[kind]['failures']} failed"
        )
        report.add(f"p99 of a light {kind} while {what}, ms", p99, "below 100", detail)


def sweep(report: Report, database: Target, signals: int = 50_000) -> None:
    """A light client while many signals fade and are swept."""
    with running("fading", "10", database=database) as port, asking(port) as rest:
        alone = light(port, 6)
        rest.store(event("proposal", f"fading.s{n % 5_000}", "f", action=f"a{n // 5_000}") for n in range(signals))
        beside(report, f"{signals:,} faded signals are swept", light(port, 25), alone)
        left = float(rest.text("/metrics").partition(b"\nsemp_signals ")[2].split()[0])
        assert left < signals, "the sweep did not run in time"


def many_signals(report: Report) -> None:
    """Report the rows of this module."""
    with embedded() as second:
        with running("neo4j") as port, asking(port) as rest:
            traces(report, rest)
            lineages(report, rest)
            rest.store(event("proposal", f"many.s{n % 30_000}", f"t{n // 1_000}", action=f"a{n // 30_000}") for n in range(SIGNALS))
            alone = light(port, 6)
            with asking(port) as reader, repeating(lambda: reader.text("/api/signals?limit=1000000")):
                beside(report, f"all {SIGNALS:,} signals are listed", light(port, 12), alone)
        with running("neo4j", database=second):
            pass
        starts(report, target(), second)
        with running("replica") as port:
            alone = light(port, 6)
            with repeating(start_and_stop_replica):
                beside(report, f"a replica starts with {SIGNALS:,} signals", light(port, 12), alone)
        sweep(report, second)
