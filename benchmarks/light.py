"""A light client: it posts, and reads, one request of each kind at a time, some fifty a second. It runs as a separate process, so that a
heavy one does not slow it down.

python -m benchmarks.light PORT SECONDS

It ends early when it gets SIGTERM.
"""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

PAUSE = 0.02
"""Seconds between an answer and the next request."""
EVENT = json.dumps({"type": "proposal", "scope": "light", "trace_id": "light", "agent_id": "light", "payload": {"action": "a"}})
REQUESTS: dict[str, tuple[str, str, str | None, dict[str, str]]] = {
    "post": ("POST", "/api/events", EVENT, {"content-type": "application/json"}),
    "read": ("GET", "/api/events?scope=light&limit=10&before=1000000000", None, {}),
}

Latencies = dict[str, dict[str, float]]
"""For `post` and `read`: `p50` and `p99` in milliseconds, and the number of `failures`."""


def repeat(port: int, name: str, ends: float, over: threading.Event) -> dict[str, float]:
    """Send one of the requests again and again, until a moment of `time.perf_counter` or until `over`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    times: list[float] = []
    failures = 0
    while time.perf_counter() < ends and not over.wait(PAUSE):
        began = time.perf_counter()
        try:
            connection.request(*REQUESTS[name])
            answer = connection.getresponse()
            answer.read()
            failures += answer.status not in (200, 201)
        except (OSError, http.client.HTTPException):
            connection.close()
            failures += 1
        times.append(1000 * (time.perf_counter() - began))
    times.sort()
    p50, p99 = (times[int(share * (len(times) - 1))] for share in (0.5, 0.99))
    return {"p50": p50, "p99": p99, "failures": failures}


def run(port: int, seconds: float) -> Latencies:
    """Post and read for so many seconds. A failure is an answer other than 200 and 201, or none."""
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: over.set())
    ends = time.perf_counter() + seconds
    with ThreadPoolExecutor(len(REQUESTS)) as pool:
        under_way = {name: pool.submit(repeat, port, name, ends, over) for name in REQUESTS}
        return {name: one.result() for name, one in under_way.items()}


def beside(port: int, seconds: float) -> Latencies:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.light", str(port), str(seconds)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


class LightClient:
    """The same for the duration of a block, until `stop`."""

    def __init__(self, port: int) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "benchmarks.light", str(port), "600"], stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> LightClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> Latencies:
        """End it; what it measured."""
        self.process.terminate()
        return json.loads(self.process.communicate()[0])


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), float(sys.argv[2]))))
