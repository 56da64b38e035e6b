"""Events on their way from a run to the service: in order, each once, by a thread that the run does not wait for."""

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

SILENT = 5.0
"""Seconds without an answer that count as an outage."""
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

    An outage is one line in the log, of level warning: when events have waited for 5 seconds, when the first one finds no room, or at the
    end, whichever is first. It is over when the service has all that waited.

    Refers to nobody who uses it, so that the garbage collector notices when nobody does any more.
    """

    def __init__(self, url: str, capacity: int, headers: Mapping[str, str] | None) -> None:
        """`capacity`: events that may wait; what comes then is lost."""
        self.url = url
        self.capacity = capacity
        self.lost = 0
        """Events that will not be stored."""
        self._away = False
        self._outage_said = False
        self._portal = Portal()
        self._transport = Transport(url, timeout=30.0, headers=headers)
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._fresh: deque[Told] = deque()
        self._under_way: set[str] = set()
        self._enough = max(1, min(MOST_EVENTS, capacity // 2))
        self._told = 0
        self._settled = 0
        self._awake = False
        self._hurry = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._closing = threading.Lock()
        self._closed = False
        self._refused = False
        self._stand_ins: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        atexit.register(self.close)
        pending.register(self)

    def put(self, told: Told) -> None:
        """Send it after all that were put in before."""
        if self._forked:
            return
        with self._changed:
            room = len(self._under_way) < self.capacity and not self._closed
            if room:
                self._told += 1
                self._under_way.add(told.id)
                self._fresh.append(told)
            wake, self._awake = room and not self._awake, self._awake or room
            enough = room and len(self._fresh) == self._enough
        if not room:
            self._give_up(told)
            if not self._closed:
                self._outage(f"{self.capacity:,} events wait for {self.url}, what comes now is not told")
        elif wake:
            self._wake()
        elif enough:
            self._hasten()

    def refuse(self, told: Told, reason: object) -> None:
        """It will not be stored, since there is something wrong with it; its causes stand in for it."""
        self._give_up(told)
        if not self._refused:
            self._refused = True
            log.warning("an event is not told: %s (said once; see what is lost)", reason)

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

    @property
    def busy(self) -> bool:
        """Whether events are under way."""
        return bool(self._under_way) and not self._forked

    def carries(self, ids: Collection[str]) -> bool:
        """Whether one of these events is under way."""
        with self._changed:
            return not self._under_way.isdisjoint(ids)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until what was put in so far was answered. False: `timeout` seconds were not enough."""
        if self._forked:
            return False
        with self._changed:
            told = self._told
        if self._settled < told:
            self._hasten()
        with self._changed:
            return self._changed.wait_for(lambda: self._settled >= told, timeout)

    def close(self, timeout: float | None = None) -> None:
        """Send what waits, then end the thread. Safe to repeat. `timeout`: seconds; None: 5 s, or 0.5 s in an outage."""
        if self._forked:
            return
        timeout = (0.5 if self._away else AT_EXIT) if timeout is None else timeout
        with self._closing:
            if self._closed:
                return
            self.flush(timeout)
            with self._changed:
                self._closed = True
                left = self._under_way.copy()
                self.lost += len(left)
            if left:
                self._outage(f"{self.url} does not answer, {len(left):,} events are not told")
            with self._changed:
                self._settle(left)
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

    @property
    def _forked(self) -> bool:
        return os.getpid() != self._process

    def _give_up(self, told: Told) -> None:
        with self._changed:
            self.lost += 1
            self._stand_ins[told.id] = told.causes
            if len(self._stand_ins) > REMEMBERED:
                self._stand_ins.popitem(last=False)

    def _settle(self, ids: Collection[str]) -> None:
        self._under_way.difference_update(ids)
        self._settled = self._told - len(self._under_way)
        self._outage_said = self._outage_said and bool(self._under_way)
        self._changed.notify_all()

    def _outage(self, what: str) -> None:
        with self._changed:
            self._away = True
            news, self._outage_said = not self._outage_said, True
        if news:
            log.warning("%s (said once in an outage)", what)

    def _wake(self) -> None:
        try:
            self._portal.submit(self._send)
        except Exception as error:  # an interpreter that is ending
            with self._changed:
                gone = list(self._fresh)
                self._fresh.clear()
                self._settle([told.id for told in gone])
                self._awake = False
            for told in gone:
                self.refuse(told, error)

    def _hasten(self) -> None:
        async def hasten() -> None:
            self._hurry.set()

        with contextlib.suppress(SempError):  # forked
            self._portal.submit(hasten)

    # On the portal's thread

    async def _send(self) -> None:
        self._sending = asyncio.current_task()
        while batch := await self._next():
            refused = await self._stored(batch)
            for index, error in refused.items():
                self.refuse(batch[index], error)
            with self._changed:
                self._settle([told.id for told in batch])

    async def _stored(self, batch: list[Told]) -> Mapping[int, Exception]:
        def trouble(error: object = "") -> None:
            self._outage(f"{self.url} does not answer, events wait for it, {self.capacity:,} at most{error and f': {error}'}")

        silent = asyncio.get_running_loop().call_later(SILENT, trouble)
        try:
            refused = await store(self._transport, [told.body for told in batch], trouble)
        except Exception as error:
            log.exception("events could not be sent")
            return dict.fromkeys(range(len(batch)), error)
        else:
            self._away = False
            return refused
        finally:
            silent.cancel()

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
