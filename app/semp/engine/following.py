"""What a replica does while another replica appends for it: it hands its submissions on, and is fed with the log's new entries.

Only one of several replicas on one database appends at a time, the leader: the holder of the append lease. Replicas that all append refuse
each other's batches (see docs/decisions/0023). This module knows no transport; `semp.relays.handing_on` has one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from semp.domain.events import Event
from semp.engine.ledger import Ledger
from semp.engine.planning import Recorded, Submission
from semp.engine.records import Entry, LogState

MAX_HELD = 20_000
"""Entries from the leader that wait until this replica has read those before them. With more, all are dropped and read from the log."""
PAUSE = 0.05
"""Seconds between two attempts to read missing entries from the log."""

Answer = list[int | bytes] | Exception | None
"""What became of a submission. A list has an item for each draft: the position of a new event, or the JSON of an event that was stored
before. An exception is for the sender. None: the leader did not accept the submission, and will not append it."""


class LeaderLost(Exception):
    """The connection to the leader broke.

    Args:
        sent: whether submissions may have reached the leader, so that it may have appended them, or may still append them.
    """

    def __init__(self, sent: bool) -> None:
        self.sent = sent
        super().__init__("the connection to the replica that appends broke")


class Leader(Protocol):
    """The replica that appends, as another replica sees it."""

    @property
    def connected(self) -> bool:
        """Whether submissions can be handed on now."""
        ...

    async def append(self, submissions: Sequence[Submission]) -> list[Answer]:
        """Hand submissions on; an answer for each of them.

        Submissions reach the leader in the order of the calls. Before the answer, `Following.take` gets the entries of all new events that
        the answer names.

        Raises:
            LeaderLost: no answer came.
        """
        ...


_event = msgspec.json.Decoder(Event).decode


def recorded_of(submission: Submission, answer: list[int | bytes], new: Mapping[str, Recorded]) -> list[Recorded] | None:
    """The answers for the sender of a submission; None when `new`, the new events by id, lacks one that the leader named."""
    found: list[Recorded] = []
    for draft, item in zip(submission.drafts, answer, strict=True):
        if isinstance(item, bytes):
            found.append(Recorded(_event(item), item, created=False))
            continue
        recorded = new.get(draft.id)
        if recorded is None or recorded.event.position != item:
            return None
        found.append(recorded)
    return found


class Following:
    """Follows the leader's log: takes over entries in order, and fills gaps from storage.

    Args:
        absorb: takes over entries that come next in the log.
        poll: reads what is missing from storage. It raises nothing.
        busy: True while this process appends by itself. Then the ledger must not move for another reason.
    """

    def __init__(
        self, ledger: Ledger, *, absorb: Callable[[Sequence[Entry]], object], poll: Callable[[], Awaitable[None]], busy: Callable[[], bool]
    ) -> None:
        self.ledger = ledger
        self.leader: Leader | None = None
        """None: this replica appends by itself, because it leads, or because no leader can be reached."""
        self.leading = True
        """Whether this replica holds the append lease. Also True where there is no lease, because there is one replica only."""
        self.handed_on = 0
        """Events that this replica handed on and that the leader answered."""
        self._absorb = absorb
        self._poll = poll
        self._busy = busy
        self._held: deque[tuple[LogState, Sequence[Entry]]] = deque()
        """Entries that were not taken over yet, in the order in which they came, each with the state of the log after them."""
        self._size = 0
        self._filling: asyncio.Task[None] | None = None

    @property
    def active(self) -> bool:
        """Whether submissions are handed on."""
        return self.leader is not None and self.leader.connected

    async def hand_on(self, batch: Sequence[Submission], new: Mapping[str, Recorded]) -> list[Submission]:
        """Have the leader append a batch, and answer the senders.

        Args:
            new: the new events of the batch by id, once they were taken over.

        Returns:
            The submissions that are not answered: whether they are stored can only be found out by a look-up of their ids.
        """
        head = self.ledger.state.head
        lost = False
        answers: list[Answer] = [None] * len(batch)
        try:
            assert self.leader is not None
            answers = await self.leader.append(batch)
            await self.filled()
        except LeaderLost as error:
            lost = error.sent
        rest: list[Submission] = []
        for submission, answer in zip(batch, answers, strict=True):
            if isinstance(answer, Exception):
                submission.fail(answer)
            elif answer is not None and (recorded := recorded_of(submission, answer, new)) is not None:
                submission.recorded = recorded
                submission.succeed()
                self.handed_on += len(recorded)
            else:
                submission.handed_on = lost
                submission.tried = head if lost or answer is not None else None
                rest.append(submission)
        return rest

    def take(self, state: LogState, entries: Sequence[Entry]) -> None:
        """Take entries from the leader, in log order, with the state of the log after them.

        Those that are known already are skipped. If some before them are missing, these are read from storage first; so are they themselves
        if they move signals that are not read yet.
        """
        self._held.append((state, entries))
        self._size += len(entries)
        if self._size > MAX_HELD:
            self.forget()
            self._fill()
            return
        self.drain()

    def forget(self) -> None:
        """Drop the entries that wait. They are read from storage later."""
        self._held.clear()
        self._size = 0

    def drain(self) -> None:
        """Take over the entries that come next, unless this process appends by itself now."""
        while self._held and not self._busy():
            state, entries = self._held[0]
            known = self.ledger.state
            missing = bool(entries) and entries[0].event.position > known.head + 1
            if state.epoch == known.epoch and (missing or not self.ledger.can_absorb(entries)):
                self._fill()
                return
            self._held.popleft()
            self._size -= len(entries)
            if state.epoch != known.epoch:
                self._fill()
                continue
            fresh = [entry for entry in entries if entry.event.position > known.head]
            if fresh:
                self.ledger.state = msgspec.structs.replace(known, rules=state.rules, shifts=state.shifts)
                self._absorb(fresh)
                self.ledger.state = state

    async def filled(self) -> None:
        """Wait until no entries are being read to fill a gap."""
        if self._filling is not None:
            await asyncio.wait([self._filling])

    def stop(self) -> None:
        """Stop reading. Safe to repeat."""
        if self._filling is not None:
            self._filling.cancel()

    def _fill(self) -> None:
        if self._filling is None or self._filling.done():
            self._filling = asyncio.create_task(self._fill_gap(), name="gap")

    async def _fill_gap(self) -> None:
        while not self._busy():
            before = self.ledger.state.head
            await self._poll()
            self.drain()
            if not self._held:
                return
            if self.ledger.state.head == before:
                await asyncio.sleep(PAUSE)
