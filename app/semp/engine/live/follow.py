"""The one way to follow the log: what was missed is read from the log, then what comes is taken from the ring, without gap or repeat.

Every live transport iterates `Follow.parts`, renders what it is given and writes it; nothing else joins the log and the ring.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Hashable, Sequence
from contextlib import aclosing
from typing import NamedTuple, Protocol

from semp.domain.errors import CannotResume, StoreUnavailable
from semp.domain.interests import Interest
from semp.engine.access import Principal
from semp.engine.ledger import Ledger
from semp.engine.live.changes import MovedSignal, SignalChanges
from semp.engine.live.history import missed
from semp.engine.live.hub import STALL, End, Hub, Span, Subscription
from semp.engine.ports import EventLog

log = logging.getLogger(__name__)


class Part(NamedTuple):
    """What comes next. `span.last` is the position up to which everything wanted was given once this part is."""

    span: Span
    moved: Sequence[MovedSignal] = ()
    """Signals that moved in what was missed. They belong ahead of the span's events: a reader resumes after the last event that it has
    seen, so nothing that belongs to an earlier one may still be to come. In a span from the ring each entry has its own moves instead."""


class Ended(NamedTuple):
    """The last thing that an iteration gives: why it ends, and the position up to which everything wanted was given."""

    why: End
    position: int


class Outlet(Protocol):
    """A connection that the hub writes to directly once its reader has caught up; the methods are those of `hub.Sink`."""

    @property
    def form(self) -> Hashable: ...

    def render(self, span: Span) -> bytes: ...

    def send(self, rendered: bytes, /) -> int: ...

    def finish(self, rest: bytes, /) -> None: ...

    @property
    def has_room(self) -> bool:
        """Whether it takes something now."""
        ...

    async def room(self) -> None:
        """Return once it takes something."""
        ...


async def check_place(ledger: Ledger, store: EventLog, after: int | None, epoch: str | None) -> None:
    """Make sure that the log can go on from where a reader stands.

    Raises:
        CannotResume: the position belongs to another log.
        StoreUnavailable: it cannot be told now.
    """
    state = ledger.state
    if epoch is not None and epoch != state.epoch:
        raise CannotResume("this is another log; read the state again")
    if after is not None and after > state.head:  # another replica may have told it before this one looked
        state = await store.state()
        if after > state.head:
            raise CannotResume(f"the log ends at position {state.head}; read the state again")


class Follow:
    """One reader's way along the log. The place was found good by `check_place`; the way begins there however late it is iterated.

    Args:
        principal: who reads.
        after: position to begin after; None for the newest event.
        signals: whether changes of signals in the interest's scopes are wanted too.
        outlet: where the hub writes to once the reader has caught up. From then on the iteration gives nothing but the end, and
            whoever owns the outlet calls `full` and `writable`. Without an outlet every part is given by the iteration.
        quiet: seconds without news after which an empty part is given, None for never. It has no meaning with an outlet.
    """

    def __init__(
        self,
        hub: Hub,
        ledger: Ledger,
        store: EventLog,
        principal: Principal,
        interest: Interest,
        *,
        after: int | None,
        signals: bool,
        outlet: Outlet | None,
        quiet: float | None,
    ) -> None:
        self.principal = principal
        self.epoch = ledger.state.epoch
        """The log that is followed. When another takes its place, the iteration ends."""
        self.changes = SignalChanges(ledger)
        """For rendering spans from the ring."""
        self.live = False
        """Whether it has caught up: the ring holds everything that is still to come."""
        self._hub = hub
        self._ledger = ledger
        self._store = store
        self._interest = interest
        self._signals = signals
        self._outlet = outlet
        self._quiet = quiet
        self._position = hub.head if after is None else after
        self._resumes = after is not None
        self._subscription: Subscription | None = None

    @property
    def position(self) -> int:
        """Up to here everything wanted was given or written."""
        return self._subscription.position if self._subscription is not None else self._position

    async def parts(self) -> AsyncGenerator[Part | Ended]:
        """Everything of the interest after the position, in log order, once each; the last thing given is why it ends.

        The next part is made when it is asked for: a slow reader holds one span at most. One that takes nothing for STALL seconds though
        there is something is told TOO_SLOW. To be iterated once; close it (`contextlib.aclosing`) to leave early.
        """
        try:
            async with aclosing(self._catch_up()) as parts:
                async for part in parts:
                    yield part
                    if isinstance(part, Ended):
                        return
            async with aclosing(self._written_by_hub(self._outlet) if self._outlet is not None else self._from_ring()) as live:
                async for part in live:
                    yield part
        except StoreUnavailable:
            yield Ended(End.STORE_UNAVAILABLE, self.position)
        except Exception:
            log.exception("a reader could not be given what follows in the log")
            yield Ended(End.FAILED, self.position)

    def full(self) -> None:
        """The outlet takes nothing for now."""
        if self._subscription is not None:
            self._subscription.ready = False

    def writable(self) -> None:
        """The outlet takes something again."""
        if self._subscription is not None:
            self._hub.resume(self._subscription)

    def detach(self) -> None:
        """Write nothing more to the outlet, from this moment on. Safe to repeat."""
        self._position = self.position
        if self._subscription is not None:
            self._hub.detach(self._subscription)
            self._subscription = None

    def _over(self) -> End | None:
        """Whether there is no way on: positions of another log mean nothing here, and a hub that is closed delivers nothing."""
        if self._ledger.state.epoch != self.epoch:
            return End.LOG_REPLACED
        return End.GOING_AWAY if self._hub.closed else None

    async def _catch_up(self) -> AsyncGenerator[Part | Ended]:
        """What was missed, from the log, until the ring holds the rest."""
        if self._resumes and self._signals:  # the reader may have missed what followed the last event that it saw
            moved = self.changes.between(self._position, self._position, self._interest)
            if moved:
                yield Part(self._nothing(), moved)
        async with aclosing(missed(self._store, self._hub, self._interest, self._position)) as spans:
            async for span in spans:
                why = self._over() if await self._room() else End.TOO_SLOW
                if why is not None:
                    yield Ended(why, self._position)
                    return
                moved = self.changes.between(self._position + 1, span.last, self._interest) if self._signals else ()
                self._position = span.last
                yield Part(span, moved)
        if (why := self._over()) is not None:
            yield Ended(why, self._position)

    async def _room(self) -> bool:
        """Wait until the outlet takes something; False when it took nothing for STALL seconds."""
        if self._outlet is None or self._outlet.has_room:
            return True
        try:
            async with asyncio.timeout(STALL):
                await self._outlet.room()
        except TimeoutError:
            return False
        return True

    async def _written_by_hub(self, outlet: Outlet) -> AsyncGenerator[Ended]:
        """Hand over to the hub. Nothing was awaited since the ring held the rest."""
        connection = _Connection(outlet)
        subscription = self._attach(connection, ready=outlet.has_room)
        try:
            yield await connection.ended
        finally:
            if self._subscription is subscription:
                self.detach()

    async def _from_ring(self) -> AsyncGenerator[Part | Ended]:
        """Take from the hub, a span at a time. Nothing was awaited since the ring held the rest."""
        slot = _Slot()
        subscription = self._attach(slot, ready=False)
        slot.subscription = subscription
        try:
            while True:
                if slot.span is None:
                    self._hub.resume(subscription)
                    await slot.wait(self._quiet)
                if (span := slot.take()) is not None:
                    yield Part(span)
                elif slot.ended is not None:
                    yield slot.ended
                    return
                else:
                    yield Part(self._nothing())
        finally:
            self.detach()

    def _attach(self, sink: _Connection | _Slot, *, ready: bool) -> Subscription:
        subscription = self._subscription = Subscription(sink, self._interest, signals=self._signals)
        subscription.ready = ready
        self.live = True
        self._hub.attach(subscription, self._position)
        return subscription

    def _nothing(self) -> Span:
        return Span((), self.position, self._interest, self._signals)


class _Connection:
    """Implements `semp.engine.live.hub.Sink` with an outlet's own methods, so that between hub and outlet there is no further call."""

    def __init__(self, outlet: Outlet) -> None:
        self.form = outlet.form
        self.render, self.send, self.finish = outlet.render, outlet.send, outlet.finish
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()

    def end(self, why: End, position: int) -> None:
        if not self.ended.done():
            self.ended.set_result(Ended(why, position))


class _Slot:
    """Implements `semp.engine.live.hub.Sink` for a reader that asks for the next span. It holds one at most."""

    def __init__(self) -> None:
        self.subscription: Subscription | None = None
        self.span: Span | None = None
        self.ended: Ended | None = None
        self._news = asyncio.Event()

    @property
    def form(self) -> Hashable:
        """Its own: what it keeps of a span is nobody else's."""
        return self

    def render(self, span: Span) -> bytes:
        """Keep the span; its reader renders it."""
        self.span = span
        return b"."

    def send(self, rendered: bytes) -> int:
        assert self.subscription is not None
        self.subscription.ready = False
        self._news.set()
        return len(rendered)

    def finish(self, rest: bytes) -> None:
        """`send` takes everything."""

    def end(self, why: End, position: int) -> None:
        self.ended = Ended(why, position)
        self._news.set()

    def take(self) -> Span | None:
        span, self.span = self.span, None
        return span

    async def wait(self, quiet: float | None) -> None:
        """Until there is a span or an end, or nothing came for `quiet` seconds."""
        self._news.clear()
        if self.span is not None or self.ended is not None:
            return
        try:
            await asyncio.wait_for(self._news.wait(), quiet)
        except TimeoutError:
            return
