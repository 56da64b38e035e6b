"""Group commit: many requests, one bounded queue, one transaction per batch, at most two transactions in flight.

While one batch commits, the next one is planned on top of it and sent. The database's lock on the stream orders the two, and the tip
token refuses a batch when the log is not in the state that the batch was planned for. A batch that fails in any way takes the slow
path: wait for the exclusive turn, catch up from the log, look up the ids, plan again. An id that is found in the log is answered from
there and never appended twice.

If another replica leads, batches are handed on to it instead, see `semp.engine.following`. When it is lost, they take the slow path.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal

from semp.domain.errors import StoreOverloaded, StoreUnavailable
from semp.domain.events import Draft
from semp.domain.signals import Rules
from semp.engine.append_queue import LIGHT, AppendQueue
from semp.engine.crediting import credit_of
from semp.engine.following import Following
from semp.engine.footprint import LIMIT
from semp.engine.heartbeat import Calls, Outage
from semp.engine.ledger import Ledger, Overlay
from semp.engine.log_clock import LogClock
from semp.engine.log_tail import LogTail
from semp.engine.planning import Findings, LookAgain, Planned, Recorded, Submission, look_up, make_plan
from semp.engine.ports import EventLog
from semp.engine.records import DuplicateId, Entry

log = logging.getLogger(__name__)

Outcome = Literal["committed", "refused", "failed", "unknown"]

MAX_BATCH = 1_000
"""A batch with this many events takes no further submission. A submission is never split, so a batch can be larger."""
WORTH_OVERLAPPING = 64
"""Queued events, at least, for which a second transaction is sent while one is in flight. Fewer events wait until it has landed."""
TRIES = 3
"""Attempts to commit a submission that the database stops, for lack of memory. After the last one it fails."""
VERIFY_AFTER_DUPLICATE = 64
"""After a batch met an id that the log already has, the ids of this many batches are looked up before they are sent: an import that is
repeated sends many such ids in a row."""


class Committer:
    """Owns the ledger. Nothing else in this process appends.

    Args:
        on_commit: called with all entries of the log in order, each exactly once, whichever process appended them.
        on_reset: called when the log was replaced by another one, so that known positions are invalid.
        patience: seconds that a batch waits for a database that went away, before its submissions fail.
        poll_interval: seconds between polls for events of other writers, while the queue is empty.
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
        self.patience = patience
        self.poll_interval = poll_interval
        self._queue = AppendQueue(self._look_ahead, lambda: self._wake.set(), MAX_BATCH)
        self._wake = asyncio.Event()
        self._closing = False
        self._overlap_from = WORTH_OVERLAPPING
        """Queued events from which a second batch is sent while one is in flight: as many as that one has."""
        self._poll_requested = False
        self._batches_to_verify = 0
        """The ids of so many batches are still looked up before they are sent."""
        self._settling = 0  # batches on the slow path
        self._away_since: float | None = None
        """When the database was first found away, by the loop's clock in seconds; None while it is available."""
        self._flights: dict[asyncio.Task[bool], list[Submission]] = {}
        """Transactions in flight, or batches handed on (then `LogTail.handing`), oldest first, each with its submissions."""
        self._polling = asyncio.Lock()
        self._tail = LogTail(store, ledger, rules, flights=self._flights, on_commit=on_commit, on_reset=on_reset)
        self._outage = Outage()
        self._calls = Calls()
        """What waits for an answer of the database. Cut off when nothing was heard of it for `patience` seconds."""
        self.following = Following(
            ledger, absorb=self._tail.absorb, poll=self._poll, busy=lambda: self._settling > 0 or not self._tail.handing
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def available(self) -> bool:
        """False from the moment when the database was found away until it answers again."""
        return self._away_since is None

    @property
    def transactions(self) -> int:
        """Append transactions that this process committed, including those whose answer was lost and that were found in the log later."""
        return self._tail.transactions

    @property
    def closing(self) -> bool:
        """Whether `close` was called: nothing more is accepted."""
        return self._closing

    @property
    def queued(self) -> int:
        """Events in the queue. Those in flight do not count."""
        return self._queue.events

    def start(self) -> None:
        """Begin to commit submissions and to poll. Needs a running event loop."""
        self._task = asyncio.create_task(self._run(), name="committer")

    async def close(self) -> None:
        """Refuse new submissions, commit the accepted ones, then stop. Returns once all are answered."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task

    def silent(self, seconds: float) -> float:
        """Note that nothing was heard of the database for so many seconds. After `patience` seconds, everything that waits for it fails.

        Returns:
            The seconds until then.
        """
        self._away_since = asyncio.get_running_loop().time() - seconds if self._away_since is None else self._away_since
        left = self.patience - self._note_away()
        if left <= 0:
            self._calls.cut_off()
            self._queue.give_up()
        return max(left, 0.0)

    def heard(self) -> None:
        """Note that the database answers."""
        self._calls.resume()
        if not self.available:
            self.poll_now()

    def poll_now(self) -> None:
        """Poll for events of other writers as soon as nothing is in flight, without waiting for the next interval."""
        self._poll_requested = True
        self._wake.set()

    def submit(self, drafts: Sequence[Draft], *, batch: bool = False, sender: object = None) -> asyncio.Future[list[Recorded]]:
        """Queue drafts that are appended together or not at all. The future gives one answer for each draft, once they are committed.

        Cancelling the future drops the drafts if they were never sent to the database. What was sent is committed all the same.

        Args:
            batch: whether errors name the index of a draft, as `[3].parent_ids`.
            sender: whose submissions are appended in the order in which they came; None: others may overtake this one, see `AppendQueue`.

        Raises:
            QueueFull: the queue has no room; nothing was accepted.
            StoreUnavailable: the database is away, or the service is stopping; nothing was accepted.
            StoreFull: the disk that holds the data has too little room; nothing was accepted.

        The future raises:
            InvalidInput: a parent is unknown or cannot be withdrawn, or too many proposals are equally near.
            TooLarge: the drafts do not fit into one transaction, see `semp.engine.footprint`.
            IdConflict: an id belongs to an event with other content.
            StoreUnavailable: the database stayed away; nothing was stored.
            OutcomeUnknown: the database went away during the commit; the events may or may not be stored.
        """
        if self._closing:
            raise StoreUnavailable("the service is stopping")
        if not self.available:
            raise StoreUnavailable("the database is not available; nothing was stored", retry_after=2)
        self.store.require_room()
        submission = Submission(drafts, batch, sender)
        credit = self.ledger.rules.credit
        submission.heavy = submission.size > LIGHT or any(credit_of(draft, credit) for draft in drafts)
        self._queue.add(submission)
        if not self._flights or self._queue.ready >= self._overlap_from:
            self._wake.set()
        return submission.answer

    async def _run(self) -> None:
        while True:
            self._queue.look_ahead()
            batch, findings = await self._next_batch()
            if self.following.active != self._tail.handing:
                await self._change_sides()
            if batch:
                await self._launch(batch, findings)
            elif self._closing:
                break
            elif not self._flights:
                await self._poll()
        await self._all_landed()
        self.following.stop()

    async def _change_sides(self) -> None:
        """Begin to hand batches on, or to append them here, once nothing is in flight."""
        await self._all_landed()
        async with self._polling:
            self._tail.handing = self.following.active
        if self._tail.handing:
            self.following.drain()
        else:
            self.following.forget()

    async def _next_batch(self) -> tuple[list[Submission], Findings | None]:
        """Wait for enough queued events to send a transaction; an empty list when it is time to poll or to stop."""
        while not self._ready():
            if self._closing and not self._queue:
                return [], None
            if self._poll_requested and not self._flights and not self._queue:
                self._poll_requested = False
                return [], None
            self._wake.clear()
            try:
                async with asyncio.timeout(None if self._flights else self.poll_interval):
                    await self._wake.wait()
            except TimeoutError:
                return [], None
        halved = not self._flights and self._queue.ready >= 2 * WORTH_OVERLAPPING  # half is planned while the database works on half
        batch, findings = self._queue.take(min(MAX_BATCH, self._queue.ready // 2) if halved else MAX_BATCH)
        self._overlap_from = max(WORTH_OVERLAPPING, min(sum([len(submission.drafts) for submission in batch]), MAX_BATCH))
        return batch, findings

    def _ready(self) -> bool:
        if not self._queue.ready or self._settling or len(self._flights) >= 2:
            return False
        return not self._flights or self._queue.ready >= self._overlap_from

    async def _look_ahead(self, batch: Sequence[Submission]) -> Findings | None:
        """Look up what heavy submissions need while they wait; None when another replica does so, or the database is away."""
        if self.following.active:
            return None
        try:
            return await self._calls.run(look_up(batch, self.ledger, self.store, verify=False))
        except StoreUnavailable:
            return None
        except Exception as error:
            self._outage.log(log, "looking ahead failed", error)
            return None

    async def _launch(self, batch: list[Submission], findings: Findings | None) -> None:
        """Plan a batch on top of those in flight and send it, or hand it on, without waiting for its outcome.

        Args:
            findings: what was looked up for it before.
        """
        if self._tail.handing:
            self._take_off(self._hand_on(batch, next(reversed(self._flights), None)), batch)
            await asyncio.sleep(0)  # the task sends its batch before the next one
            return
        verify = self._batches_to_verify > 0
        self._batches_to_verify -= verify
        planned: Planned | None = None
        try:
            planned = await self._plan(batch, findings, verify=verify)
        except StoreUnavailable as error:
            log.warning("a batch could not be planned: %s", error)
        except Exception as error:
            self._outage.log(log, "a batch could not be planned", error)
        overlay = Overlay(planned.plan) if planned and planned.plan else None
        if overlay:
            self.ledger.overlays.append(overlay)
        sent = planned.submissions if planned else batch
        if planned and planned.left:
            self._queue.put_back(planned.left)
        self._take_off(self._fly(sent, planned is not None, overlay, next(reversed(self._flights), None)), sent)
        await asyncio.sleep(0)  # the task sends its transaction before the next batch is planned

    def _take_off(self, flight: Coroutine[Any, Any, bool], batch: list[Submission]) -> None:
        task = asyncio.create_task(flight)
        self._flights[task] = batch
        task.add_done_callback(self._finished)

    async def _plan(self, batch: list[Submission], findings: Findings | None, *, verify: bool) -> Planned:
        thorough = False
        while True:
            if findings is None or verify or thorough:
                findings = await self._calls.run(look_up(batch, self.ledger, self.store, verify=verify, thorough=thorough, known=findings))
            if verify and findings.stored:
                self._batches_to_verify = VERIFY_AFTER_DUPLICATE
            if self._settling:
                await self._all_landed()
            try:
                return await make_plan(batch, self.ledger, findings, self.clock)
            except LookAgain:
                thorough = True

    def _finished(self, task: asyncio.Task[bool]) -> None:
        batch = self._flights.pop(task)
        if not self._flights:
            self._tail.recovered.clear()
        elif self._tail.recovered and self._tail.handing:
            for submission in batch:
                for draft in submission.drafts:
                    self._tail.recovered.pop(draft.id, None)
        self._wake.set()

    async def _all_landed(self) -> None:
        """Wait until nothing is in flight."""
        while self._flights:
            await asyncio.wait(self._flights)

    async def _fly(self, batch: list[Submission], planned: bool, overlay: Overlay | None, previous: asyncio.Task[bool] | None) -> bool:
        """Commit a planned batch after the previous one; True when it was committed as planned, False when it took the slow path."""
        head, size = self.ledger.state.head, sum([overlay.plan.size for overlay in self.ledger.overlays])
        if previous is not None and size > LIMIT:  # both together might not fit into the database's memory
            planned = await previous and planned
        outcome = await self._attempt(overlay) if planned else "failed"
        previous_as_planned = previous is None or await previous
        if outcome == "refused" and previous_as_planned and previous is not None:  # it reached the database before the previous one
            outcome = await self._attempt(overlay)
        if outcome == "committed" and previous_as_planned:
            if overlay is not None:
                self._tail.committed(overlay)
            for submission in batch:
                submission.succeed()
            return True
        for submission in batch:
            if submission.tried is None and outcome in ("committed", "unknown"):
                submission.tried = head
        self._settling += 1
        self.ledger.overlays.clear()  # batches that were planned on top of this one will be refused
        try:
            await self._settle(batch)
        finally:
            self._settling -= 1
        return False

    async def _hand_on(self, batch: list[Submission], previous: asyncio.Task[bool] | None) -> bool:
        """Have the leader append a batch; True when it answered everything, False when some of it took the slow path."""
        rest = await self.following.hand_on(batch, self._tail.recovered)
        if not rest:
            return True
        self._settling += 1
        try:
            if previous is not None:
                await previous
            async with self._polling:
                await self._settle(rest)
        finally:
            self._settling -= 1
            self.following.drain()
        return False

    async def _attempt(self, overlay: Overlay | None) -> Outcome:
        if overlay is None:
            return "committed"
        try:
            return "committed" if await self._calls.run(self.store.append(overlay.plan)) else "refused"
        except DuplicateId:
            self._batches_to_verify = VERIFY_AFTER_DUPLICATE
            return "failed"
        except StoreOverloaded as error:
            log.warning("a batch of %d events was stopped: %s", len(overlay.plan.entries), error)
            return "unknown"
        except StoreUnavailable as error:
            log.warning("the outcome of a batch of %d events is unknown: %s", len(overlay.plan.entries), error)
            self._note_away()
            return "unknown"
        except Exception as error:
            self._outage.log(log, "a transaction failed", error)
            return "unknown"

    async def _settle(self, batch: Sequence[Submission]) -> None:
        """The slow path: take the exclusive turn, find out what is stored already, and append the rest."""
        pause = 0.05
        tries = TRIES
        while batch:
            try:
                left = await self._calls.run(self._append_in_turn(batch))
                if left is None:
                    await self._tail.start_over()
                else:
                    batch = left
            except StoreUnavailable as error:
                if isinstance(error, StoreOverloaded):  # it answers, so that the others need not wait for this batch
                    tries -= 1
                    if len(batch) > 1:
                        await self._settle_one_by_one(batch)
                        return
                    if not tries:
                        log.error("a submission of %d events was stopped %d times: %s", len(batch[0].drafts), TRIES, error)
                        batch[0].give_up()
                        return
                elif self._note_away() > self.patience:
                    log.error("the database did not come back in %g s: %s", self.patience, error)
                    for submission in batch:
                        submission.give_up()
                    self._queue.give_up()
                    return
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)
            except Exception as error:
                if len(batch) > 1:
                    await self._settle_one_by_one(batch)
                else:
                    log.exception("a submission of %d events failed", len(batch[0].drafts))
                    batch[0].fail(error)
                return

    async def _settle_one_by_one(self, batch: Sequence[Submission]) -> None:  # so that the one that causes an error fails alone
        for submission in batch:
            await self._settle([submission])

    async def _append_in_turn(self, batch: Sequence[Submission]) -> Sequence[Submission] | None:
        """One attempt of the slow path: the submissions that had no room in the transaction.

        None when the database has another log by now, and nothing was appended.
        """
        async with self.store.turn() as turn:
            if not await self._tail.catch_up(turn.state):
                return None
            if self.ledger.state.head < turn.state.head:
                raise StoreUnavailable(f"the log ends at {turn.state.head}, but lacks position {self.ledger.state.head + 1}")
            batch, findings = [submission for submission in batch if not submission.abandoned], None
            while True:
                findings = await look_up(batch, self.ledger, self.store, verify=True, thorough=True, known=findings)
                stored = findings.stored
                stored.update({event_id: self._tail.recovered[event_id] for event_id in stored if event_id in self._tail.recovered})
                try:
                    planned = await make_plan(batch, self.ledger, findings, self.clock)
                    break
                except LookAgain:
                    continue
            if planned.plan is not None:
                for submission in planned.submissions:  # from here on, only a look-up can tell whether it is stored
                    submission.tried = turn.state.head if submission.tried is None else submission.tried
                await turn.append(planned.plan)
        self._note_available()
        if planned.plan is not None:
            overlay = Overlay(planned.plan)
            self.ledger.overlays.append(overlay)
            self._tail.committed(overlay)
        for submission in planned.submissions:
            submission.succeed()
        return planned.left

    def _note_away(self) -> float:
        """Note that the database is away; returns the seconds since that was first noted."""
        now = asyncio.get_running_loop().time()
        self._away_since = now if self._away_since is None else self._away_since
        return now - self._away_since

    def _note_available(self) -> None:
        if self._away_since is not None:
            log.info("the database is available again")
        self._away_since = None
        self._outage.over()

    async def _poll(self) -> None:
        """Read events of other writers, or find out whether the database is back. Only called while no transaction is in flight."""
        async with self._polling:
            try:
                await self._calls.run(self._tail.look_for_new())
                self._note_available()
            except StoreUnavailable:
                self._note_away()
            except Exception as error:
                self._outage.log(log, "polling for new events failed", error)
        self.following.drain()
