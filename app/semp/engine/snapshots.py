"""Snapshots of all live signals. A read of the past starts from the nearest snapshot, not from the start of the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from semp.domain.errors import StoreUnavailable
from semp.domain.signals import Signal
from semp.engine.access import Principal, require
from semp.engine.ledger import Ledger
from semp.engine.pace import Pace
from semp.engine.ports import SignalHistory
from semp.engine.records import Entry, Snapshot

log = logging.getLogger(__name__)

EVERY = 5_000
"""Events between two snapshots, at least; or as many as the first of the two has signals, if these are more. So snapshots store two
signals (about 80 bytes) for each event at most, and far less while there are fewer than EVERY signals."""
RETRY = 5.0
"""Seconds until the next attempt when the database is away."""


class Snapshots:
    """Takes snapshots in the background, never inside an append. Every replica does; snapshots of the same position are equal.

    Raises:
        Forbidden: the principal may not maintain what is stored.
    """

    def __init__(self, store: SignalHistory, ledger: Ledger, principal: Principal, pace: Pace) -> None:
        require(principal, "maintain")
        self._store = store
        self._ledger = ledger
        self._pace = pace
        self._next = 0
        """Head of the log from which the next snapshot is due."""
        self._due = asyncio.Event()
        self._due.set()

    def grown(self, _: Sequence[Entry]) -> None:
        """To be called when the log has grown."""
        if self._ledger.state.head >= self._next:
            self._due.set()

    def reset(self) -> None:
        """To be called when the log was replaced."""
        self._next = 0

    async def run(self) -> None:
        """Take a snapshot whenever one is due, until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self.take()
            except StoreUnavailable:
                await asyncio.sleep(RETRY)
                self._due.set()
            except Exception:
                log.exception("a snapshot of the signals failed")

    async def take(self) -> bool:
        """Take a snapshot of the present, unless the newest one is recent enough; returns whether it was taken."""
        newest, size = await self._store.newest_snapshot(self._ledger.state.head)
        distance = max(EVERY, size)
        await self._ledger.complete()
        state = self._ledger.state  # no await between here and the copy of the signals, so both are of one position
        if state.head < newest + distance:
            self._next = newest + distance
            return False
        frozen = self._ledger.signals.frozen()
        signals: list[Signal] = []
        async for part in self._pace.slices(frozen.values()):
            signals += [signal for signal in part if signal.strength_at(state.last_timestamp)]
        self._next = state.head + max(EVERY, len(signals))
        await self._store.put_snapshot(Snapshot(state.head, state.last_timestamp, signals), state.epoch)
        return True
