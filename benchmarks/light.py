"""A light client: one request at a time, a hundred a second. It runs as a separate process, so that a heavy one does not slow it down.

python -m benchmarks.light PORT SECONDS
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable

PAUSE = 0.01
"""Seconds between an answer and the next request."""

Latencies = dict[str, dict[str, float]]
"""For `post` and `read`: `p50` and `p99` in milliseconds, and the number of `failures`."""


def run(port: int, seconds: float) -> Latencies:
    """Post and read in turn for so many seconds. A failure is an answer other than 200 and 201, or none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    event = json.dumps({"type": "proposal", "scope": "light", "trace_id": "light", "agent_id": "light", "payload": {"action": "a"}})

    def ask(method: str, path: str, body: str | None = None) -> bool:
        try:
            connection.request(method, path, body, {"content-type": "application/json"} if body else {})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return False
        return answer.status in (200, 201)

    asked: dict[str, Callable[[], bool]] = {
        "post": lambda: ask("POST", "/api/events", event),
        "read": lambda: ask("GET", "/api/events?scope=light&limit=10&before=1000000000"),
    }
    times: dict[str, list[float]] = {name: [] for name in asked}
    failures = dict.fromkeys(asked, 0)
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        for name, request in asked.items():
            began = time.perf_counter()
            failures[name] += not request()
            times[name].append(1000 * (time.perf_counter() - began))
            time.sleep(PAUSE)
    result: Latencies = {}
    for name, values in times.items():
        values.sort()
        p50, p99 = (values[int(share * (len(values) - 1))] for share in (0.5, 0.99))
        result[name] = {"p50": p50, "p99": p99, "failures": failures[name]}
    return result


def beside(port: int, seconds: float) -> Latencies:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.light", str(port), str(seconds)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), float(sys.argv[2]))))
