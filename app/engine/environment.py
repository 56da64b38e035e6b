"""The shared environment: what the API and the command line call. One per process and database."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence

import msgspec

from app.domain.clock import Clock, system_clock, to_text
from app.domain.errors import StoreUnavailable
from app.domain.events import Draft
from app.domain.scopes import glob_regex
from app.domain.signals import Rules, Signal
from app.engine.committer import Committer
from app.engine.hub import Hub
from app.engine.ledger import Ledger
from app.engine.planning import Recorded
from app.engine.ports import Entry, Storage

log = logging.getLogger(__name__)


class SignalView(msgspec.Struct, frozen=True, rename={"lambda_": "lambda"}):
    """A live signal as answers show it."""

    id: str
    scope: str
    pattern: str
    strength: float
    last_updated: str
    alpha: float
    lambda_: float


class Environment:
    """Committer, signals and live delivery on one storage.

    Args:
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
        sweep_interval: float = 60.0,
        patience: float = 30.0,
        poll_interval: float = 1.0,
    ) -> None:
        self.storage = storage
        self.rules = rules
        self.clock = clock
        self.sweep_interval = sweep_interval
        self._patience = patience
        self._poll_interval = poll_interval
        self.ledger: Ledger
        self.hub: Hub
        self.committer: Committer
        self.on_growth: Callable[[], None] = lambda: None
        """Called after this process has seen the log grow."""
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the log, load the signals, begin to take events.

        Raises:
            SchemaMismatch: the database belongs to a newer version.
            StoreUnavailable: it cannot be reached.
        """
        state, signals = await self.storage.open(self.rules)
        self.ledger = Ledger(state, signals)
        self.hub = Hub(state.head)
        self.committer = Committer(
            self.storage,
            self.ledger,
            self.clock,
            rules=self.rules,
            on_commit=self._grown,
            on_reset=lambda: self.hub.reset(self.ledger.state.head),
            patience=self._patience,
            poll_interval=self._poll_interval,
        )
        self.committer.start()
        self._sweeping = asyncio.create_task(self._sweep_forever(), name="sweeper")

    def _grown(self, entries: Sequence[Entry]) -> None:
        self.hub.publish(entries)
        self.on_growth()

    def look(self) -> None:
        """Look for events of other replicas now."""
        self.committer.look()

    async def drain(self, within: float) -> None:
        """Refuse new events, commit what was accepted, deliver it, and tell every subscriber where it stands.

        Args:
            within: seconds to wait for the commits; what is not committed by then is answered as the database comes back, or never.
        """
        closing = asyncio.ensure_future(self.committer.close())
        await asyncio.wait({closing}, timeout=within)
        await asyncio.sleep(0)  # answers go out before the sockets are told
        self.hub.close()

    async def stop(self) -> None:
        """Refuse new events, commit what was accepted, let go of the storage."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
            await self.committer.close()
        await self.storage.close()

    @property
    def ready(self) -> bool:
        """Whether an event would be taken now."""
        return self._sweeping is not None and self.committer.available

    async def append(self, drafts: Sequence[Draft], *, batch: bool = False) -> list[Recorded]:
        """Commit the drafts together or not at all; see Committer.submit for the errors. Cancelling it does not undo it."""
        return await self.committer.submit(drafts, batch=batch)

    def submit(self, drafts: Sequence[Draft]) -> asyncio.Future[list[Recorded]]:
        """Queue drafts behind everything queued before, without waiting; see Committer.submit."""
        return self.committer.submit(drafts)

    def now(self) -> int:
        """The time signals are read at, milliseconds: the clock's, but never before the newest event."""
        return max(self.clock(), self.ledger.state.last_timestamp)

    def signals(
        self, *, scope: str | None = None, pattern: str | None = None, min_strength: float = 0.0, limit: int | None = None
    ) -> list[SignalView]:
        """Live signals, strongest first, then by scope and pattern; `scope` may be a glob."""
        chosen = re.compile(glob_regex(scope)) if scope is not None else None
        found = [
            (signal, strength)
            for signal, strength in self.ledger.live(self.now())
            if strength >= min_strength
            and (pattern is None or signal.pattern == pattern)
            and (chosen is None or chosen.fullmatch(signal.scope))
        ]
        found.sort(key=lambda pair: (-pair[1], pair[0].scope, pair[0].pattern))
        return [view(signal, strength) for signal, strength in found[:limit]]

    def signal(self, scope: str, pattern: str) -> SignalView | None:
        """One live signal, None when it is absent or has faded."""
        signal = self.ledger.signals.get((scope, pattern))
        strength = signal.strength_at(self.now()) if signal is not None else 0.0
        return view(signal, strength) if signal is not None and strength else None

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
        while True:
            await asyncio.sleep(self.sweep_interval)
            try:
                await self.sweep()
            except StoreUnavailable:
                continue
            except Exception:
                log.exception("sweeping faded signals failed")


def view(signal: Signal, strength: float) -> SignalView:
    """A signal as answers show it, with its strength at the time of asking."""
    return SignalView(signal.id, signal.scope, signal.pattern, strength, to_text(signal.last_updated), signal.alpha, signal.lambda_)
