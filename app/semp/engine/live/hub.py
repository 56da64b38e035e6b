"""Live delivery: one ring of the newest entries, and subscribers that are positions on it.

A subscriber owns no queue. When it can take more, it is given a span of the ring: everything it wants between its position and the
head. Subscribers with the same interest at the same position share one span, so what is written is rendered once for all of them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from enum import Enum
from itertools import chain, islice
from typing import Protocol

from semp.domain.interests import EVERYTHING, Interest
from semp.engine.live.interest_index import InterestIndex
from semp.engine.records import Entry

RING_EVENTS = 8_192
RING_BYTES = 16 * 1024 * 1024
"""The ring keeps the newest events up to both bounds; what falls off is still in the log."""
SPAN_EVENTS = 1_024
SPAN_BYTES = 256 * 1024
"""A span ends at the first of these, so that a subscriber that was behind is given no more at once than its buffer should hold."""
STALL = 20.0
"""Seconds a subscriber may take nothing at all while there is something for it."""

Kind = tuple[Interest, bool]
"""What a subscriber wants: an interest, and whether signals are told too."""


class End(Enum):
    """Why a reader is given nothing more. The last two come while it catches up, before it is on the ring."""

    GOING_AWAY = "the service stops"
    TOO_SLOW = "too slow"
    LOG_REPLACED = "the log was replaced; read the state again"
    STORE_UNAVAILABLE = "the database is not available"
    FAILED = "internal server error"


class Span:
    """Consecutive events of the log as far as an interest wants them. Shared by all who want the same."""

    __slots__ = ("entries", "interest", "last", "rendered", "signals")

    def __init__(self, entries: Sequence[Entry], last: int, interest: Interest, signals: bool) -> None:
        self.entries = entries
        self.last = last
        """Position up to which it says everything."""
        self.interest = interest
        self.signals = signals
        self.rendered: dict[Hashable, bytes] = {}
        """What is written for it, by form."""

    def once(self, form: Hashable, render: Callable[[Span], bytes]) -> bytes:
        """What is written for it in this form, made by the first that asks."""
        text = self.rendered.get(form)
        if text is None:
            text = self.rendered[form] = render(self)
        return text


class Sink(Protocol):
    """Where a subscriber's spans go. None of its methods may block or raise.

    One that can take no more sets `ready` of its subscription to False, and calls `Hub.resume` once it can.
    """

    @property
    def form(self) -> Hashable:
        """Sinks of one form are written the same bytes."""
        ...

    def render(self, span: Span) -> bytes:
        """What is to be written for a span, whoever of this form it is for."""
        ...

    def send(self, rendered: bytes, /) -> int:
        """Take as much as goes at once: how many bytes. OSError means none."""
        ...

    def finish(self, rest: bytes, /) -> None:
        """Take what `send` left."""
        ...

    def end(self, why: End, position: int) -> None:
        """The subscription is over; everything up to the position was delivered."""
        ...


class Subscription:
    """A cursor on the ring."""

    __slots__ = ("due", "form", "interest", "kind", "position", "ready", "send", "signals", "sink")

    def __init__(self, sink: Sink, interest: Interest = EVERYTHING, *, signals: bool = False) -> None:
        self.sink = sink
        self.form, self.send = sink.form, sink.send  # here, since this is where the hub looks for every event
        self.ready = True
        """Whether its sink takes more now."""
        self.interest = interest
        self.signals = signals
        """Whether changes of signals in the interest's scopes are wanted too."""
        self.kind: Kind = (interest, signals)
        """Those of one kind want the same."""
        self.position = 0
        """Up to here everything wanted was delivered."""
        self.due = 0
        """Position of the first event that may be wanted and was not delivered, 0 when there is none. Unused where all are wanted."""

    @property
    def wants_all(self) -> bool:
        return self.interest.everything or (self.signals and not self.interest.scopes)

    def wants(self, entry: Entry) -> bool:
        """Whether something of the entry is for it: the event, or with `signals` a signal it moved."""
        return self.interest.covers(entry.event) or (self.signals and any(self.interest.covers_scope(move.scope) for move in entry.moves))


class Hub:
    """Memory is bounded by the ring, whatever the number of subscribers and however slow they are. Belongs to one event loop."""

    def __init__(self, head: int, *, clock: Callable[[], float] | None = None) -> None:
        self._ring: deque[Entry] = deque()
        self._bytes = 0
        self._head = head
        self._loop = asyncio.get_running_loop()
        self._clock = clock or self._loop.time
        self._all: dict[Kind, dict[Subscription, None]] = {}
        self._some: dict[Subscription, None] = {}
        self._index: InterestIndex[Subscription] = InterestIndex()
        self._due: dict[Subscription, list[Entry] | None] = {}
        """Who is served at the next turn; with everything for it since it was due, None where that is to be looked up on the ring."""
        self._blocked: dict[Subscription, float] = {}
        """Who takes nothing though there is something, and since when (clock)."""
        self._news_for_all = False
        self._scheduled: asyncio.Handle | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self.closed = False

    @property
    def head(self) -> int:
        """Position of the newest event on the ring."""
        return self._head

    @property
    def subscribers(self) -> int:
        return sum([len(group) for group in self._all.values()]) + len(self._some)

    def holds(self, position: int) -> bool:
        """Whether every event after the position that is committed here is on the ring."""
        return position >= self._head - len(self._ring)

    def walk(self, position: int, *, backwards: bool) -> Iterator[Entry]:
        """The entries from a position on, in this direction; none when the ring does not hold that position. Do not await meanwhile."""
        offset = position - self._head + len(self._ring) - 1
        if not 0 <= offset < len(self._ring):
            return iter(())
        return islice(reversed(self._ring), len(self._ring) - 1 - offset, None) if backwards else islice(self._ring, offset, None)

    def publish(self, entries: Sequence[Entry]) -> None:
        """Put the next events of the log on the ring, in order, and see to it that whoever wants them gets them."""
        for entry in entries:
            event = entry.event
            assert event.position == self._head + 1, "the hub is fed in log order"
            self._ring.append(entry)
            self._bytes += len(entry.encoded)
            self._head = event.position
            if self._some:
                self._note(entry)
        while len(self._ring) > RING_EVENTS or (self._bytes > RING_BYTES and len(self._ring) > 1):
            self._bytes -= len(self._ring.popleft().encoded)
        if entries and self._all:
            self._news_for_all = True
        if self._news_for_all or self._due:
            self._schedule()

    def _note(self, entry: Entry) -> None:
        event = entry.event
        scopes = {event.scope: None, **{move.scope: None for move in entry.moves}} if entry.moves else (event.scope,)
        for subscription in self._index.find(event, scopes):
            fresh = self._due.get(subscription)
            if fresh is not None:
                if fresh[-1] is not entry and subscription.wants(entry):
                    fresh.append(entry)
            elif not subscription.due and event.position > subscription.position and subscription.wants(entry):
                subscription.due = event.position
                self._due[subscription] = [entry]

    def attach(self, subscription: Subscription, position: int) -> None:
        """Deliver what is wanted after the position from now on. The ring must hold it."""
        assert self.holds(position), "what is no longer on the ring is read from the log first"
        if self.closed:
            subscription.sink.end(End.GOING_AWAY, position)
            return
        subscription.position = position
        subscription.due = 0
        if subscription.wants_all:
            self._all.setdefault(subscription.kind, {})[subscription] = None
        else:
            self._some[subscription] = None
            self._index.add(subscription, subscription.interest, by_scope=subscription.signals)
        if position < self._head:
            subscription.due = position + 1
            self._due[subscription] = None
            self._schedule()

    def detach(self, subscription: Subscription) -> None:
        """Deliver nothing more. Safe to repeat."""
        if subscription in (group := self._all.get(subscription.kind, {})):
            del group[subscription]
            if not group:
                del self._all[subscription.kind]
        elif subscription in self._some:
            del self._some[subscription]
            self._index.discard(subscription, subscription.interest, by_scope=subscription.signals)
        self._due.pop(subscription, None)
        self._blocked.pop(subscription, None)

    def resume(self, subscription: Subscription) -> None:
        """Its sink takes more again."""
        subscription.ready = True
        if self._blocked.pop(subscription, None) is not None:
            self._due[subscription] = None
            self._schedule()

    def reset(self, head: int) -> None:
        """Begin again from another log; every subscription ends."""
        self._ring.clear()
        self._bytes, self._head = 0, head
        self._end_all(End.LOG_REPLACED)

    def close(self) -> None:
        """Deliver what is on the ring to whoever takes it, then end every subscription, and every later one at once."""
        self._deliver()
        self.closed = True
        self._end_all(End.GOING_AWAY)
        for handle in (self._scheduled, self._sweep):
            if handle is not None:
                handle.cancel()

    def _end_all(self, why: End) -> None:
        for subscription in [*chain.from_iterable(self._all.values()), *self._some]:
            self._end(subscription, why)

    def _end(self, subscription: Subscription, why: End) -> None:
        self.detach(subscription)
        subscription.sink.end(why, subscription.position)

    def _schedule(self) -> None:
        """Deliver at the next turn of the loop. What arrives while a delivery is being written goes out together in the one after."""
        if self._scheduled is None and not self.closed:
            self._scheduled = self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = None
        self._deliver()

    def _deliver(self) -> None:
        due, self._due = self._due, {}
        everyone, self._news_for_all = self._all if self._news_for_all else {}, False
        shared: dict[Kind, dict[int, Span]] = {}
        for kind, group in list(everyone.items()):
            self._serve_all(list(group), shared.setdefault(kind, {}))
        for subscription, fresh in due.items():
            self._serve(subscription, shared.setdefault(subscription.kind, {}), fresh)

    def _serve_all(self, group: Sequence[Subscription], spans: dict[int, Span]) -> None:
        """Serve those of one kind. Nearly all of them stand at the same place and take what the one before them was given."""
        head, begin = self._head, -1
        form: Hashable = None
        text, size = b"", 0
        for subscription in group:
            if subscription.position == begin and subscription.ready and subscription.form == form:
                subscription.position = head
                try:  # `_send`, without a call
                    sent = subscription.send(text)
                except OSError:
                    sent = 0
                if sent < size:
                    subscription.sink.finish(text[sent:])
                continue
            before = subscription.position
            self._serve(subscription, spans)
            span = spans.get(before + 1)
            if span is not None and span.last == head and (found := span.rendered.get(subscription.form)):
                begin, form, text, size = before, subscription.form, found, len(found)

    def _serve(self, subscription: Subscription, spans: dict[int, Span], fresh: list[Entry] | None = None) -> None:
        """Give it all it takes. `spans` are those of its kind so far, by their first position."""
        while subscription.position < self._head:
            first = subscription.position + 1
            if subscription.due > first:
                first = subscription.due
            if first <= self._head - len(self._ring):
                self._end(subscription, End.TOO_SLOW)
                return
            if not subscription.ready:
                self._block(subscription)
                return
            span = spans.get(first)
            if span is None:
                span = spans[first] = self._span(subscription, first, fresh)
            subscription.position = span.last
            if span.entries:
                text = span.rendered.get(subscription.form)
                if text is None:
                    text = span.rendered[subscription.form] = subscription.sink.render(span)
                _send(subscription, text)
        subscription.due = 0

    def _span(self, subscription: Subscription, first: int, fresh: list[Entry] | None) -> Span:
        if fresh is not None and len(fresh) <= SPAN_EVENTS and sum([len(entry.encoded) for entry in fresh]) <= SPAN_BYTES:
            return Span(fresh, self._head, subscription.interest, subscription.signals)
        offset = len(self._ring) - (self._head - first + 1)
        entries: list[Entry] = []
        size = 0
        last = first
        for index in range(offset, len(self._ring)):
            entry = self._ring[index]
            last = entry.event.position
            if subscription.wants_all or subscription.wants(entry):
                entries.append(entry)
                size += len(entry.encoded)
            if len(entries) >= SPAN_EVENTS or size >= SPAN_BYTES:
                break
        return Span(entries, last, subscription.interest, subscription.signals)

    def _block(self, subscription: Subscription) -> None:
        self._blocked.setdefault(subscription, self._clock())
        if self._sweep is None:
            self._sweep = self._loop.call_later(1.0, self.sweep)

    def sweep(self) -> None:
        """End the subscriptions that have taken nothing for too long, or whose next event has left the ring."""
        self._sweep = None
        now = self._clock()
        for subscription, since in list(self._blocked.items()):
            first = max(subscription.position + 1, subscription.due)
            if not self.holds(first - 1) or now - since >= STALL:
                self._end(subscription, End.TOO_SLOW)
        if self._blocked and not self.closed:
            self._sweep = self._loop.call_later(1.0, self.sweep)


def _send(subscription: Subscription, text: bytes) -> None:
    try:
        sent = subscription.send(text)
    except OSError:
        sent = 0
    if sent < len(text):
        subscription.sink.finish(text[sent:])
