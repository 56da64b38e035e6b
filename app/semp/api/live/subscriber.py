"""One WebSocket's subscription: first what it missed, from the log, then what comes, from the hub."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing

from semp.api.live.frames import Renderer, text_frame
from semp.api.live.query import Wanted
from semp.api.live.wire import LiveProtocol
from semp.domain.errors import CannotResume, InvalidInput, StoreUnavailable
from semp.engine.environment import Environment
from semp.engine.live.history import missed
from semp.engine.live.hub import STALL, End, Subscription

log = logging.getLogger(__name__)

GOING_AWAY = 1001
TRY_LATER = 1013
BAD_REQUEST = 4000
TOO_SLOW = 4008
CANNOT_RESUME = 4009
CODES = {End.GOING_AWAY: GOING_AWAY, End.TOO_SLOW: TOO_SLOW, End.LOG_REPLACED: CANNOT_RESUME}


async def check_place(environment: Environment, wanted: Wanted) -> None:
    """Make sure that the log can go on from where the client stands.

    Raises:
        CannotResume: the position belongs to another log.
        StoreUnavailable: it cannot be told now.
    """
    state = environment.ledger.state
    if wanted.epoch is not None and wanted.epoch != state.epoch:
        raise CannotResume("this is another log; read the state again")
    if wanted.after is not None and wanted.after > state.head:  # another replica may have told it before this one looked
        state = await environment.storage.state()
        if wanted.after > state.head:
            raise CannotResume(f"the log ends at position {state.head}; read the state again")


class Subscriber:
    """Implements `semp.engine.live.hub.Sink` on a WebSocket's wire."""

    def __init__(self, environment: Environment, renderer: Renderer, wire: LiveProtocol, *, batch: bool, signals: bool) -> None:
        self.environment = environment
        self.wire = wire
        self.signals = signals
        self.form = "batched" if batch else "plain"
        self.render = renderer.batched if batch else renderer.plain
        self.send, self.finish = wire.send_now, wire.write
        self._renderer = renderer
        self._subscription: Subscription | None = None
        self._position = environment.hub.head
        self._catching_up: asyncio.Task[None] | None = None
        wire.on_full, wire.on_writable = self._on_full, self._on_writable
        wire.on_silence = lambda: self.end(End.TOO_SLOW, self.position)

    @property
    def position(self) -> int:
        """Up to here everything it asked for was written."""
        return self._subscription.position if self._subscription is not None else self._position

    def start(self, wanted: Wanted) -> None:
        """Deliver from now on, or from after a position that `check_place` found good. Takes the place of what was delivered before."""
        self.stop()
        environment = self.environment
        self._position = environment.hub.head if wanted.after is None else wanted.after
        subscription = Subscription(self, wanted.interest, signals=self.signals)
        if environment.hub.holds(self._position):
            if wanted.after is not None:  # it may have missed what followed the last event it saw
                self._tell_signals(subscription, wanted.after, wanted.after)
            self._attach(subscription)
        else:
            self._catching_up = asyncio.create_task(self._catch_up(subscription, self._position))

    def stop(self) -> None:
        """Deliver nothing more. Safe to repeat."""
        self._position = self.position
        if self._subscription is not None:
            self.environment.hub.detach(self._subscription)
            self._subscription = None
        if self._catching_up is not None:
            self._catching_up.cancel()
            self._catching_up = None

    async def _catch_up(self, subscription: Subscription, after: int) -> None:
        environment = self.environment
        try:
            async with aclosing(missed(environment.storage, environment.hub, subscription.interest, after)) as spans:
                async for span in spans:
                    async with asyncio.timeout(STALL):
                        await self.wire.writable.wait()
                    self._tell_signals(subscription, self._position + (self._position > after), span.last)
                    self.wire.write(self.render(span))
                    self._position = span.last
            self._attach(subscription)
        except TimeoutError:
            self.end(End.TOO_SLOW, self._position)
        except StoreUnavailable:
            self.wire.close(TRY_LATER, f"the database is not available; last position {self._position}")
        except Exception:
            log.exception("a subscriber could not be given what it missed")
            self.wire.close(1011, f"internal server error; last position {self._position}")

    def _attach(self, subscription: Subscription) -> None:
        self._subscription = subscription
        subscription.ready = self.wire.has_room
        self.environment.hub.attach(subscription, self._position)

    def _tell_signals(self, subscription: Subscription, first: int, last: int) -> None:
        """Tell of the signals that moved last at one of these positions, as they are now, ahead of the events there.

        Ahead, since a client resumes after the last event it has seen: nothing that belongs to an earlier one may still be to come.
        """
        if self.signals:
            self.wire.write(b"".join([text_frame(text) for text in self._renderer.moved_since(subscription.interest, first, last)]))

    def _on_full(self) -> None:
        if self._subscription is not None:
            self._subscription.ready = False

    def _on_writable(self) -> None:
        if self._subscription is not None:
            self.environment.hub.resume(self._subscription)

    def end(self, why: End, position: int) -> None:
        self.stop()
        self.wire.close(CODES[why], f"{why.value}; last position {position}")


def refused(error: InvalidInput) -> str:
    """Why a request was bad, in the 123 bytes a close frame has for it."""
    return str(error).encode()[:120].decode(errors="ignore")
