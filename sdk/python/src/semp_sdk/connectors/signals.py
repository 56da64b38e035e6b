"""Signals as something to choose by: read within a time, from any thread or event loop, and never in the way."""

from __future__ import annotations

import asyncio
import logging
import random
import time
import weakref
from collections.abc import Callable, Mapping, Sequence

from semp_sdk.client import Client
from semp_sdk.pending import all_arrived
from semp_sdk.portal import Portal

log = logging.getLogger("semp_sdk")

PAUSE = 5.0
"""Seconds for which a service that did not answer is not asked again."""

Choice = Callable[[Sequence[float], random.Random], int]
"""Chooses among strengths: the index of one."""


class SignalReader:
    """Strengths of a scope's signals, with all that connectors of this process have told so far. Answers None where the service does not;
    says so once, and asks again 5 s later at the earliest.

    Safe to use from any thread and any event loop. Closed with its last user, or at exit.
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
        """Ends it. Safe to repeat."""

    def read(self, scope: str) -> dict[str, float] | None:
        """The scope's live signals, pattern to strength, decayed to now. Not for use on an event loop."""
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
            return await asyncio.wait_for(asyncio.wrap_future(reading), 2 * self._timeout + 1)
        except Exception as error:
            return self._away(error)

    async def _strengths(self, scope: str) -> dict[str, float]:
        await all_arrived(self._client.url, self._timeout)
        return {signal.pattern: signal.strength for signal in await self._client.signals(scope=scope)}

    def _away(self, error: Exception) -> None:
        self._away_until = time.monotonic() + PAUSE
        if not self._said:
            self._said = True
            log.warning("signals could not be read, choices are made without them: %s (told once)", error or type(error).__name__)


def close_client(portal: Portal, client: Client) -> None:
    """Close a client and the thread it works in, within a second; what goes wrong then matters to nobody."""
    try:
        portal.call(client.close, 1.0)
        portal.close()
    except Exception as error:
        log.debug("closing: %s", error)


def strongest(strengths: Sequence[float], _: random.Random) -> int:
    """The strongest; of equals the first."""
    return max(range(len(strengths)), key=strengths.__getitem__)


def by_strength(floor: float) -> Choice:
    """Each as often as its strength and the floor, together, are of the sum of all.

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
    """The strongest, but for this share of choices, in which all are equally likely.

    Raises:
        ValueError: the share is not within 0..1.
    """
    if not 0 <= explore <= 1:
        raise ValueError("explore: 0..1")

    def choose(strengths: Sequence[float], rng: random.Random) -> int:
        return rng.randrange(len(strengths)) if rng.random() < explore else strongest(strengths, rng)

    return choose
