"""Credit along causes at an append: which drafts give credit, and the search for the proposals that it reaches.

The search goes up the causes level by level, through drafts and plans in flight in memory, and through the log in storage. It ends as soon
as it has enough proposals, and is bounded by the causes that it meets, not by time: what is refused once is refused always.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from semp.domain.causes import Proposal
from semp.domain.credit import MAX_CREDITED, Credit
from semp.domain.errors import QueryTooLarge
from semp.domain.event_types import TYPES
from semp.domain.events import Draft
from semp.engine.ports import EventLog
from semp.engine.records import Ancestor

MAX_COST = 500_000
"""What the search for one submission may cost: 1 for each cause of each event that it passes, and READ for each event that it asks
storage for. About a second of work of the service and of the database."""
READ = 20
COST_AT_ONCE = 5_000
"""Cost of a search between two turns of the event loop: a few milliseconds of work. One level of one search more is possible."""
IDS_AT_ONCE = 500
"""Events that are read from storage at once."""
AHEAD = 256
"""Events that are read at once when fewer are missing: some of their causes too, because a long chain would take a read for each hop."""


UNKNOWN = Ancestor(None, (), False)
"""Stands for an event that storage does not have."""

Origin = tuple[tuple[str, ...], int]
"""Where a search begins: ids of parents, and the PARENT hops that it reaches. Drafts with the same origin share a search."""


def credit_of(draft: Draft, default: Credit | None) -> Credit | None:
    """The credit that a draft gives: its payload's, else `default` from the rules; None when it credits no proposals further up."""
    if (draft.credit is None and default is None) or not draft.parent_ids or not TYPES[draft.type].credits:
        return None
    credit = draft.credit if draft.credit is not None else default
    return credit if credit is not None and credit.discount else None


def origin_of(draft: Draft, credit: Credit) -> Origin:
    """Where the search for the proposals that a draft credits begins."""
    return tuple(draft.parent_ids), credit.max_depth


class Search:
    """Goes up from an origin, level by level. It ends with the level that has all it may credit: see `full`."""

    def __init__(self, origin: Origin) -> None:
        parents, self._depth = origin
        self.reached: list[tuple[str, int]] = []
        """Ids of the proposals found so far, each with its shortest distance in PARENT hops; the parents are one hop away."""
        self.cost = 0
        self._nearest: int | None = None
        """How many proposals are at the shortest distance of all. These are not credited if the event answers to them."""
        self._hops = 1
        self._level: Sequence[str] = parents
        self._passed: set[str] = set()

    @property
    def full(self) -> bool:
        """Whether there are MAX_CREDITED proposals farther away than the nearest ones."""
        return self._nearest is not None and len(self.reached) - self._nearest >= MAX_CREDITED

    @property
    def done(self) -> bool:
        return not self._level or self._hops > self._depth or self.full

    def climb(self, find: Callable[[str], Ancestor | None]) -> list[str]:
        """Pass the next level.

        Args:
            find: gives a known event, None for one that must be read.

        Returns:
            Ids of events of that level that are not known. If there are any, it was not passed.
        """
        found = [(event_id, find(event_id)) for event_id in self._level]
        missing = [event_id for event_id, event in found if event is None]
        if missing:
            return missing
        above: dict[str, None] = {}
        self._passed.update(self._level)
        for event_id, event in found:
            assert event is not None
            if event.proposes:
                self.reached.append((event_id, self._hops))
            self.cost += 1 + len(event.parent_ids)
            above.update(dict.fromkeys(event.parent_ids))
        if self._nearest is None and self.reached:
            self._nearest = len(self.reached)
        self._level = [event_id for event_id in above if event_id not in self._passed]
        self._hops += 1
        return []


async def search(
    origins: Iterable[Origin], find: Callable[[str], Ancestor | None], known: dict[str, Ancestor], log: EventLog
) -> list[Search]:
    """Search for the proposals above the origins of one submission.

    Args:
        find: gives an event that is in memory, None for others.
        known: events that were read from storage; those that are read now are added.

    Raises:
        QueryTooLarge: the searches together cost more than MAX_COST.
    """

    def find_any(event_id: str) -> Ancestor | None:
        return find(event_id) or known.get(event_id)

    searches = [Search(origin) for origin in origins]
    reads = 0
    since = 0
    open_ones = searches
    while open_ones:
        missing: dict[str, None] = {}
        for one in open_ones:
            while not one.done:
                before = one.cost
                unknown = one.climb(find_any)
                since += one.cost - before + len(unknown)
                missing.update(dict.fromkeys(unknown))
                if since >= COST_AT_ONCE:
                    since = 0
                    await asyncio.sleep(0)
                if unknown or one.cost > MAX_COST:
                    break
        open_ones = [one for one in open_ones if not one.done]
        if sum([one.cost for one in searches]) + READ * (reads + len(missing)) > MAX_COST:
            raise QueryTooLarge("credit reaches too many causes to be searched; use a smaller max_depth, fewer parents or fewer events")
        ids = list(missing)
        for begin in range(0, len(ids), IDS_AT_ONCE):
            part = ids[begin : begin + IDS_AT_ONCE]
            found = await log.ancestry(part, max(1, AHEAD // len(part)))
            known.update(found)
            known.update({event_id: UNKNOWN for event_id in part if event_id not in found})
            reads += len(part)
    return searches


def proposals_of(reached: Sequence[tuple[str, int]], find: Callable[[str], Proposal | None]) -> Mapping[Proposal, int] | None:
    """The proposals that a search found, each with its distance; None when `find` does not have one of them."""
    proposals: dict[Proposal, int] = {}
    for event_id, hops in reached:
        proposal = find(event_id)
        if proposal is None:
            return None
        proposals[proposal] = hops
    return proposals
