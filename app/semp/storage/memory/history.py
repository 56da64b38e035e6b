"""The moves of signals in the past, and snapshots of all signals, in memory."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice

from semp.domain.event_types import LOWERING, RAISING_OR_LOWERING
from semp.domain.signals import Key
from semp.engine.ledger import kept
from semp.engine.records import Entry, Kind, Moved, Snapshot


class MemoryHistory:
    """Implements `semp.engine.ports.SignalHistory`."""

    log: list[Entry]

    def __init__(self) -> None:
        self.history: defaultdict[Key, list[Moved]] = defaultdict(list)
        self.snapshots: dict[int, Snapshot] = {}

    def keep(self, entry: Entry) -> None:
        """Record the moves of an entry that was appended."""
        for move in kept(entry):
            self.history[move.scope, move.pattern].append(Moved(entry.event, move.before, move.after, move.share))

    async def count_moves(self, key: Key, upto: int, look: int) -> int:
        return min(look, len(self._between(key, 0, upto)))

    async def moves(self, key: Key, after: int, upto: int, limit: int) -> list[Moved]:
        moves = self.history.get(key, [])
        return [moves[index] for index in self._between(key, after, upto)[:limit]]

    async def moves_back(self, key: Key, after: int, upto: int, limit: int, kind: Kind = "any") -> list[Moved]:
        moves = self.history.get(key, [])
        back = (moves[index] for index in reversed(self._between(key, after, upto)))
        return list(islice((moved for moved in back if _is(moved, kind)), limit))

    async def aimed_at(self, positions: Sequence[int]) -> dict[int, list[Key]]:
        entries = [self.log[position - 1] for position in positions]
        return {entry.event.position: [(move.scope, move.pattern) for move in kept(entry)] for entry in entries}

    async def timestamps(self, positions: Sequence[int]) -> dict[int, str]:
        return {position: self.log[position - 1].event.timestamp for position in positions if 0 < position <= len(self.log)}

    async def put_snapshot(self, snapshot: Snapshot, epoch: str) -> None:  # noqa: ARG002 - the epoch of this log never changes
        self.snapshots[snapshot.position] = snapshot

    async def newest_snapshot(self, upto: int) -> tuple[int, int]:
        newest = await self.snapshot(upto)
        return (newest.position, len(newest.signals)) if newest is not None else (0, 0)

    async def snapshot_positions(self, after: int, upto: int) -> list[int]:
        return sorted(position for position in self.snapshots if after < position <= upto)

    async def snapshot(self, upto: int) -> Snapshot | None:
        return self.snapshots.get(max((position for position in self.snapshots if position <= upto), default=0))

    def _between(self, key: Key, after: int, upto: int) -> range:
        """The indexes of the moves of a signal between two positions."""
        moves = self.history.get(key, [])
        return range(bisect_right(moves, after, key=_position), bisect_right(moves, upto, key=_position))


def _position(moved: Moved) -> int:
    return moved.event.position


def _is(moved: Moved, kind: Kind) -> bool:
    if kind == "any":
        return True
    return moved.event.type not in LOWERING if moved.before == 0 else kind == "anew" and moved.event.type in RAISING_OR_LOWERING
