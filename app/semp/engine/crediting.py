"""Whom an event credits further up: the climb from it along its causes, be they stored, under way or in the same batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from semp.domain.credit import Credit
from semp.domain.event_types import TYPES
from semp.domain.events import Draft


def credit_of(draft: Draft, default: Credit | None) -> Credit | None:
    """How far up a draft reaches: what its payload says, else the rules; None when it credits nothing further."""
    if (draft.credit is None and default is None) or not draft.parent_ids or not TYPES[draft.type].credits:
        return None
    asked = draft.credit if draft.credit is not None else default
    return asked if asked is not None and asked.discount else None


def climb(parents: Sequence[str], depth: int, parents_of: Callable[[str], Sequence[str] | None]) -> tuple[dict[str, int], dict[str, int]]:
    """Walk up from `parents`, level by level, through the events that are in memory.

    Args:
        depth: hops at most; the parents are one away.
        parents_of: the causes of an event that is in memory, None for one that is in storage.

    Returns:
        The events passed and the stored ones where the way goes on, each with its shortest distance.
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
