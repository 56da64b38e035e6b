"""Rebuilds signals from the log alone, to check that the stored ones are right, and to repair them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

import msgspec

from semp.domain.clock import from_text
from semp.domain.signals import Key, Signal, rules_at
from semp.engine.access import SERVICE, Principal, require
from semp.engine.ledger import fold
from semp.engine.ports import EventLog, SignalStore
from semp.engine.records import Entry, LogState

PAGE = 500
"""Entries that one read of the log returns, at most."""


class Difference(msgspec.Struct, frozen=True):
    """A signal whose stored state differs from the replayed one. None stands for absent."""

    key: Key
    stored: Signal | None
    replayed: Signal | None


class _Store(EventLog, SignalStore, Protocol): ...


async def entries(log: EventLog, upto: int, after: int = 0) -> AsyncIterator[list[Entry]]:
    """The entries after position `after` up to and including `upto`, in pages. The log must reach `upto`."""
    while after < upto:
        page = await log.read(after, min(PAGE, upto - after))
        yield page
        after = page[-1].event.position


async def replay(log: EventLog, state: LogState, progress: Callable[[int], object] = int) -> dict[Key, Signal]:
    """Fold the whole log up to `state.head` into signals, with the rules that were in force at each position.

    Args:
        progress: called after each page with the position reached.
    """
    signals: dict[Key, Signal] = {}
    async for page in entries(log, state.head):
        for entry in page:
            fold(entry, signals.get, signals, from_text(entry.event.timestamp), rules_at(state.rules, entry.event.position))
        progress(page[-1].event.position)
    return signals


async def verify(store: _Store, progress: Callable[[int], object] = int, *, principal: Principal = SERVICE) -> list[Difference]:
    """Compare every stored signal with the replay, exactly; returns the differences in order of key.

    For a signal that had faded at the newest event, all faded states and absence count as equal, because it may have been swept. Nothing
    may be appended meanwhile, or events that arrive during the replay can show up as differences.

    Raises:
        Forbidden: the principal may not maintain what is stored.
    """
    require(principal, "maintain")
    state = await store.state()
    stored = {signal.key: signal for signal in await store.signals()}
    replayed = await replay(store, state, progress)
    return [
        Difference(key, stored.get(key), replayed.get(key))
        for key in sorted(stored.keys() | replayed.keys())
        if not _same(stored.get(key), replayed.get(key), state.last_timestamp)
    ]


async def repair(store: SignalStore, differences: Sequence[Difference], *, principal: Principal = SERVICE) -> None:
    """Overwrite the stored signals that differ with the replayed ones. Safe to repeat.

    Raises:
        Forbidden: the principal may not maintain what is stored; nothing was written.
    """
    require(principal, "maintain")
    await store.put_signals([one.replayed for one in differences if one.replayed is not None])
    await store.sweep([one.stored for one in differences if one.replayed is None and one.stored is not None])


def _same(stored: Signal | None, replayed: Signal | None, now: int) -> bool:
    if stored == replayed:
        return True
    return all(state is None or state.strength_at(now) == 0.0 for state in (stored, replayed))
