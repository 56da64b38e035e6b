"""The bounded queue of submissions that wait for a transaction: two lanes, so that nobody waits behind another's large batches.

Large submissions, and those that give credit along causes, wait in a lane of their own. What they need is looked up while they wait, and
they never share a transaction with the others. The lanes take turns.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from semp.domain.errors import QueueFull
from semp.engine.planning import Findings, Submission

MAX_QUEUED_EVENTS = 20_000
MAX_QUEUED_BYTES = 64 * 1024 * 1024
"""Bounds of each lane, in events and in bytes of payloads. A submission that does not fit is refused as a whole with QueueFull (503). An
empty lane takes a submission of any size."""
LIGHT = 24_000_000
"""Bytes that a submission may take in the database (see `semp.engine.footprint`) and still be light: about 1,000 ordinary events. No more
light submissions are put together than make this much, except for the last one."""


class _Lane:
    """Submissions in the order in which they came."""

    def __init__(self) -> None:
        self.waiting: deque[Submission] = deque()
        self.events = self.bytes = 0

    def add(self, submission: Submission) -> None:
        events = self.events + len(submission.drafts)
        if self.waiting and (events > MAX_QUEUED_EVENTS or self.bytes + submission.weight > MAX_QUEUED_BYTES):
            raise QueueFull("the append queue is full; nothing was stored")
        self.waiting.append(submission)
        self.events = events
        self.bytes += submission.weight

    def take(self, limit: int) -> list[Submission]:
        """Take submissions from the front until they have `limit` events or LIGHT bytes. Those whose sender has gone do not count."""
        batch: list[Submission] = []
        events = size = 0
        while self.waiting and events < limit and size < LIGHT:
            submission = self.waiting.popleft()
            batch.append(submission)
            self.bytes -= submission.weight
            self.events -= len(submission.drafts)
            if not submission.abandoned:
                events += len(submission.drafts)
                size += submission.size
        return batch

    def put_back(self, submissions: Sequence[Submission]) -> None:
        self.waiting.extendleft(reversed(submissions))
        self.events += sum([len(submission.drafts) for submission in submissions])
        self.bytes += sum([submission.weight for submission in submissions])


class AppendQueue:
    """Submissions of both lanes. Each lane keeps the order in which they came.

    A heavy submission never overtakes a light one. A light one overtakes heavy ones, unless it refers to an event of one that waits, or the
    same sender has one that waits.

    Args:
        look_up: looks up what planning these submissions needs; None when that failed or is of no use.
        wake: called when heavy submissions have become ready.
        limit: events of a group of heavy submissions from which on it takes no further one.
    """

    def __init__(self, look_up: Callable[[Sequence[Submission]], Awaitable[Findings | None]], wake: Callable[[], None], limit: int) -> None:
        self._look_up = look_up
        self._wake = wake
        self._limit = limit
        self._light, self._heavy = _Lane(), _Lane()
        self._group: list[Submission] = []
        """The heavy submissions that are sent next, together."""
        self._looking: asyncio.Task[None] | None = None
        """Looks up what the group needs. Done: it is ready."""
        self._findings: Findings | None = None
        self._heavy_turn = False
        """Whether heavy submissions come next, if both lanes have some."""
        self._held = False
        """Whether heavy submissions are being planned. Some may come back, and belong before all others."""
        self._added = 0
        self._ids: Counter[str] = Counter()
        """Ids of the events of heavy submissions that wait."""
        self._senders: Counter[object] = Counter()
        """Senders of heavy submissions that wait."""

    def __bool__(self) -> bool:
        return bool(self._light.waiting or self._heavy.waiting or self._group)

    @property
    def events(self) -> int:
        """Events of all submissions in the queue."""
        return self._light.events + self._heavy.events + sum([len(submission.drafts) for submission in self._group])

    @property
    def bytes(self) -> int:
        """Bytes of their payloads."""
        return self._light.bytes + self._heavy.bytes + sum([submission.weight for submission in self._group])

    @property
    def ready(self) -> int:
        """Events of the submissions that `take` can return now."""
        ready = self._looking is not None and self._looking.done()
        return self._light.events + (sum([len(submission.drafts) for submission in self._group]) if ready else 0)

    def add(self, submission: Submission) -> None:
        """Put a submission at the end of its lane.

        Raises:
            QueueFull: there is no room for it.
        """
        self._added += 1
        submission.number = self._added
        if not submission.heavy and self._ids and self._follows_heavy(submission):
            submission.heavy = True
        if not submission.heavy:
            self._light.add(submission)
            return
        self._heavy.add(submission)
        self._ids.update([draft.id for draft in submission.drafts])
        if submission.sender is not None:
            self._senders[submission.sender] += 1
        if not self._held:
            self.look_ahead()

    def _follows_heavy(self, submission: Submission) -> bool:
        if submission.sender is not None and submission.sender in self._senders:
            return True
        return any(draft.id in self._ids or any(parent in self._ids for parent in draft.parent_ids) for draft in submission.drafts)

    def look_ahead(self) -> None:
        """Begin to look up what the next heavy submissions need, if nothing is looked up and nothing is ready.

        To be called after each batch was planned.
        """
        self._held = False
        if self._looking is None and (group := self._heavy.take(self._limit)):
            self._group = group
            self._looking = asyncio.create_task(self._prepare(), name="looking ahead")

    async def _prepare(self) -> None:
        self._findings = await self._look_up(_remaining(self._group))
        asyncio.get_running_loop().call_soon(self._wake)  # when this task is done

    def take(self, limit: int) -> tuple[list[Submission], Findings | None]:
        """Take the submissions that are sent next: light ones with `limit` events or more, or the heavy ones that are ready.

        Returns:
            The submissions, without those whose sender has gone; and what was looked up for them.
        """
        light = self._light.waiting
        ready = self._looking is not None and self._looking.done()
        if ready and (not light or (self._heavy_turn and light[0].number > self._group[-1].number)):
            self._held = True
            group, findings = self._group, self._findings
            self._group, self._findings, self._looking = [], None, None
            self._heavy_turn = False
            _discount(self._ids, [draft.id for submission in group for draft in submission.drafts])
            _discount(self._senders, [submission.sender for submission in group if submission.sender is not None])
            return _remaining(group), findings
        self._heavy_turn = True
        return _remaining(self._light.take(limit)), None

    def give_up(self) -> None:
        """Tell all senders that the database stayed away."""
        if self._looking is not None:
            self._looking.cancel()
        for submission in [*self._light.waiting, *self._group, *self._heavy.waiting]:
            submission.give_up()
        self._light, self._heavy = _Lane(), _Lane()
        self._group, self._findings, self._looking = [], None, None
        self._ids.clear()
        self._senders.clear()

    def put_back(self, submissions: Sequence[Submission]) -> None:
        """Put submissions that had no room in a transaction back to the front. All are of one lane."""
        if not submissions[0].heavy:
            self._light.put_back(submissions)
            return
        self._heavy.put_back(submissions)
        self._ids.update([draft.id for submission in submissions for draft in submission.drafts])
        self._senders.update([submission.sender for submission in submissions if submission.sender is not None])


def _remaining(submissions: Sequence[Submission]) -> list[Submission]:
    """The submissions whose sender has not gone."""
    return [submission for submission in submissions if not submission.abandoned]


def _discount(counts: Counter[Any], gone: Sequence[object]) -> None:
    for one in gone:
        counts[one] -= 1
        if not counts[one]:
            del counts[one]
