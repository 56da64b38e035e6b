"""Events that this process has told, through a connector, and that the service may not have yet: what follows from them waits for them."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from semp_sdk.errors import Unavailable


class Carrier(Protocol):
    """Who brings events to a service. Safe to use from any thread."""

    url: str

    @property
    def busy(self) -> bool:
        """Whether events are under way."""
        ...

    def carries(self, ids: Collection[str]) -> bool:
        """Whether one of these events is under way."""
        ...

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until the service has answered what was told so far. False: `timeout` seconds were not enough."""
        ...


class _Effect(msgspec.Struct):
    parent_ids: list[str] = []


_carriers: weakref.WeakSet[Carrier] = weakref.WeakSet()
_lock = threading.Lock()
_read_causes = msgspec.json.Decoder(_Effect).decode
STRIDE = 0.5
"""Seconds that a thread waits in one piece, so that it is soon free when nobody waits for it any more."""


def register(carrier: Carrier) -> None:
    """From here on, for as long as it exists, others wait for what it carries."""
    with _lock:
        _carriers.add(carrier)


async def causes_arrived(bodies: Sequence[bytes], patience: float) -> None:
    """Return when the causes of these events, as JSON, are under way no more.

    Raises:
        Unavailable: `patience` seconds were not enough (`math.inf`: for ever).
    """
    if not (busy := _busy()):
        return
    causes = {cause for body in bodies for cause in _read_causes(body).parent_ids}
    carriers = [carrier for carrier in busy if carrier.carries(causes)]
    if not await _arrived(carriers, patience):
        raise Unavailable(f"{carriers[0].url} did not take what this follows from within {patience:.1f} s")


async def all_arrived(url: str, patience: float) -> None:
    """Return when the service there has answered what was told so far, or after `patience` seconds."""
    await _arrived([carrier for carrier in _busy() if carrier.url == url], patience)


def _busy() -> list[Carrier]:
    with _lock:
        return [carrier for carrier in _carriers if carrier.busy]


async def _arrived(carriers: Sequence[Carrier], patience: float) -> bool:
    deadline = time.monotonic() + patience
    for carrier in carriers:
        while not await asyncio.to_thread(carrier.flush, max(0.0, min(STRIDE, deadline - time.monotonic()))):
            if time.monotonic() >= deadline:
                return False
    return True
