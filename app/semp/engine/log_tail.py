"""Taking over what comes next in the log: each entry once, in order, whichever process appended it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

import msgspec

from semp.domain.errors import SchemaMismatch, StoreUnavailable
from semp.domain.signals import Rules
from semp.engine.ledger import Ledger, Overlay, targets
from semp.engine.planning import Recorded, Submission, encode
from semp.engine.ports import EventLog
from semp.engine.records import Entry, LogState
from semp.engine.unread import read_by_key

log = logging.getLogger(__name__)

READ_AT_ONCE = 1_000
"""Entries that are read from the log at once."""
PAUSE = 0.05
"""Seconds between two looks at a transaction of another writer that shows only in part, see `LogTail.catch_up`."""
LOOKS = 20
"""Such looks in a row, after which the rest waits for the next poll."""

Flight = asyncio.Task[bool]


class LogTail:
    """Moves the ledger along the log.

    Args:
        rules: those of this process, with which a log that replaces this one is opened.
        flights: the transactions in flight, or the batches handed on, each with its submissions. It is read, never changed.
        on_commit: called with all entries of the log in order, each exactly once.
        on_reset: called when the log was replaced by another one.
    """

    def __init__(
        self,
        store: EventLog,
        ledger: Ledger,
        rules: Rules,
        *,
        flights: Mapping[Flight, Sequence[Submission]],
        on_commit: Callable[[Sequence[Entry]], None],
        on_reset: Callable[[], None],
    ) -> None:
        self.store = store
        self.ledger = ledger
        self.rules = rules
        self.transactions = 0
        """Append transactions of this process, including those whose answer was lost and that were found in the log later."""
        self.recovered: dict[str, Recorded] = {}
        """Events that catching up found in the log and that belong to `flights`, by id. A look-up by id does not have their moves."""
        self.handing = False
        """Whether `flights` are batches handed on to another replica, which are no transactions of this process."""
        self._flights = flights
        self._on_commit = on_commit
        self._on_reset = on_reset

    async def look_for_new(self) -> None:
        """Take over what other writers appended. The ledger must not move otherwise, but for entries from the leader.

        Raises:
            StoreUnavailable: the database is away, or it has a new log, which cannot be opened.
        """
        for _ in range(LOOKS):
            head = self.ledger.state.head
            state = await self.store.state()
            overtaken = self.ledger.state.head != head  # the leader's entries came while the state was read
            if state == self.ledger.state or overtaken:
                return
            if not await self.catch_up(state):
                await self.start_over()
            if self.ledger.state.head >= state.head:
                return
            await asyncio.sleep(PAUSE)

    async def catch_up(self, state: LogState) -> bool:
        """Take over the entries that the ledger does not have yet, up to `state`; False when `state` is of another log than the ledger's.

        While another writer's transaction is being committed, its head may be readable before all of its events, and a later event before
        an earlier one, see `semp.engine.pages`. So it may end before `state`, at the first event that is not there. Not so for a
        state that was read in an exclusive turn: then no transaction is under way.
        """
        if state.epoch != self.ledger.state.epoch or state.head < self.ledger.state.head:
            return False
        self.ledger.state = msgspec.structs.replace(self.ledger.state, rules=state.rules, shifts=state.shifts)
        found: set[Flight] = set()
        while (missing := state.head - self.ledger.state.head) > 0:
            read = await self.store.read(self.ledger.state.head, min(missing, READ_AT_ONCE))
            await read_by_key(self.ledger, self.store, (key for entry in read for key, _ in targets(entry)))
            entries = self._next_of(read)
            if not entries:
                break
            for entry in entries:
                entry.encoded = encode(entry.event)
            found |= self.absorb(entries)
        self.transactions += 0 if self.handing else len(found)
        if self.ledger.state.head == state.head:
            self.ledger.state = state
        return True

    def _next_of(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those of the entries that come next, without a gap. Others may have come from the leader while they were read."""
        head = self.ledger.state.head
        entries = [entry for entry in entries if entry.event.position > head]
        return [entry for place, entry in enumerate(entries, head + 1) if entry.event.position == place]

    def absorb(self, entries: Sequence[Entry]) -> set[Flight]:
        """Take over entries that come next in the log; returns the flights that some of them are of."""
        own = {draft.id: flight for flight, batch in self._flights.items() for submission in batch for draft in submission.drafts}
        self.ledger.absorb(entries)
        recovered = {entry.event.id: Recorded.of(entry) for entry in entries if entry.event.id in own}
        self.recovered.update(recovered)
        self._on_commit(entries)
        return {own[event_id] for event_id in recovered}

    def committed(self, overlay: Overlay) -> None:
        """Take over a transaction of this process that was committed."""
        self.ledger.commit(overlay)
        self.transactions += 1
        self._on_commit(overlay.plan.entries)

    async def start_over(self) -> None:
        """Follow the log that has replaced the old one. Positions of the old log are invalid from here on.

        Raises:
            StoreUnavailable: the new log cannot be opened.
        """
        try:
            state, signals = await self.store.open(self.rules)
        except SchemaMismatch as error:
            raise StoreUnavailable(f"the database was replaced by one that cannot be used: {error}", retry_after=30) from error
        log.error("the database was replaced; following its log (epoch %s, head %d)", state.epoch, state.head)
        self.ledger.restart(state, signals)
        self._on_reset()
