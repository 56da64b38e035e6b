"""Cursors in memory."""

from __future__ import annotations

from semp.domain.clock import Clock
from semp.engine.records import Cursor, Fenced, Lease, LogReplaced, LogState
from semp.storage.memory.leases import MemoryLeases


class MemoryCursors(MemoryLeases):
    """Implements `semp.engine.ports.CursorStore`."""

    current: LogState

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._cursors: dict[str, Cursor] = {}

    async def cursor(self, name: str) -> Cursor | None:
        return self._cursors.get(name)

    async def cursors(self, prefix: str = "") -> list[Cursor]:
        return [self._cursors[name] for name in sorted(self._cursors) if name.startswith(prefix)]

    async def advance(self, name: str, position: int, epoch: str, *, under: Lease | None = None, back: bool = False) -> Cursor:
        if under is not None and not self.holds(under):
            raise Fenced
        cursor = self._cursors.get(name)
        if epoch != self.current.epoch or position > self.current.head:
            raise LogReplaced
        if cursor is not None and cursor.epoch != epoch and not back:
            raise LogReplaced
        if cursor is None or back or cursor.position < position:
            cursor = self._cursors[name] = Cursor(name, epoch, position)
        return cursor

    async def delete_cursor(self, name: str) -> bool:
        return self._cursors.pop(name, None) is not None
