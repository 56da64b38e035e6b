"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable


def eventually(what: str, condition: Callable[[], object], within: float) -> None:
    """Look until the condition is true; fail with `what` after so many seconds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(0.02)


async def until(condition: Callable[[], object], within: float = 30.0) -> None:
    """The same on an event loop, by the loop's clock; the condition may be a coroutine function."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        found = condition()
        if await found if inspect.isawaitable(found) else found:
            return
        assert asyncio.get_running_loop().time() < deadline, f"the condition did not come true within {within} s"
        await asyncio.sleep(0.005)
