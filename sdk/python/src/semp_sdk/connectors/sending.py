"""Events on their way from a run to the service: in order, each once, by a thread that the run does not wait for."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from semp_sdk.batching import MOST_BYTES, MOST_EVENTS, store
from semp_sdk.errors import SempError
from semp_sdk.portal import Portal
from semp_sdk.transport import Transport

log = logging.getLogger("semp_sdk")

SILENT = 5.0
"""Seconds after which a service that does not answer is told of, once."""
AT_EXIT = 5.0
"""Seconds for what was not sent when the process ends."""
LINGER = 0.2
"""Seconds an event waits for others to go with it, unless somebody waits for the answer: a request costs the run's process as much as 50
events."""
REMEMBERED = 100_000
"""Events that were lost, whose causes still stand in for them, at most."""


class Told(NamedTuple):
    """An event as JSON, with its id and its causes."""

    id: str
    causes: tuple[str, ...]
    body: bytes


class Sender:
    """Sends what is put in, from a thread of its own that starts with the first event. Safe to use from any thread.

    Refers to nobody who uses it, so that the garbage collector notices when nobody does any more.
    """

    def __init__(self, url: str, capacity: int, headers: Mapping[str, str] | None) -> None:
        """`capacity`: events that may wait; what comes then is lost."""
        self.url = url
        self.capacity = capacity
        self.lost = 0
        """Events that will not be stored."""
        self._portal = Portal()
        self._transport = Transport(url, timeout=30.0, headers=headers)
        self._changed = threading.Condition()
        self._fresh: deque[Told] = deque()
        self._enough = max(1, min(MOST_EVENTS, capacity // 2))
        self._told = 0
        self._settled = 0
        self._awake = False
        self._hurry = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._closing = threading.Lock()
        self._closed = False
        self._said: set[str] = set()
        self._stand_ins: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        atexit.register(self.close)

    def put(self, told: Told) -> None:
        """Send it after all that were put in before."""
        with self._changed:
            room = self._told - self._settled < self.capacity and not self._closed
            if room:
                self._told += 1
                self._fresh.append(told)
            wake, self._awake = room and not self._awake, self._awake or room
            enough = room and len(self._fresh) == self._enough
        if not room:
            self.lose(told.id, told.causes, f"{self.capacity:,} events wait for {self.url}: what comes now is not told")
        elif wake:
            self._wake()
        elif enough:
            self._hasten()

    def present(self, parents: Sequence[str]) -> tuple[str, ...]:
        """The parents, each lost one replaced by what it would have followed from."""
        if not self._stand_ins:
            return tuple(dict.fromkeys(parents))
        found: dict[str, None] = {}
        waiting = list(reversed(parents))
        while waiting:
            parent = waiting.pop()
            with self._changed:
                causes = self._stand_ins.get(parent)
            if causes is None:
                found[parent] = None
            else:
                waiting += reversed(causes)
        return tuple(found)

    def lose(self, event_id: str, causes: tuple[str, ...], why: str) -> None:
        """This event will not be stored; its causes stand in for it."""
        with self._changed:
            self.lost += 1
            self._stand_ins[event_id] = causes
            if len(self._stand_ins) > REMEMBERED:
                self._stand_ins.popitem(last=False)
        self._say("lost", why)

    @property
    def heard(self) -> bool:
        """Whether the service has answered so far, as far as that was tried."""
        return "silent" not in self._said

    def flush(self, timeout: float | None) -> bool:
        """Wait until what was put in so far was answered. False: `timeout` seconds were not enough."""
        with self._changed:
            told = self._told
        if self._settled < told:
            self._hasten()
        with self._changed:
            return self._changed.wait_for(lambda: self._settled >= told, timeout)

    def close(self, timeout: float | None = None) -> None:
        """Send what waits, then end the thread. Safe to repeat. `timeout`: seconds; None: 5 s, or 0.5 s if the service is away."""
        timeout = (AT_EXIT if self.heard else 0.5) if timeout is None else timeout
        with self._closing:
            if self._closed:
                return
            self.flush(timeout)
            with self._changed:
                self._closed = True
                left = self._told - self._settled
                self.lost += left
                self._settled = self._told
            if left:
                log.warning("%d events were not told: %s did not answer", left, self.url)
            atexit.unregister(self.close)
            try:
                if self._sending is not None:
                    self._portal.call(self._shut, timeout)
                self._portal.close()
            except Exception as error:
                log.debug("closing: %s", error)

    def leave(self) -> None:
        """Close without waiting for it: nobody puts anything in any more. Safe wherever the garbage collector may run."""
        if not self._told:
            self.close()
        elif not self._closed:
            with contextlib.suppress(SempError):  # forked
                self._portal.submit(self._leave)

    # On the portal's thread

    def _wake(self) -> None:
        try:
            self._portal.submit(self._send)
        except Exception as error:  # a forked child, or an interpreter that is ending
            with self._changed:
                gone, self._settled = list(self._fresh), self._told
                self._fresh.clear()
                self._awake = False
                self._changed.notify_all()
            for told in gone:
                self.lose(told.id, told.causes, f"nothing can be told from here: {error}")

    def _hasten(self) -> None:
        async def hasten() -> None:
            self._hurry.set()

        with contextlib.suppress(SempError):  # forked
            self._portal.submit(hasten)

    async def _send(self) -> None:
        self._sending = asyncio.current_task()
        loop = asyncio.get_running_loop()
        while batch := await self._next():
            away = f"{self.url} does not answer; events wait for it, {self.capacity:,} at most"
            silent = loop.call_later(SILENT, self._say, "silent", away)
            try:
                refused = await store(self._transport, [told.body for told in batch])
            except Exception as error:
                log.exception("events could not be sent")
                refused = dict.fromkeys(range(len(batch)), error)
            finally:
                silent.cancel()
            for index, error in refused.items():
                self.lose(batch[index].id, batch[index].causes, f"an event was refused: {error}")
            with self._changed:
                self._settled += len(batch)
                self._changed.notify_all()

    async def _next(self) -> list[Told]:
        """What goes with the next request, after a while; nothing, if nothing came in that while."""
        if len(self._fresh) < self._enough:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER):
                    await self._hurry.wait()
        self._hurry.clear()
        batch: list[Told] = []
        size = 0
        with self._changed:
            while self._fresh and len(batch) < MOST_EVENTS and size < MOST_BYTES:
                batch.append(self._fresh.popleft())
                size += len(batch[-1].body)
            self._awake = bool(batch)
        return batch

    async def _leave(self) -> None:
        threading.Thread(target=self.close, daemon=True).start()

    async def _shut(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.wait([self._sending])
        await self._transport.close()

    def _say(self, what: str, text: str) -> None:
        if what not in self._said:
            self._said.add(what)
            log.warning("%s (told once)", text)
