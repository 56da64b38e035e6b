"""Signals to choose by: read within a time limit, from any thread or event loop, without ever raising."""

from __future__ import annotations

import asyncio
import logging
import random
import time
import weakref
from collections.abc import Callable, Mapping, Sequence

from semp_sdk.client import Client
from semp_sdk.pending import wait_for_pending
from semp_sdk.portal import Portal

log = logging.getLogger("semp_sdk")

PAUSE = 5.0
"""Seconds between a failed reading and the next request."""

Choice = Callable[[Sequence[float], random.Random], int]
"""Chooses one of the strengths; returns its index."""


class SignalReader:
    """Reads the strengths of a scope's signals. All events that connectors of this process recorded before are counted.

    Returns None when the service does not answer. This is logged once, and the next request is made 5 s later at the earliest. Safe to use
    from any thread and any event loop. Closed with its last user, or at exit.
    """

    def __init__(self, url: str = "http://localhost:5000", *, timeout: float = 1.0, headers: Mapping[str, str] | None = None) -> None:
        """Nothing is connected before the first reading.

        Args:
            timeout: seconds for one reading.
            headers: sent with every request.

        Raises:
            ValueError: the URL is none.
        """
        self._client = Client(url, patience=timeout, timeout=timeout, headers=headers)
        self._timeout = timeout
        self._portal = Portal()
        self._away_until = 0.0
        self._said = False
        self.close = weakref.finalize(self, close_client, self._portal, self._client)
        """Close the reader. Safe to repeat."""

    def read(self, scope: str) -> dict[str, float] | None:
        """The scope's live signals, pattern to strength, decayed to now. Blocks the thread; on an event loop use `aread`."""
        if time.monotonic() < self._away_until:
            return None
        try:
            return self._portal.call(lambda: self._strengths(scope), 2 * self._timeout + 1)
        except Exception as error:
            return self._away(error)

    async def aread(self, scope: str) -> dict[str, float] | None:
        """`read` for coroutines."""
        if time.monotonic() < self._away_until:
            return None
        try:
            reading = self._portal.submit(lambda: self._strengths(scope))
            async with asyncio.timeout(2 * self._timeout + 1):
                return await asyncio.wrap_future(reading)
        except Exception as error:
            return self._away(error)

    async def _strengths(self, scope: str) -> dict[str, float]:
        await wait_for_pending(self._client.url, self._timeout)
        return {signal.pattern: signal.strength for signal in await self._client.signals(scope=scope)}

    def _away(self, error: Exception) -> None:
        self._away_until = time.monotonic() + PAUSE
        if not self._said:
            self._said = True
            log.warning("signals could not be read, choices are made without them: %s (logged once)", error or type(error).__name__)


def close_client(portal: Portal, client: Client) -> None:
    """Close a client and its thread within a second; errors are logged only for debugging."""
    try:
        portal.call(client.close, 1.0)
        portal.close()
    except Exception as error:
        log.debug("closing: %s", error)


def strongest(strengths: Sequence[float], _: random.Random) -> int:
    """The strongest; the first of several equal ones."""
    return max(range(len(strengths)), key=strengths.__getitem__)


def by_strength(floor: float) -> Choice:
    """Each with the probability (strength + floor) / sum of all (strength + floor).

    Raises:
        ValueError: the floor is below 0.
    """
    if floor < 0:
        raise ValueError("floor: 0 or more")

    def choose(strengths: Sequence[float], rng: random.Random) -> int:
        weights = [strength + floor for strength in strengths]
        return rng.choices(range(len(strengths)), weights if sum(weights) > 0 else None)[0]

    return choose


def mostly_strongest(explore: float) -> Choice:
    """The strongest; but with probability `explore` any of them, all equally likely.

    Raises:
        ValueError: the share is not within 0..1.
    """
    if not 0 <= explore <= 1:
        raise ValueError("explore: 0..1")

    def choose(strengths: Sequence[float], rng: random.Random) -> int:
        return rng.randrange(len(strengths)) if rng.random() < explore else strongest(strengths, rng)

    return choose
