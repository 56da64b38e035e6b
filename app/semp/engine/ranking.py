"""Orders signals, strongest first, then by scope and pattern: a few at once, many in slices of the event loop."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

import msgspec

from semp.domain.clock import to_text
from semp.domain.scopes import Glob
from semp.domain.signals import Signal
from semp.engine.pace import SLICE, Pace
from semp.engine.signal_map import SignalMap

PIECE = 250
"""Signals that are made into views at once: about a millisecond of work, and 60 kB of JSON."""

Row = tuple[float, str, str, Signal]
"""Negative strength, scope, pattern, so that rows sort in the order of answers; and the signal."""


class SignalView(msgspec.Struct, frozen=True, rename={"lambda_": "lambda"}):
    """A live signal as answers show it."""

    id: str
    scope: str
    pattern: str
    strength: float
    last_updated: str
    alpha: float
    lambda_: float


def view(signal: Signal, strength: float) -> SignalView:
    """A signal as answers show it. `strength` is its strength at the time of the read."""
    return SignalView(signal.id, signal.scope, signal.pattern, strength, to_text(signal.last_updated), signal.alpha, signal.lambda_)


class Wanted(msgspec.Struct, frozen=True):
    """Which signals a read selects. A signal must match all."""

    scope: Glob | None = None
    pattern: str | None = None
    min_strength: float = 0.0
    limit: int | None = None
    """The strongest ones, this many at most; None: all of them."""

    def row(self, signal: Signal, now: int) -> Row | None:
        """The row of a signal that matches and is alive at `now`, else None."""
        if self.pattern is not None and signal.pattern != self.pattern:
            return None
        if self.scope is not None and not self.scope.matches(signal.scope):
            return None
        strength = signal.strength_at(now)
        return (-strength, signal.scope, signal.pattern, signal) if strength and strength >= self.min_strength else None


EVERYTHING = Wanted()
"""Selects all live signals."""


class Ranked:
    """Signals at one moment, in the order of answers. Views are made when they are asked for, so a long list takes little memory."""

    def __init__(self, signals: Sequence[Signal], position: int, now: int, pace: Pace) -> None:
        self._signals = signals
        self.position = position
        """Position of the log that the signals are of."""
        self.now = now
        """The time that strengths are computed for, milliseconds since 1970."""
        self._pace = pace

    def __len__(self) -> int:
        return len(self._signals)

    def views(self, begin: int = 0, end: int | None = None) -> list[SignalView]:
        """The signals as answers show them. Ask for a piece at a time when there are more than PIECE."""
        return [view(signal, signal.strength_at(self.now)) for signal in self._signals[begin:end]]

    async def pieces(self) -> AsyncIterator[list[SignalView]]:
        """All views, PIECE at a time, each in a turn of its own."""
        for begin in range(0, len(self._signals), PIECE):
            await self._pace.turn()
            yield self.views(begin, begin + PIECE)


async def rank(signals: SignalMap, wanted: Wanted, now: int, pace: Pace) -> list[Signal]:
    """The signals that match, of the moment of the call, in the order of answers.

    SLICE signals at most are answered without giving the event loop a turn.
    """
    keys = signals.index.find(wanted.scope, wanted.pattern)
    if keys is None:
        return await rank_all(signals.frozen().values(), wanted, now, pace)
    if sum([len(patterns) for _, patterns in keys]) <= SLICE:
        return await rank_all(_states(keys, signals.get), wanted, now, pace)
    return await rank_all(_states(keys, signals.frozen().get), wanted, now, pace)


def _states(keys: Iterable[tuple[str, Iterable[str]]], get: Callable[[tuple[str, str]], Signal | None]) -> Iterable[Signal]:
    for scope, patterns in keys:
        for pattern in patterns:
            if (signal := get((scope, pattern))) is not None:
                yield signal


async def rank_all(signals: Iterable[Signal], wanted: Wanted, now: int, pace: Pace) -> list[Signal]:
    """The signals among these that match, in the order of answers. The iterable must not change before the end."""
    rows: list[Row] = []
    few = wanted.limit if wanted.limit is not None and wanted.limit <= SLICE else None
    worst: Row | None = None
    async for part in pace.slices(signals):
        rows += [row for signal in part if (row := wanted.row(signal, now)) is not None and (worst is None or row < worst)]
        if few is not None and len(rows) >= few + SLICE:
            rows.sort()
            del rows[few:]
            worst = rows[-1]
    if len(rows) <= 2 * SLICE:
        rows.sort()
        return [row[3] for row in rows[: wanted.limit]]
    return await _sorted_in_slices(rows, wanted.limit, pace)


async def _sorted_in_slices(rows: list[Row], limit: int | None, pace: Pace) -> list[Signal]:
    """Sample sort. To sort a million rows at once would hold the event loop for more than a second, and to free them a tenth of it."""
    ordered: list[Signal] = []
    for bucket in await spread(rows, pace):
        if limit is None or len(ordered) < limit:
            bucket.sort()
            ordered += [row[3] for row in bucket]
        bucket.clear()
        await pace.turn()
    if limit is not None:
        del ordered[limit:]
    return ordered


async def spread(rows: list[Row], pace: Pace) -> list[list[Row]]:
    """Move the rows to buckets of about SLICE rows; every row of a bucket sorts before every row of the next one.

    The bounds of the buckets come from a random sample. Rows at regular distances would not do: scopes often repeat in the order of rows.
    """
    each = 4
    await pace.turn()
    sample = sorted(random.Random(len(rows)).sample(rows, each * (len(rows) // SLICE)))  # noqa: S311 - no secret
    bounds = sample[each::each]
    buckets: list[list[Row]] = [[] for _ in range(len(bounds) + 1)]
    while rows:
        await pace.turn()
        for row in rows[-SLICE:]:
            buckets[bisect(bounds, row)].append(row)
        del rows[-SLICE:]
    return buckets
