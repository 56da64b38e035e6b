"""Follows the log for one reader: reads missed events from the log, then takes new ones from the ring, without gap or repeat.

Every live transport iterates `Follow.parts`, renders the parts and writes them. No other code joins the log and the ring.
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
    """The next events of the interest. With this part, everything of the interest up to position `span.last` was given."""

    span: Span
    moved: Sequence[MovedSignal] = ()
    """Signals that moved in the events of the next span, which come in parts before it: a reader resumes after the last event that it
    received, so it must have received all changes up to that event by then. Then `span` is empty. There are none for spans from the ring,
    whose entries have their own moves."""


class Ended(NamedTuple):
    """The last item of an iteration: why it ends, and the position up to which everything of the interest was given."""

    why: End
    position: int


class Outlet(Protocol):
    """A connection that the hub writes to directly once its reader has caught up. The first four members are those of `hub.Sink`."""

    @property
    def form(self) -> Hashable: ...

    def render(self, span: Span) -> bytes: ...

    def send(self, rendered: bytes, /) -> int: ...

    def finish(self, rest: bytes, /) -> None: ...

    @property
    def has_room(self) -> bool:
        """Whether it can take more now."""
        ...

    async def room(self) -> None:
        """Wait until it can take more."""
        ...


async def check_place(ledger: Ledger, store: EventLog, after: int | None, epoch: str | None) -> None:
    """Check that a reader can resume after a position.

    Args:
        after: the position, None for the newest event.
        epoch: the epoch of the log that the position is from; None: not checked.

    Raises:
        CannotResume: the position is from another log, or the log ends before it.
        StoreUnavailable: the database is needed for the check, and is not available.
    """
    state = ledger.state
    if epoch is not None and epoch != state.epoch:
        raise CannotResume("this is another log; read the state again")
    if after is not None and after > state.head:  # the position may come from another replica that is ahead of this one
        state = await store.state()
        if after > state.head:
            raise CannotResume(f"the log ends at position {state.head}; read the state again")


class Follow:
    """Follows the log for one reader. It begins at its position, however late the iteration starts.

    Args:
        principal: who reads.
        after: position to begin after, which `check_place` has accepted; None for the newest event.
        signals: whether changes of signals in the interest's scopes are delivered too.
        outlet: where the hub writes to once the reader has caught up. From then on, the iteration gives nothing but the end, and the
            owner of the outlet must call `full` and `writable`. Without an outlet, the iteration gives all parts.
        quiet: seconds without a new part after which an empty part is given, None for never. Ignored with an outlet.
    """

    def __init__(
        self,
        hub: Hub,
        ledger: Ledger,
        changes: SignalChanges,
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
        """Epoch of the log that is followed. The iteration ends when another log replaces it."""
        self.changes = changes
        """For rendering spans from the ring."""
        self.live = False
        """Whether it has caught up, so that all further parts come from the ring."""
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
        """Position up to which everything of the interest was given or written."""
        return self._subscription.position if self._subscription is not None else self._position

    async def parts(self) -> AsyncGenerator[Part | Ended]:
        """Everything of the interest after the position, in log order, each event once. The last item is an `Ended`.

        A part is made only when it is asked for, so a slow reader holds one span at most. A reader that takes nothing for STALL seconds,
        although there is something for it, gets TOO_SLOW. Iterate it only once, and close it (`contextlib.aclosing`) to stop early.
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
            log.exception("following the log for a reader failed")
            yield Ended(End.FAILED, self.position)

    def full(self) -> None:
        """To be called when the outlet can take no more for now."""
        if self._subscription is not None:
            self._subscription.ready = False

    def writable(self) -> None:
        """To be called when the outlet can take more again."""
        if self._subscription is not None:
            self._hub.resume(self._subscription)

    def detach(self) -> None:
        """Stop writing to the outlet at once. Safe to repeat."""
        self._position = self.position
        if self._subscription is not None:
            self._hub.detach(self._subscription)
            self._subscription = None

    def _reason_to_end(self) -> End | None:
        """Why the log can be followed no further: it was replaced, or the hub is closed. None when it can."""
        if self._ledger.state.epoch != self.epoch:
            return End.LOG_REPLACED
        return End.GOING_AWAY if self._hub.closed else None

    async def _catch_up(self) -> AsyncGenerator[Part | Ended]:
        """The missed events, from the log, until the ring holds the rest."""
        if self._resumes:  # the reader may have missed the changes that its last event made
            async with aclosing(self._moved(self._position, self._position)) as parts:
                async for part in parts:
                    yield part
                    if isinstance(part, Ended):
                        return
        async with aclosing(missed(self._store, self._hub, self._interest, self._position)) as spans:
            async for span in spans:
                async with aclosing(self._moved(self._position + 1, span.last)) as parts:
                    async for part in parts:
                        yield part
                        if isinstance(part, Ended):
                            return
                if (why := await self._reason_to_end_now()) is not None:
                    yield Ended(why, self._position)
                    return
                self._position = span.last
                yield Part(span)
        if (why := self._reason_to_end()) is not None:
            yield Ended(why, self._position)

    async def _moved(self, first: int, last: int) -> AsyncGenerator[Part | Ended]:
        """The signals that moved last in this stretch of the log, if they are wanted."""
        if not self._signals:
            return
        for keys in await self.changes.between(first, last, self._interest):
            if (why := await self._reason_to_end_now()) is not None:
                yield Ended(why, self._position)
                return
            if moved := self.changes.made_until(last, keys):
                yield Part(self._empty_span(), moved)

    async def _reason_to_end_now(self) -> End | None:
        """Wait until the outlet can take more; why nothing more is written, None when there is no reason."""
        return self._reason_to_end() if await self._room() else End.TOO_SLOW

    async def _room(self) -> bool:
        """Wait until the outlet can take more; False when it could not for STALL seconds."""
        if self._outlet is None or self._outlet.has_room:
            return True
        try:
            async with asyncio.timeout(STALL):
                await self._outlet.room()
        except TimeoutError:
            return False
        return True

    async def _written_by_hub(self, outlet: Outlet) -> AsyncGenerator[Ended]:
        """Let the hub write to the outlet until the subscription ends. There must be no await between the end of `missed` and `_attach`."""
        connection = _Connection(outlet)
        subscription = self._attach(connection, ready=outlet.has_room)
        try:
            yield await connection.ended
        finally:
            if self._subscription is subscription:
                self.detach()

    async def _from_ring(self) -> AsyncGenerator[Part | Ended]:
        """Take spans from the hub, one at a time. There must be no await between the end of `missed` and `_attach`."""
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
                    yield Part(self._empty_span())
        finally:
            self.detach()
            slot.subscription = None  # the two refer to each other

    def _attach(self, sink: _Connection | _Slot, *, ready: bool) -> Subscription:
        subscription = self._subscription = Subscription(sink, self._interest, signals=self._signals)
        subscription.ready = ready
        self.live = True
        self._hub.attach(subscription, self._position)
        return subscription

    def _empty_span(self) -> Span:
        return Span((), self.position, self._interest, self._signals)


class _Connection:
    """Implements `semp.engine.live.hub.Sink` with the outlet's own methods, so that the hub calls the outlet directly."""

    def __init__(self, outlet: Outlet) -> None:
        self.form = outlet.form
        self.render, self.send, self.finish = outlet.render, outlet.send, outlet.finish
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()

    def end(self, why: End, position: int) -> None:
        if not self.ended.done():
            self.ended.set_result(Ended(why, position))


class _Slot:
    """Implements `semp.engine.live.hub.Sink` for a reader that asks for each span. It holds one span at most."""

    def __init__(self) -> None:
        self.subscription: Subscription | None = None
        self.span: Span | None = None
        self.ended: Ended | None = None
        self._news = asyncio.Event()

    @property
    def form(self) -> Hashable:
        """A form of its own, so that `render` is called for this slot and not shared with others."""
        return self

    def render(self, span: Span) -> bytes:
        """Keep the span, which its reader will render. The returned bytes have no meaning."""
        self.span = span
        return b"."

    def send(self, rendered: bytes) -> int:
        assert self.subscription is not None
        self.subscription.ready = False
        self._news.set()
        return len(rendered)

    def finish(self, rest: bytes) -> None:
        """Nothing to do: `send` takes everything."""

    def end(self, why: End, position: int) -> None:
        self.ended = Ended(why, position)
        self._news.set()

    def take(self) -> Span | None:
        """The span, which the slot then no longer holds."""
        span, self.span = self.span, None
        return span

    async def wait(self, quiet: float | None) -> None:
        """Wait for a span or the end, `quiet` seconds at most."""
        self._news.clear()
        if self.span is not None or self.ended is not None:
            return
        try:
            async with asyncio.timeout(quiet):
                await self._news.wait()
        except TimeoutError:
            return
