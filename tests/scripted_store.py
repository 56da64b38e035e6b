"""A store in memory whose calls fail, wait or lose their answer when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from semp.domain.errors import StoreFull, StoreOverloaded, StoreUnavailable
from semp.engine.planning import Recorded
from semp.storage.memory.store import MemoryStore

from tests.strategies import whole_log


class Scripted:
    """A MemoryStore on which single calls can be held, failed before they do anything, or failed after they did it."""

    def __init__(self, inner: MemoryStore | None = None) -> None:
        self.inner = inner or MemoryStore()
        self.script: dict[str, list[str]] = {}
        """For each method, one word for each of its next calls: `before` and `after` raise StoreUnavailable there,
        `overload` raises StoreOverloaded, `hold` waits for `release`, `ok` does nothing. `rollback`, for `turn` alone, raises
        StoreUnavailable before the commit."""
        self.away = False
        self.full = False
        self.held = asyncio.Event()
        self.release = asyncio.Event()
        self.calls: list[str] = []
        self.between: Callable[[], Awaitable[object]] | None = None
        """Runs once, at the next injected fault."""

    async def _fault(self, when: str, step: str) -> None:
        if self.away or when == step:
            if self.between is not None:
                work, self.between = self.between, None
                await work()
            raise StoreUnavailable("injected")

    async def _enter(self, name: str) -> str:
        self.calls.append(name)
        step = (self.script.get(name) or ["ok"]).pop(0) if self.script.get(name) else "ok"
        if step == "hold":
            self.held.set()
            await self.release.wait()
        if step == "overload":
            raise StoreOverloaded("injected")
        await self._fault("before", step)
        return step

    def require_room(self) -> None:
        if self.full:
            raise StoreFull("the disk is full")

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            step = await self._enter(name)
            answer = await method(*arguments, **named)
            await self._fault("after", step)
            return answer

        return call

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[Any]:
        step = await self._enter("turn")
        async with self.inner.turn() as turn:
            yield turn
            if step == "rollback":
                raise StoreUnavailable("injected before the commit")
        await self._fault("after", step)


def positions(recorded: list[Recorded]) -> list[int]:
    return [one.event.position for one in recorded]


async def ids_in(store: MemoryStore) -> list[str]:
    return [entry.event.id for entry in await whole_log(store)]
