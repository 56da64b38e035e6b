"""Waiting until a condition is true, with a deadline."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(what: str, condition: Callable[[], object], within: float) -> None:
    """Check the condition every 20 ms until it is true. After `within` seconds the test fails with `what`, which names the condition."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(0.02)


async def until(condition: Callable[[], object], within: float = 30.0) -> None:
    """Check the condition every 5 ms until it is true. After `within` seconds of the event loop's clock the test fails.

    The condition may be a coroutine function.
    """
    deadline = asyncio.get_running_loop().time() + within
    while True:
        result = condition()
        if await result if inspect.isawaitable(result) else result:
            return
        assert asyncio.get_running_loop().time() < deadline, f"the condition did not come true within {within} s"
        await asyncio.sleep(0.005)


async def turns_of(work: Callable[[], Awaitable[T]]) -> tuple[T, int]:
    """The result, and how many turns of the event loop it took."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    result = await work()
    counting.cancel()
    return result, turns
