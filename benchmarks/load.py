"""A load generator: keep-alive connections that each send the next POST when the last was answered. Runs as its own process."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from typing import cast

import uvloop


def bodies() -> Iterator[bytes]:
    """Events of an ordinary mix: four proposals, then a reward; 50 scopes, 500 traces, 10 agents, 7 actions."""
    number = 0
    while True:
        number += 1
        kind = "reward" if number % 5 == 0 else "proposal"
        event: dict[str, object] = {
            "type": kind,
            "scope": f"project.mod{number % 50}",
            "trace_id": f"t{number % 500}",
            "agent_id": f"agent-{number % 10}",
            "payload": {"action": f"do{number % 7}", "value": 0.1, "params": {"k": 1}},
        }
        yield json.dumps(event, separators=(",", ":")).encode()


def request(body: bytes, path: str) -> bytes:
    """A whole HTTP request."""
    head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Connection(asyncio.Protocol):
    """Sends, waits for a whole answer, sends again."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.transport: asyncio.Transport | None = None
        self.pending = b""
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.send()

    def send(self) -> None:
        assert self.transport is not None
        self.sent = time.perf_counter()
        self.transport.write(request(next(self.load.bodies), self.load.path))

    def data_received(self, data: bytes) -> None:
        self.pending += data
        end = self.pending.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.pending[:end].lower()
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(self.pending) < end + 4 + length:
            return
        self.load.answered(head, time.perf_counter() - self.sent)
        self.pending = self.pending[end + 4 + length :]
        if not self.load.over:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if not self.load.over:
            self.load.failures += 1


class Load:
    """The counts of one run."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.bodies = bodies()
        self.over = False
        self.latencies: list[float] = []
        self.failures = 0

    def answered(self, head: bytes, latency: float) -> None:
        if head.startswith((b"http/1.1 201", b"http/1.1 200")):
            self.latencies.append(latency)
        else:
            self.failures += 1


async def run(port: int, connections: int, seconds: float, path: str = "/api/events") -> dict[str, float]:
    """Load a server for some seconds; requests per second, latency percentiles in milliseconds, answers that were no success."""
    load = Load(path)
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(lambda: Connection(load), "127.0.0.1", port) for _ in range(connections)]
    await asyncio.sleep(min(1.0, seconds / 4))  # warm
    load.latencies.clear()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    elapsed = time.perf_counter() - began
    found = sorted(load.latencies)
    load.over = True
    for transport, _ in opened:
        transport.close()
    p50, p99 = (1000 * found[int(share * (len(found) - 1))] for share in (0.5, 0.99))
    return {"rate": len(found) / elapsed, "p50": p50, "p99": p99, "failures": load.failures}


if __name__ == "__main__":
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    print(json.dumps(uvloop.run(run(port, connections, seconds, *sys.argv[4:5]))))
