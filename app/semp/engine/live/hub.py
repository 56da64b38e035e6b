"""Live delivery: one ring of the newest entries, and subscriptions, each with a position on the ring.

A subscription has no queue of its own. When its sink can take more, it gets a span of the ring: the entries that it wants from its
position on. Subscriptions with the same interest at the same position share one span, so the bytes to write are rendered once for all.
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
"""Bounds of the ring: it keeps the newest events within both, and the last batch whole. Older events are still in the log."""
SPAN_EVENTS = 1_024
SPAN_BYTES = 256 * 1024
"""A span ends at the first of these bounds, so that a subscriber that was behind does not get more at once than a buffer should hold."""
STALL = 20.0
"""Seconds that a sink may take nothing while there is something for it. After that, its subscription ends as TOO_SLOW."""

Kind = tuple[Interest, bool]
"""What a subscriber wants: an interest, and whether changes of signals are delivered too."""


class End(Enum):
    """Why a subscription ends. The last two only occur while a reader catches up from the log, before it is attached to the hub."""

    GOING_AWAY = "the service stops"
    TOO_SLOW = "too slow"
    LOG_REPLACED = "the log was replaced; read the state again"
    STORE_UNAVAILABLE = "the database is not available"
    FAILED = "internal server error"


class Span:
    """The entries that an interest wants in one stretch of the log. Subscriptions with the same interest share it."""

    __slots__ = ("entries", "interest", "last", "rendered", "signals")

    def __init__(self, entries: Sequence[Entry], last: int, interest: Interest, signals: bool) -> None:
        self.entries = entries
        self.last = last
        """Position up to which the span has everything that the interest wants."""
        self.interest = interest
        self.signals = signals
        """Whether changes of signals in the interest's scopes are delivered too."""
        self.rendered: dict[Hashable, bytes] = {}
        """The bytes to write, by form."""

    def once(self, form: Hashable, render: Callable[[Span], bytes]) -> bytes:
        """The bytes to write in this form. `render` is only called when they do not exist yet."""
        text = self.rendered.get(form)
        if text is None:
            text = self.rendered[form] = render(self)
        return text


class Sink(Protocol):
    """Where the spans of a subscription are written. Its methods must not block, and must not raise, except `send` (OSError).

    A sink that can take no more must set `ready` of its subscription to False, and call `Hub.resume` once it can take more.
    """

    @property
    def form(self) -> Hashable:
        """The format of the bytes: sinks with an equal form get the same bytes for a span."""
        ...

    def render(self, span: Span) -> bytes:
        """The bytes to write for a span. They are used for all sinks of this form."""
        ...

    def send(self, rendered: bytes, /) -> int:
        """Write as many bytes as can be written without waiting; returns how many. An OSError counts as 0."""
        ...

    def finish(self, rest: bytes, /) -> None:
        """Write the bytes that `send` did not."""
        ...

    def end(self, why: End, position: int) -> None:
        """The subscription has ended. Everything up to the position was written."""
        ...


class Subscription:
    """A subscriber's position on the ring, and what it wants."""

    __slots__ = ("due", "form", "interest", "kind", "position", "ready", "send", "signals", "sink")

    def __init__(self, sink: Sink, interest: Interest = EVERYTHING, *, signals: bool = False) -> None:
        self.sink = sink
        self.form, self.send = sink.form, sink.send  # copies, because the hub needs them for every event
        self.ready = True
        """Whether its sink can take more now."""
        self.interest = interest
        self.signals = signals
        """Whether changes of signals in the interest's scopes are delivered too."""
        self.kind: Kind = (interest, signals)
        """Subscriptions of one kind want the same."""
        self.position = 0
        """Everything that it wants up to here was delivered."""
        self.due = 0
        """Position of the first event that it may want and that was not delivered, 0: there is none. Unused when it wants all events."""

    @property
    def wants_all(self) -> bool:
        """Whether it is served for every event, without a look-up in the index."""
        return self.interest.everything or (self.signals and not self.interest.scopes)

    def wants(self, entry: Entry) -> bool:
        """Whether it wants the event, or, with `signals`, a signal that the event moved."""
        return self.interest.covers(entry.event) or (self.signals and any(self.interest.covers_scope(move.scope) for move in entry.moves))


class Hub:
    """Delivers new entries to subscriptions. Entries are held only in the ring, so slow subscribers need no more memory.

    Use it from one event loop only.

    Args:
        head: position of the newest event of the log.
        clock: gives seconds, to measure STALL; by default the event loop's clock.
    """

    def __init__(self, head: int, *, clock: Callable[[], float] | None = None) -> None:
        self._ring: deque[Entry] = deque()
        self._bytes = 0
        self._head = head
        self._loop = asyncio.get_running_loop()
        self._clock = clock or self._loop.time
        self._all: dict[Kind, dict[Subscription, None]] = {}
        """Subscriptions that are served for every event, by kind."""
        self._some: dict[Subscription, None] = {}
        """All other subscriptions."""
        self._index: InterestIndex[Subscription] = InterestIndex()
        """Finds those of `_some` that an event may be for."""
        self._due: dict[Subscription, list[Entry] | None] = {}
        """Subscriptions to serve at the next turn of the loop, each with the entries for it; None: they must be searched on the ring."""
        self._blocked: dict[Subscription, float] = {}
        """Subscriptions whose sink cannot take more although there is something for it, each with the time when that began."""
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
        """Whether the ring has all events after the position that were published."""
        return position >= self._head - len(self._ring)

    def walk(self, position: int, *, backwards: bool) -> Iterator[Entry]:
        """The entries from a position on, in this direction; none when the ring does not hold that position. Do not await meanwhile."""
        offset = position - self._head + len(self._ring) - 1
        if not 0 <= offset < len(self._ring):
            return iter(())
        return islice(reversed(self._ring), len(self._ring) - 1 - offset, None) if backwards else islice(self._ring, offset, None)

    def publish(self, entries: Sequence[Entry]) -> None:
        """Put the next events of the log on the ring, in order and without gaps, and schedule their delivery.

        Older events make room first, so that the whole batch is on the ring, however large it is. A subscriber that had everything before
        the batch falls off the ring only when it has not taken the batch by the next call.
        """
        self._make_room()
        for entry in entries:
            event = entry.event
            assert event.position == self._head + 1, "the hub is fed in log order"
            self._ring.append(entry)
            self._bytes += len(entry.encoded)
            self._head = event.position
            if self._some:
                self._mark_due(entry)
        if entries and self._all:
            self._news_for_all = True
        if self._news_for_all or self._due:
            self._schedule()

    def _make_room(self) -> None:
        if not self._over_full:
            return
        if self._scheduled is not None:  # what was published before has not been offered to anybody yet
            self._scheduled.cancel()
            self._flush()
        while self._over_full:
            self._bytes -= len(self._ring.popleft().encoded)

    @property
    def _over_full(self) -> bool:
        return len(self._ring) > RING_EVENTS or (self._bytes > RING_BYTES and len(self._ring) > 1)

    def _mark_due(self, entry: Entry) -> None:
        """Mark the subscriptions that want the entry as due, each once."""
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
        """Deliver the events after the position to the subscription from now on. The ring must hold them, see `holds`.

        When the hub is closed, the subscription ends at once.
        """
        assert self.holds(position), "older events must be read from the log first"
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
        """Deliver nothing more to the subscription. Safe to repeat."""
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
        """To be called when the sink can take more again."""
        subscription.ready = True
        if self._blocked.pop(subscription, None) is not None:
            self._due[subscription] = None
            self._schedule()

    def reset(self, head: int) -> None:
        """Begin again with another log, at its head. All subscriptions end."""
        self._ring.clear()
        self._bytes, self._head = 0, head
        self._end_all(End.LOG_REPLACED)

    def close(self) -> None:
        """Deliver to all sinks that can take more, then end all subscriptions. A later `attach` ends at once."""
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
        """Deliver at the next turn of the loop, once for all entries that are published until then."""
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
        """Serve the subscriptions of one kind. Nearly all are at the same position and take the same bytes as the one before."""
        head, begin = self._head, -1
        form: Hashable = None
        text, size = b"", 0
        for subscription in group:
            if subscription.position == begin and subscription.ready and subscription.form == form:
                subscription.position = head
                try:  # the same as `_send`, without the cost of a call
                    sent = subscription.send(text)
                except OSError:
                    sent = 0
                if sent < size:
                    subscription.sink.finish(text[sent:])
                continue
            before = subscription.position
            self._serve(subscription, spans)
            span = spans.get(before + 1)
            if span is not None and span.last == head and (rendered := span.rendered.get(subscription.form)):
                begin, form, text, size = before, subscription.form, rendered, len(rendered)

    def _serve(self, subscription: Subscription, spans: dict[int, Span], fresh: list[Entry] | None = None) -> None:
        """Write spans to a subscription until it is at the head or can take no more.

        Args:
            spans: the spans of its kind that exist already, by their first position; new ones are added.
            fresh: all entries that it wants from `due` on; None: they must be searched on the ring.
        """
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
        """End the subscriptions whose sink took nothing for STALL seconds, or whose next event is no longer on the ring."""
        self._sweep = None
        now = self._clock()
        for subscription, since in list(self._blocked.items()):
            first = max(subscription.position + 1, subscription.due)
            if not self.holds(first - 1) or now - since >= STALL:
                self._end(subscription, End.TOO_SLOW)
        if self._blocked and not self.closed:
            self._sweep = self._loop.call_later(1.0, self.sweep)


def _send(subscription: Subscription, text: bytes) -> None:
    """Write all bytes: those that `send` does not write go to `finish`."""
    try:
        sent = subscription.send(text)
    except OSError:
        sent = 0
    if sent < len(text):
        subscription.sink.finish(text[sent:])
