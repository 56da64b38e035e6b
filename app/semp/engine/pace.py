"""Long work in slices, so that it never holds the event loop for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

SLICE = 1_000
"""Small items (signals, rows, moves) that one task works on before it lets the event loop run: one or two milliseconds of work."""


class Pace:
    """Lets tasks with long work run one slice at a time.

    All tasks that share a pace get one slice together in each turn of the event loop, however many they are, and in fair order. So
    everything else waits for one slice at most.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def turn(self) -> None:
        """Wait for the next turn of the event loop in which this task may work on a slice. To be called before each slice but the first."""
        async with self._lock:
            await asyncio.sleep(0)

    async def slices(self, items: Iterable[T], size: int = SLICE) -> AsyncIterator[list[T]]:
        """The items in lists of `size`, with a turn of the event loop between two lists.

        The iterable is read slice by slice, so what it reads must not change meanwhile.
        """
        iterator = iter(items)
        part = list(islice(iterator, size))
        while part:
            yield part
            if len(part) < size:
                return
            await self.turn()
            part = list(islice(iterator, size))
