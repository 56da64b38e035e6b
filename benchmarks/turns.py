"""Sides measured in turn, so that whatever slows the machine for a while slows all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from benchmarks.report import median

Seconds = dict[str, list[float]]
"""By side, one figure a round."""


def in_turn(sides: Mapping[str, Callable[[], object]], rounds: int, warm: int = 3) -> Seconds:
    """How long each side takes, in every round all of them, each round beginning with another.

    Args:
        warm: rounds before the first that counts.
    """
    names = list(sides)
    taken: Seconds = {name: [] for name in names}
    for round_ in range(warm + rounds):
        first = round_ % len(names)
        for name in names[first:] + names[:first]:
            began = time.perf_counter()
            sides[name]()
            if round_ >= warm:
                taken[name].append(time.perf_counter() - began)
    return taken


def ratio(taken: Seconds, side: str, other: str) -> float:
    """The median of what one side takes as a part of what the other takes in the same round."""
    return median([a / b for a, b in zip(taken[side], taken[other], strict=True)])


def milliseconds(taken: Seconds, side: str) -> str:
    """The median, to be read."""
    return f"{1000 * median(taken[side]):.1f} ms"
