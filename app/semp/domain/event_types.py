"""The table of event types. What a type demands of its payload and does to signals is said here, and nowhere else.

A new type is a name in `EventType`, a payload and a row of `TYPES`; its tests; and a paragraph in docs/protocol.md.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

import msgspec

EventType = Literal["proposal", "ready", "test", "reward", "penalty", "cancel"]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)

MAX_ACTION = 1024
"""Characters of `payload.action`, at most: it is a signal's pattern, and so a key in the database's index."""

Action = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ACTION)]
Alpha = Annotated[float, msgspec.Meta(ge=0)]
Effect = Literal["touch", "raise", "lower"]
"""What an event does to its signals: nothing but to say that somebody was there, which creates an absent one; raise; or lower them."""


class Payload(msgspec.Struct, gc=False):
    """The fields of a payload that the rules look at; every other key is kept as it is."""

    action: Action | None = None

    @property
    def size(self) -> float:
        """How much it raises or lowers a signal, 0..1."""
        return 0.0

    @property
    def own_alpha(self) -> float | None:
        """What its size is multiplied by, None for the signal's own factor."""
        return None


class ProposalPayload(Payload, kw_only=True, gc=False):
    action: Action  # type: ignore[assignment]
    params: dict[str, Any] | None = None
    estimated_effort: Annotated[float, msgspec.Meta(ge=0)] | None = None
    priority: Literal["low", "medium", "high"] | None = None


class ReadyPayload(Payload, kw_only=True, gc=False):
    status: str


class TestPayload(Payload, kw_only=True, gc=False):
    status: Literal["running", "passed", "failed"]
    suite: str | None = None
    coverage: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    failures: list[Any] | None = None


class RewardPayload(Payload, kw_only=True, gc=False):
    value: Annotated[float, msgspec.Meta(ge=0, le=1)]
    greek: Alpha | None = msgspec.field(default=None, name="α")
    alpha: Alpha | None = None
    reason: str | None = None
    credit: Any = None

    @property
    def size(self) -> float:
        return self.value

    @property
    def own_alpha(self) -> float | None:
        return self.greek if self.greek is not None else self.alpha


class PenaltyPayload(Payload, kw_only=True, gc=False):
    value: Annotated[float, msgspec.Meta(ge=-1, le=1)]
    reason: str | None = None
    credit: Any = None

    @property
    def size(self) -> float:
        return abs(self.value)


class CancelPayload(Payload, kw_only=True, gc=False):
    value: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.3
    reason: str | None = None

    @property
    def size(self) -> float:
        return self.value


class TypeRule(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table."""

    payload: type[Payload]
    demands: str
    """What its payload has to say, in words for the API's document."""
    effect: Effect = "touch"
    credits: bool = False
    """Whether it may also move the signals of proposals further up (`payload.credit`)."""
    ends: bool = False
    """Whether a proposal that it answers is over."""
    withdraws: bool = False
    """Whether its parents are the proposals it is about: it must name some, all of them must be proposals, and it moves each one's signal,
    whatever action its payload names."""


TYPES: dict[EventType, TypeRule] = {
    "proposal": TypeRule(payload=ProposalPayload, demands="`action`"),
    "ready": TypeRule(payload=ReadyPayload, demands="`status`", ends=True),
    "test": TypeRule(payload=TestPayload, demands="`status` running, passed or failed"),
    "reward": TypeRule(payload=RewardPayload, demands="`value` 0..1", effect="raise", credits=True),
    "penalty": TypeRule(payload=PenaltyPayload, demands="`value` -1..1, taken by its size", effect="lower", credits=True),
    "cancel": TypeRule(payload=CancelPayload, demands="`value` 0..1, 0.3 unless given", effect="lower", ends=True, withdraws=True),
}

RAISING_OR_LOWERING: tuple[EventType, ...] = tuple(name for name, rule in TYPES.items() if rule.effect != "touch")
LOWERING: tuple[EventType, ...] = tuple(name for name, rule in TYPES.items() if rule.effect == "lower")
CREDITING: tuple[EventType, ...] = tuple(name for name, rule in TYPES.items() if rule.credits)
ENDING: tuple[EventType, ...] = tuple(name for name, rule in TYPES.items() if rule.ends)

_DECODERS = {name: msgspec.json.Decoder(rule.payload).decode for name, rule in TYPES.items()}


def effect_of(event_type: EventType, payload: bytes) -> tuple[float, float | None]:
    """The size (0..1) and own alpha of a stored event, as they were taken when it was appended; `(0.0, None)` where it moves by neither."""
    if event_type not in RAISING_OR_LOWERING:
        return 0.0, None
    found = _DECODERS[event_type](payload)
    return found.size, found.own_alpha


def demands() -> str:
    """What each type's payload has to say, in one sentence."""
    return "; ".join(f"{name}: {rule.demands}" for name, rule in TYPES.items())
