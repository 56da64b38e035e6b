"""Sends events of a run to the service: in order, each once, from a background thread that the run does not wait for."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from semp_sdk import pending
from semp_sdk.batching import MOST_BYTES, MOST_EVENTS, store
from semp_sdk.errors import SempError
from semp_sdk.portal import Portal
from semp_sdk.transport import Transport

log = logging.getLogger("semp_sdk")

SILENCE_SECONDS = 5.0
"""A request without an answer for this long counts as an outage."""
EXIT_SECONDS = 5.0
"""Time to send pending events when the process ends."""
LINGER_SECONDS = 0.2
"""Time an event waits for others to share its request, unless somebody waits for the answer. A request costs as much CPU as 50 events."""
MAX_LOST = 100_000
"""Lost events that are remembered at most. Their parents replace them as parents of later events; beyond it the oldest are forgotten."""


class Outgoing(NamedTuple):
    """An event as JSON, with its id and its parents."""

    id: str
    causes: tuple[str, ...]
    body: bytes


class Sender:
    """Sends events from a thread of its own, which starts with the first event. Safe to use from any thread.

    An outage is one warning in the log: when events have waited for 5 seconds, when the first event finds no room, or at the end,
    whichever comes first. The outage has ended when the service has every event that waited.

    Holds no reference to its users, so that the garbage collector can close it with its last user.
    """

    def __init__(self, url: str, capacity: int, headers: Mapping[str, str] | None) -> None:
        """`capacity`: events that may be pending; further ones are lost."""
        self.url = url
        self.capacity = capacity
        self.lost = 0
        """Number of events that will not be stored."""
        self._away = False
        self._outage_logged = False
        self._portal = Portal()
        self._transport = Transport(url, timeout=30.0, headers=headers)
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._queue: deque[Outgoing] = deque()
        self._pending: set[str] = set()
        self._batch_size = max(1, min(MOST_EVENTS, capacity // 2))
        self._accepted = 0
        self._settled = 0
        self._awake = False
        self._send_now = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._closing = threading.Lock()
        self._closed = False
        self._refused = False
        self._replacements: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        atexit.register(self.close)
        pending.register(self)

    def put(self, event: Outgoing) -> None:
        """Send the event after all events before it. Never blocks and never raises."""
        if self._forked:
            return
        with self._changed:
            room = len(self._pending) < self.capacity and not self._closed
            if room:
                self._accepted += 1
                self._pending.add(event.id)
                self._queue.append(event)
            wake, self._awake = room and not self._awake, self._awake or room
            full = room and len(self._queue) == self._batch_size
        if not room:
            self._lose(event)
            if not self._closed:
                self._outage(f"{self.capacity:,} events wait for {self.url}, further events are lost")
        elif wake:
            self._wake()
        elif full:
            self._hurry()

    def refuse(self, event: Outgoing, reason: object) -> None:
        """The event will not be stored, because it is invalid. Its parents replace it."""
        self._lose(event)
        if not self._refused:
            self._refused = True
            log.warning("an event is lost: %s (logged once; `lost` counts all)", reason)

    def resolve(self, parents: Sequence[str]) -> tuple[str, ...]:
        """The parents, with each lost one replaced by its own parents."""
        if not self._replacements:
            return tuple(dict.fromkeys(parents))
        found: dict[str, None] = {}
        waiting = list(reversed(parents))
        while waiting:
            parent = waiting.pop()
            with self._changed:
                causes = self._replacements.get(parent)
            if causes is None:
                found[parent] = None
            else:
                waiting += reversed(causes)
        return tuple(found)

    @property
    def busy(self) -> bool:
        """Whether any event is pending."""
        return bool(self._pending) and not self._forked

    def has_any(self, ids: Collection[str]) -> bool:
        """Whether one of these events is pending."""
        with self._changed:
            return not self._pending.isdisjoint(ids)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until the service has answered every event so far. Returns False when that takes longer than `timeout` seconds."""
        if self._forked:
            return False
        with self._changed:
            target = self._accepted
        if self._settled < target:
            self._hurry()
        with self._changed:
            return self._changed.wait_for(lambda: self._settled >= target, timeout)

    def close(self, timeout: float | None = None) -> None:
        """Send pending events, then end the thread. Safe to repeat. `timeout`: seconds; None: 5 s, or 0.5 s in an outage."""
        if self._forked:
            return
        timeout = (0.5 if self._away else EXIT_SECONDS) if timeout is None else timeout
        with self._closing:
            if self._closed:
                return
            self.flush(timeout)
            with self._changed:
                self._closed = True
                left = self._pending.copy()
                self.lost += len(left)
            if left:
                self._outage(f"{self.url} does not answer, {len(left):,} events are lost")
            with self._changed:
                self._settle(left)
            atexit.unregister(self.close)
            try:
                if self._sending is not None:
                    self._portal.call(self._shut, timeout)
                self._portal.close()
            except Exception as error:
                log.debug("closing: %s", error)

    def close_soon(self) -> None:
        """Close in the background, when no user is left. Safe to call from the garbage collector."""
        if not self._accepted:
            self.close()
        elif not self._closed:
            with contextlib.suppress(SempError):  # forked
                self._portal.submit(self._close_soon)

    @property
    def _forked(self) -> bool:
        return os.getpid() != self._process

    def _lose(self, event: Outgoing) -> None:
        with self._changed:
            self.lost += 1
            self._replacements[event.id] = event.causes
            if len(self._replacements) > MAX_LOST:
                self._replacements.popitem(last=False)

    def _settle(self, ids: Collection[str]) -> None:
        self._pending.difference_update(ids)
        self._settled = self._accepted - len(self._pending)
        self._outage_logged = self._outage_logged and bool(self._pending)
        self._changed.notify_all()

    def _outage(self, what: str) -> None:
        with self._changed:
            self._away = True
            news, self._outage_logged = not self._outage_logged, True
        if news:
            log.warning("%s (logged once per outage)", what)

    def _wake(self) -> None:
        try:
            self._portal.submit(self._send)
        except Exception as error:  # an interpreter that is ending
            with self._changed:
                gone = list(self._queue)
                self._queue.clear()
                self._settle([event.id for event in gone])
                self._awake = False
            for event in gone:
                self.refuse(event, error)

    def _hurry(self) -> None:
        async def hurry() -> None:
            self._send_now.set()

        with contextlib.suppress(SempError):  # forked
            self._portal.submit(hurry)

    # On the portal's thread

    async def _send(self) -> None:
        self._sending = asyncio.current_task()
        while batch := await self._next():
            refused = await self._stored(batch)
            for index, error in refused.items():
                self.refuse(batch[index], error)
            with self._changed:
                self._settle([event.id for event in batch])

    async def _stored(self, batch: list[Outgoing]) -> Mapping[int, Exception]:
        def trouble(error: object = "") -> None:
            self._outage(f"{self.url} does not answer, events wait for it, {self.capacity:,} at most{error and f': {error}'}")

        silent = asyncio.get_running_loop().call_later(SILENCE_SECONDS, trouble)
        try:
            refused = await store(self._transport, [event.body for event in batch], trouble)
        except Exception as error:
            log.exception("events could not be sent")
            return dict.fromkeys(range(len(batch)), error)
        else:
            self._away = False
            return refused
        finally:
            silent.cancel()

    async def _next(self) -> list[Outgoing]:
        """The events of the next request; empty when none came for `LINGER_SECONDS`."""
        if len(self._queue) < self._batch_size:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER_SECONDS):
                    await self._send_now.wait()
        self._send_now.clear()
        batch: list[Outgoing] = []
        size = 0
        with self._changed:
            while self._queue and len(batch) < MOST_EVENTS and size < MOST_BYTES:
                batch.append(self._queue.popleft())
                size += len(batch[-1].body)
            self._awake = bool(batch)
        return batch

    async def _close_soon(self) -> None:
        threading.Thread(target=self.close, daemon=True).start()

    async def _shut(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.wait([self._sending])
        await self._transport.close()
