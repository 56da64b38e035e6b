"""Finds out who holds the event loop: a thread looks at the stack of the loop's thread when the loop is late. For tests and debugging."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple, Self

log = logging.getLogger(__name__)

LIMIT = 0.02
"""Seconds that work may hold the event loop. All others wait as long."""
DEPTH = 12
"""Innermost frames that a report names."""


class Hold(NamedTuple):
    """A time during which the event loop ran nothing else."""

    seconds: float
    processor_seconds: float
    """Processor time of the loop's thread meanwhile. Much less than `seconds`: the thread waited, for a lock, a disk or a busy machine."""
    stack: str
    """What the thread was doing when the loop had been late for `limit` seconds."""


def log_hold(hold: Hold) -> None:
    """Log a hold as a warning."""
    milliseconds, processor = round(hold.seconds * 1000), round(hold.processor_seconds * 1000)
    log.warning("the event loop was held for %d ms (processor time %d ms) by\n%s", milliseconds, processor, hold.stack)


class LoopWatchdog:
    """Watches the running event loop while it is entered, and reports each time that something holds it.

    A timer of the loop beats four times in `limit`. A thread checks it. When the beat is late, it takes the stack of the loop's thread.

    Args:
        report: called in the loop after each hold.
        limit: seconds, above 0.
    """

    def __init__(self, report: Callable[[Hold], object] = log_hold, limit: float = LIMIT) -> None:
        self._report = report
        self._limit = limit
        self._interval = limit / 4
        self._stopped = threading.Event()
        self.caught: str | None = None
        """The stack of the work that holds the loop now, once it was seen."""

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._watched = threading.get_ident()
        self._beaten, self._used = time.perf_counter(), time.thread_time()
        self._timer = self._loop.call_later(self._interval, self._beat)
        self._thread = threading.Thread(target=self._watch, name="loop-watchdog", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._stopped.set()
        self._thread.join()
        self._report_caught()

    def _beat(self) -> None:
        self._report_caught()
        self._beaten, self._used = time.perf_counter(), time.thread_time()
        self._timer = self._loop.call_later(self._interval, self._beat)

    def _report_caught(self) -> None:
        seconds, used = time.perf_counter() - self._beaten, time.thread_time() - self._used
        caught, self.caught = self.caught, None
        if caught is not None:
            self._report(Hold(seconds - self._interval, used, caught))

    def _watch(self) -> None:
        while not self._stopped.wait(self._interval):
            if self.caught is None and time.perf_counter() - self._beaten > self._interval + self._limit:
                frame = sys._current_frames().get(self._watched)  # pyright: ignore[reportPrivateUsage] - the documented way
                if frame is not None:
                    self.caught = _text_of(frame)


def _text_of(frame: FrameType) -> str:
    return "".join(traceback.format_list(traceback.extract_stack(frame)[-DEPTH:]))
