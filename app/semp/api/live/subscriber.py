"""One WebSocket's subscription: writes what it follows in the log as frames to its connection."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from semp.api.live.frames import Renderer, signal_text, text_frame
from semp.api.live.query import FollowRequest
from semp.api.live.wire import LiveProtocol
from semp.domain.errors import InvalidInput
from semp.engine.gate import Gate
from semp.engine.live.follow import Ended, Follow
from semp.engine.live.hub import End, Span

GOING_AWAY = 1001
FAILED = 1011
TRY_LATER = 1013
BAD_REQUEST = 4000
TOO_SLOW = 4008
CANNOT_RESUME = 4009
CODES = {
    End.GOING_AWAY: GOING_AWAY, End.TOO_SLOW: TOO_SLOW, End.LOG_REPLACED: CANNOT_RESUME,
    End.STORE_UNAVAILABLE: TRY_LATER, End.FAILED: FAILED,
}  # fmt: skip


class Subscriber:
    """Implements `semp.engine.live.follow.Outlet` for a WebSocket. It also writes the parts that a `Follow` delivers while catching up.

    Args:
        batch: whether several events are written in one frame.
        signals: whether changes of signals are written too.
    """

    def __init__(self, gate: Gate, wire: LiveProtocol, *, batch: bool, signals: bool) -> None:
        self.gate = gate
        self.wire = wire
        self.signals = signals
        self.batch = batch
        self.form = "batched" if batch else "plain"
        self.send, self.finish = wire.send_now, wire.write
        self._renderer: Renderer
        self._follow: Follow | None = None
        self._writing: asyncio.Task[None] | None = None
        wire.on_full, wire.on_writable = self._on_full, self._on_writable
        wire.on_silence = lambda: self._end(Ended(End.TOO_SLOW, self.position))

    @property
    def position(self) -> int:
        """Position up to which everything that was asked for has been written; the newest position when nothing is followed yet."""
        return self._follow.position if self._follow is not None else self.gate.state.head

    @property
    def caught_up(self) -> bool:
        """Whether it has read all missed events from the log, or follows nothing."""
        return self._follow is None or self._follow.live

    @property
    def has_room(self) -> bool:
        return self.wire.has_room

    async def room(self) -> None:
        await self.wire.writable.wait()

    def render(self, span: Span) -> bytes:
        return self._renderer.batched(span) if self.batch else self._renderer.plain(span)

    async def follow(self, request: FollowRequest) -> Follow:
        """Begin to follow the log for this connection. Nothing is written before `start`.

        Raises:
            CannotResume: the position belongs to another log.
            StoreUnavailable: the position could not be checked.
        """
        return await self.gate.follow(request.interest, after=request.after, epoch=request.epoch, signals=self.signals, outlet=self)

    def start(self, follow: Follow) -> None:
        """Write what `follow` delivers from now on; it replaces the previous one."""
        self.stop()
        self._follow = follow
        self._renderer = Renderer(follow.changes, follow.epoch)
        self._writing = asyncio.create_task(self._write(follow))

    def stop(self) -> None:
        """Write nothing more. Takes effect at once; safe to repeat."""
        if self._follow is not None:
            self._follow.detach()
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    async def _write(self, follow: Follow) -> None:
        async with aclosing(follow.parts()) as parts:
            async for part in parts:
                if isinstance(part, Ended):
                    self._end(part)
                else:
                    self.wire.write(b"".join([text_frame(signal_text(signal)) for signal in part.moved]) + self.render(part.span))

    def _on_full(self) -> None:
        if self._follow is not None:
            self._follow.full()

    def _on_writable(self) -> None:
        if self._follow is not None:
            self._follow.writable()

    def _end(self, ended: Ended) -> None:
        if self._follow is not None:
            self._follow.detach()
        self.wire.close(CODES[ended.why], f"{ended.why.value}; last position {ended.position}")


def close_reason(error: InvalidInput) -> str:
    """The error's message, cut to 120 bytes: a close frame has room for 123 (RFC 6455, section 5.5)."""
    return str(error).encode()[:120].decode(errors="ignore")
