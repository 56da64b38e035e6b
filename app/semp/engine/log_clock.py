"""The log's time. It follows the wall clock. If that had jumped ahead and was corrected, it goes on from the newest timestamp."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from semp.domain.clock import Clock, elapsed_clock
from semp.engine.records import ClockShift, LogState

log = logging.getLogger(__name__)

TOLERANCE_MS = 1_000
"""Milliseconds that a wall clock can be behind the newest event because the clocks of replicas differ. Up to this, the log's time stands
still until the wall clock has caught up. A clock that is further behind will not catch up soon: then the log's time goes on from the
newest event at real speed."""

MAX_SHIFTS = 32
"""Shifts that the log's state keeps, at most; the oldest are dropped. More of them only come up while a replica's clock stays wrong."""
CONSEQUENCE = (
    "it is wrong now, or it was ahead when that event came. Timestamps and decay go on from that event at real speed; "
    "check this machine's clock and those of other replicas"
)


class LogClock:
    """Gives the log's time. It never runs backwards, and never stands still for longer than TOLERANCE_MS.

    Args:
        wall: the machine's wall clock, milliseconds since 1970.
        elapsed: a clock in milliseconds that setting the wall clock does not change. It measures time while the wall clock is behind.
    """

    def __init__(self, wall: Clock, elapsed: Clock = elapsed_clock) -> None:
        self.wall = wall
        self.elapsed = elapsed
        self.ahead = 0
        """Milliseconds that the log's time was ahead of the wall clock at the last call of `now`; 0 while it follows the wall clock."""
        self._lead: int | None = None
        """The log's time minus `elapsed`, while the log's time does not follow the wall clock; else None."""
        self._noticed = 0
        """The wall clock's time when that began."""
        self._stamp = self._stamped = 0
        """The newest timestamp that this process gave, and the time of `elapsed` then."""

    def stamp(self, state: LogState) -> int:
        """The timestamp for the next events, milliseconds since 1970."""
        self._stamp, self._stamped = self.now(state), self.elapsed()
        return self._stamp

    def now(self, state: LogState) -> int:
        """The log's time, milliseconds since 1970; never earlier than the newest event in `state`."""
        wall, last = self.wall(), state.last_timestamp
        if self._lead is None:
            if last - wall <= TOLERANCE_MS:
                return max(wall, last)
            self._lead = self._continued(state, wall) - self.elapsed()
            self._noticed = wall
            log.warning("the clock is %.1f s behind the newest event; %s", (last - wall) / 1000, CONSEQUENCE)
        now = max(self._lead + self.elapsed(), last)
        if wall >= now:
            log.warning("the clock has caught up with the newest event; timestamps and decay follow it again")
            self._lead, self.ahead = None, 0
            return wall
        self._lead, self.ahead = now - self.elapsed(), now - wall
        return now

    def _continued(self, state: LogState, wall: int) -> int:
        """The log's time now, at the moment when it stops following the wall clock.

        It goes on from the last timestamp if this process gave it, and from the shift in `state` if one was recorded before a restart.
        """
        passed = self.elapsed() - self._stamped if state.last_timestamp == self._stamp else 0
        recorded = state.shifts[-1].ahead if state.shifts else 0
        return max(state.last_timestamp + passed, wall + recorded)

    def shifts(self, state: LogState, position: int) -> list[ClockShift]:
        """The shifts of the state, plus one from `position` on if the log's time is now ahead of the wall clock by another amount."""
        recorded = state.shifts[-1].ahead if state.shifts else 0
        if abs(self.ahead - recorded) <= TOLERANCE_MS and bool(self.ahead) == bool(recorded):
            return state.shifts
        return [*state.shifts[1 - MAX_SHIFTS :], ClockShift(position, self.ahead, self.wall() if recorded else self._noticed)]


def log_time(shifts: Sequence[ClockShift], time: int, wall: int) -> int:
    """The log's time at the moment when the wall clock showed `time`, milliseconds since 1970.

    Args:
        time: milliseconds since 1970. A time that the wall clock has not reached yet is already a time of the log and is returned as it is.
        wall: the wall clock's time now, milliseconds since 1970.
    """
    if time <= wall:
        for shift in reversed(shifts):
            if time >= shift.noticed:
                return time + shift.ahead
    return time
