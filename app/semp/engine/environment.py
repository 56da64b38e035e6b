"""The shared environment, one per process and database. The API reaches it through a gate; what it is made of is the engine's own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from semp.domain.clock import Clock, elapsed_clock, system_clock
from semp.domain.errors import StoreUnavailable
from semp.domain.signals import Rules
from semp.engine.access import OPEN, SERVICE, Principal
from semp.engine.committer import Committer
from semp.engine.field import Field
from semp.engine.gate import Gate
from semp.engine.ledger import Ledger
from semp.engine.listeners import Listeners
from semp.engine.live.hub import Hub
from semp.engine.log_clock import LogClock
from semp.engine.ports import QueryReader, Storage
from semp.engine.records import Entry
from semp.engine.snapshots import Snapshots

log = logging.getLogger(__name__)


class Environment:
    """Committer, signals and live delivery on one storage.

    Args:
        clock: the machine's clock.
        elapsed: a clock that nobody sets, see `semp.engine.log_clock`.
        sweep_interval: seconds between deletions of faded signals; changes no answer, only frees space.
        patience: seconds a request waits for a database that went away in the middle of its commit.
        poll_interval: seconds between looks for events of other replicas.
    """

    def __init__(
        self,
        storage: Storage,
        rules: Rules,
        *,
        clock: Clock = system_clock,
        elapsed: Clock = elapsed_clock,
        sweep_interval: float = 60.0,
        patience: float = 30.0,
        poll_interval: float = 1.0,
    ) -> None:
        self.storage = storage
        self.queries: QueryReader = storage
        self.rules = rules
        self.clock = LogClock(clock, elapsed)
        self.sweep_interval = sweep_interval
        self._patience = patience
        self._poll_interval = poll_interval
        self.ledger: Ledger
        self.hub: Hub
        self.committer: Committer
        self.growth: Listeners[[Sequence[Entry]]] = Listeners()
        """Told whenever this process has seen the log grow: the new entries in log order, each exactly once, whoever appended them."""
        self.replacement: Listeners[[]] = Listeners()
        """Told when another log has taken the place of the one that was followed, so that positions mean nothing any more."""
        self.field: Field
        self.snapshots: Snapshots
        self._open = Gate(self, OPEN)
        self._background: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Open the log, load the signals, begin to take events.

        Raises:
            SchemaMismatch: the database belongs to a newer version.
            StoreUnavailable: it cannot be reached.
        """
        state, signals = await self.storage.open(self.rules)
        self.ledger = Ledger(state, signals)
        self.hub = Hub(state.head)
        self.snapshots = Snapshots(self.storage, self.ledger, SERVICE)
        self.growth.add(self.hub.publish)
        self.growth.add(self.snapshots.grown)
        self.replacement.add(lambda: self.hub.reset(self.ledger.state.head))
        self.replacement.add(self.snapshots.reset)
        self.committer = Committer(
            self.storage,
            self.ledger,
            self.clock,
            rules=self.rules,
            on_commit=self.growth.tell,
            on_reset=self.replacement.tell,
            patience=self._patience,
            poll_interval=self._poll_interval,
        )
        self.committer.start()
        self.field = Field(self.storage, self.ledger, self.clock)
        self._background = [
            asyncio.create_task(self._sweep_forever(), name="sweeper"),
            asyncio.create_task(self.snapshots.run(), name="snapshots"),
        ]

    def acting(self, principal: Principal) -> Gate:
        """What this principal may ask of the environment, and may see of it."""
        return self._open if principal is OPEN else Gate(self, principal)

    async def drain(self, within: float) -> None:
        """Refuse new events, commit what was accepted, deliver it, and tell every subscriber where it stands.

        Args:
            within: seconds to wait for the commits; what is not committed by then is answered as the database comes back, or never.
        """
        closing = asyncio.ensure_future(self.committer.close())
        await asyncio.wait({closing}, timeout=within)
        await asyncio.sleep(0)  # answers go out before the sockets are told
        self.hub.close()
        await asyncio.sleep(0)  # whoever follows the log says so on its connection

    async def halt(self) -> None:
        """Refuse new events, commit what was accepted, end what runs in the background. The storage stays open."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        if self._background:
            await self.committer.close()

    async def stop(self) -> None:
        """Halt, and let go of the storage."""
        await self.halt()
        await self.storage.close()

    def require_ready(self) -> None:
        """Check that an event would be taken now.

        Raises:
            StoreUnavailable: the database is away, or the service is starting or stopping.
            StoreFull: the disk that holds the data has too little room.
        """
        if not self._background or not self.committer.available:
            raise StoreUnavailable("the database is not available", retry_after=2)
        self.storage.require_room()

    async def sweep(self) -> int:
        """Delete signals that had faded at the newest event, here and in storage; the number deleted.

        Time is the log's own: since timestamps never run backwards, no later event can find them alive, on any replica.
        """
        state = self.ledger.state
        faded = [signal for signal in self.ledger.signals.values() if not signal.strength_at(state.last_timestamp)]
        if not faded:
            return 0
        deleted = await self.storage.sweep(faded)
        for signal in faded:
            if self.ledger.signals.get(signal.key) is signal:
                del self.ledger.signals[signal.key]
        return deleted

    async def _sweep_forever(self) -> None:
        service = self.acting(SERVICE)
        while True:
            await asyncio.sleep(self.sweep_interval)
            try:
                await service.sweep()
            except StoreUnavailable:
                continue
            except Exception:
                log.exception("sweeping faded signals failed")
