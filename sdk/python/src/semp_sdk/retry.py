"""How long to wait before trying again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Delays that double from `first` to `most` seconds, each up to `jitter` (a part of it) longer, so that clients spread out."""

    first: float = 1.0
    most: float = 30.0
    jitter: float = 0.25

    def delays(self) -> Iterator[float]:
        """Endless."""
        delay = self.first
        while True:
            yield self.spread(delay)
            delay = min(self.most, delay * 2)

    def spread(self, delay: float) -> float:
        """This delay and up to `jitter` of it more."""
        return delay * (1 + self.jitter * random.random())  # noqa: S311 - spreads load, guards nothing


REQUESTS = Backoff(first=0.1, most=10.0, jitter=0.5)
"""Between the tries of a request, unless the service names a time itself."""
RECONNECTS = Backoff()
"""Between the tries to open a stream: 1 s, doubling to 30 s."""
