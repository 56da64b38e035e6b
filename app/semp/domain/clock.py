"""Time as the log keeps it: whole milliseconds since 1970 inside, RFC 3339 UTC with milliseconds outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]
"""Gives now, in milliseconds since 1970-01-01T00:00:00Z. Injected everywhere, so that tests own the time."""


def system_clock() -> int:
    """The machine's wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


def elapsed_clock() -> int:
    """Milliseconds that passed since some moment, whatever is done to the wall clock; where the system tells, asleep ones too."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return (time.monotonic_ns() if boot is None else time.clock_gettime_ns(boot)) // 1_000_000


def to_text(milliseconds: int) -> str:
    """`1736935800000` gives `2025-01-15T10:10:00.000Z`. The text sorts as the time does."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:03d}Z"


def from_text(text: str) -> int:
    """The inverse of `to_text`, exact to the millisecond.

    Raises:
        ValueError: when the text is no RFC 3339 time with a zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    try:
        whole = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is outside the calendar") from None
    return int(whole.replace(microsecond=0).timestamp()) * 1000 + whole.microsecond // 1000
