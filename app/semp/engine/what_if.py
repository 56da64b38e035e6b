"""Signals as they would be without some events, or with others added. Nothing is written.

The causes of the other events, and the signals that these move, stay as they are in the log: without a proposal, its own effect on its
signal is gone, but the effects of the events that answered to it stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from semp.domain.clock import from_text
from semp.domain.errors import FieldError, InvalidInput
from semp.domain.event_types import effect_of
from semp.domain.events import Draft, Event
from semp.domain.signals import Key, Signal, apply, rules_at
from semp.engine.ledger import Ledger
from semp.engine.log_clock import LogClock
from semp.engine.pace import Pace
from semp.engine.past import Moment, signal_at
from semp.engine.planning import Builder, LookAgain, Submission, look_up
from semp.engine.ports import EventLog, SignalHistory
from semp.engine.records import LogState
from semp.engine.signal_map import FrozenSignals

PAGE = 500
"""Moves that one read returns, at most."""
MAX_REFOLDED = 100_000
"""Events that are folded again for one question, at most. A question that needs more is refused."""
MAX_MOVES = 2_000_000
"""Times that the added events move a signal, at most: a few seconds of work. A question that needs more is refused."""


class Outcome(msgspec.Struct, frozen=True):
    """A signal that the dropped or added events move: its states after the last event, None where it never existed."""

    key: Key
    would_be: Signal | None
    actual: Signal | None


class _Store(EventLog, SignalHistory, Protocol): ...


async def what_if(
    store: _Store, ledger: Ledger, clock: LogClock, drop: Sequence[str], add: Sequence[Draft], pace: Pace
) -> tuple[list[Outcome], int]:
    """The signals that the dropped or added events move, and the time of the question in milliseconds since 1970.

    Args:
        drop: ids of the events to leave out.
        add: events to append after all others, in this order. Their parents can be events of `add` or of the log.

    Raises:
        InvalidInput: an id of `drop` is unknown, an event of `add` cannot be appended, more than MAX_REFOLDED events would have to be
            folded again, or the events of `add` would move signals more than MAX_MOVES times.
        IdConflict: an event of `add` has an id that belongs to an event with other content.
        StoreUnavailable: the database cannot be reached.
    """
    state = ledger.state
    actual = ledger.signals.frozen()
    would_be: dict[Key, Signal | None] = {}
    dropped = await _known(store, drop)
    budget = MAX_REFOLDED
    for key, positions in (await _moved_by(store, dropped, pace)).items():
        would_be[key], budget = await _without(store, state, key, positions, budget, pace)
    now = clock.now(state)
    if add:
        would_be.update(await _with(store, _SupposedLedger(state, actual, would_be), LogClock(lambda: now), add, pace))
    return [Outcome(key, signal, actual.get(key)) for key, signal in would_be.items()], now


class _SupposedLedger(Ledger):
    """A ledger for one question: its signals are those of a frozen copy, except the supposed ones."""

    def __init__(self, state: LogState, actual: FrozenSignals, supposed: Mapping[Key, Signal | None]) -> None:
        super().__init__(state, ())
        self._actual = actual
        self._supposed = supposed

    def signal(self, key: Key) -> Signal | None:
        return self._supposed[key] if key in self._supposed else self._actual.get(key)


async def _known(store: EventLog, ids: Sequence[str]) -> list[Event]:
    events = await store.events(list(dict.fromkeys(ids)))
    if missing := [index for index, event_id in enumerate(ids) if event_id not in events]:
        raise InvalidInput(*[FieldError(f"drop[{index}]", f"no event has the id {ids[index]}") for index in missing[:10]])
    return list(events.values())


async def _moved_by(store: SignalHistory, events: Sequence[Event], pace: Pace) -> dict[Key, set[int]]:
    """The signals that these events aim at, each with the positions of the events that do."""
    positions: defaultdict[Key, set[int]] = defaultdict(set)
    for position, keys in (await store.aimed_at([event.position for event in events])).items():
        await pace.turn()
        for key in keys:
            positions[key].add(position)
        if len(positions) > MAX_REFOLDED:
            raise _too_much(MAX_REFOLDED)
    return positions


def _too_much(limit: int) -> InvalidInput:
    return InvalidInput(FieldError("drop", f"more than {limit} events of its signals came after; ask for later events"))


async def _without(
    store: SignalHistory, state: LogState, key: Key, dropped: set[int], budget: int, pace: Pace
) -> tuple[Signal | None, int]:
    """The signal, folded again from right before the first dropped event without the dropped ones, and the rest of the budget."""
    position = min(dropped) - 1
    signal = await signal_at(store, state.rules, key, Moment(position, 0))
    while page := await store.moves(key, position, state.head, PAGE):
        budget -= len(page)
        if budget < 0:
            raise _too_much(MAX_REFOLDED)
        await pace.turn()
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


async def _with(store: EventLog, ledger: Ledger, clock: LogClock, drafts: Sequence[Draft], pace: Pace) -> dict[Key, Signal]:
    """The states of the signals that the drafts move, after appending them to a ledger that only this question uses."""
    submission = Submission(drafts, batch=True)
    while True:
        findings = await look_up([submission], ledger, store, verify=True, thorough=True)
        if submission.refused:
            await submission.answer  # raises why
        builder = Builder(ledger, findings, clock, bounded=False)
        try:
            for _ in builder.steps(submission):
                if builder.moves > MAX_MOVES:
                    raise InvalidInput(FieldError("", f"together they move signals more than {MAX_MOVES} times; ask for fewer events"))
                await pace.turn()
        except LookAgain:
            continue
        except InvalidInput as error:
            raise _of_added(error) from None
        return builder.signals


def _of_added(error: InvalidInput) -> InvalidInput:
    """The error with the paths of its fields below `add`."""
    return type(error)(*[FieldError(f"add{field.field}", field.reason) for field in error.fields])
