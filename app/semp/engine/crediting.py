"""Credit along causes at an append: whether a draft gives credit, and the walk up its causes through events that are not stored yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from semp.domain.credit import Credit
from semp.domain.event_types import TYPES
from semp.domain.events import Draft


def credit_of(draft: Draft, default: Credit | None) -> Credit | None:
    """The credit that a draft gives: its payload's, else `default` from the rules; None when it credits no proposals further up."""
    if (draft.credit is None and default is None) or not draft.parent_ids or not TYPES[draft.type].credits:
        return None
    credit = draft.credit if draft.credit is not None else default
    return credit if credit is not None and credit.discount else None


def climb(parents: Sequence[str], depth: int, parents_of: Callable[[str], Sequence[str] | None]) -> tuple[dict[str, int], dict[str, int]]:
    """Walk up from `parents`, level by level, through the events that are in memory, and stop at those that are in storage.

    Args:
        depth: hops, at most; the parents are one hop away.
        parents_of: the parents of an event that is in memory, None for an event in storage.

    Returns:
        The events in memory that were passed, and the events in storage where the walk stopped; each with its shortest distance in hops.
    """
    passed: dict[str, int] = {}
    stored: dict[str, int] = {}
    level: Sequence[str] = parents
    for hops in range(1, depth + 1):
        above: dict[str, None] = {}
        for event_id in level:
            if event_id in passed or event_id in stored:
                continue
            causes = parents_of(event_id)
            if causes is None:
                stored[event_id] = hops
            else:
                passed[event_id] = hops
                above.update(dict.fromkeys(causes))
        level = list(above)
        if not level:
            break
    return passed, stored
