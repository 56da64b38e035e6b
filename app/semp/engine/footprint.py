"""What an append takes in the database, estimated before it is sent, and the bound of it.

Neo4j keeps everything that a transaction writes in the memory of its heap until the commit is done. A transaction that does not fit is
rolled back, and so may be whatever else runs at that moment. The figures were measured, see docs/decisions/0025.
"""

from __future__ import annotations

from collections.abc import Container

from semp.domain.errors import FieldError, TooLarge
from semp.domain.events import Draft
from semp.domain.signals import Key
from semp.engine.ledger import targets
from semp.engine.records import Entry

LIMIT = 360_000_000
"""Bytes that the append transactions in flight may take together, and so the most that one submission may take. 10,000 events with 32 MiB
of JSON and a signal each fit. The smallest heap of the embedded database, 512 MiB, can bear it."""
TOGETHER = 60_000_000
"""Bytes that several submissions in one transaction may take. A submission that takes more is sent alone."""
EVENT = 10_500
"""Bytes for an event with its trace, besides what follows."""
BYTE = 5.5
"""Bytes for each byte of the event as JSON."""
PARENT = 5_000
"""Bytes for an edge to a cause. This and MOVE are more than what was measured: by the time that they take, which others wait for."""
MOVE = 20_000
"""Bytes for each signal that an event moves besides the first."""
CREDITED = 1_200
"""Bytes for each proposal that an event credits, also by its time."""
SIGNAL = 6_500
"""Bytes for each signal that is moved, however often."""
LETTER = 14
"""Bytes for each character of such a signal's scope and pattern, which are stored and indexed several times."""
SCOPE = 4_500
"""Bytes for each new scope, those above it included."""
ENVELOPE = 182
"""Bytes of an event as JSON without its parents and the values of the fields that its sender chose; its position has up to ten digits."""
PARENT_ID = 39
"""Bytes of a parent's id in it."""


class Footprint:
    """What the new events of one submission take.

    Args:
        written: signals that the transaction writes already, for submissions before this one.
    """

    def __init__(self, written: Container[Key]) -> None:
        self._written = written
        self._size = 0
        self.events = self.parents = self.moves = 0
        self.signals: set[Key] = set()
        self.scopes: dict[str, str | None] = {}
        """Scopes that may be new, see `Plan.scopes`. They are counted where they are found."""

    @property
    def size(self) -> int:
        """Bytes, estimated."""
        return self._size + SCOPE * len(self.scopes)

    def add_draft(self, draft: Draft) -> None:
        """Count what is known of a draft before it is planned: not its signals, its further moves and its scope."""
        parents = len(draft.parent_ids)
        text = len(draft.payload) + len(draft.scope) + len(draft.trace_id) + len(draft.agent_id) + len(draft.type)
        self._add(parents, ENVELOPE + PARENT_ID * parents + text)

    def _add(self, parents: int, length: int) -> None:
        self.events += 1
        self.parents += parents
        self._size += EVENT + int(BYTE * length) + PARENT * parents

    def add(self, entry: Entry) -> None:
        """Count an event, but not its scope."""
        aimed = targets(entry)
        self._add(len(entry.event.parent_ids), len(entry.encoded))
        self._size += CREDITED * len(entry.credited)
        if len(aimed) > 1:
            self.moves += len(aimed) - 1
            self._size += MOVE * (len(aimed) - 1)
        for key, _ in aimed:
            if key not in self._written and key not in self.signals:
                self.signals.add(key)
                self._size += SIGNAL + LETTER * (len(key[0]) + len(key[1]))

    def require_room(self, of: int) -> None:
        """Check that what was counted so far fits into one transaction.

        Args:
            of: number of events of the whole submission.

        Raises:
            TooLarge: it does not. The message says how many of its events fit, and what takes the room.
        """
        if self.size <= LIMIT:
            return
        raise TooLarge(
            FieldError(
                "body",
                f"too much for one transaction, of which all is stored or nothing: its first {self.events:,} of {of:,} events take more "
                f"than {LIMIT // 1_000_000} MB of the database's memory ({self.parents:,} parents, {len(self.signals):,} signals, "
                f"{self.moves:,} further moves of signals, {len(self.scopes):,} new scopes)",
            )
        )
