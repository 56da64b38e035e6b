"""uvicorn's WebSocket protocol with a way to write ready-made frames, and an end for peers that no longer read."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

LINGER = 10.0
"""Seconds that what was written has to reach a peer once its connection is to be closed; then it is cut."""
LINGER_AT_STOP = 3.0
"""The same while the service stops."""
EXTENSION = "semp.wire"


class LiveProtocol(WebSocketsSansIOProtocol):
    """Server frames are not masked, so a frame encoded once serves every connection: it goes straight to the transport.

    The application finds it in its scope, see `wire_of`. Messages of the application and ready-made frames may be mixed; no
    extension that changes frames (permessage-deflate) may be on.
    """

    on_full: Callable[[], None] | None = None
    """Called when nothing more may be sent for now, or ever."""
    on_writable: Callable[[], None] | None = None
    """Called when there is room again."""
    has_room = True
    """Whether the connection is open and nothing waits to be written to it."""
    on_silence: Callable[[], None] | None = None
    """Called instead of closing with 1011 when the peer did not answer a ping in time."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(0)  # so that `has_room` says that nothing waits in it, and `send_now` may go past it
        if transport.get_extra_info("sslcontext") is None:
            self.send_now = partial(os.write, transport.get_extra_info("socket").fileno())

    def send_now(self, frames: bytes, /) -> int:
        """Write to a connection that has room as much as its socket takes: how many bytes; the rest is for `write`.

        May raise OSError; then nothing was written. Must not be called without room: the descriptor may be another connection's by
        now. Each delivery is one call of this, nothing but the system's own: the way through the transport took a fifth of its time.
        """
        self.transport.write(frames)
        return len(frames)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            cast("dict[str, Any]", self.scope)["extensions"][EXTENSION] = self

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._full()
        self.on_full = self.on_writable = self.on_silence = None

    @property
    def open(self) -> bool:
        """Whether frames may be written."""
        return self.handshake_complete and not self.close_sent and not self.transport.is_closing()

    def write(self, frames: bytes) -> None:
        """Write whole frames, or the rest of some, unless the connection is closing."""
        if self.open:
            self.transport.write(frames)

    def close(self, code: int, reason: str) -> None:
        """Send a close frame behind what was written; after LINGER seconds the connection is cut, answered or not."""
        if not self.open:
            return
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._full()
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(LINGER, self.transport.abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._full()

    def _full(self) -> None:
        self.has_room = False
        if self.on_full is not None:
            self.on_full()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.has_room = self.open
        if self.has_room and self.on_writable is not None:
            self.on_writable()

    def keepalive_timeout(self) -> None:
        if self.on_silence is None:
            super().keepalive_timeout()
            self.loop.call_later(LINGER, self.transport.abort)
            return
        self.pong_timer = None
        self.pending_ping_payload = None
        self.on_silence()

    def handle_close(self, event: Frame) -> None:
        super().handle_close(event)
        self._full()
        if self.transport.is_closing():
            self.loop.call_later(LINGER, self.transport.abort)

    def shutdown(self) -> None:
        """The server stops. A peer that was told so may still be sending: closing before its answer would cut off what it was told."""
        if self.close_sent and self.close_timer is not None:
            self.close_timer.cancel()
            self.close_timer = self.loop.call_later(LINGER_AT_STOP, self.transport.abort)
            return
        self._full()
        super().shutdown()
        self.loop.call_later(LINGER_AT_STOP, self.transport.abort)


def wire_of(scope: Any) -> LiveProtocol:
    """The connection's protocol, from its ASGI scope. Raises KeyError under a server that was not set up for it."""
    return scope["extensions"][EXTENSION]
