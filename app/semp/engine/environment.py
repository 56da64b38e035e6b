"""The shared environment, one per process and database. The API and MCP reach it only through a gate."""

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
from semp.engine.heartbeat import listen
from semp.engine.ledger import Ledger
from semp.engine.listeners import Listeners
from semp.engine.live.changes import SignalChanges
from semp.engine.live.hub import Hub
from semp.engine.log_clock import LogClock
from semp.engine.pace import Pace
from semp.engine.pages import Pages
from semp.engine.ports import QueryReader, Storage
from semp.engine.records import Entry
from semp.engine.snapshots import Snapshots
from semp.engine.sweeping import Sweeper
from semp.engine.unread import read_all

log = logging.getLogger(__name__)


class Environment:
    """Committer, signals and live delivery on one storage.

    Args:
        rules: the signal rules to put in force from the next position.
        clock: the machine's wall clock, milliseconds since 1970.
        elapsed: a clock in milliseconds that setting the wall clock does not change, see `semp.engine.log_clock`.
        sweep_interval: seconds between deletions of faded signals. They free space and change no answer.
        patience: seconds that a request waits for a database that went away during its commit.
        poll_interval: seconds between polls for events of other replicas.
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
        self.pace = Pace()
        """Shared by all long work of this process, so that only one slice runs in each turn of the event loop."""
        self.sweep_interval = sweep_interval
        self._patience = patience
        self._poll_interval = poll_interval
        self.ledger: Ledger
        self.hub: Hub
        self.committer: Committer
        self.growth: Listeners[[Sequence[Entry]]] = Listeners()
        """Called when the log has grown, with the new entries in log order, each exactly once, whichever process appended them."""
        self.replacement: Listeners[[]] = Listeners()
        """Called when another log has replaced the one that was followed, so that known positions are invalid."""
        self.field: Field
        self.changes: SignalChanges
        self.pages: Pages
        self.snapshots: Snapshots
        self._sweeper: Sweeper
        self._open = Gate(self, OPEN)
        self._reading: asyncio.Task[None] | None = None
        """Reads the signals that were too many for the start."""
        self._background: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Open the log, begin to accept events. Signals that are too many to be read by then are read in the background.

        Raises:
            SchemaMismatch: the database was written by a newer version.
            StoreUnavailable: the database cannot be reached.
        """
        state, signals = await self.storage.open(self.rules)
        self.ledger = Ledger(state, signals)
        self.hub = Hub(state.head)
        self.pages = Pages(self.storage, self.hub)
        self._sweeper = Sweeper(self.storage, self.ledger, self.pace)
        self.snapshots = Snapshots(self.storage, self.ledger, SERVICE, self.pace)
        self.changes = SignalChanges(self.ledger, self.pace)
        self.growth.add(self.changes.grown)
        self.growth.add(self.hub.publish)
        self.growth.add(self.snapshots.grown)
        self.replacement.add(lambda: self.hub.reset(self.ledger.state.head))
        self.replacement.add(self.changes.reset)
        self.replacement.add(self.pages.reset)
        self.replacement.add(self.snapshots.reset)
        self.committer = Committer(
            self.storage,
            self.ledger,
            self.clock,
            rules=self.rules,
            on_commit=self.growth.notify,
            on_reset=self.replacement.notify,
            patience=self._patience,
            poll_interval=self._poll_interval,
        )
        self.committer.start()
        self.field = Field(self.storage, self.ledger, self.clock, self.pace)
        self._read_signals()
        self.replacement.add(self._read_signals)
        self._background = [
            asyncio.create_task(self._sweep_forever(), name="sweeper"),
            asyncio.create_task(self.snapshots.run(), name="snapshots"),
            asyncio.create_task(listen(self.storage, self.committer), name="heartbeat"),
        ]

    def _read_signals(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        if self.ledger.unread is not None:
            self._reading = asyncio.create_task(read_all(self.storage, self.ledger, self.committer.poll_now), name="signals")

    def acting(self, principal: Principal) -> Gate:
        """The gate through which this principal uses the environment."""
        return self._open if principal is OPEN else Gate(self, principal)

    async def drain(self, within: float) -> None:
        """Refuse new events, commit the accepted ones, deliver them, and end every subscription with its position.

        Args:
            within: seconds to wait for the commits. Those that are not done by then go on, but their answers may come too late or never.
        """
        closing = asyncio.ensure_future(self.committer.close())
        await asyncio.wait({closing}, timeout=within)
        await asyncio.sleep(0)  # answers to requests go out before subscriptions end
        self.hub.close()
        await asyncio.sleep(0)  # each subscription writes its last message

    async def halt(self) -> None:
        """Refuse new events, commit the accepted ones, end the background tasks. The storage stays open."""
        tasks = [*self._background, *([self._reading] if self._reading is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._background:
            await self.committer.close()

    async def stop(self) -> None:
        """Halt, and close the storage."""
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
        """Delete the signals that had faded at the time of the newest event; see `semp.engine.sweeping`."""
        return await self._sweeper.sweep()

    async def _sweep_forever(self) -> None:
        service = self.acting(SERVICE)
        while True:
            await asyncio.sleep(self.sweep_interval)
            try:
                await service.sweep()
            except StoreUnavailable:
                continue  # the sweeper has logged it
            except Exception:
                log.exception("sweeping faded signals failed")
