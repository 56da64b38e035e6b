"""Measures the sides of a comparison in turn, so that a change of the machine's speed affects all of them; and repeats work meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from benchmarks.report import median

Seconds = dict[str, list[float]]
"""For each side, the seconds of each round."""


def in_turn(sides: Mapping[str, Callable[[], object]], rounds: int, warm: int = 3) -> Seconds:
    """Measure how long each side takes. Each round runs all sides, and starts with a different one.

    Args:
        rounds: number of measured rounds.
        warm: number of rounds before them that are not measured.
    """
    names = list(sides)
    times: Seconds = {name: [] for name in names}
    for round_ in range(warm + rounds):
        first = round_ % len(names)
        for name in names[first:] + names[:first]:
            began = time.perf_counter()
            sides[name]()
            if round_ >= warm:
                times[name].append(time.perf_counter() - began)
    return times


def ratio(times: Seconds, side: str, other: str) -> float:
    """The median over all rounds of the time of `side` divided by the time of `other`."""
    return median([a / b for a, b in zip(times[side], times[other], strict=True)])


def milliseconds(times: Seconds, side: str) -> str:
    """The median time of a side as a text, such as `1.5 ms`."""
    return f"{1000 * median(times[side]):.1f} ms"


@contextmanager
def repeating(work: Callable[[], object]) -> Generator[None]:
    """During the block, work is done again and again in a thread of its own."""
    over = threading.Event()

    def repeat() -> None:
        while not over.is_set():
            work()

    with ThreadPoolExecutor(1) as pool:
        repeated = pool.submit(repeat)
        try:
            yield
        finally:
            over.set()
            repeated.result()
