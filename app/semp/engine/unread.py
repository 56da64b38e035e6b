"""Signals that storage has and this process has not read yet, because they were too many to read before it is ready.

They are read in the background, page by page, in their state right after one position: the head of the log at the start. Nothing moves a
signal in memory before its state at that position is known: planning and catching up read the signals that they need by key. So a signal
that is in memory is always in its newest state, and a page that has an older or a newer one never overwrites it. See
docs/decisions/0028.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from semp.domain.errors import StoreUnavailable
from semp.domain.signals import Key, Signal
from semp.engine.heartbeat import Outage
from semp.engine.ports import EventLog, SignalStore

if TYPE_CHECKING:
    from semp.engine.ledger import Ledger

log = logging.getLogger(__name__)

PAGE = 500
"""Signals that are read at once: storage decodes them in one piece, in some milliseconds."""
DELAY = 1.0
"""Seconds until the first page, so that the start and its first requests come first."""
PAUSE = 0.05
"""Seconds between two looks whether the ledger has caught up."""
RETRY = 1.0
"""Seconds until the next attempt when reading has failed."""


class Unread:
    """Which signals are not read yet. Every signal that is not in memory, and not known to be absent, may be one.

    Args:
        position: position of the log that the signals are read at.
    """

    def __init__(self, position: int) -> None:
        self.position = position
        self.absent: set[Key] = set()
        """Signals that did not exist at the position."""
        self.missed: set[Key] = set()
        """Signals that plans needed in vain. The next look-up reads them."""
        self.newest = position
        """The newest position that a stored signal was seen at."""
        self.wanted = asyncio.Event()
        """Set when somebody waits for all signals. Then they are read without pauses."""
        self.over = asyncio.Event()
        """Set when all signals are in memory, or when the log was replaced."""


async def read_by_key(ledger: Ledger, store: EventLog, keys: Iterable[Key]) -> None:
    """See to it that the ledger knows the states of these signals.

    Raises:
        StoreUnavailable: the database cannot be reached.
    """
    if (unread := ledger.unread) is None:
        return
    missing = [key for key in dict.fromkeys(keys) if not ledger.knows(key)]
    if missing:
        ledger.add_read(unread, missing, await store.signals_of(missing, unread.position, ledger.state.rules))


def noting_missed(ledger: Ledger, missed: set[Key]) -> Callable[[Key], Signal | None]:
    """`Ledger.signal`, but those signals that are not read yet are added to `missed`."""
    if ledger.unread is None:
        return ledger.signal

    def signal_or_missed(key: Key) -> Signal | None:
        signal = ledger.signal(key)
        if signal is None and not ledger.knows(key):
            missed.add(key)
        return signal

    return signal_or_missed


class _Store(EventLog, SignalStore, Protocol): ...


async def read_all(store: _Store, ledger: Ledger, poll: Callable[[], object]) -> None:
    """Read what is unread until the ledger has all signals. Half of the time is left to other work, unless somebody waits for the signals.

    When all pages are read, the ledger must still reach the newest event that may have changed a page: the signals that it moved are
    skipped in the pages, and catching up reads them by key. Such a signal may show before the head of the log does.

    Args:
        poll: makes the committer look for events of other replicas soon.
    """
    if (unread := ledger.unread) is None:
        return
    outage = Outage()
    last: Key | None = ("", "")
    head: int | None = None
    now = asyncio.get_running_loop().time
    await _pause(unread, DELAY)
    while ledger.unread is unread:
        try:
            if last is not None:
                began = now()
                page = await store.signals_after(last, PAGE)
                ledger.add_read(unread, (), page)
                last = page[-1].key if len(page) == PAGE else None
                await _pause(unread, now() - began)
            elif head is None:
                head = max((await store.state()).head, unread.newest)
            elif ledger.state.head >= head:
                ledger.all_read()
            else:
                poll()
                await asyncio.sleep(PAUSE)
        except StoreUnavailable:
            await asyncio.sleep(RETRY)
        except Exception as error:
            outage.log(log, "reading the signals failed", error)
            await asyncio.sleep(RETRY)
        else:
            outage.over()


async def _pause(unread: Unread, seconds: float) -> None:
    """Leave so many seconds to other work, unless somebody waits for all signals."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await unread.wanted.wait()
