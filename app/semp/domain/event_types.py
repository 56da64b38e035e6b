"""The table of event types. It alone defines what a type requires of its payload and how it changes signals.

A new type needs a name in `EventType`, a payload class, a row in `TYPES`, tests, and a paragraph in docs/protocol.md.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

import msgspec

EventType = Literal["proposal", "ready", "test", "reward", "penalty", "cancel"]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)

MAX_ACTION = 1024
"""Characters of `payload.action`, at most. It becomes the pattern of a signal, which is a key in an index of the database."""

Action = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ACTION)]
Alpha = Annotated[float, msgspec.Meta(ge=0)]
Effect = Literal["touch", "raise", "lower"]
"""What an event does to the strength of its signals. `touch` creates an absent signal and leaves the strength of others as it is."""


class Payload(msgspec.Struct, gc=False):
    """The fields of a payload that the rules read. All other keys are stored as they are."""

    action: Action | None = None

    @property
    def size(self) -> float:
        """How much the event raises or lowers a signal, 0..1, before amplification."""
        return 0.0

    @property
    def own_alpha(self) -> float | None:
        """Amplification that the payload gives, at least 0; None: the signal's own `alpha` holds."""
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
    """What its payload must contain, in words for the OpenAPI document."""
    effect: Effect = "touch"
    credits: bool = False
    """Whether it can also move the signals of proposals further up, see `semp.domain.credit`."""
    ends: bool = False
    """Whether it ends the proposals that it answers to."""
    withdraws: bool = False
    """Whether it withdraws its parents. Then it needs at least one parent, all parents must be proposals, and it moves the signal of each
    parent. `payload.action` is ignored."""


TYPES: dict[EventType, TypeRule] = {
    "proposal": TypeRule(payload=ProposalPayload, demands="`action`"),
    "ready": TypeRule(payload=ReadyPayload, demands="`status`", ends=True),
    "test": TypeRule(payload=TestPayload, demands="`status` running, passed or failed"),
    "reward": TypeRule(payload=RewardPayload, demands="`value` 0..1", effect="raise", credits=True),
    "penalty": TypeRule(payload=PenaltyPayload, demands="`value` -1..1, its absolute value counts", effect="lower", credits=True),
    "cancel": TypeRule(payload=CancelPayload, demands="`value` 0..1, default 0.3", effect="lower", ends=True, withdraws=True),
}

RAISING_OR_LOWERING: tuple[EventType, ...] = tuple(name for name, rule in TYPES.items() if rule.effect != "touch")
LOWERING: tuple[EventType, ...] = tuple(name for name, rule in TYPES.items() if rule.effect == "lower")
CREDITING: tuple[EventType, ...] = tuple(name for name, rule in TYPES.items() if rule.credits)
ENDING: tuple[EventType, ...] = tuple(name for name, rule in TYPES.items() if rule.ends)

_DECODERS = {name: msgspec.json.Decoder(rule.payload).decode for name, rule in TYPES.items()}


def effect_of(event_type: EventType, payload: bytes) -> tuple[float, float | None]:
    """The size (0..1) and own alpha of a stored event, the same as at its append; `(0.0, None)` for types that only touch signals."""
    if event_type not in RAISING_OR_LOWERING:
        return 0.0, None
    fields = _DECODERS[event_type](payload)
    return fields.size, fields.own_alpha


def demands() -> str:
    """What the payload of each type must contain, as one sentence."""
    return "; ".join(f"{name}: {rule.demands}" for name, rule in TYPES.items())
