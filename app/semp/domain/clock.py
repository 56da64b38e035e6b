"""Time in the log: whole milliseconds since 1970 for calculations, RFC 3339 text in UTC with milliseconds in events and answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]
"""Returns the present time in milliseconds since 1970-01-01T00:00:00Z. It is always injected, so that tests control the time."""


def system_clock() -> int:
    """The machine's wall clock, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def elapsed_clock() -> int:
    """Milliseconds since a fixed moment. Setting the wall clock does not change it; time asleep counts where CLOCK_BOOTTIME exists."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return (time.monotonic_ns() if boot is None else time.clock_gettime_ns(boot)) // 1_000_000


def to_text(milliseconds: int) -> str:
    """`1736935800000` gives `2025-01-15T10:10:00.000Z`. Such texts sort in the order of their times."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:03d}Z"


def from_text(text: str) -> int:
    """The inverse of `to_text`, for a time in any zone. Fractions of a millisecond are cut off.

    Raises:
        ValueError: the text is not a time with a zone that `datetime.fromisoformat` reads, or its UTC time is outside the years 1 to 9999.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is outside the calendar") from None
    return int(in_utc.replace(microsecond=0).timestamp()) * 1000 + in_utc.microsecond // 1000
