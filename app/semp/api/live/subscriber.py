"""One WebSocket's subscription: what follows in the log, as frames on its connection."""

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
    """Implements `semp.engine.live.follow.Outlet` on a WebSocket's wire, and writes there what its iteration gives."""

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
        """Up to here everything it asked for was written."""
        return self._follow.position if self._follow is not None else self.gate.state.head

    @property
    def caught_up(self) -> bool:
        """Whether nothing is left to be read from the log for it."""
        return self._follow is None or self._follow.live

    @property
    def has_room(self) -> bool:
        return self.wire.has_room

    async def room(self) -> None:
        await self.wire.writable.wait()

    def render(self, span: Span) -> bytes:
        return self._renderer.batched(span) if self.batch else self._renderer.plain(span)

    async def follow(self, request: FollowRequest) -> Follow:
        """A way along the log that ends on this connection, for `start`.

        Raises:
            CannotResume, StoreUnavailable: as `Gate.follow`.
        """
        return await self.gate.follow(request.interest, after=request.after, epoch=request.epoch, signals=self.signals, outlet=self)

    def start(self, follow: Follow) -> None:
        """Write what follows from now on, in the place of what was written before."""
        self.stop()
        self._follow = follow
        self._renderer = Renderer(follow.changes, follow.epoch)
        self._writing = asyncio.create_task(self._write(follow))

    def stop(self) -> None:
        """Write nothing more, from this moment on. Safe to repeat."""
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


def refused(error: InvalidInput) -> str:
    """Why a request was bad, in the 123 bytes a close frame has for it."""
    return str(error).encode()[:120].decode(errors="ignore")
