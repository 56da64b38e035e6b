"""Signals as they would be without some events, or with others added. Nothing is written.

The causes of the other events, and the signals that these move, stay as they are in the log: without a proposal, its own effect on its
signal is gone, but the effects of the events that answered to it stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

import msgspec

from semp.domain.clock import from_text
from semp.domain.errors import FieldError, InvalidInput
from semp.domain.event_types import effect_of
from semp.domain.events import Draft, Event
from semp.domain.signals import Key, Signal, apply, rules_at
from semp.engine.ledger import Ledger
from semp.engine.log_clock import LogClock
from semp.engine.past import Moment, signal_at
from semp.engine.planning import LookAgain, Submission, look_up, make_plan
from semp.engine.ports import EventLog, SignalHistory
from semp.engine.records import LogState

PAGE = 2_000
"""Moves that one read returns, at most."""
MAX_REFOLDED = 100_000
"""Events that are folded again for one question, at most. A question that needs more is refused."""


class Outcome(msgspec.Struct, frozen=True):
    """A signal that the dropped or added events move: its states after the last event, None where it never existed."""

    key: Key
    would_be: Signal | None
    actual: Signal | None


class _Store(EventLog, SignalHistory, Protocol): ...


async def what_if(store: _Store, ledger: Ledger, clock: LogClock, drop: Sequence[str], add: Sequence[Draft]) -> tuple[list[Outcome], int]:
    """The signals that the dropped or added events move, and the time of the question in milliseconds since 1970.

    Args:
        drop: ids of the events to leave out.
        add: events to append after all others, in this order. Their parents can be events of `add` or of the log.

    Raises:
        InvalidInput: an id of `drop` is unknown, an event of `add` cannot be appended, or more than MAX_REFOLDED events would have to be
            folded again.
        IdConflict: an event of `add` has an id that belongs to an event with other content.
        StoreUnavailable: the database cannot be reached.
    """
    state = ledger.state
    actual = dict(ledger.signals)
    would_be: dict[Key, Signal] = actual.copy()
    changed: dict[Key, None] = {}
    dropped = await _known(store, drop)
    budget = MAX_REFOLDED
    for key, positions in (await _moved_by(store, dropped)).items():
        refolded, budget = await _without(store, state, key, positions, budget)
        changed[key] = None
        would_be.pop(key, None)
        if refolded is not None:
            would_be[key] = refolded
    now = clock.now(state)
    if add:
        added = await _with(store, Ledger(state, would_be.values()), LogClock(lambda: now), add)
        would_be.update(added)
        changed.update(dict.fromkeys(added))
    return [Outcome(key, would_be.get(key), actual.get(key)) for key in changed], now


async def _known(store: EventLog, ids: Sequence[str]) -> list[Event]:
    events = await store.events(list(dict.fromkeys(ids)))
    if missing := [index for index, event_id in enumerate(ids) if event_id not in events]:
        raise InvalidInput(*[FieldError(f"drop[{index}]", f"no event has the id {ids[index]}") for index in missing[:10]])
    return list(events.values())


async def _moved_by(store: SignalHistory, events: Sequence[Event]) -> dict[Key, set[int]]:
    """The signals that these events aim at, each with the positions of the events that do."""
    positions: defaultdict[Key, set[int]] = defaultdict(set)
    for position, keys in (await store.aimed_at([event.position for event in events])).items():
        for key in keys:
            positions[key].add(position)
    return positions


async def _without(store: SignalHistory, state: LogState, key: Key, dropped: set[int], budget: int) -> tuple[Signal | None, int]:
    """The signal, folded again from right before the first dropped event without the dropped ones, and the rest of the budget."""
    position = min(dropped) - 1
    signal = await signal_at(store, state.rules, key, Moment(position, 0))
    while page := await store.moves(key, position, state.head, PAGE):
        budget -= len(page)
        if budget < 0:
            raise InvalidInput(FieldError("drop", f"more than {MAX_REFOLDED} events of its signals came after; ask for later events"))
        for moved in page:
            event = moved.event
            position = event.position
            if position not in dropped:
                value, alpha = effect_of(event.type, bytes(event.payload))
                signal, _ = apply(
                    signal, key, event_type=event.type, value=value, alpha=alpha, now=from_text(event.timestamp),
                    position=position, rules=rules_at(state.rules, position), share=moved.share,
                )  # fmt: skip
    return signal, budget


async def _with(store: EventLog, ledger: Ledger, clock: LogClock, drafts: Sequence[Draft]) -> dict[Key, Signal]:
    """The states of the signals that the drafts move, after appending them to a ledger that only this question uses."""
    submission = Submission(drafts, batch=True)
    while True:
        findings = await look_up([submission], ledger, store, verify=True, thorough=True)
        try:
            planned = make_plan([submission], ledger, findings, clock)
        except LookAgain:
            continue
        if submission.refused:
            error = submission.answer.exception()
            assert error is not None
            raise _of_added(error)
        return planned.plan.signals if planned.plan is not None else {}


def _of_added(error: BaseException) -> BaseException:
    """The error with the paths of its fields below `add`."""
    if isinstance(error, InvalidInput):
        return type(error)(*[FieldError(f"add{field.field}", field.reason) for field in error.fields])
    return error
