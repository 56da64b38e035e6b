"""The bounded queue of submissions that wait for a transaction."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from semp.domain.errors import QueueFull
from semp.engine.planning import Submission

MAX_QUEUED_EVENTS = 20_000
MAX_QUEUED_BYTES = 64 * 1024 * 1024
"""Bounds of the queue, in events and in bytes of payloads. A submission that does not fit is refused as a whole with QueueFull (503). An
empty queue takes a submission of any size."""


class AppendQueue:
    """Submissions in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: deque[Submission] = deque()
        self.events = 0
        """Events of all submissions in the queue."""
        self.bytes = 0
        """Bytes of their payloads."""

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, submission: Submission) -> None:
        """Put a submission at the end.

        Raises:
            QueueFull: there is no room for it.
        """
        events = self.events + len(submission.drafts)
        if self._waiting and (events > MAX_QUEUED_EVENTS or self.bytes + submission.weight > MAX_QUEUED_BYTES):
            raise QueueFull("the append queue is full; nothing was stored")
        self._waiting.append(submission)
        self.events = events
        self.bytes += submission.weight

    def take(self, limit: int) -> list[Submission]:
        """Take submissions from the front until they have `limit` events or more, without those whose sender has gone."""
        batch: list[Submission] = []
        size = 0
        while self._waiting and size < limit:
            submission = self._waiting.popleft()
            self.bytes -= submission.weight
            self.events -= len(submission.drafts)
            if not submission.abandoned:
                batch.append(submission)
                size += len(submission.drafts)
        return batch

    def give_up(self) -> None:
        """Tell all senders that the database stayed away."""
        for submission in self._waiting:
            submission.give_up()
        self._waiting.clear()
        self.events = self.bytes = 0

    def put_back(self, submissions: Sequence[Submission]) -> None:
        """Put submissions that had no room in a transaction back to the front."""
        self._waiting.extendleft(reversed(submissions))
        self.events += sum([len(submission.drafts) for submission in submissions])
        self.bytes += sum([submission.weight for submission in submissions])
