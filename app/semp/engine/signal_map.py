"""All signals in memory, by key. A consistent copy of a million of them takes no time, and later changes stay cheap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping

from semp.domain.signals import Key, Signal
from semp.engine.scope_index import ScopeIndex

SHARDS = 512
"""Parts of the map, a power of two. A part of a million signals has 2,000, so to copy or to grow one takes a tenth of a millisecond."""


class FrozenSignals:
    """The signals as they were at one moment. Later changes do not show."""

    def __init__(self, shards: list[dict[Key, Signal]]) -> None:
        self._shards = shards

    def __len__(self) -> int:
        return sum([len(shard) for shard in self._shards])

    def get(self, key: Key) -> Signal | None:
        """The state of a signal, None when there was none."""
        return self._shards[hash(key) % SHARDS].get(key)

    def values(self) -> Iterator[Signal]:
        """All states, in no particular order."""
        for shard in self._shards:
            yield from shard.values()


class SignalMap(MutableMapping[Key, Signal]):
    """The signals, in shards by the hash of the key, and an index of their scopes and patterns.

    A shard is copied before the first change after `frozen`, and only then (copy on write).
    """

    def __init__(self, signals: Iterable[Signal] = ()) -> None:
        self._shards: list[dict[Key, Signal]] = [{} for _ in range(SHARDS)]
        self._shared = bytearray(SHARDS)
        """For each shard: 1 while a frozen copy may use it."""
        for signal in signals:
            key = signal.key
            self._shards[hash(key) % SHARDS][key] = signal
        self.index = ScopeIndex(self)
        """The keys by scope and pattern. Only this class changes it."""

    def frozen(self) -> FrozenSignals:
        """The signals as they are now."""
        self._shared = bytearray(b"\x01" * SHARDS)
        return FrozenSignals(self._shards.copy())

    def _shard_to_change(self, key: Key) -> dict[Key, Signal]:
        number = hash(key) % SHARDS
        if self._shared[number]:
            self._shards[number] = self._shards[number].copy()
            self._shared[number] = 0
        return self._shards[number]

    def __getitem__(self, key: Key) -> Signal:
        return self._shards[hash(key) % SHARDS][key]

    def get(self, key: Key, default: Signal | None = None) -> Signal | None:  # type: ignore[override]
        return self._shards[hash(key) % SHARDS].get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self._shards[hash(key) % SHARDS]

    def __setitem__(self, key: Key, signal: Signal) -> None:
        shard = self._shard_to_change(key)
        if key not in shard:
            self.index.add(key)
        shard[key] = signal

    def __delitem__(self, key: Key) -> None:
        del self._shard_to_change(key)[key]
        self.index.discard(key)

    def __len__(self) -> int:
        return sum([len(shard) for shard in self._shards])

    def __iter__(self) -> Iterator[Key]:
        for shard in self._shards:
            yield from shard
