"""Exponential backoff with jitter."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Delays that double from `first` to `most` seconds. Each is up to `jitter` (a fraction) longer, so that clients spread out."""

    first: float = 1.0
    most: float = 30.0
    jitter: float = 0.25

    def delays(self) -> Iterator[float]:
        """The delays in seconds, without end."""
        delay = self.first
        while True:
            yield self.spread(delay)
            delay = min(self.most, delay * 2)

    def spread(self, delay: float) -> float:
        """The delay with jitter: up to `jitter` times the delay longer."""
        return delay * (1 + self.jitter * random.random())  # noqa: S311 - spreads load, guards nothing


REQUESTS = Backoff(first=0.1, most=10.0, jitter=0.5)
"""Between attempts of a request, unless the service sends `Retry-After`."""
RECONNECTS = Backoff()
"""Between attempts to open a stream: 1 s, doubling to 30 s."""
