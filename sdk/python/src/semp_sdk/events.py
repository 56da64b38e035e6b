"""Events and signals as typed values."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

EventType = Literal["proposal", "ready", "test", "reward", "penalty", "cancel"]
"""The types this client sends. What it reads may have others, from a newer service, and is given on as it is."""


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event before it is in the log. Its id is set when it is made, so it may be sent as often as is needed."""

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
    """What an event did to a signal. Strengths are 0..1, and 0 stands for absent."""

    scope: str
    pattern: str
    before: float
    after: float
    share: float = 1.0
    """What part of the event's value reached it: less than 1 by credit along causes."""


class Emitted(msgspec.Struct, frozen=True, kw_only=True):
    """What `Client.emit` answers.

    Without an outbox it is the stored event. With one it is what is safe on disk and will be stored: `position` and `timestamp` are
    None and `signals` is empty, since the log has not seen it yet.
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
    """What storing it moved; empty when the log had it already."""
    moved: str | None = None
    """Why it moved nothing, where it could have."""


class Signal(msgspec.Struct, frozen=True, kw_only=True, rename={"lambda_": "lambda"}):
    """A live signal, decayed to the moment of the answer."""

    id: str
    scope: str
    pattern: str
    strength: float
    """0..1; below 0.01 a signal is gone."""
    last_updated: str
    alpha: float
    """What a reward's value is multiplied by when it names no factor of its own."""
    lambda_: float
    """What is left of the strength after a decay interval (a minute unless the service was set otherwise)."""


class SignalUpdate(Signal, frozen=True, kw_only=True, rename={"lambda_": "lambda"}):
    """A signal right after the event at `position` moved it; 0 when that made it vanish."""

    position: int


class FieldError(msgspec.Struct, frozen=True):
    """A field of what was sent, as a path such as `payload.value`, and why it was refused."""

    field: str
    reason: str


class ErrorBody(msgspec.Struct):
    """The service's answer when something is wrong."""

    message: str
    errors: list[FieldError] = []
    retry_after: float | None = None
