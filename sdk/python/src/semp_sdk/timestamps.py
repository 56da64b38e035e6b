"""Moments of the log: a position, or a point in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

Moment = int | str | datetime
"""A position, or a time: a datetime with a time zone, or text as RFC 3339 has it, such as `2025-01-15T10:30:00Z`."""


def moment_text(moment: Moment | None) -> str | int | None:
    """A moment as the service reads it. Raises ValueError when it is none."""
    return moment if moment is None or isinstance(moment, int) else timestamp_text(moment)


def timestamp_text(time: str | datetime) -> str:
    """A time as events carry it: UTC, milliseconds, so that texts compare as times do. What is between two milliseconds is the later.

    Raises:
        ValueError: it is no time, or has no time zone.
    """
    found = datetime.fromisoformat(time) if isinstance(time, str) else time
    if found.tzinfo is None:
        raise ValueError(f"{time!r} has no time zone; add one, such as datetime(..., tzinfo=UTC)")
    found = found.astimezone(UTC)
    rest = found.microsecond % 1000
    if rest:
        found += timedelta(microseconds=1000 - rest)
    return found.strftime("%Y-%m-%dT%H:%M:%S.") + f"{found.microsecond // 1000:03d}Z"
