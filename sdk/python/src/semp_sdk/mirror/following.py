"""A mirror that is kept current."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from semp_sdk.errors import Unavailable
from semp_sdk.events import Event
from semp_sdk.mirror.selection import Row
from semp_sdk.stream import Stream

if TYPE_CHECKING:
    from semp_sdk.client import Client
    from semp_sdk.mirror.mirror import Mirror

ASK_EVERY = 1.0
"""Seconds after which a question that may have been lost with its connection is asked again."""


class Following:
    """Takes what is committed after the mirror's position into its graph, in order, across reconnects.

    `await mirror.follow()` does so until it is cancelled; `asyncio.create_task(mirror.follow().run())` beside other work. With
    `async with mirror.follow() as live:` it happens during the block, and what went wrong is raised at its end. The graph changes only
    while the loop runs other code, that is, at an `await`. Ends of itself when the window the mirror selects is over, which shows with
    the first event past it.

    Raises:
        HistoryLost: the log is another one than the mirror's; fetch a new one.
    """

    def __init__(self, mirror: Mirror, client: Client) -> None:
        self._mirror = mirror
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
                mirror.graph.graph["position"] = event.position
        finally:
            await self._stream.close()

    async def reached(self, position: int, timeout: float | None = None) -> None:
        """Return once the mirror holds everything it selects up to this position, such as `Emitted.position`. Within `async with`.

        Raises:
            TimeoutError: not within `timeout` seconds.
            Unavailable: following has ended before; or whatever ended it.
        """
        async with asyncio.timeout(timeout):
            while self._mirror.position < position:
                if self._task is None or self._task.done():
                    if self._task is not None and not self._task.cancelled() and (failure := self._task.exception()) is not None:
                        raise failure
                    raise Unavailable(f"the mirror is not followed any more and stands at {self._mirror.position}")
                with suppress(TimeoutError):
                    async with asyncio.timeout(ASK_EVERY):
                        graph = self._mirror.graph.graph
                        graph["position"] = max(graph["position"], await self._stream.ask())


def _row(event: Event) -> Row:
    return Row(
        event.id, event.type, event.scope, event.trace_id, event.agent_id, event.parent_ids, event.timestamp, event.payload, event.position
    )  # fmt: skip
