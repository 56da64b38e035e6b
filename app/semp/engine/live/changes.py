"""Changes of signals as live messages show them: each as the event that made it left the signal."""

from __future__ import annotations

from semp.domain.clock import to_text
from semp.domain.interests import Interest
from semp.domain.signals import Signal
from semp.engine.field import SignalView
from semp.engine.ledger import Ledger
from semp.engine.records import Entry


class MovedSignal(SignalView, frozen=True):
    """A signal right after the event at `position` moved it."""

    position: int


class SignalChanges:
    """Changes of the signals in an interest's scopes."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def made_by(self, entry: Entry, interest: Interest) -> list[MovedSignal]:
        """The signals that one event moved."""
        signals, rules = self._ledger.signals, self._ledger.rules
        found: list[MovedSignal] = []
        for move in entry.moves:
            if interest.covers_scope(move.scope):
                rates = signals.get((move.scope, move.pattern)) or rules
                signal = Signal(move.scope, move.pattern, move.after, rates.alpha, rates.lambda_, 0, 0, entry.event.position)
                found.append(_shown(signal, move.after, entry.event.timestamp))
        return found

    def between(self, first: int, last: int, interest: Interest) -> list[MovedSignal]:
        """The signals whose last change is at one of these positions, both included, in the order of those changes."""
        found = [
            signal for signal in self._ledger.signals.values() if first <= signal.position <= last and interest.covers_scope(signal.scope)
        ]
        found.sort(key=lambda signal: signal.position)
        return [_shown(signal, signal.strength_at(signal.last_updated), to_text(signal.last_updated)) for signal in found]


def _shown(signal: Signal, strength: float, last_updated: str) -> MovedSignal:
    return MovedSignal(
        signal.id, signal.scope, signal.pattern, strength, last_updated, signal.alpha, signal.lambda_, signal.position
    )  # fmt: skip
