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
"""Bounds of the ring: it keeps the newest events within both, the last batch whole, and what was not offered to all subscriptions yet.
Older events are still in the log."""
UNOFFERED = 4
"""With more than this many times the bounds on the ring, `publish` first delivers everything, without giving way."""
SPAN_EVENTS = 1_024
SPAN_BYTES = 256 * 1024
"""A span ends at the first of these bounds, so that a subscriber that was behind does not get more at once than a buffer should hold."""
LOOKED_AT = 1_024
"""Entries of the ring that are searched for one span, at most."""
SLICE = 0.002
"""Seconds of delivering after which other work of the event loop goes first."""
SENDS = 16
"""Writes between two looks at the clock, at most."""
READS = 8
"""Pages of missed events that are read from the log at once, at most, for all subscribers that resume."""
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

    __slots__ = ("attached", "due", "form", "interest", "kind", "position", "ready", "send", "signals", "sink")

    def __init__(self, sink: Sink, interest: Interest = EVERYTHING, *, signals: bool = False) -> None:
        self.sink = sink
        self.form, self.send = sink.form, sink.send  # copies, because the hub needs them for every event
        self.ready = True
        """Whether its sink can take more now."""
        self.attached = False
        """Whether a hub delivers to it."""
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

    Deliveries are made in passes. A pass finds the subscriptions that want the new entries, then serves them. It gives way to other work
    of the event loop every SLICE seconds, so however much there is to deliver, a request does not wait for all of it.

    Use it from one event loop only.

    Args:
        head: position of the newest event of the log.
        clock: gives seconds, to measure STALL and SLICE; by default the event loop's clock.
    """

    def __init__(self, head: int, *, clock: Callable[[], float] | None = None) -> None:
        self._ring: deque[Entry] = deque()
        self._bytes = 0
        self._head = head
        self._marked = head
        """Position up to which the subscriptions that want the entries were found. A pass delivers up to here."""
        self._offered = head
        """Position up to which every subscription got what it had room for."""
        self._spare = head
        """Position up to which entries may leave the ring after the pass: they had been offered when a batch came during it."""
        self._loop = asyncio.get_running_loop()
        self._clock = clock or self._loop.time
        self._all: dict[Kind, dict[Subscription, None]] = {}
        """Subscriptions that are served for every event, by kind."""
        self._some: dict[Subscription, None] = {}
        """All other subscriptions."""
        self._index: InterestIndex[Subscription] = InterestIndex()
        """Finds those of `_some` that an event may be for."""
        self._due: dict[Subscription, list[Entry] | None] = {}
        """Subscriptions to serve in the next pass, each with the entries for it; None: they must be searched on the ring."""
        self._blocked: dict[Subscription, float] = {}
        """Subscriptions whose sink cannot take more although there is something for it, each with the time when that began."""
        self._pass: Iterator[None] | None = None
        """The pass under way."""
        self._scheduled: asyncio.Handle | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self.readers = asyncio.Semaphore(READS)
        """Held while a page of missed events is read from the log."""
        self.closed = False

    @property
    def head(self) -> int:
        """Position of the newest event on the ring."""
        return self._head

    @property
    def subscribers(self) -> int:
        return sum([len(group) for group in self._all.values()]) + len(self._some)

    @property
    def delivering(self) -> bool:
        """Whether there is something that was not offered to all subscriptions yet."""
        return self._pass is not None or self._offered < self._head or bool(self._due)

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

        The whole batch is on the ring when this returns, however large it is. A subscriber that had everything before the batch falls off
        the ring only when it has not taken the batch by the next call.
        """
        if self._scheduled is not None and self._over_full(UNOFFERED):
            self._finish()
        self._spare = self._offered
        if not self.delivering:
            self._trim()
            self._spare = 0
        for entry in entries:
            assert entry.event.position == self._head + 1, "the hub is fed in log order"
            self._ring.append(entry)
            self._bytes += len(entry.encoded)
            self._head += 1
        if self._all or self._some:
            self._schedule()
        elif self._pass is None:
            self._marked = self._offered = self._head

    def _over_full(self, times: int = 1) -> bool:
        return len(self._ring) > times * RING_EVENTS or (self._bytes > times * RING_BYTES and len(self._ring) > 1)

    def _trim(self) -> None:
        """Bring the ring back to its bounds, but keep what the last batch brought, and what a subscription in `_due` has yet to get."""
        if not self._over_full():
            return
        spare = min([self._spare, *[max(subscription.position, subscription.due - 1) for subscription in self._due]])
        while self._over_full() and self._head - len(self._ring) < spare:
            self._bytes -= len(self._ring.popleft().encoded)

    def _mark(self) -> Iterator[None]:
        """Find the subscriptions that want the entries up to the head. It gives way after each entry."""
        while self._marked < self._head:
            if not self._some:
                self._marked = self._head
                return
            self._mark_due(self._ring[self._marked - self._head])
            self._marked += 1
            yield

    def _mark_due(self, entry: Entry) -> None:
        """Mark the subscriptions that want the entry as due, each once."""
        event = entry.event
        scopes = {event.scope: None, **{move.scope: None for move in entry.moves}} if entry.moves else (event.scope,)
        for subscription in dict.fromkeys(self._index.find(event, scopes)):  # each is compared once, however many of its globs match
            fresh = self._due.get(subscription)
            if fresh is not None:
                if subscription.wants(entry):
                    if len(fresh) < SPAN_EVENTS:
                        fresh.append(entry)
                    else:  # more than one span: the list would be of no use
                        self._due[subscription] = None
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
        subscription.attached = True
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
        subscription.attached = False
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
        self._bytes, self._pass = 0, None
        self._head = self._marked = self._offered = self._spare = head
        self._end_all(End.LOG_REPLACED)

    def close(self) -> None:
        """Deliver to all sinks that can take more, then end all subscriptions. A later `attach` ends at once."""
        self._finish()
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
        """Go on with the pass, or begin one, for SLICE seconds."""
        self._scheduled = None
        self._run(self._clock() + SLICE)
        if self.delivering:
            self._schedule()

    def _finish(self) -> None:
        """Deliver everything up to the head without giving way."""
        while self.delivering:
            self._run(float("inf"))

    def _run(self, until: float) -> None:
        work = self._pass = self._pass or self._deliver()
        try:
            for _ in work:
                if self._clock() >= until:
                    return
        except BaseException:
            self._offered = self._marked
            self._pass = None
            raise
        self._pass = None

    def _deliver(self) -> Iterator[None]:
        """One pass. Entries that are published after the marking are for the next one."""
        yield from self._mark()
        due: dict[Kind, dict[Subscription, list[Entry] | None]] = {}
        for subscription, fresh in self._due.items():
            due.setdefault(subscription.kind, {})[subscription] = fresh
        self._due = {}
        everyone = dict(self._all) if self._marked > self._offered else {}
        for kind in [*everyone, *[kind for kind in due if kind not in everyone]]:
            spans: dict[int, Span] = {}  # of one kind only: the rendered bytes of all kinds could fill the memory
            yield from self._serve_all(list(everyone.get(kind, ())), spans)
            for subscription, fresh in due.pop(kind, {}).items():
                while self._serve(subscription, spans, fresh):
                    yield
                yield
        self._offered = self._marked
        self._trim()

    def _serve_all(self, group: Sequence[Subscription], spans: dict[int, Span]) -> Iterator[None]:
        """Serve the subscriptions of one kind. Nearly all are at the same position and take the same bytes as the one before."""
        last, begin = self._marked, -1
        form: Hashable = None
        text, size = b"", 0
        for start in range(0, len(group), SENDS):
            for subscription in group[start : start + SENDS]:
                if subscription.position == begin and subscription.ready and subscription.form == form and subscription.attached:
                    subscription.position = last
                    try:  # the same as `_send`, without the cost of a call
                        sent = subscription.send(text)
                    except OSError:
                        sent = 0
                    if sent < size:
                        subscription.sink.finish(text[sent:])
                    continue
                before = subscription.position
                while self._serve(subscription, spans):
                    yield
                span = spans.get(before + 1)
                if span is not None and span.last == last and (rendered := span.rendered.get(subscription.form)):
                    begin, form, text, size = before, subscription.form, rendered, len(rendered)
            yield

    def _serve(self, subscription: Subscription, spans: dict[int, Span], fresh: list[Entry] | None = None) -> bool:
        """Write the next span to a subscription, if it can take one.

        Args:
            spans: the spans of its kind that exist already, by their first position; new ones are added.
            fresh: all entries that it wants from `due` on; None: they must be searched on the ring.

        Returns:
            Whether to call it again: there is more for the subscription.
        """
        if not subscription.attached:
            return False
        if subscription.position < self._marked:
            first = subscription.position + 1
            if subscription.due > first:
                first = subscription.due
            if first <= self._head - len(self._ring):
                self._end(subscription, End.TOO_SLOW)
                return False
            if not subscription.ready:
                self._block(subscription)
                return False
            span = spans.get(first)
            if span is None:
                span = spans[first] = self._span(subscription, first, fresh)
            subscription.position = span.last
            if span.entries:
                text = span.rendered.get(subscription.form)
                if text is None:
                    text = span.rendered[subscription.form] = subscription.sink.render(span)
                _send(subscription, text)
            if span.last < self._marked:
                return True
        subscription.due = 0
        return False

    def _span(self, subscription: Subscription, first: int, fresh: list[Entry] | None) -> Span:
        if fresh is not None and len(fresh) <= SPAN_EVENTS and sum([len(entry.encoded) for entry in fresh]) <= SPAN_BYTES:
            return Span(fresh, self._marked, subscription.interest, subscription.signals)
        offset = len(self._ring) - (self._head - first + 1)
        entries: list[Entry] = []
        size = 0
        last = first
        for index in range(offset, min(offset + LOOKED_AT, len(self._ring) - (self._head - self._marked))):
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
