"""A load generator: keep-alive connections, each of which sends its next request when the last one was answered.

It runs as a separate process, uses plain sockets, and encodes all requests in advance: on a machine with few cores, the processor time
that it uses is not available to the measured servers.

    python -m benchmarks.load PORT CONNECTIONS SECONDS [PATH [GET]]
"""

from __future__ import annotations

import itertools
import json
import random
import re
import selectors
import socket
import sys
import time
from collections.abc import Iterator

MIX = 3_500
"""Number of requests after which the mix repeats: a multiple of 5, 7, 10, 50 and 500."""


def bodies() -> Iterator[dict[str, object]]:
    """Typical events without end: four proposals, then a reward; 50 scopes, 500 traces, 10 agents, 7 actions."""
    for number in itertools.count(1):
        yield {
            "type": "reward" if number % 5 == 0 else "proposal",
            "scope": f"project.mod{number % 50}",
            "trace_id": f"t{number % 500}",
            "agent_id": f"agent-{number % 10}",
            "payload": {"action": f"do{number % 7}", "value": 0.1, "params": {"k": 1}},
        }


def posts(path: str) -> list[bytes]:
    """Typical events as HTTP requests."""
    encoded: list[bytes] = []
    for event in itertools.islice(bodies(), MIX):
        body = json.dumps(event, separators=(",", ":")).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        encoded.append(head.encode() + body)
    return encoded


def reads(path: str) -> list[bytes]:
    """Requests of a path, in which a number in braces stands for a random number of 1 to this number."""
    chosen = random.Random(7)

    def filled() -> str:
        return re.sub(r"\{(\d+)\}", lambda most: str(chosen.randint(1, int(most[1]))), path)

    return [f"GET {filled()} HTTP/1.1\r\nhost: bench\r\n\r\n".encode() for _ in range(MIX)]


class Connection:
    """A connection with one request at a time; collects the answer until it is complete."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = b""
        self.sent = 0.0

    def send(self, request: bytes) -> None:
        self.sent = time.perf_counter()
        self.socket.sendall(request)

    def answered(self) -> bytes | None:
        """Read from the socket. Returns the status code once the answer is complete, else None.

        Raises:
            ConnectionError: the server closed the connection.
        """
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionResetError
        data = self.pending + data
        head, found, body = data.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]):
            self.pending = data
            return None
        self.pending = b""
        return data[9:12]


def run(port: int, count: int, seconds: float, path: str = "/api/events", method: str = "POST") -> dict[str, float]:
    """Load a server for `seconds` with `count` connections.

    Returns the `rate` in requests per second, the latency percentiles `p50` and `p99` in milliseconds, and the number of `failures`:
    answers other than 200 and 201, and connections that the server closed.
    """
    mix: Iterator[bytes] = itertools.cycle(reads(path) if method == "GET" else posts(path))
    latencies: list[float] = []
    failures = 0
    with selectors.DefaultSelector() as selector:
        for _ in range(count):
            connection = Connection(port)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(next(mix))
        began = time.perf_counter() + min(1.0, seconds / 4)  # answers before this are warm-up
        ended = began + seconds
        now = 0.0
        while now < ended:
            for key, _ in selector.select(1.0):
                connection = key.data
                try:
                    status = connection.answered()
                except ConnectionError:
                    failures += 1
                    selector.unregister(connection.socket)
                    continue
                if status is None:
                    continue
                now = time.perf_counter()
                if status not in (b"200", b"201"):
                    failures += 1
                elif now >= began:
                    latencies.append(now - connection.sent)
                connection.send(next(mix))
            now = time.perf_counter()
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    if not latencies:
        raise SystemExit(f"no request was answered in time; {failures} failed")
    latencies.sort()
    p50, p99 = (1000 * latencies[int(share * (len(latencies) - 1))] for share in (0.5, 0.99))
    return {"rate": len(latencies) / (now - began), "p50": p50, "p99": p99, "failures": failures}


if __name__ == "__main__":
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    print(json.dumps(run(port, connections, seconds, *sys.argv[4:6])))
