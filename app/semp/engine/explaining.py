"""Why a signal is as strong as it is: every event that moved it, and what time took between them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from semp.domain.clock import to_text
from semp.domain.event_types import RAISING_OR_LOWERING, EventType, effect_of
from semp.domain.signals import WHOLE, Key, Rules
from semp.engine.past import Moment, signal_at
from semp.engine.ports import SignalHistory
from semp.engine.records import Moved


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event that moved the signal. `before` is the `after` of the one before, less what time took; `after` is `before` and `change`."""

    id: str
    type: EventType
    scope: str
    trace_id: str
    agent_id: str
    timestamp: str
    position: int
    decay: float
    """What time took since the event before, 0 or less. A signal below 0.01 is gone, and then all of it is taken."""
    before: float
    change: float
    after: float
    value: float | None = None
    """Size of a reward or penalty, 0..1."""
    share: float = WHOLE
    """What part of the value reached this signal: less than 1, and only then shown, by credit along causes."""


class At(msgspec.Struct, frozen=True):
    """The moment an answer is of: the last event that counts, and the time strengths are decayed to."""

    position: int
    timestamp: str


class Explanation(msgspec.Struct, frozen=True):
    """The events of a signal, in log order unless asked for newest first, and where they left it.

    `strength` is the last event's `after` and `decay`, what time took since then; it is what the signal itself answers, to the last bit.
    """

    scope: str
    pattern: str
    strength: float
    at: At
    decay: float
    count: int
    """Events that ever moved it, up to that moment, whatever the page."""
    truncated: bool
    """Whether this page is not the last."""
    events: list[Step]


async def explain(
    store: SignalHistory, history: Sequence[Rules], key: Key, moment: Moment, *, seen: int | None, limit: int, newest_first: bool
) -> Explanation | None:
    """A page of what moved a signal; None when nothing ever did up to that moment.

    Args:
        seen: position of the last event of the page before, None for the first page.
        limit: events in the page, at most; 0 for the strength and the count alone.
    """
    state = await signal_at(store, history, key, moment)
    if state is None:
        return None
    count = await store.count_moves(key, moment.position)
    [last] = await store.moves_back(key, 0, moment.position, 1)
    strength = state.strength_at(moment.now)
    if newest_first:
        upto = moment.position if seen is None else min(seen - 1, moment.position)
        found = await store.moves_back(key, 0, upto, limit + 1)
        truncated = len(found) > limit
        shown = found[:limit]
        chain = found[::-1]  # the one too many is the event before the last one shown
        steps = _steps(chain, len(chain) - len(shown))[::-1]
    else:
        after = seen or 0
        found = await store.moves(key, after, moment.position, limit + 1)
        truncated = len(found) > limit
        before = await store.moves_back(key, 0, after, 1) if after else []
        steps = _steps([*before, *found[:limit]], len(before))
    return Explanation(
        *key, strength, At(moment.position, to_text(moment.now)), strength - last.after, count, truncated and limit > 0, steps
    )  # fmt: skip


def _steps(chain: Sequence[Moved], first: int) -> list[Step]:
    """The chain in log order as steps, from index `first`; what is before it says only where that one began."""
    steps: list[Step] = []
    for index in range(first, len(chain)):
        moved, event = chain[index], chain[index].event
        left = chain[index - 1].after if index else 0.0
        value = effect_of(event.type, bytes(event.payload))[0] if event.type in RAISING_OR_LOWERING else None
        step = Step(
            event.id, event.type, event.scope, event.trace_id, event.agent_id, event.timestamp, event.position,
            moved.before - left, moved.before, moved.after - moved.before, moved.after, value, moved.share,
        )  # fmt: skip
        steps.append(step)
    return steps
