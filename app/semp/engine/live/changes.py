"""Changes of signals as live messages show them: each signal in its state right after the event that changed it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from semp.domain.clock import to_text
from semp.domain.interests import Interest
from semp.domain.signals import Key, Signal
from semp.engine.ledger import Ledger
from semp.engine.live.last_moved import LastMoved
from semp.engine.pace import Pace
from semp.engine.ranking import SignalView
from semp.engine.records import Entry

TOGETHER = 500
"""Moved signals that are sent together, at most."""


class MovedSignal(SignalView, frozen=True):
    """A signal right after the event at `position` moved it."""

    position: int


class SignalChanges:
    """Gives the changes of signals in an interest's scopes. The other fields of the interest are ignored."""

    def __init__(self, ledger: Ledger, pace: Pace) -> None:
        self._ledger = ledger
        self._last_moved = LastMoved(ledger, pace)
        self.grown = self._last_moved.grown
        self.reset = self._last_moved.reset

    def made_by(self, entry: Entry, interest: Interest) -> list[MovedSignal]:
        """The signals that one event moved."""
        signals, rules = self._ledger.signals, self._ledger.rules
        moved: list[MovedSignal] = []
        for move in entry.moves:
            if interest.covers_scope(move.scope):
                rates = signals.get((move.scope, move.pattern)) or rules
                signal = Signal(move.scope, move.pattern, move.after, rates.alpha, rates.lambda_, 0, 0, entry.event.position)
                moved.append(_shown(signal, move.after, entry.event.timestamp))
        return moved

    async def between(self, first: int, last: int, interest: Interest) -> Iterator[Sequence[Key]]:
        """Keys of the signals that moved last at a position from `first` to `last`, both included, in the order of these positions.

        They come in parts of TOGETHER; give each to `made_until` right before it is sent.
        """
        keys = await self._last_moved.between(first, last, interest)
        return (keys[start : start + TOGETHER] for start in range(0, len(keys), TOGETHER))

    def made_until(self, last: int, keys: Sequence[Key]) -> list[MovedSignal]:
        """Those of these signals that have not moved since the position `last`."""
        now = [signal for key in keys if (signal := self._ledger.signals.get(key)) is not None and signal.position <= last]
        return [_shown(signal, signal.strength_at(signal.last_updated), to_text(signal.last_updated)) for signal in now]


def _shown(signal: Signal, strength: float, last_updated: str) -> MovedSignal:
    return MovedSignal(
        signal.id, signal.scope, signal.pattern, strength, last_updated, signal.alpha, signal.lambda_, signal.position
    )  # fmt: skip
