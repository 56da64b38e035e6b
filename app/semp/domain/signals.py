"""The rules of signals; no other module has them. Pure functions, used alike by commits, replay and the in-memory store.

The formulas are those of the public SEL/SEMP architecture page ("Mathematical Model"):

    reward   S' = min(1, S + value * alpha)
    penalty  S' = max(0, S - |value|)
    decay    S(t) = S * lambda ** ((t - decayed_at) / interval)

On that page, decay is a job that multiplies by lambda every minute. Here it is computed on read: the result is the same at every
full minute, and exact in between.
"""

from __future__ import annotations

import math
import uuid
from hashlib import sha1

import msgspec

from semp.domain.credit import DEFAULT_DEPTH, MAX_DEPTH, Credit
from semp.domain.event_types import TYPES, EventType

FADED = 0.01
"""A signal below this strength counts as absent, even while it is still stored."""
INITIAL = 0.3
"""Strength of a signal that a proposal, ready or test event creates."""

WHOLE = 1.0
"""The share of an event's value that reaches the signals it answers to. Use this object, not another 1.0: msgspec compares by identity
when it leaves out defaults."""

_NAMESPACE = uuid.UUID("6f3d5c1e-8a43-4f0c-9d55-2b1f64b1f2c7").bytes
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""By the hexadecimal digit that holds the variant of a UUID: the digit with the two highest bits set to the variant of RFC 9562."""

Key = tuple[str, str]
"""(scope, pattern)."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force from position `since` on. They are stored with the log, so that a replay uses the settings of that time.

    A signal keeps the `alpha`, `lambda_` and `interval` that were in force when it was created.

    Raises:
        ValueError: a number is out of its range.
    """

    since: int = 1
    alpha: float = 1.2
    """Amplification of rewards, at least 0 and finite."""
    lambda_: float = msgspec.field(default=0.95, name="lambda")
    """Factor by which one interval of decay multiplies a strength, above 0, at most 1."""
    interval: float = 60.0
    """Length of one step of decay in seconds, above 0 and finite."""
    credit_discount: float = 0.0
    """Factor of a reward or penalty for each PARENT hop further up, for payloads without `credit`; 0..1, 0: no credit along causes."""
    credit_depth: int = DEFAULT_DEPTH
    """PARENT hops that such credit reaches, 1..MAX_DEPTH."""

    def __post_init__(self) -> None:
        if not (0 <= self.alpha < math.inf and 0 < self.lambda_ <= 1 and 0 < self.interval < math.inf):
            raise ValueError("alpha must be at least 0, lambda above 0 and at most 1, the decay interval above 0 seconds, all finite")
        if not (0 <= self.credit_discount <= 1 and 1 <= self.credit_depth <= MAX_DEPTH):
            raise ValueError(f"the credit discount must be 0 to 1, the credit depth 1 to {MAX_DEPTH}")

    @property
    def credit(self) -> Credit | None:
        """The credit of events whose payload has no `credit`; None when these rules give none."""
        return Credit(self.credit_discount, self.credit_depth) if self.credit_discount else None

    def same_numbers(self, other: Rules) -> bool:
        """Whether both have the same numbers; `since` may differ."""
        return msgspec.structs.replace(self, since=1) == msgspec.structs.replace(other, since=1)


def rules_at(history: list[Rules], position: int) -> Rules:
    """The rules in force at a position, 1 or higher. `history` is in order of `since` and begins at 1."""
    return next(rules for rules in reversed(history) if rules.since <= position)


class Signal(msgspec.Struct, frozen=True, gc=False):
    """The state of a signal right after the event at `position`. `strength_at` gives its strength at later times."""

    scope: str
    pattern: str
    strength: float
    """0..1, at the time `decayed_at`."""
    alpha: float
    """Amplification of rewards, at least 0."""
    lambda_: float
    """Factor by which one interval of decay multiplies the strength, above 0, at most 1."""
    decayed_at: int
    """The time `strength` is of, milliseconds since 1970. Decay is computed from here."""
    last_updated: int
    """The time of the event at `position`, milliseconds since 1970."""
    position: int
    """Position of the last event that moved it."""
    interval: float = 60.0
    """Length of one step of its decay in seconds. Stored with the signal, so that new settings never bring a faded signal back."""

    @property
    def key(self) -> Key:
        return self.scope, self.pattern

    @property
    def id(self) -> str:
        """A UUID (version 5) made from the key: the same signal has the same id on every replica and after every replay.

        Computed here, not by `uuid.uuid5`, which takes four times as long: a list may have a million signals.
        """
        digest = sha1(_NAMESPACE + f"{self.scope}:{self.pattern}".encode(), usedforsecurity=False).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{_VARIANT[digest[16]]}{digest[17:20]}-{digest[20:32]}"

    def strength_at(self, now: int) -> float:
        """Strength at `now` (milliseconds since 1970), 0..1; exactly 0 when it has faded. No decay for a `now` before `decayed_at`."""
        elapsed = now - self.decayed_at
        strength = self.strength * self.lambda_ ** (elapsed / (self.interval * 1000)) if elapsed > 0 else self.strength
        return strength if strength >= FADED else 0.0


class Move(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What one event did to one signal."""

    scope: str
    pattern: str
    before: float
    """Strength right before the event, after decay, 0..1; 0: the signal was absent."""
    after: float
    """Strength right after the event, 0..1; 0: the signal is absent."""
    share: float = WHOLE
    """Part of the event's value that reached the signal, 0..1. Below 1 only by credit along causes; left out of JSON when it is 1."""


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
        state: the signal before the event, None when it never existed.
        value: how much the event raises or lowers, 0..1; ignored for types that do neither.
        alpha: amplification that a reward's payload gives, None for the signal's own.
        now: the event's timestamp, milliseconds since 1970.
        position: the event's position.
        share: part of the value that reaches this signal, 0..1.

    Returns:
        The signal after the event and the change; `(state, None)` when the event lowers an absent signal, which does nothing.

    Raises:
        KeyError: `event_type` is not in the table.
    """
    effect = TYPES[event_type].effect
    if share == WHOLE:
        share = WHOLE  # the object itself, see there
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
