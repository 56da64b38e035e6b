"""Reads of signals: now, at a moment of the past, with an explanation, and as they would be with other events."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from semp.domain.clock import from_text, to_text
from semp.domain.errors import FieldError, InvalidInput
from semp.domain.events import Draft
from semp.engine.explaining import Explanation, explain
from semp.engine.ledger import PATIENCE, Ledger
from semp.engine.log_clock import LogClock, log_time
from semp.engine.pace import Pace
from semp.engine.past import Moment, field_at, moment_of_position, moment_of_time, signal_at
from semp.engine.ports import Storage
from semp.engine.ranking import EVERYTHING, PIECE, Ranked, SignalView, Wanted, rank, rank_all, view
from semp.engine.unread import read_by_key
from semp.engine.what_if import Outcome, what_if


class SupposedSignal(SignalView, frozen=True):
    """A signal as it would be with other events. `strength` is 0 when it would be absent."""

    actual: float
    """The strength it really has now, 0 when it is absent."""


class WhatIf(msgspec.Struct, frozen=True):
    """The signals that would differ, in order of scope and pattern, and the position and time that the answer is of."""

    position: int
    timestamp: str
    signals: list[SupposedSignal]


class Field:
    """Reads of signals. The present comes from the ledger, in memory; the past comes from storage.

    Reads of the past raise StoreUnavailable when the database cannot be reached.
    """

    def __init__(self, store: Storage, ledger: Ledger, clock: LogClock, pace: Pace) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._pace = pace

    def now(self) -> int:
        """The time that signals are read at: the log's time in milliseconds since 1970, see `semp.engine.log_clock`."""
        return self._clock.now(self._ledger.state)

    def clock_ahead(self) -> int:
        """Milliseconds that the log's time is ahead of this machine's clock; 0 unless a clock had jumped ahead and was corrected."""
        self.now()  # updates `ahead`
        return self._clock.ahead

    async def signals(self, wanted: Wanted = EVERYTHING) -> Ranked:
        """The live signals that match, strongest first, then by scope and pattern. They are of the moment of the call."""
        await self.complete()
        now, position = self.now(), self._ledger.state.head
        return Ranked(await rank(self._ledger.signals, wanted, now, self._pace), position, now, self._pace)

    async def complete(self) -> None:
        """Wait until all signals are in memory, see `semp.engine.unread`.

        Raises:
            StoreUnavailable: they are not after PATIENCE seconds.
        """
        await self._ledger.complete(PATIENCE)

    async def signal(self, scope: str, pattern: str) -> SignalView | None:
        """One live signal, None when it is absent or has faded.

        Raises:
            StoreUnavailable: it is not in memory yet, and the database cannot be reached.
        """
        await read_by_key(self._ledger, self._store, [(scope, pattern)])
        signal = self._ledger.signals.get((scope, pattern))
        strength = signal.strength_at(self.now()) if signal is not None else 0.0
        return view(signal, strength) if signal is not None and strength else None

    async def moment(self, at: int | str | None) -> Moment:
        """A place in the log's history.

        Args:
            at: a position, for the moment right after its event; a time as RFC 3339 text; None for the present.

        Raises:
            InvalidInput: the log ends before the position, the text is not a time with a zone, or the time is in the future.
        """
        if at is None:
            return Moment(self._ledger.state.head, self.now())
        head = (await self._store.state()).head
        if isinstance(at, int):
            if at > head:
                raise InvalidInput(FieldError("at", f"the log ends at position {head}"))
            return await moment_of_position(self._store, at)
        try:
            now = from_text(at)
        except ValueError:
            raise InvalidInput(FieldError("at", "expected a position, or a time with its zone such as 2025-01-15T10:30:00Z")) from None
        present, state = self.now(), self._ledger.state
        now = log_time(self._clock.shifts(state, state.head + 1), now, self._clock.wall())
        if now > present:
            raise InvalidInput(FieldError("at", "this time is in the future"))
        return await moment_of_time(self._store, now, head)

    async def signals_at(self, moment: Moment, wanted: Wanted = EVERYTHING) -> Ranked:
        """The same as `signals`, at a moment of the past."""
        states = await field_at(self._store, self._ledger.state, moment, self._pace)
        return Ranked(await rank_all(states, wanted, moment.now, self._pace), moment.position, moment.now, self._pace)

    async def signal_at(self, scope: str, pattern: str, moment: Moment) -> SignalView | None:
        """The same as `signal`, at a moment of the past."""
        state = await signal_at(self._store, self._ledger.state.rules, (scope, pattern), moment)
        strength = state.strength_at(moment.now) if state is not None else 0.0
        return view(state, strength) if state is not None and strength else None

    async def explain(
        self, scope: str, pattern: str, moment: Moment, *, seen: int | None = None, limit: int = 100, newest_first: bool = False
    ) -> Explanation | None:
        """A page of the events that moved a signal up to a moment; None when there are none. See `semp.engine.explaining.explain`."""
        return await explain(
            self._store, self._ledger.state.rules, (scope, pattern), moment, seen=seen, limit=limit, newest_first=newest_first
        )  # fmt: skip

    async def what_if(self, drop: Sequence[str], add: Sequence[Draft]) -> WhatIf:
        """The signals as they would be without some events and with others added; see `semp.engine.what_if`."""
        await self.complete()
        position = self._ledger.state.head
        outcomes, now = await what_if(self._store, self._ledger, self._clock, drop, add, self._pace)
        shown: list[SupposedSignal] = []
        async for part in self._pace.slices(sorted(outcomes, key=lambda outcome: outcome.key), PIECE):
            shown += [signal for outcome in part if (signal := _supposed(outcome, now)) is not None]
        return WhatIf(position, to_text(now), shown)


def _supposed(outcome: Outcome, now: int) -> SupposedSignal | None:
    """The signal as answers show it; None when it is absent in both cases."""
    would_be, actual = (state.strength_at(now) if state is not None else 0.0 for state in (outcome.would_be, outcome.actual))
    shown = outcome.would_be if would_be else outcome.actual
    if shown is None or not (would_be or actual):
        return None
    return SupposedSignal(**msgspec.structs.asdict(view(shown, would_be)), actual=actual)
