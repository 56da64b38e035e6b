"""A subscriber of the hub that accepts as much as the test allows, and entries for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from semp.domain.events import Draft
from semp.domain.interests import EVERYTHING, Interest
from semp.domain.signals import Move
from semp.engine.live.hub import End, Hub, Span, Subscription
from semp.engine.planning import encode
from semp.engine.records import Entry

from tests.strategies import entry_of, new_draft


def entries(first: int, count: int, draft: Draft | None = None, moves: Sequence[Move] = ()) -> list[Entry]:
    found = [entry_of(draft or new_draft(number=position), position) for position in range(first, first + count)]
    for entry in found:
        entry.encoded = encode(entry.event)
        entry.moves = moves
    return found


RENDERED: list[Span] = []
"""Every span that was rendered. The rendered bytes are its index in this list."""


class Reader:
    """A sink that accepts as much as the test allows."""

    form = "spans"

    def __init__(self, hub: Hub, interest: Interest = EVERYTHING, *, after: int | None = None, signals: bool = False) -> None:
        self.hub = hub
        self.spans: list[Span] = []
        self.received = b""
        self.at_once = 1_000
        """Bytes that one `send` accepts, at most."""
        self.refuses = False
        """Whether `send` raises BlockingIOError, as a socket without room does."""
        self.ended: tuple[End, int] | None = None
        self.subscription = Subscription(self, interest, signals=signals)
        hub.attach(self.subscription, hub.head if after is None else after)

    @property
    def seen(self) -> list[int]:
        return [entry.event.position for span in self.spans for entry in span.entries]

    def render(self, span: Span) -> bytes:
        number = b"%d;" % len(RENDERED)
        RENDERED.append(span)
        return number

    def send(self, rendered: bytes) -> int:
        assert self.subscription.ready, "sent to a subscription that is not ready"
        if self.refuses:
            raise BlockingIOError
        self.received += rendered[: self.at_once]
        self._collect()
        return min(self.at_once, len(rendered))

    def finish(self, rest: bytes) -> None:
        self.received += rest
        self._collect()

    def _collect(self) -> None:
        if self.received.endswith(b";"):
            self.spans += [RENDERED[int(number)] for number in self.received.split(b";")[:-1]]
            self.received = b""

    def freeze(self) -> None:
        self.subscription.ready = False

    def end(self, why: End, position: int) -> None:
        self.ended = why, position

    def thaw(self) -> None:
        self.hub.resume(self.subscription)


async def settled() -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)
