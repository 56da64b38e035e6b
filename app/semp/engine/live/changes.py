"""Changes of signals as live messages show them: each signal in its state right after the event that changed it."""

from __future__ import annotations

from semp.domain.clock import to_text
from semp.domain.interests import Interest
from semp.domain.signals import Signal
from semp.engine.ledger import Ledger
from semp.engine.ranking import SignalView
from semp.engine.records import Entry


class MovedSignal(SignalView, frozen=True):
    """A signal right after the event at `position` moved it."""

    position: int


class SignalChanges:
    """Gives the changes of signals in an interest's scopes. The other fields of the interest are ignored."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

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

    def between(self, first: int, last: int, interest: Interest) -> list[MovedSignal]:
        """The signals that moved last at a position from `first` to `last`, both included, in the order of these positions."""
        moved = [
            signal for signal in self._ledger.signals.values() if first <= signal.position <= last and interest.covers_scope(signal.scope)
        ]
        moved.sort(key=lambda signal: signal.position)
        return [_shown(signal, signal.strength_at(signal.last_updated), to_text(signal.last_updated)) for signal in moved]


def _shown(signal: Signal, strength: float, last_updated: str) -> MovedSignal:
    return MovedSignal(
        signal.id, signal.scope, signal.pattern, strength, last_updated, signal.alpha, signal.lambda_, signal.position
    )  # fmt: skip
