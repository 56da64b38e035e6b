"""Group commit: many requests, one bounded queue, one transaction per batch, at most two transactions under way.

While one batch commits, the next is already planned on top of it and sent; the database's lock on the stream orders them, and the
tip token refuses any batch whose ground is not what it was planned on. Whatever goes wrong, the batch takes the slow path: wait for
the exclusive turn, catch up from the log, look the ids up, plan again. An id that is found there is answered, never appended twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from semp.domain.errors import OutcomeUnknown, QueueFull, SchemaMismatch, StoreUnavailable
from semp.domain.events import Draft
from semp.domain.signals import Rules
from semp.engine.ledger import Ledger, Overlay
from semp.engine.log_clock import LogClock
from semp.engine.planning import LookAgain, Planned, Recorded, Submission, encode, look_up, make_plan
from semp.engine.ports import EventLog
from semp.engine.records import DuplicateId, Entry, LogState

log = logging.getLogger(__name__)

Outcome = Literal["committed", "refused", "failed", "unknown"]

MAX_BATCH = 1_000
"""Events after which a batch takes no further submission; one submission is never split."""
MAX_QUEUED_EVENTS = 20_000
MAX_QUEUED_BYTES = 64 * 1024 * 1024
"""Bounds of the queue. A submission that does not fit is refused with QueueFull (503), none of it accepted."""
WORTH_OVERLAPPING = 64
"""Events that must wait, at least, before a second transaction is sent behind one that is under way; fewer join the batch after it."""
VERIFY_AFTER_DUPLICATE = 64
"""Batches whose ids are looked up beforehand after one met an id that was taken: repeated imports come in runs."""


class Committer:
    """Owns the ledger and is the only one in this process that appends.

    Args:
        on_commit: called with the entries of every transaction in log order, ours and other writers', each exactly once.
        on_reset: called when the database turned out to be another one, so that positions mean nothing any more.
        patience: seconds a batch waits for a database that went away before its senders are told the outcome is unknown.
        poll_interval: seconds between looks for other writers' events while nothing is queued.
    """

    def __init__(
        self,
        store: EventLog,
        ledger: Ledger,
        clock: LogClock,
        *,
        rules: Rules,
        on_commit: Callable[[Sequence[Entry]], None],
        on_reset: Callable[[], None],
        patience: float = 30.0,
        poll_interval: float = 1.0,
    ) -> None:
        self.store = store
        self.ledger = ledger
        self.clock = clock
        self.rules = rules
        self.on_commit = on_commit
        self.on_reset = on_reset
        self.patience = patience
        self.poll_interval = poll_interval
        self.transactions = 0
        """Append transactions committed by this process, those included whose answer was lost and that were found in the log."""
        self._queue: deque[Submission] = deque()
        self._events = 0
        self._bytes = 0
        self._wake = asyncio.Event()
        self._closing = False
        self._worth = WORTH_OVERLAPPING
        """Events that must wait before they are sent behind the batch under way: as many as it has."""
        self._look = False
        self._verify = 0
        self._settling = 0
        self._away_since: float | None = None
        self._flights: dict[asyncio.Task[bool], list[Submission]] = {}
        """Transactions under way, in their order, with what they answer."""
        self._recovered: dict[str, Recorded] = {}
        """What catching up met of the transactions under way: theirs after all, with what it moved."""
        self._task: asyncio.Task[None] | None = None

    @property
    def available(self) -> bool:
        """False from the moment the database was found gone until it has answered again."""
        return self._away_since is None

    @property
    def queued(self) -> int:
        """Events that wait for a transaction."""
        return self._events

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="committer")

    async def close(self) -> None:
        """Refuse new work, commit what was accepted, then stop."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task

    def look(self) -> None:
        """Look for other writers' events as soon as nothing is under way, without waiting for the next poll."""
        self._look = True
        self._wake.set()

    def submit(self, drafts: Sequence[Draft], *, batch: bool = False) -> asyncio.Future[list[Recorded]]:
        """Queue drafts to be appended together or not at all; the future has one answer a draft once they are committed.

        Cancelling the future changes nothing about the append: what was accepted is committed.

        Raises:
            QueueFull: the queue has no room.
            StoreUnavailable: the database is away, or the service is stopping.
            StoreFull: the disk that holds the data has too little room.

        The future raises InvalidInput for unknown parents, IdConflict, StoreUnavailable (nothing was stored) or OutcomeUnknown.
        """
        if self._closing:
            raise StoreUnavailable("the service is stopping")
        if not self.available:
            raise StoreUnavailable("the database is not available; nothing was stored", retry_after=2)
        self.store.require_room()
        submission = Submission(drafts, batch)
        if self._queue and (self._events + len(drafts) > MAX_QUEUED_EVENTS or self._bytes + submission.weight > MAX_QUEUED_BYTES):
            raise QueueFull("the append queue is full; nothing was stored")
        self._queue.append(submission)
        self._events += len(drafts)
        self._bytes += submission.weight
        if not self._flights or self._events >= self._worth:
            self._wake.set()
        return submission.answer

    async def _run(self) -> None:
        while True:
            batch = await self._next_batch()
            if batch:
                await self._launch(batch)
            elif self._closing:
                break
            elif not self._flights:
                await self._poll()
        await self._landed()

    async def _next_batch(self) -> list[Submission]:
        """Wait for work worth a transaction now; an empty list when it is time to poll or to stop."""
        while not self._ready():
            if self._closing and not self._queue:
                return []
            if self._look and not self._flights and not self._queue:
                self._look = False
                return []
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), None if self._flights else self.poll_interval)
            except TimeoutError:
                return []
        limit = MAX_BATCH
        if not self._flights and self._events >= 2 * WORTH_OVERLAPPING:
            limit = min(limit, self._events // 2)  # the other half is sent right behind, so that neither side waits for the other
        batch: list[Submission] = []
        size = 0
        while self._queue and size < limit:
            submission = self._queue.popleft()
            batch.append(submission)
            size += len(submission.drafts)
            self._bytes -= submission.weight
        self._events -= size
        self._worth = max(WORTH_OVERLAPPING, min(size, MAX_BATCH))
        return batch

    def _ready(self) -> bool:
        if not self._queue or self._settling or len(self._flights) >= 2:
            return False
        return not self._flights or self._events >= self._worth

    async def _launch(self, batch: list[Submission]) -> None:
        """Plan a batch on top of what is under way and send it, without waiting for its outcome."""
        verify = self._verify > 0
        self._verify -= verify
        planned: Planned | None = None
        try:
            planned = await self._plan(batch, verify=verify)
        except StoreUnavailable as error:
            log.warning("a batch could not be planned: %s", error)
        except Exception:
            log.exception("a batch could not be planned")
        overlay = Overlay(planned.plan) if planned and planned.plan else None
        if overlay:
            self.ledger.overlays.append(overlay)
        sent = planned.submissions if planned else batch
        flight = self._fly(sent, planned is not None, overlay, next(reversed(self._flights), None))
        task = asyncio.create_task(flight)
        self._flights[task] = sent
        task.add_done_callback(self._finished)
        await asyncio.sleep(0)  # the flight sends before anything else is planned

    async def _plan(self, batch: list[Submission], *, verify: bool) -> Planned:
        thorough = False
        while True:
            found = await look_up(batch, self.ledger, self.store, verify=verify, thorough=thorough)
            if verify and found.stored:
                self._verify = VERIFY_AFTER_DUPLICATE
            if self._settling:
                await self._landed()
            try:
                return make_plan(batch, self.ledger, found, self.clock)
            except LookAgain:
                thorough = True

    def _finished(self, task: asyncio.Task[bool]) -> None:
        del self._flights[task]
        if not self._flights:
            self._recovered.clear()
        self._wake.set()

    async def _landed(self) -> None:
        """Wait until nothing is under way."""
        while self._flights:
            await asyncio.wait(self._flights)

    async def _fly(self, batch: list[Submission], planned: bool, overlay: Overlay | None, previous: asyncio.Task[bool] | None) -> bool:
        """Commit a planned batch, after the one before it; True when it went as planned, False when it took the slow path."""
        head = self.ledger.state.head
        outcome = await self._attempt(overlay) if planned else "failed"
        clean = previous is None or await previous
        if outcome == "refused" and clean and previous is not None:  # it overtook the one before it
            outcome = await self._attempt(overlay)
        if outcome == "committed" and clean:
            if overlay is not None:
                self._landed_own(overlay)
            for submission in batch:
                submission.succeed()
            return True
        for submission in batch:
            if submission.tried is None and outcome in ("committed", "unknown"):
                submission.tried = head
        self._settling += 1
        self.ledger.overlays.clear()  # whatever was planned on top of this will be refused
        try:
            await self._settle(batch)
        finally:
            self._settling -= 1
        return False

    async def _attempt(self, overlay: Overlay | None) -> Outcome:
        if overlay is None:
            return "committed"
        try:
            return "committed" if await self.store.append(overlay.plan) else "refused"
        except DuplicateId:
            self._verify = VERIFY_AFTER_DUPLICATE
            return "failed"
        except StoreUnavailable as error:
            log.warning("the outcome of a batch of %d is unknown: %s", len(overlay.plan.entries), error)
            self._away()
            return "unknown"
        except Exception:
            log.exception("a batch of %d failed", len(overlay.plan.entries))
            return "unknown"

    async def _settle(self, batch: list[Submission]) -> None:
        """The slow path: with the exclusive turn, find out what is stored already and append the rest."""
        pause = 0.05
        while batch:
            try:
                if await self._append_in_turn(batch):
                    return
                await self._start_over()
            except StoreUnavailable as error:
                if self._away() > self.patience:
                    self._give_up(batch, error)
                    return
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)
            except Exception as error:
                if len(batch) == 1:
                    log.exception("a submission of %d events failed", len(batch[0].drafts))
                    batch[0].fail(error)
                    return
                for submission in batch:  # one of them is to blame; the others must not suffer
                    await self._settle([submission])
                return

    async def _append_in_turn(self, batch: list[Submission]) -> bool:
        """One try of the slow path; False when the database holds another log, and nothing was done."""
        async with self.store.turn() as turn:
            if not await self._catch_up(turn.state):
                return False
            while True:
                found = await look_up(batch, self.ledger, self.store, verify=True, thorough=True)
                found.stored.update({event_id: self._recovered[event_id] for event_id in found.stored if event_id in self._recovered})
                try:
                    planned = make_plan(batch, self.ledger, found, self.clock)
                    break
                except LookAgain:
                    continue
            if planned.plan is not None:
                for submission in planned.submissions:  # from here on, only a look-up tells
                    submission.tried = turn.state.head if submission.tried is None else submission.tried
                await turn.append(planned.plan)
        self._back()
        if planned.plan is not None:
            overlay = Overlay(planned.plan)
            self.ledger.overlays.append(overlay)
            self._landed_own(overlay)
        for submission in planned.submissions:
            submission.succeed()
        return True

    def _away(self) -> float:
        """Note that the database is away; the seconds since it was first found so."""
        now = asyncio.get_running_loop().time()
        self._away_since = now if self._away_since is None else self._away_since
        return now - self._away_since

    def _back(self) -> None:
        if self._away_since is not None:
            log.info("the database is back")
        self._away_since = None

    def _give_up(self, batch: list[Submission], error: StoreUnavailable) -> None:
        log.error("the database did not come back in %g s: %s", self.patience, error)
        for submission in batch:
            if submission.tried is None:
                submission.fail(StoreUnavailable("the database is not available; nothing was stored", retry_after=5))
                continue
            ids = ", ".join(draft.id for draft in submission.drafts[:3])
            submission.fail(OutcomeUnknown(f"the database went away during the commit; what was sent may be stored (id {ids})", 5))
        while self._queue:
            submission = self._queue.popleft()
            submission.fail(StoreUnavailable("the database is not available; nothing was stored", retry_after=5))
        self._events = self._bytes = 0

    async def _poll(self) -> None:
        """Look for other writers' events, or for the database, while nothing is under way."""
        try:
            state = await self.store.state()
            if state != self.ledger.state and not await self._catch_up(state):
                await self._start_over()
            self._back()
        except StoreUnavailable:
            self._away()
        except Exception:
            log.exception("looking for new events failed")

    async def _catch_up(self, state: LogState) -> bool:
        """Read from the log what this process did not land itself, up to `state`; False when it is not the log this ledger follows."""
        if state.epoch != self.ledger.state.epoch or state.head < self.ledger.state.head:
            return False
        own = {draft.id: task for task, batch in self._flights.items() for submission in batch for draft in submission.drafts}
        found: set[asyncio.Task[bool]] = set()
        self.ledger.state = msgspec.structs.replace(self.ledger.state, rules=state.rules, shifts=state.shifts)
        while (missing := state.head - self.ledger.state.head) > 0:
            entries = await self.store.read(self.ledger.state.head, min(missing, MAX_BATCH))
            for entry in entries:
                entry.encoded = encode(entry.event)
            self.ledger.absorb(entries)
            recovered = {entry.event.id: Recorded.of(entry) for entry in entries if entry.event.id in own}
            self._recovered.update(recovered)
            found.update(own[event_id] for event_id in recovered)
            self.on_commit(entries)
        self.ledger.state = state
        self.transactions += len(found)
        return True

    async def _start_over(self) -> None:
        """Follow the log that is there now; positions of the old one mean nothing any more.

        Raises:
            StoreUnavailable: it cannot be opened.
        """
        try:
            state, signals = await self.store.open(self.rules)
        except SchemaMismatch as error:
            raise StoreUnavailable(f"the database was replaced by one that cannot be used: {error}", retry_after=30) from error
        log.error("the database was replaced; following its log (epoch %s, head %d)", state.epoch, state.head)
        self.ledger.restart(state, signals)
        self.on_reset()

    def _landed_own(self, overlay: Overlay) -> None:
        """A transaction of this process is committed."""
        self.ledger.commit(overlay)
        self.transactions += 1
        self.on_commit(overlay.plan.entries)
