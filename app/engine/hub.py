"""Live delivery: one ring of encoded events, and subscribers that are positions on it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from app.engine.ports import Entry

RING_EVENTS = 8_192
RING_BYTES = 16 * 1024 * 1024
"""The ring keeps the newest events up to both bounds; what falls off is still in the log."""


class FellBehind(Exception):
    """The subscriber's next event has left the ring. `position` is the last one it was given."""

    def __init__(self, position: int) -> None:
        self.position = position
        super().__init__(f"too slow: the events after position {position} have left the live buffer")


class GoingAway(Exception):
    """The service stops; the subscriber has been given everything up to its position."""


class HistoryReset(Exception):
    """The log is another one now; positions of the old one mean nothing."""


class Hub:
    """Memory is bounded by the ring, whatever the number of subscribers and however slow they are."""

    def __init__(self, head: int) -> None:
        self._ring: deque[str] = deque()
        self._bytes = 0
        self._head = head
        self._news = asyncio.Event()
        self._generation = 0
        self._closed = False
        self.subscribers = 0

    @property
    def head(self) -> int:
        """Position of the newest event on the ring."""
        return self._head

    def publish(self, entries: Sequence[Entry]) -> None:
        """Put the next events of the log on the ring, in order, and wake everyone who waits."""
        for entry in entries:
            assert entry.event.position == self._head + 1, "the hub is fed in log order"
            frame = f'{{"type":"event","data":{entry.encoded.decode()}}}'
            self._ring.append(frame)
            self._bytes += len(frame)
            self._head = entry.event.position
        while len(self._ring) > RING_EVENTS or (self._bytes > RING_BYTES and len(self._ring) > 1):
            self._bytes -= len(self._ring.popleft())
        self._wake()

    def reset(self, head: int) -> None:
        """Begin again from another log; every subscriber is told HistoryReset."""
        self._ring.clear()
        self._bytes, self._head = 0, head
        self._generation += 1
        self._wake()

    def close(self) -> None:
        """Tell every subscriber GoingAway, once it has been given what is on the ring."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    def subscribe(self) -> Subscription:
        """A subscriber that gets every event committed from now on."""
        return Subscription(self)

    def after(self, position: int) -> list[str]:
        """The frames after a position.

        Raises:
            FellBehind: they are not all on the ring.
        """
        missing = self._head - position
        if missing > len(self._ring):
            raise FellBehind(position)
        return [self._ring[index] for index in range(len(self._ring) - missing, len(self._ring))]

    async def wait(self, position: int, generation: int) -> None:
        """Return once there is an event after the position.

        Raises:
            GoingAway: there is none and the service stops.
            HistoryReset: the log was replaced.
        """
        while self._head <= position and generation == self._generation:
            if self._closed:
                raise GoingAway
            await self._news.wait()
        if generation != self._generation:
            raise HistoryReset

    @property
    def generation(self) -> int:
        return self._generation


class Subscription:
    """A cursor on the ring. Use as a context manager."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._generation = hub.generation
        self.position = hub.head

    def __enter__(self) -> Subscription:
        self._hub.subscribers += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._hub.subscribers -= 1

    async def next(self) -> list[str]:
        """Wait for news and give every frame not given yet, in log order: no gap, no repeat.

        Raises:
            FellBehind: the reader was too slow.
            GoingAway: the service stops.
            HistoryReset: the log was replaced.
        """
        await self._hub.wait(self.position, self._generation)
        frames = self._hub.after(self.position)
        self.position += len(frames)
        return frames
