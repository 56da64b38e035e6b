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
    """Takes what is committed after the mirror's position into its graph, in order, across reconnects.

    `await mirror.follow()` does so until it is cancelled; `asyncio.create_task(mirror.follow().run())` beside other work. With
    `async with mirror.follow() as live:` it happens during the block, and what went wrong is raised at its end. The graph changes only
    while the loop runs other code, that is, at an `await`. Ends of itself when the window the mirror selects is over, which shows with
    the first event past it.

    Raises:
        HistoryLost: the log is another one than the mirror's; fetch a new one.
    """

    def __init__(self, mirror: Followed, client: Client) -> None:
        self._mirror = mirror
        self._client = client
        self._news = asyncio.Event()
        wanted = mirror.selection
        self._stream: Stream[Event] = client.stream(
            scope=wanted.scope, trace_id=wanted.trace_id, after=mirror.position, epoch=mirror.epoch
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
        """Follow until cancelled, or until the selected window is over. Once only."""
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
        """Return once the mirror holds everything it selects up to this position, such as `Emitted.position`. Within `async with`.

        Raises:
            TimeoutError: not within `timeout` seconds.
            Unavailable: following has ended before; or whatever ended it.
        """
        async with asyncio.timeout(timeout):
            newest = position if self._mirror.selection.dense else await self._newest(position)
            while self._mirror.position < newest:
                self._check()
                self._news.clear()
                await self._news.wait()
            self._mirror.advance(position)

    async def _newest(self, position: int) -> int:
        """The newest event up to a position that the mirror selects: the stream is silent about all others, so the log is asked."""
        wanted = self._mirror.selection
        while not await self._client.events(after=position - 1, limit=1, order="asc"):
            self._check()
            await asyncio.sleep(POLL_SECONDS)
        found = await self._client.events(scope=wanted.scope, trace_id=wanted.trace_id, before=position + 1, limit=1)
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
