"""Why a signal has its strength: every event that moved it, and the decay between them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from semp.domain.clock import to_text
from semp.domain.event_types import RAISING_OR_LOWERING, EventType, effect_of
from semp.domain.signals import WHOLE, Key, Rules
from semp.engine.past import Moment, signal_at
from semp.engine.ports import SignalHistory
from semp.engine.records import Moved

COUNTED = 10_000
"""How many events that moved a signal are counted, at most."""


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event that moved the signal.

    `before` is the previous step's `after` plus `decay`; `after` is `before` plus `change`.
    """

    id: str
    type: EventType
    scope: str
    trace_id: str
    agent_id: str
    timestamp: str
    position: int
    decay: float
    """Change by decay since the previous step, 0 or less. A signal that decays below 0.01 is gone: then decay takes all of it."""
    before: float
    change: float
    after: float
    value: float | None = None
    """Absolute value of a reward, penalty or cancel, 0..1; left out for other types."""
    share: float = WHOLE
    """Part of the value that reached this signal, 0..1. Below 1 only by credit along causes; left out when it is 1."""


class At(msgspec.Struct, frozen=True):
    """The moment of an answer: the position of the last event that counts, and the time that strengths are computed for."""

    position: int
    timestamp: str


class Explanation(msgspec.Struct, frozen=True):
    """A page of the events that moved a signal, and its strength.

    `strength` is the `after` of the signal's last event plus `decay`, the change by decay since then. It is exactly the strength that a
    read of the signal gives.
    """

    scope: str
    pattern: str
    strength: float
    at: At
    decay: float
    count: int
    """Events that moved it up to that moment, on all pages, including those that would have lowered it but found it absent (0 to 0). They
    are counted up to 10,000."""
    truncated: bool
    """Whether more pages follow."""
    events: list[Step]


async def explain(
    store: SignalHistory, history: Sequence[Rules], key: Key, moment: Moment, *, seen: int | None, limit: int, newest_first: bool
) -> Explanation | None:
    """A page of the events that moved a signal up to a moment; None when there are none.

    Args:
        history: every set of rules that was ever in force, in order of `since`.
        seen: position of the last event of the previous page, None for the first page.
        limit: events in the page, at most; 0 for the strength and the count alone.
    """
    state = await signal_at(store, history, key, moment)
    if state is None:
        return None
    count, [last] = await asyncio.gather(
        store.count_moves(key, moment.position, COUNTED), store.moves_back(key, 0, moment.position, 1)
    )  # fmt: skip
    strength = state.strength_at(moment.now)
    if newest_first:
        upto = moment.position if seen is None else min(seen - 1, moment.position)
        moves = await store.moves_back(key, 0, upto, limit + 1)
        truncated = len(moves) > limit
        shown = moves[:limit]
        chain = moves[::-1]  # the extra one gives the strength before the oldest event shown
        steps = _steps(chain, len(chain) - len(shown))[::-1]
    else:
        after = seen or 0
        moves = await store.moves(key, after, moment.position, limit + 1)
        truncated = len(moves) > limit
        before = await store.moves_back(key, 0, after, 1) if after else []
        steps = _steps([*before, *moves[:limit]], len(before))
    return Explanation(
        *key, strength, At(moment.position, to_text(moment.now)), strength - last.after, count, truncated and limit > 0, steps
    )  # fmt: skip


def _steps(chain: Sequence[Moved], first: int) -> list[Step]:
    """The moves in `chain`, which is in log order, as steps from index `first` on. A move before it only gives the strength it left."""
    steps: list[Step] = []
    for index in range(first, len(chain)):
        moved, event = chain[index], chain[index].event
        previous = chain[index - 1].after if index else 0.0
        value = effect_of(event.type, bytes(event.payload))[0] if event.type in RAISING_OR_LOWERING else None
        step = Step(
            event.id, event.type, event.scope, event.trace_id, event.agent_id, event.timestamp, event.position,
            moved.before - previous, moved.before, moved.after - moved.before, moved.after, value, moved.share,
        )  # fmt: skip
        steps.append(step)
    return steps
