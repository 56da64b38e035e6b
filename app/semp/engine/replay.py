"""Rebuilds signals from the log alone, to check that the stored ones are right, and to repair them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

import msgspec

from semp.domain.clock import from_text
from semp.domain.signals import Key, Signal, rules_at
from semp.engine.access import SERVICE, Principal, require
from semp.engine.ledger import fold
from semp.engine.ports import EventLog, SignalHistory, SignalStore
from semp.engine.records import Entry, Snapshot

PAGE = 500
"""Entries that one read of the log returns, at most."""


class Difference(msgspec.Struct, frozen=True):
    """A signal whose stored state differs from the replayed one. None stands for absent."""

    key: Key
    stored: Signal | None
    replayed: Signal | None


class Part(msgspec.Struct, frozen=True):
    """A part of the log that was replayed, and what was compared at its end."""

    after: int
    """Position before its first event."""
    last: int
    """Position of its last event. Equal to `after` when a snapshot is at the end of the log: then only the stored signals were compared."""
    snapshot: Snapshot | None
    """What was compared: the snapshot at `last`. None for the part at the end of the log: the stored signals were compared."""
    differences: list[Difference]
    """In order of key."""


class _Store(EventLog, SignalStore, SignalHistory, Protocol): ...


async def entries(log: EventLog, upto: int, after: int = 0) -> AsyncIterator[list[Entry]]:
    """The entries after position `after` up to and including `upto`, in pages. The log must reach `upto`."""
    while after < upto:
        page = await log.read(after, min(PAGE, upto - after))
        yield page
        after = page[-1].event.position


async def verify(store: _Store, *, principal: Principal = SERVICE) -> list[Difference]:
    """The differences of all parts of the log, see `verify_parts`."""
    return [difference async for part in verify_parts(store, principal=principal) for difference in part.differences]


async def verify_parts(
    store: _Store,
    progress: Callable[[int], object] = int,
    *,
    begin: int = 1,
    end: int | None = None,
    principal: Principal = SERVICE,
) -> AsyncIterator[Part]:
    """Replay the log and compare every signal exactly: at each snapshot with the snapshot, and at the end with the stored signals.

    Each part is yielded when it is compared, in order. The replay goes on from what the log says, whatever was stored. For a signal that
    had faded at the end of a part, all faded states and absence count as equal, because it may have been swept. Memory grows with the
    signals alive, not with the log. Nothing may be appended meanwhile, or events that arrive during the replay can show up as differences.

    Args:
        progress: called after each page with the position reached.
        begin: position of the first event to replay. The replay starts at the last snapshot before it, and trusts that one.
        end: position of the last event to replay. The replay ends at the first snapshot from there on. None: the end of the log.

    Raises:
        Forbidden: the principal may not maintain what is stored.
    """
    require(principal, "maintain")
    state = await store.state()
    trusted = await store.snapshot(min(begin - 1, state.head))
    after, signals = (trusted.position, _by_key(trusted.signals)) if trusted else (0, {})
    for last in [*await store.snapshot_positions(after, state.head), None]:
        async for page in entries(store, last or state.head, after):
            for entry in page:
                fold(entry, signals.get, signals, from_text(entry.event.timestamp), rules_at(state.rules, entry.event.position))
            progress(page[-1].event.position)
        snapshot = await store.snapshot(last) if last else None
        now, stored = (snapshot.timestamp, snapshot.signals) if snapshot else (state.last_timestamp, await store.signals())
        part = Part(after, last or state.head, snapshot, _differences(_by_key(stored), signals, now))
        yield part
        if end is not None and part.last >= end:
            return
        after = part.last
        signals = {key: signal for key, signal in signals.items() if signal.strength_at(now)}


async def repair(store: _Store, part: Part, *, principal: Principal = SERVICE) -> None:
    """Overwrite the stored signals, or those of the snapshot, that differ with the replayed ones. Safe to repeat.

    Raises:
        Forbidden: the principal may not maintain what is stored; nothing was written.
    """
    require(principal, "maintain")
    replayed = [one.replayed for one in part.differences if one.replayed is not None]
    if part.snapshot is None:
        await store.put_signals(replayed)
        await store.sweep([one.stored for one in part.differences if one.replayed is None and one.stored is not None])
        return
    differing = {one.key for one in part.differences}
    right = [signal for signal in part.snapshot.signals if signal.key not in differing]
    right += [signal for signal in replayed if signal.strength_at(part.snapshot.timestamp)]
    await store.put_snapshot(msgspec.structs.replace(part.snapshot, signals=right), (await store.state()).epoch)


def _by_key(signals: Iterable[Signal]) -> dict[Key, Signal]:
    return {signal.key: signal for signal in signals}


def _differences(stored: dict[Key, Signal], replayed: dict[Key, Signal], now: int) -> list[Difference]:
    pairs = ((key, stored.get(key), replayed.get(key)) for key in sorted(stored.keys() | replayed.keys()))
    return [Difference(*pair) for pair in pairs if not _same(*pair[1:], now)]


def _same(stored: Signal | None, replayed: Signal | None, now: int) -> bool:
    if stored == replayed:
        return True
    return all(state is None or state.strength_at(now) == 0.0 for state in (stored, replayed))
