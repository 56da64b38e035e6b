"""Events as JSON, and what JSON cannot hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from semp_sdk.errors import InvalidEvent, TooLarge
from semp_sdk.events import FieldError, NewEvent

MOST_BODY = 1_048_000
"""Bytes of an event; the service refuses 1 MiB without reading it, which looks like a broken connection from here."""


def _plain(value: object) -> str | int | float:
    """What a subclass of text or number holds, whatever it says of itself: the encoder takes the types themselves alone."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    raise TypeError(f"Encoding objects of type {type(value).__name__} is unsupported")


_encode = msgspec.json.Encoder(enc_hook=_plain).encode


def encode_event(event: NewEvent) -> bytes:
    """The event as the service reads it.

    Raises:
        InvalidEvent: its payload is no JSON: other types, or a number that is not finite.
        TooLarge: it is larger than any event may be.
    """
    try:
        body = _encode(event)
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise InvalidEvent(f"payload: cannot be written as JSON: {error}", [FieldError("payload", str(error))]) from None
    if b"null" in body and not _finite(event.payload):  # that is how NaN and the infinities would be written
        raise InvalidEvent("payload: JSON has no NaN and no infinity", [FieldError("payload", "holds a number that is not finite")])
    if len(body) > MOST_BODY:
        raise TooLarge(f"{len(body)} bytes, the limit is {MOST_BODY}", [FieldError("body", f"{len(body)} bytes")])
    return body


def _finite(value: object) -> bool:
    """Whether every number in it is one."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(_finite(item) for item in cast("Mapping[object, object]", value).values())
    if isinstance(value, list | tuple | set | frozenset):
        return all(_finite(item) for item in cast("Sequence[object]", value))
    return True
