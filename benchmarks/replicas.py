"""Three replicas on one database beside one alone: what they append together, what a follower's POST costs, and a leader that is lost."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

from benchmarks.databases import embedded
from benchmarks.load import Connection, posts
from benchmarks.report import Report, median
from benchmarks.rest import asking
from benchmarks.servers import load, process_on, running
from benchmarks.turns import in_turn, milliseconds, ratio

CONNECTIONS = 96
"""Of all load generators together."""


def leads(port: int) -> bool:
    """Whether the replica on this port has the append lease."""
    with asking(port) as rest:
        return b"\nsemp_append_leader 1" in rest.text("/metrics")


def sorted_out(ports: Sequence[int]) -> list[int]:
    """Wait until one replica leads and the others hand on to it; the ports, the leader's first."""
    while not (leading := [port for port in ports if leads(port)]):
        time.sleep(0.1)
    others = [port for port in ports if port != leading[0]]
    while not all(_hands_on(port) for port in others):
        time.sleep(0.1)
    return [leading[0], *others]


def _hands_on(port: int) -> bool:
    with asking(port) as rest:
        before = rest.text("/metrics")
        rest.post("/api/events", {"type": "proposal", "scope": "s", "trace_id": "t", "agent_id": "a", "payload": {"action": "a"}})
        after = rest.text("/metrics")
    name = b"\nsemp_handed_on_events_total "
    return before.partition(name)[2].split()[0] != after.partition(name)[2].split()[0]


def together(ports: Sequence[int], seconds: float) -> float:
    """Posts per second of load generators on all these replicas at once, with CONNECTIONS in all."""
    with ThreadPoolExecutor(len(ports)) as pool:
        under_way = [pool.submit(load, port, CONNECTIONS // len(ports), seconds) for port in ports]
        results = [one.result() for one in under_way]
    assert not any(result["failures"] for result in results), results
    return sum([result["rate"] for result in results])


def three_and_one(report: Report, rounds: int = 5, seconds: float = 6.0) -> None:
    """Report the rows of this module."""
    with embedded() as second, ExitStack() as stack:
        alone = stack.enter_context(running("replica", database=second))
        three = sorted_out([stack.enter_context(running("replica")) for _ in range(3)])
        together([alone], 2 * seconds)  # warm up: Java compiles the hot code
        together(three, 2 * seconds)
        pairs = [(together(three, seconds), together([alone], seconds)) for _ in range(rounds)]
        rate, one = (median([pair[side] for pair in pairs]) for side in (0, 1))
        detail = f"{rate:,.0f}/s, {one:,.0f}/s, {CONNECTIONS} connections in all"
        report.add("POSTs of three replicas together / of one alone", median([a / b for a, b in pairs]), "at least 0.85", detail)
        with asking(three[0]) as leader, asking(three[1]) as follower:
            body = {"type": "proposal", "scope": "s", "trace_id": "t", "agent_id": "a", "payload": {"action": "a"}}
            sides = {name: partial(rest.post, "/api/events", body) for name, rest in (("follower", follower), ("leader", leader))}
            times = in_turn(sides, 500, warm=50)
        detail = f"{milliseconds(times, 'follower')}, {milliseconds(times, 'leader')}"
        report.add("a POST to a follower / to the leader", ratio(times, "follower", "leader"), "at most 1.5", detail)
    for fault in (signal.SIGKILL, signal.SIGSTOP):
        gaps = [longest_gap(fault) for _ in range(3)]
        what = "killed" if fault == signal.SIGKILL else "frozen"
        detail = "seconds of three rounds: " + ", ".join(f"{gap:.1f}" for gap in sorted(gaps))
        report.add(f"seconds without an answer of a follower after the leader was {what}", median(gaps), "at most 2", detail)


def longest_gap(fault: signal.Signals) -> float:
    """The longest time between two answers of a replica that is posted to without pause while its leader is lost."""
    with ExitStack() as stack:
        leader, follower = sorted_out([stack.enter_context(running("replica")) for _ in range(2)])
        over = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            answers = pool.submit(_answers, follower, over)
            time.sleep(2)
            process_on(leader).send_signal(fault)
            time.sleep(6)
            over.set()
            moments = answers.result()
        if fault == signal.SIGSTOP:
            process_on(leader).send_signal(signal.SIGCONT)
    return max([later - earlier for earlier, later in itertools.pairwise(moments)])


def _answers(port: int, over: threading.Event) -> list[float]:
    """Post until `over`; the moments of the answers 201."""
    moments = [time.perf_counter()]
    connection, requests = Connection(port), itertools.cycle(posts("/api/events"))
    while not over.is_set():
        connection.send(next(requests))
        while (status := connection.answered()) is None:
            pass
        if status == b"201":
            moments.append(time.perf_counter())
    connection.socket.close()
    return [*moments, time.perf_counter()]


def start_and_stop_replica() -> None:
    """Start a replica on the database of this run, and stop it."""
    with running("replica"):
        pass
