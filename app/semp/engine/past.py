"""Signals of the past, at any position or time. One signal comes from the moves stored with its events, all of them from a snapshot."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from semp.domain.clock import from_text
from semp.domain.signals import Key, Rules, Signal, rules_at
from semp.engine.ledger import fold
from semp.engine.pace import Pace
from semp.engine.ports import EventLog, SignalHistory
from semp.engine.records import LogState
from semp.engine.replay import entries

PROBES = 63
"""Positions that one step of the search for a time reads. A search in a million events takes four steps."""


class Moment(msgspec.Struct, frozen=True):
    """A place in the log's history."""

    position: int
    """Position of the last event that counts; 0: before the first event."""
    now: int
    """The time that strengths are computed for, milliseconds since 1970."""


class _Store(EventLog, SignalHistory, Protocol): ...


async def moment_of_position(store: SignalHistory, position: int) -> Moment:
    """The moment right after the event at a position, or before the first event for position 0. The log must have the position."""
    times = await store.timestamps([position])
    return Moment(position, from_text(times[position]) if position in times else 0)


async def moment_of_time(store: SignalHistory, now: int, head: int) -> Moment:
    """The moment at a time, milliseconds since 1970: all events up to it count, those of exactly that time included.

    It searches by timestamp, which works because timestamps never run backwards as positions grow.
    """
    low, high = 0, head
    while low < high:
        step = -(-(high - low) // PROBES)
        positions = [*range(low + step, high, step), high]
        times = await store.timestamps(positions)
        for position in positions:
            if position not in times or from_text(times[position]) > now:
                high = position - 1
                break
            low = position
    return Moment(low, now)


async def signal_at(store: SignalHistory, history: Sequence[Rules], key: Key, moment: Moment) -> Signal | None:
    """The state of one signal right after the event at a position, exactly as the fold computed it at that time.

    It takes at most three look-ups in the index of the signal's own events, for a log of any length: the last event that set its
    strength, the last event that touched it, and, if the rules ever changed, its birth.
    """
    upto = moment.position
    anew = await store.moves_back(key, 0, upto, 1, "anew")
    if not anew:
        return None
    [touched] = await store.moves_back(key, 0, upto, 1)
    [born] = anew if len(history) == 1 else await store.moves_back(key, 0, anew[0].event.position, 1, "birth")
    rules = rules_at(list(history), born.event.position)
    return Signal(
        *key, anew[0].after, rules.alpha, rules.lambda_, from_text(anew[0].event.timestamp),
        from_text(touched.event.timestamp), touched.event.position, rules.interval,
    )  # fmt: skip


async def field_at(store: _Store, state: LogState, moment: Moment, pace: Pace) -> Collection[Signal]:
    """The states of all signals right after the event at a position: the newest snapshot up to there, and the log from the snapshot on."""
    snapshot = await store.snapshot(moment.position)
    signals: dict[Key, Signal] = {}
    async for part in pace.slices(snapshot.signals if snapshot else ()):
        signals.update([(signal.key, signal) for signal in part])
    async for page in entries(store, moment.position, snapshot.position if snapshot else 0):
        await pace.turn()
        for entry in page:
            fold(entry, signals.get, signals, from_text(entry.event.timestamp), rules_at(state.rules, entry.event.position))
    return signals.values()
