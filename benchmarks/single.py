"""POSTs of single events: throughput compared with a store that does nothing, the cost of the web layer, and the latency of one POST."""

from __future__ import annotations

import http.client
import json
import time
import uuid

from benchmarks import bare
from benchmarks.report import Report, median
from benchmarks.servers import load, running

CONNECTIONS = 256
WARM = 60.0
"""Seconds of load before measuring: Java needs about this long to compile the hot code of the database."""


def throughput(report: Report, rounds: int = 6, seconds: float = 5.0) -> None:
    """Compare requests per second at 256 connections; each round measures all servers in turn."""
    kinds = ("neo4j", "none", "litestar")
    rates: dict[str, list[float]] = {kind: [] for kind in kinds}
    with running("neo4j") as neo4j, running("none") as none, running("litestar") as litestar:
        load(neo4j, CONNECTIONS, WARM)
        for _ in range(rounds):
            for kind, port in zip(kinds, (neo4j, none, litestar), strict=True):
                rates[kind].append(counted(port, seconds))
    stored, nothing, plain = (median(rates[kind]) for kind in kinds)
    pairs = [a / b for a, b in zip(rates["neo4j"], rates["none"], strict=True)]
    detail = f"{stored:,.0f}/s on Neo4j, {nothing:,.0f}/s on the no-op store"
    report.add("POST /events at 256 connections / no-op store", median(pairs), "at least 0.8; the first prototype had 0.54", detail)
    pairs = [a / b for a, b in zip(rates["neo4j"], rates["litestar"], strict=True)]
    report.add("POST /events / plain Litestar handler that keeps nothing", median(pairs), "-", f"plain handler {plain:,.0f}/s")


def web_layer(report: Report, rounds: int = 5, seconds: float = 3.0) -> None:
    """Compare the kinds of handlers that decode, validate and answer one event; nothing is stored."""
    kinds = ("asgi", "litestar", "direct")
    rates: dict[str, list[float]] = {kind: [] for kind in kinds}
    with running("asgi") as asgi, running("litestar") as litestar, running("direct") as direct:
        for _ in range(rounds):
            for kind, port in zip(kinds, (asgi, litestar, direct), strict=True):
                rates[kind].append(counted(port, seconds))
    bare_rate, plain, direct_rate = (median(rates[kind]) for kind in kinds)
    report.add("web layer: plain Litestar handler / bare ASGI", plain / bare_rate, "-", f"{plain:,.0f}/s, bare {bare_rate:,.0f}/s")
    report.add("web layer: our kind of route / bare ASGI", direct_rate / bare_rate, "-", f"{direct_rate:,.0f}/s")


def counted(port: int, seconds: float) -> float:
    """Requests per second of the server on `port`.

    Raises:
        AssertionError: a request failed.
    """
    result = load(port, CONNECTIONS, seconds)
    assert not result["failures"], f"{result['failures']:.0f} requests failed"
    return result["rate"]


def latency(report: Report, rounds: int = 5, count: int = 200) -> None:
    """Compare the latency of one POST with that of one bare transaction that writes the same, in turn."""
    of_service: list[float] = []
    of_bare: list[float] = []
    events = bare.Events(7)
    with running("neo4j") as port, bare.connect() as driver:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for round_ in range(rounds + 1):
            for number in range(count):
                events.last = []
                [event] = events.batch(1)
                body = json.dumps({**event, "id": None})
                event["id"] = str(uuid.uuid4())
                began = time.perf_counter()
                connection.request("POST", "/api/events", body, {"content-type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                if round_:
                    of_service.append(time.perf_counter() - began)
                assert answer.status == 201
                row = bare.rows([event], -(round_ * count + number) - 1)
                began = time.perf_counter()
                bare.append(driver, row)
                if round_:
                    of_bare.append(time.perf_counter() - began)
    service_ms, bare_ms = 1000 * median(of_service), 1000 * median(of_bare)
    report.add(
        "lone POST / one bare driver transaction (latency)",
        service_ms / bare_ms,
        "at most 1.5",
        f"{service_ms:.2f} ms, bare {bare_ms:.2f} ms",
    )
