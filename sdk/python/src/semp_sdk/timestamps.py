"""Positions and times as arguments, and times as the text that events have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

Moment = int | str | datetime
"""A position, or a time: a datetime with a time zone, or text as in RFC 3339, such as `2025-01-15T10:30:00Z`."""


def moment_text(moment: Moment | None) -> str | int | None:
    """The moment as a query parameter. Raises ValueError for an invalid time, see `timestamp_text`."""
    return moment if moment is None or isinstance(moment, int) else timestamp_text(moment)


def timestamp_text(time: str | datetime) -> str:
    """A time in the format of events: UTC with milliseconds, rounded up. Such texts sort like the times.

    Raises:
        ValueError: the text is no time, or the time has no time zone.
    """
    found = datetime.fromisoformat(time) if isinstance(time, str) else time
    if found.tzinfo is None:
        raise ValueError(f"{time!r} has no time zone; add one, such as datetime(..., tzinfo=UTC)")
    found = found.astimezone(UTC)
    rest = found.microsecond % 1000
    if rest:
        found += timedelta(microseconds=1000 - rest)
    return found.strftime("%Y-%m-%dT%H:%M:%S.") + f"{found.microsecond // 1000:03d}Z"
