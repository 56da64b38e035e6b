"""Snapshots of the whole field of signals, so that its past is answered from the nearest one and not from the log's beginning."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from semp.domain.errors import StoreUnavailable
from semp.engine.access import Principal, require
from semp.engine.ledger import Ledger
from semp.engine.ports import SignalHistory
from semp.engine.records import Entry, Snapshot

log = logging.getLogger(__name__)

EVERY = 5_000
"""Events between two snapshots, at least; or as many as there are live signals, when those are more. So the space that snapshots take
grows by one signal an event at most, some 40 bytes, and by far less where signals are fewer than EVERY."""
RETRY = 5.0
"""Seconds until the next try when the database is away."""


class Snapshots:
    """Takes them in the background, never inside an append. Any replica may; the same position twice is the same snapshot."""

    def __init__(self, store: SignalHistory, ledger: Ledger, principal: Principal) -> None:
        require(principal, "maintain")
        self._store = store
        self._ledger = ledger
        self._next = 0
        """Position from which one is due."""
        self._due = asyncio.Event()
        self._due.set()

    def grown(self, _: Sequence[Entry]) -> None:
        """The log has grown."""
        if self._ledger.state.head >= self._next:
            self._due.set()

    def reset(self) -> None:
        """The log was replaced."""
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
        """Take one of the present, unless the newest is near enough; whether it was taken."""
        newest = await self._store.newest_snapshot(self._ledger.state.head)
        state = self._ledger.state  # nothing is awaited from here until the signals are copied, so both are of one position
        signals = [signal for signal in self._ledger.signals.values() if signal.strength_at(state.last_timestamp)]
        distance = max(EVERY, len(signals))
        if state.head < newest + distance:
            self._next = newest + distance
            return False
        self._next = state.head + distance
        await self._store.put_snapshot(Snapshot(state.head, state.last_timestamp, signals), state.epoch)
        return True
