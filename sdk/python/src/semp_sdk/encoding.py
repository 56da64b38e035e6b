"""Events as JSON, with checks for values that JSON cannot represent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from semp_sdk.errors import InvalidEvent, TooLarge
from semp_sdk.events import FieldError, NewEvent

MOST_BODY = 1_048_000
"""Largest event in bytes. The service refuses 1 MiB without reading it, which the client would see as a broken connection."""


def _plain(value: object) -> str | int | float:
    """The plain value of a subclass of str, int or float, because the encoder accepts only the exact types."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    raise TypeError(f"Encoding objects of type {type(value).__name__} is unsupported")


_encode = msgspec.json.Encoder(enc_hook=_plain).encode


def encode_event(event: NewEvent) -> bytes:
    """The event as JSON.

    Raises:
        InvalidEvent: the payload cannot be written as JSON: a type JSON does not have, or a number that is not finite.
        TooLarge: the event is larger than `MOST_BODY`.
    """
    try:
        body = _encode(event)
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise InvalidEvent(f"payload: cannot be written as JSON: {error}", [FieldError("payload", str(error))]) from None
    if b"null" in body and not _finite(event.payload):  # msgspec writes NaN and infinities as null
        raise InvalidEvent("payload: JSON has no NaN and no infinity", [FieldError("payload", "holds a number that is not finite")])
    if len(body) > MOST_BODY:
        raise TooLarge(f"{len(body)} bytes, the limit is {MOST_BODY}", [FieldError("body", f"{len(body)} bytes")])
    return body


def _finite(value: object) -> bool:
    """Whether every number in the value is finite."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(_finite(item) for item in cast("Mapping[object, object]", value).values())
    if isinstance(value, list | tuple | set | frozenset):
        return all(_finite(item) for item in cast("Sequence[object]", value))
    return True
