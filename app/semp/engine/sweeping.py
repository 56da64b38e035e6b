"""Deletes signals that have faded, from storage and from memory. It frees space and changes no answer."""

from __future__ import annotations

import logging

from semp.domain.errors import StoreUnavailable
from semp.engine.ledger import Ledger
from semp.engine.pace import Pace
from semp.engine.ports import SignalStore

log = logging.getLogger(__name__)

BATCH = 1_000
"""Signals that one transaction deletes, at most. It holds the lock that orders appends, so it must be short."""


class Sweeper:
    """Sweeps one ledger and its storage. Several replicas may sweep at the same time."""

    def __init__(self, store: SignalStore, ledger: Ledger, pace: Pace) -> None:
        self._store = store
        self._ledger = ledger
        self._pace = pace
        self._failing = False
        """Whether the last sweep failed because the database was not available. Only the first such failure is logged."""

    async def sweep(self) -> int:
        """Delete the signals that had faded at the time of the newest event, BATCH at a time.

        The time is the newest event's, not the wall clock's: timestamps never run backwards, so on no replica can a later event find such
        a signal alive.

        Returns:
            The number of signals deleted from storage.

        Raises:
            StoreUnavailable: the database cannot be reached. What was deleted before stays deleted; the next call deletes the rest.
        """
        await self._ledger.complete()
        state = self._ledger.state
        faded = [
            signal
            async for part in self._pace.slices(self._ledger.signals.frozen().values())
            for signal in part
            if not signal.strength_at(state.last_timestamp)
        ]
        deleted = 0
        for begin in range(0, len(faded), BATCH):
            if self._ledger.state.epoch != state.epoch:
                break  # another log has replaced the one that the signals are of
            batch = faded[begin : begin + BATCH]
            try:
                deleted += await self._store.sweep(batch)
            except StoreUnavailable:
                if not self._failing:
                    log.warning("the database is not available: %d faded signals are not deleted yet", len(faded) - begin)
                self._failing = True
                raise
            for signal in batch:
                if self._ledger.signals.get(signal.key) is signal:
                    del self._ledger.signals[signal.key]
        self._failing = False
        return deleted
