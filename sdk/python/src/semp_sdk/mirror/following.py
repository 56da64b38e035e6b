"""A mirror that is kept current."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import suppress
from types import TracebackType
from typing import Protocol

from semp_sdk.client import Client
from semp_sdk.errors import Unavailable
from semp_sdk.events import Event
from semp_sdk.mirror.selection import Row, Selection
from semp_sdk.stream import Stream

POLL_SECONDS = 0.1
"""Pause between two requests that ask whether the log has reached a position."""


class Followed(Protocol):
    """What `Following` needs of a mirror."""

    selection: Selection

    @property
    def position(self) -> int: ...
    @property
    def epoch(self) -> str: ...
    def selects(self, row: Row) -> bool: ...
    def add(self, rows: list[Row]) -> None: ...
    def advance(self, position: int) -> None: ...


class Following:
    """Adds events committed after the mirror's position to its graph, in order, across reconnects.

    `await mirror.follow()` runs until it is cancelled; `asyncio.create_task(mirror.follow().run())` runs it in the background. With
    `async with mirror.follow() as live:` it runs during the block, and an error is raised at the end of the block. The graph changes only
    at an `await`. Following ends by itself when the mirror's selection has an end: with the first event past it.

    Raises:
        HistoryLost: the log was replaced; fetch a new mirror.
    """

    def __init__(self, mirror: Followed, client: Client) -> None:
        self._mirror = mirror
        self._client = client
        self._news = asyncio.Event()
        selection = mirror.selection
        self._stream: Stream[Event] = client.stream(
            scope=selection.scope, trace_id=selection.trace_id, after=mirror.position, epoch=mirror.epoch
        )  # fmt: skip
        self._task: asyncio.Task[None] | None = None

    def __await__(self) -> Generator[None, None, None]:
        return self.run().__await__()

    async def __aenter__(self) -> Following:
        await self._stream.connect()
        self._task = asyncio.create_task(self.run())
        self._task.add_done_callback(lambda _: self._news.set())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait([task])
        if not task.cancelled() and (failure := task.exception()) is not None and error is None:
            raise failure

    async def run(self) -> None:
        """Follow until cancelled, or until the selection ends. Call it only once."""
        mirror = self._mirror
        try:
            async for event in self._stream:
                if mirror.selection.ended(event.position, event.timestamp):
                    return
                row = _row(event)
                if mirror.selects(row):
                    mirror.add([row])
                mirror.advance(event.position)
                self._news.set()
        finally:
            await self._stream.close()

    async def reached(self, position: int, timeout: float | None = None) -> None:
        """Return once the mirror holds every selected event up to this position, such as `Emitted.position`. Use it within `async with`.

        Raises:
            TimeoutError: not within `timeout` seconds.
            Unavailable: following has ended. If an error ended it, that error is raised instead.
        """
        async with asyncio.timeout(timeout):
            newest = position if self._mirror.selection.dense else await self._newest(position)
            while self._mirror.position < newest:
                self._check()
                self._news.clear()
                await self._news.wait()
            self._mirror.advance(position)

    async def _newest(self, position: int) -> int:
        """Position of the newest selected event up to a position. The stream skips all other events, so this is read from the log."""
        selection = self._mirror.selection
        while not await self._client.events(after=position - 1, limit=1, order="asc"):
            self._check()
            await asyncio.sleep(POLL_SECONDS)
        found = await self._client.events(scope=selection.scope, trace_id=selection.trace_id, before=position + 1, limit=1)
        return found[0].position if found else 0

    def _check(self) -> None:
        task = self._task
        if task is None or task.done():
            if task is not None and not task.cancelled() and (failure := task.exception()) is not None:
                raise failure
            raise Unavailable(f"the mirror is not followed any more and stands at {self._mirror.position}")


def _row(event: Event) -> Row:
    return Row(
        event.id, event.type, event.scope, event.trace_id, event.agent_id, event.parent_ids, event.timestamp, event.payload, event.position
    )  # fmt: skip
