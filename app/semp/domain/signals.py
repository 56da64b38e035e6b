"""Signals: the one place where their rules are written. Pure; the same code serves commits, replay and the in-memory store.

The formulas are those of the public SEL/SEMP architecture page ("Mathematical Model"):

    reward   S' = min(1, S + value * alpha)
    penalty  S' = max(0, S - |value|)
    decay    S(t) = S * lambda ** ((t - decayed_at) / interval)

Decay there is a job that multiplies by lambda each minute; here it is computed on read, which gives the same number at every
tick and is exact between ticks.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Iterator

import msgspec

from semp.domain.credit import DEFAULT_DEPTH, MAX_DEPTH, Credit
from semp.domain.event_types import TYPES, EventType

FADED = 0.01
"""Below this strength a signal is absent, whether or not it is still stored."""
INITIAL = 0.3
"""Strength of a signal that a proposal, ready or test event creates."""

WHOLE = 1.0
"""The share of an event that reaches the signals it answers to. This very object, so that encoding leaves it out as the default."""

_NAMESPACE = uuid.UUID("6f3d5c1e-8a43-4f0c-9d55-2b1f64b1f2c7")

Key = tuple[str, str]
"""(scope, pattern)."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force from position `since` on. They are kept with the log, so that replay uses what was in force then."""

    since: int = 1
    alpha: float = 1.2
    """Amplification of rewards, for signals created from now on. At least 0."""
    lambda_: float = msgspec.field(default=0.95, name="lambda")
    """What is left of a strength after one interval, for signals created from now on. Above 0, at most 1."""
    interval: float = 60.0
    """Seconds that one step of decay takes, for signals created from now on. Above 0."""
    credit_discount: float = 0.0
    """What is left of a reward or penalty a PARENT hop further up, where its payload does not say; 0 for no credit along causes."""
    credit_depth: int = DEFAULT_DEPTH
    """PARENT hops such credit reaches, at most."""

    def __post_init__(self) -> None:
        if not (0 <= self.alpha < math.inf and 0 < self.lambda_ <= 1 and 0 < self.interval < math.inf):
            raise ValueError("alpha must be at least 0, lambda above 0 and at most 1, the decay interval above 0 seconds, all finite")
        if not (0 <= self.credit_discount <= 1 and 1 <= self.credit_depth <= MAX_DEPTH):
            raise ValueError(f"the credit discount must be 0 to 1, the credit depth 1 to {MAX_DEPTH}")

    @property
    def credit(self) -> Credit | None:
        """The credit that holds for events that do not say."""
        return Credit(self.credit_discount, self.credit_depth) if self.credit_discount else None

    def same_numbers(self, other: Rules) -> bool:
        """Whether both decide alike, whenever they began."""
        return msgspec.structs.replace(self, since=1) == msgspec.structs.replace(other, since=1)


def rules_at(history: list[Rules], position: int) -> Rules:
    """The rules in force at a position. `history` is in order of `since` and begins at 1."""
    return next(rules for rules in reversed(history) if rules.since <= position)


class Signal(msgspec.Struct, frozen=True, gc=False):
    """The state of a signal right after the event at `position`; what it is later follows by decay."""

    scope: str
    pattern: str
    strength: float
    """0..1, as of `decayed_at`."""
    alpha: float
    lambda_: float
    decayed_at: int
    """Milliseconds since 1970: when `strength` was exact."""
    last_updated: int
    """Milliseconds since 1970: the last event that touched it."""
    position: int
    """Position of that event."""
    interval: float = 60.0
    """Seconds that one step of its decay takes. Kept with it, so that what has faded stays faded whatever the settings become."""

    @property
    def key(self) -> Key:
        return self.scope, self.pattern

    @property
    def id(self) -> str:
        """A UUID (version 5) of the key: the same signal has the same id on every replica and after every replay."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.scope}:{self.pattern}"))

    def strength_at(self, now: int) -> float:
        """Strength at `now` (milliseconds), 0..1; exactly 0 when it has faded. A `now` before `decayed_at` counts as it."""
        elapsed = now - self.decayed_at
        strength = self.strength * self.lambda_ ** (elapsed / (self.interval * 1000)) if elapsed > 0 else self.strength
        return strength if strength >= FADED else 0.0


def live(signals: Iterable[Signal], now: int) -> Iterator[tuple[Signal, float]]:
    """Those that have not faded at `now` (milliseconds), with their strength then."""
    for signal in signals:
        strength = signal.strength_at(now)
        if strength:
            yield signal, strength


class Move(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What one event did to one signal. `before` is after decay, right before the event; 0 stands for absent."""

    scope: str
    pattern: str
    before: float
    after: float
    share: float = WHOLE
    """What part of the event's value reached it: less than 1, and only then shown, by credit along causes."""


def apply(
    state: Signal | None,
    key: Key,
    *,
    event_type: EventType,
    value: float,
    alpha: float | None,
    now: int,
    position: int,
    rules: Rules,
    share: float = WHOLE,
) -> tuple[Signal | None, Move | None]:
    """Fold one event into one signal.

    Args:
        state: the signal before, None when it was never there.
        event_type: one of the table; KeyError otherwise.
        value: how much it raises or lowers, 0..1; ignored for types that do neither.
        alpha: a reward's own amplification, None for the signal's.
        now: the event's timestamp, milliseconds.
        share: what part of the value reaches this signal, 0..1.

    Returns:
        The signal after and what changed; `(state, None)` when the event does nothing (it lowers, and the signal is absent).
    """
    effect = TYPES[event_type].effect
    if share == WHOLE:
        share = WHOLE
    else:
        value *= share
    before = state.strength_at(now) if state is not None else 0.0
    if state is None or before == 0.0:
        if effect == "lower":
            return state, None
        state = Signal(*key, 0.0, rules.alpha, rules.lambda_, now, now, position, rules.interval)
        after = min(1.0, value * (state.alpha if alpha is None else alpha)) if effect == "raise" else INITIAL
    elif effect == "raise":
        after = min(1.0, before + value * (state.alpha if alpha is None else alpha))
    elif effect == "lower":
        after = max(0.0, before - value)
    else:
        touched = Signal(*key, state.strength, state.alpha, state.lambda_, state.decayed_at, now, position, state.interval)
        return touched, Move(*key, before, before, share)
    after = after if after >= FADED else 0.0
    return Signal(*key, after, state.alpha, state.lambda_, now, now, position, state.interval), Move(*key, before, after, share)
