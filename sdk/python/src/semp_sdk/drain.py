"""Sends the outbox to the service, in order, and retries for as long as it takes."""

from __future__ import annotations

import asyncio
import logging
import math

from semp_sdk.batching import MOST_BYTES, MOST_EVENTS, store
from semp_sdk.outbox import Outbox
from semp_sdk.pending import wait_for_parents
from semp_sdk.retry import RECONNECTS
from semp_sdk.transport import Transport

log = logging.getLogger("semp_sdk")


class Drain:
    """A background task between `start` and `close`. It never drops an event: refused ones are kept in `.rejected`."""

    def __init__(self, outbox: Outbox, transport: Transport) -> None:
        self.outbox = outbox
        self._transport = transport
        self._task: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()

    async def start(self) -> None:
        """Open the outbox, with the events that an earlier process left in it, and start.

        Raises:
            Busy: another process has it.
        """
        await asyncio.to_thread(self.outbox.open)
        self._task = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Stop; remaining events are sent after the next start. Safe to repeat."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self.outbox.close()

    async def empty(self) -> None:
        """Return when the service has answered every event."""
        while not self.outbox.empty:
            self._moved.clear()
            await self._moved.wait()

    async def _work(self) -> None:
        pauses = RECONNECTS.delays()
        while True:
            try:
                await self._forward()
                pauses = RECONNECTS.delays()
            except Exception:  # most likely a full disk; a retry loses nothing
                log.exception("the outbox %s could not be drained", self.outbox.path)
                await asyncio.sleep(next(pauses))

    async def _forward(self) -> None:
        outbox = self.outbox
        outbox.news.clear()
        parcel = await outbox.next(MOST_EVENTS, MOST_BYTES)
        if parcel is None:
            self._moved.set()
            await outbox.news.wait()
            return
        await wait_for_parents(parcel.bodies, math.inf)
        found = await store(self._transport, parcel.bodies, lambda error: log.warning("events cannot be sent: %s", error))
        refused = [(parcel.bodies[index], error) for index, error in sorted(found.items())]
        for _, error in refused:
            log.error("an event from the outbox was refused, see %s.rejected: %s", outbox.path.name, error)
        await outbox.sent(parcel, refused)
        self._moved.set()
