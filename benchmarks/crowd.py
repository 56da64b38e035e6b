"""A large batch to two thousand subscribers, each with a filter of its own, and two thousand that resume at once.

The subscribers run in a process of their own:

    python -m benchmarks.crowd PORT COUNT EXPECTED [AFTER]

It prints `ready` when all are connected, then, when they have EXPECTED events in all, the number of connections that were closed.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

from benchmarks.light import Latencies, LightClient
from benchmarks.report import Report, median
from benchmarks.rest import asking
from benchmarks.servers import process_on, running

COUNT = 2_000
SCOPES = 50
"""Scopes of the batch. Each subscriber wants the events of one of them."""
LARGE, SMALL = 10_000, 8_000
"""Events of the batches: more and fewer than the ring has."""
MARK = b'"position":'
"""What each event has once, and no other message."""


class Subscriber(asyncio.Protocol):
    """A WebSocket that counts events in the bytes that it gets, without reading them otherwise."""

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        self.crowd = crowd
        self.request = request
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if not self.rest:
            self.crowd.opened += 1
        data = self.rest + data
        self.crowd.got(data.count(MARK))
        self.rest = data[-len(MARK) + 1 :]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.crowd.closed += 1


class Crowd:
    """The subscribers, and what they have together."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.opened = self.closed = self.events = 0
        self.complete = asyncio.Event()

    def got(self, events: int) -> None:
        self.events += events
        if self.events >= self.expected:
            self.complete.set()


async def subscribe(port: int, count: int, expected: int, after: int | None) -> None:
    """Connect, wait for the events, and print what the module says."""
    crowd = Crowd(expected)
    loop = asyncio.get_running_loop()
    for number in range(count):
        place = f"&after={after}" if after is not None else ""
        path = f"/ws?scope=crowd.mod{number % SCOPES}&scope=own{number}.**{place}"
        key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n"
        request = f"GET {path} HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: Upgrade\r\n{key}\r\n".encode()
        await loop.create_connection(lambda request=request: Subscriber(crowd, request), "127.0.0.1", port)
    while after is None and crowd.opened < count:
        await asyncio.sleep(0.05)
    print("ready", flush=True)
    await asyncio.wait_for(crowd.complete.wait(), 300)
    print(crowd.closed, flush=True)


@contextmanager
def crowd_on(port: int, expected: int, after: int | None = None) -> Generator[subprocess.Popen[str]]:
    """The process of the subscribers, from when all are connected."""
    command = [sys.executable, "-m", "benchmarks.crowd", str(port), str(COUNT), str(expected), *([str(after)] if after is not None else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def closed(process: subprocess.Popen[str]) -> int:
    """Wait until the subscribers have everything; how many connections were closed."""
    assert process.stdout is not None
    return int(process.stdout.readline())


def batch(size: int) -> list[dict[str, object]]:
    """A batch for the crowd."""
    return [
        {"type": "proposal", "scope": f"crowd.mod{n % SCOPES}", "trace_id": "crowd", "agent_id": "crowd", "payload": {"action": "a"}}
        for n in range(size)
    ]  # fmt: skip


def deliver(port: int, size: int) -> tuple[float, int, Latencies]:
    """Append a batch that the crowd wants: processor seconds a delivery, connections closed, and what a light client saw."""
    deliveries = size // SCOPES * COUNT
    with crowd_on(port, deliveries) as process, LightClient(port) as light, asking(port) as rest:
        service = process_on(port)
        before = sum(service.cpu_times()[:2])
        rest.post("/api/events/batch?return=minimal", batch(size))
        lost = closed(process)
        used = sum(service.cpu_times()[:2]) - before
        return used / deliveries, lost, light.stop()


def resume(port: int, size: int) -> tuple[float, int, Latencies]:
    """Let the crowd resume before the last `size` events: seconds, connections closed, and what a light client saw."""
    with asking(port) as rest:
        head = rest.get("/health/ready")["position"]
        rest.post("/api/events/batch?return=minimal", batch(size))
        rest.post("/api/events/batch?return=minimal", [{**event, "scope": "elsewhere"} for event in batch(LARGE)])  # not on the ring
    with LightClient(port) as light:
        began = time.perf_counter()
        with crowd_on(port, size // SCOPES * COUNT, head) as process:
            lost = closed(process)
        return time.perf_counter() - began, lost, light.stop()


def large_batches(report: Report, rounds: int = 5) -> None:
    """Report the rows of this module."""
    with running("neo4j") as port:
        deliver(port, 1_000)
        pairs = [(deliver(port, LARGE), deliver(port, SMALL)) for _ in range(rounds)]
        large, small = ([pair[side] for pair in pairs] for side in (0, 1))
        each = [[1e6 * cost for cost, _, _ in side] for side in (large, small)]
        detail = f"{median(each[0]):.1f} us, {median(each[1]):.1f} us; {sum([lost for _, lost, _ in large])} of {COUNT:,} closed"
        ratio = median([a / b for a, b in zip(*each, strict=True)])
        name = f"processor time of a delivery, a batch of {LARGE:,} / of {SMALL:,} to {COUNT:,} filters"
        report.add(name, ratio, "at most 1.2, none closed", detail)
        resumed = [resume(port, 2_000) for _ in range(rounds)]
        for what, seen in (("a batch of 10,000 is delivered to 2,000 filters", large), ("2,000 filters resume at once", resumed)):
            lost = sum([lost for _, lost, _ in seen])
            for kind in ("read", "post"):
                p99 = [latencies[kind]["p99"] for _, _, latencies in seen]
                p50 = [latencies[kind]["p50"] for _, _, latencies in seen]
                detail = f"p50 {median(p50):.1f} ms, worst p99 of {rounds} rounds {max(p99):.0f} ms; {lost} closed"
                report.add(f"p99 of a light {kind} while {what}, ms", median(p99), "below 50", detail)


if __name__ == "__main__":
    port, count, expected, *rest = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(subscribe(port, count, expected, rest[0] if rest else None))
