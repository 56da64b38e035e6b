"""Events that connectors of this process have recorded and the service may not have yet. Events that follow from them wait."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from semp_sdk.errors import Unavailable


class PendingEvents(Protocol):
    """Events on their way to a service. Safe to use from any thread."""

    url: str

    @property
    def busy(self) -> bool:
        """Whether any event is pending."""
        ...

    def has_any(self, ids: Collection[str]) -> bool:
        """Whether one of these events is pending."""
        ...

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until the service has answered every event so far. Returns False when that takes longer than `timeout` seconds."""
        ...


class _Parents(msgspec.Struct):
    parent_ids: list[str] = []


_senders: weakref.WeakSet[PendingEvents] = weakref.WeakSet()
_lock = threading.Lock()
_read_parents = msgspec.json.Decoder(_Parents).decode
STRIDE = 0.5
"""Seconds of one wait in a thread; short, so that the thread is soon free after a cancellation."""


def register(sender: PendingEvents) -> None:
    """Let others wait for the events of this sender, for as long as it exists."""
    with _lock:
        _senders.add(sender)


async def wait_for_parents(bodies: Sequence[bytes], patience: float) -> None:
    """Return when no parent of these events (given as JSON) is pending any more.

    Raises:
        Unavailable: `patience` seconds were not enough (`math.inf`: for ever).
    """
    if not (busy := _busy()):
        return
    parents = {parent for body in bodies for parent in _read_parents(body).parent_ids}
    senders = [sender for sender in busy if sender.has_any(parents)]
    if not await _flushed(senders, patience):
        raise Unavailable(f"{senders[0].url} did not store the parents of this event within {patience:.1f} s")


async def wait_for_pending(url: str, patience: float) -> None:
    """Return when the service at this URL has answered every event recorded so far, or after `patience` seconds."""
    await _flushed([sender for sender in _busy() if sender.url == url], patience)


def _busy() -> list[PendingEvents]:
    with _lock:
        return [sender for sender in _senders if sender.busy]


async def _flushed(senders: Sequence[PendingEvents], patience: float) -> bool:
    deadline = time.monotonic() + patience
    for sender in senders:
        while not await asyncio.to_thread(sender.flush, max(0.0, min(STRIDE, deadline - time.monotonic()))):
            if time.monotonic() >= deadline:
                return False
    return True
