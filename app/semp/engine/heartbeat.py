"""Notices that the database has fallen silent: its machine is frozen, the network drops packets, or the process was stopped.

A connection to such a database stays open, so nothing fails: requests would wait for their own time limits, which are long, because a
large transaction may take long. So a trivial query is asked every second on a connection of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from semp.domain.errors import StoreUnavailable
from semp.engine.ports import EventLog

log = logging.getLogger(__name__)
T = TypeVar("T")

INTERVAL = 1.0
"""Seconds between two questions."""
LIMIT = 3.5
"""Seconds that the database has for an answer. Together with INTERVAL, silence is noticed within 5 s."""


class Outage:
    """Logs the stack trace of an error once, however often it occurs until all is well again."""

    def __init__(self) -> None:
        self._known: set[tuple[type[BaseException], str]] = set()

    def log(self, logger: logging.Logger, message: str, error: BaseException) -> None:
        """Log the error with its stack trace, unless one of the same type was logged with this message since the last `over`."""
        kind = type(error), message
        if kind not in self._known:
            self._known.add(kind)
            logger.error("%s; it is not logged again until it works", message, exc_info=error)

    def over(self) -> None:
        """All is well."""
        self._known.clear()


class Calls:
    """What waits for an answer of the database, so that it can be ended when the database is silent for too long."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[Any]] = set()
        self._ended: set[asyncio.Future[Any]] = set()
        """Those of them that were cut off."""
        self._cut_off = False

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of the work.

        Raises:
            StoreUnavailable: also when it was cut off. Then it was cancelled, and what it wrote may or may not be stored.
        """
        call = asyncio.ensure_future(work)
        self._waiting.add(call)
        if self._cut_off:
            self._end(call)
        try:
            return await call
        except asyncio.CancelledError:
            if call in self._ended:
                raise StoreUnavailable("the database does not answer", retry_after=5) from None
            raise
        finally:
            self._waiting.discard(call)
            self._ended.discard(call)

    def cut_off(self) -> None:
        """End all work, and let no other begin. Safe to repeat."""
        self._cut_off = True
        for call in self._waiting:
            self._end(call)

    def _end(self, call: asyncio.Future[Any]) -> None:
        if call.cancel():
            self._ended.add(call)

    def resume(self) -> None:
        """Let work begin again."""
        self._cut_off = False


class Listener(Protocol):
    """What is told about the database, see `semp.engine.committer.Committer`."""

    def silent(self, seconds: float) -> float:
        """Nothing was heard of the database for so many seconds. Returns the seconds after which it wants to be told again."""
        ...

    def heard(self) -> None:
        """The database answers."""
        ...


async def listen(storage: EventLog, listener: Listener) -> None:
    """Ask until cancelled, and tell the listener each time."""
    now = asyncio.get_running_loop().time
    heard, within, silent = now(), LIMIT, False
    outage = Outage()
    while True:
        await asyncio.sleep(INTERVAL)
        try:
            await storage.heartbeat(within)
        except StoreUnavailable:
            if (seconds := now() - heard) < LIMIT:  # it is away, but not silent: those who need it find out themselves
                continue
            if not silent:
                log.error("the database has not answered anything for %.0f s", seconds)
            silent = True
            within = min(LIMIT, max(0.1, listener.silent(seconds)))
        except Exception as error:
            outage.log(log, "the database could not be asked whether it answers", error)
        else:
            outage.over()
            if silent:
                log.warning("the database answers again")
            heard, within, silent = now(), LIMIT, False
            listener.heard()
