"""The log's time: the wall clock's, and where that had jumped ahead and was corrected, the last timestamp's and what passed since."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from semp.domain.clock import Clock, elapsed_clock
from semp.engine.records import ClockShift, LogState

log = logging.getLogger(__name__)

TOLERANCE_MS = 1_000
"""Milliseconds that a clock may be behind the newest event, as the clocks of replicas are: then the log's time stands still until it has
caught up. A clock that is further behind will not catch up soon: then the log's time goes on at real speed from the newest event."""

MAX_SHIFTS = 32
"""Changes of the distance that are kept, at most; more come only where the clock of one of several replicas stays wrong."""
CONSEQUENCE = (
    "it is wrong now, or it was ahead when that event came. Timestamps and decay go on from that event at real speed; "
    "check this machine's clock and those of other replicas"
)


class LogClock:
    """Gives the log's time, which never runs backwards and never stands still for longer than TOLERANCE_MS.

    Args:
        wall: the machine's clock.
        elapsed: a clock that nobody sets, for the speed at which time passes while the wall clock is behind.
    """

    def __init__(self, wall: Clock, elapsed: Clock = elapsed_clock) -> None:
        self.wall = wall
        self.elapsed = elapsed
        self.ahead = 0
        """Milliseconds that the log's time was ahead of the wall clock when it was last read."""
        self._lead: int | None = None
        """The log's time less `elapsed`, while the log's time does not follow the wall clock."""
        self._noticed = 0
        """Wall clock when that began."""
        self._stamp = self._stamped = 0
        """The newest timestamp this process gave, and what `elapsed` said then."""

    def stamp(self, state: LogState) -> int:
        """The log's time for the next events."""
        self._stamp, self._stamped = self.now(state), self.elapsed()
        return self._stamp

    def now(self, state: LogState) -> int:
        """The log's time, milliseconds since 1970; never before the newest event."""
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
        """What the log's time is by now: from when this process gave the last timestamp, or as recorded before a restart."""
        passed = self.elapsed() - self._stamped if state.last_timestamp == self._stamp else 0
        recorded = state.shifts[-1].ahead if state.shifts else 0
        return max(state.last_timestamp + passed, wall + recorded)

    def shifts(self, state: LogState, position: int) -> list[ClockShift]:
        """Those of the state, and one from `position` on where the log's time is by now another distance ahead of the wall clock."""
        recorded = state.shifts[-1].ahead if state.shifts else 0
        if abs(self.ahead - recorded) <= TOLERANCE_MS and bool(self.ahead) == bool(recorded):
            return state.shifts
        return [*state.shifts[1 - MAX_SHIFTS :], ClockShift(position, self.ahead, self.wall() if recorded else self._noticed)]


def log_time(shifts: Sequence[ClockShift], time: int, wall: int) -> int:
    """What the log's time was when the wall clock showed `time`.

    Args:
        time: milliseconds since 1970. One that the wall clock has not reached is taken for a time of the log itself.
        wall: the wall clock now.
    """
    if time <= wall:
        for shift in reversed(shifts):
            if time >= shift.noticed:
                return time + shift.ahead
    return time
