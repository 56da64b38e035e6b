"""Events and signals as typed values."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

EventType = Literal["proposal", "ready", "test", "reward", "penalty", "cancel"]
"""The types this client sends. What it reads may have others, from a newer service, and is given on as it is."""


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is not in the log yet. It has its id from the start, so sending it again is safe."""

    id: str
    type: EventType
    scope: str
    trace_id: str
    agent_id: str
    parent_ids: list[str] = []
    payload: dict[str, Any]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the log."""

    id: str
    type: str
    """One of `EventType`, or a type of a newer service."""
    scope: str
    trace_id: str
    agent_id: str
    parent_ids: list[str]
    """Its causes, in the order they were named."""
    timestamp: str
    """Server time, UTC, milliseconds: `2025-01-15T10:30:00.000Z`. Never runs backwards along positions."""
    payload: dict[str, Any]
    position: int
    """Place in the log: 1, 2, 3, ... without gaps."""


class Move(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The effect of an event on a signal. Strengths are 0..1; 0 means absent."""

    scope: str
    pattern: str
    before: float
    after: float
    share: float = 1.0
    """Fraction of the event's value that reached the signal; less than 1 for credit along causes."""


class Emitted(msgspec.Struct, frozen=True, kw_only=True):
    """The result of `Client.emit`.

    Without an outbox it is the stored event. With an outbox it is the event on disk, which will be stored later: `position` and `timestamp`
    are None and `signals` is empty.
    """

    id: str
    type: str
    scope: str
    trace_id: str
    agent_id: str
    parent_ids: list[str] = []
    payload: dict[str, Any]
    position: int | None = None
    timestamp: str | None = None
    signals: list[Move] = []
    """Signals that it moved; empty when the log had the event already."""
    moved: str | None = None
    """Why it moved no signal, where it could have."""


class Signal(msgspec.Struct, frozen=True, kw_only=True, rename={"lambda_": "lambda"}):
    """A live signal, decayed to the moment of the answer."""

    id: str
    scope: str
    pattern: str
    strength: float
    """0..1; below 0.01 a signal is gone."""
    last_updated: str
    alpha: float
    """Factor of a reward's value, when the reward names none of its own."""
    lambda_: float
    """Fraction of the strength that is left after one decay interval (a minute, unless the service is configured otherwise)."""


class SignalUpdate(Signal, frozen=True, kw_only=True, rename={"lambda_": "lambda"}):
    """A signal right after the event at `position` moved it; strength 0 when that removed it."""

    position: int


class FieldError(msgspec.Struct, frozen=True):
    """A refused field of a request, as a path such as `payload.value`, and the reason."""

    field: str
    reason: str


class ErrorBody(msgspec.Struct):
    """The service's answer to a failed request."""

    message: str
    errors: list[FieldError] = []
    retry_after: float | None = None
