"""Finds the signals that moved last in a stretch of the log, for readers that resume. The cost follows from that stretch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from semp.domain.interests import Interest
from semp.domain.signals import Key, Signal
from semp.engine.ledger import PATIENCE, Ledger
from semp.engine.pace import Pace
from semp.engine.records import Entry

STRETCH = 256
"""Positions whose signals are kept together."""
OUTDATED = 100_000
"""Further moves after which the lists are dropped, or as many as there are signals, if these are more. They are made again when needed."""

Stretches = dict[int, list[Signal]]


class LastMoved:
    """The signals by the position where they moved last, in lists of STRETCH positions.

    The lists are made when a reader needs them for the first time, and are brought up to date with the log from then on. A signal that
    moves is added again, and its older state stays until the lists are dropped.
    """

    def __init__(self, ledger: Ledger, pace: Pace) -> None:
        self._ledger = ledger
        self._pace = pace
        self._stretches: Stretches | None = None
        self._added = 0
        """Moves that were added since the lists were begun."""
        self._making = asyncio.Lock()

    def grown(self, entries: Sequence[Entry]) -> None:
        """To be called with all entries of the log in order, right after the ledger took them over."""
        if self._stretches is None:
            return
        for entry in entries:
            for move in entry.moves:
                if (signal := self._ledger.signals.get((move.scope, move.pattern))) is not None:
                    self._stretches.setdefault(signal.position // STRETCH, []).append(signal)
                    self._added += 1
        if self._added > max(OUTDATED, len(self._ledger.signals)):
            self._stretches = None

    def reset(self) -> None:
        """To be called when the log was replaced by another one."""
        self._stretches = None

    async def between(self, first: int, last: int, interest: Interest) -> list[Key]:
        """Keys of the signals in the interest's scopes that moved last at a position from `first` to `last`, by that position.

        The log must have these positions already. Some signals may have moved on when this returns.

        Raises:
            StoreUnavailable: the signals are still being read after a start, and are not in memory in time.
        """
        await self._ledger.complete(PATIENCE)
        signals = self._ledger.signals
        found: list[Key] = []
        async for part in self._pace.slices(_in_order(await self._made(), first // STRETCH, last // STRETCH)):
            for signal in part:
                position, key = signal.position, signal.key
                if not first <= position <= last or not interest.covers_scope(signal.scope):
                    continue
                now = signals.get(key)
                if now is not None and now.position == position and (not found or found[-1] != key):
                    found.append(key)
        return found

    async def _made(self) -> Stretches:
        async with self._making:
            while self._stretches is None:
                await self._make()
            return self._stretches

    async def _make(self) -> None:
        stretches = self._stretches = Stretches()
        self._added = 0
        try:
            async for part in self._pace.slices(self._ledger.signals.frozen().values()):
                for signal in part:
                    stretches.setdefault(signal.position // STRETCH, []).append(signal)
        except BaseException:
            self._stretches = None  # they are not complete
            raise


def _in_order(stretches: Stretches, first: int, last: int) -> Iterator[Signal]:
    """The signals of the stretches from `first` to `last`, by position and key, so that two states of one move stand side by side."""
    numbers = range(first, last + 1) if last - first < len(stretches) else sorted([n for n in stretches if first <= n <= last])
    for number in numbers:
        yield from sorted(stretches.get(number, ()), key=lambda signal: (signal.position, signal.key))
