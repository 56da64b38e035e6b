"""The field of signals as it was: at any position or time, from what is kept with the events and from the nearest snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from semp.domain.clock import from_text
from semp.domain.signals import Key, Rules, Signal, rules_at
from semp.engine.ledger import fold
from semp.engine.ports import EventLog, SignalHistory
from semp.engine.records import LogState
from semp.engine.replay import entries

PROBES = 63
"""Positions looked at in one step of a search for a moment: a million events take four steps."""


class Moment(msgspec.Struct, frozen=True):
    """A place in the log's history."""

    position: int
    """Of the last event that counts; 0 before the first."""
    now: int
    """Milliseconds since 1970: what strengths are decayed to."""


class _Store(EventLog, SignalHistory, Protocol): ...


async def moment_of_position(store: SignalHistory, position: int) -> Moment:
    """Right after the event at a position that the log has, or before the first for 0."""
    times = await store.timestamps([position])
    return Moment(position, from_text(times[position]) if position in times else 0)


async def moment_of_time(store: SignalHistory, now: int, head: int) -> Moment:
    """At a time: every event up to it counts. A search, since positions are in the order of time."""
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
    """The state of one signal right after the event at a position, to the last bit what the fold made of it then.

    Three look-ups in the index of its own events, however old the log: the last that made its strength anew, the last that touched it,
    and its birth, where the rules have changed since.
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


async def field_at(store: _Store, state: LogState, moment: Moment) -> list[Signal]:
    """Every signal right after the event at a position: the nearest snapshot before it, and the log from there."""
    snapshot = await store.snapshot(moment.position)
    signals = {signal.key: signal for signal in snapshot.signals} if snapshot else dict[Key, Signal]()
    async for page in entries(store, moment.position, snapshot.position if snapshot else 0):
        for entry in page:
            fold(entry, signals.get, signals, from_text(entry.event.timestamp), rules_at(state.rules, entry.event.position))
    return list(signals.values())
