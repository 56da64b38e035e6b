"""uvicorn's WebSocket protocol, extended to write frames that are already encoded and to cut off peers that no longer read."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

LINGER = 10.0
"""Seconds from the close frame until the connection is cut, so that pending data can still reach the peer."""
LINGER_AT_STOP = 3.0
"""Like LINGER, while the service stops."""
EXTENSION = "semp.wire"


class LiveProtocol(WebSocketsSansIOProtocol):
    """A WebSocket connection that takes encoded frames and writes them straight to the transport.

    Server frames are not masked, so a frame that is encoded once serves every connection. The application finds this object in its scope,
    see `wire_of`. Messages that the application sends through ASGI and encoded frames may be mixed. No extension that changes frames
    (permessage-deflate) may be on.
    """

    on_full: Callable[[], None] | None = None
    """Called when the connection has no room: the write buffer is not empty, or the connection ends."""
    on_writable: Callable[[], None] | None = None
    """Called when the write buffer is empty again."""
    has_room = True
    """Whether the connection is open and its write buffer is empty."""
    on_silence: Callable[[], None] | None = None
    """Called when the peer did not answer a ping in time, instead of closing the connection with 1011."""

    _pong = b""
    """The answer to the newest ping that came while the connection had no room."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(0)  # then `has_room` means an empty buffer, and `send_now` may bypass the transport
        if transport.get_extra_info("sslcontext") is None:
            self.send_now = partial(os.write, transport.get_extra_info("socket").fileno())

    def send_now(self, frames: bytes, /) -> int:
        """Write as many bytes as the socket takes now. The caller passes the rest to `write`.

        Must be called only while `has_room` is true: without room, the file descriptor may already belong to another connection. Each
        delivery is one such system call, because going through the transport took a fifth of a delivery's time.

        Returns:
            The number of bytes written.

        Raises:
            OSError: nothing was written.
        """
        self.transport.write(frames)
        return len(frames)

    def send_receive_event_to_app(self) -> None:
        """Close with 1007 when a text message is not UTF-8. uvicorn would do the same, and log a traceback for each such message."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            self.frames = [b"".join(self.frames)]
            try:
                self.frames[0].decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(1007)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

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
        """Write frames, or the rest of frames that `send_now` wrote in part. Does nothing when the connection is closing."""
        if self.open:
            self.transport.write(frames)

    def close(self, code: int, reason: str) -> None:
        """Send a close frame after everything already written. Cuts the connection after LINGER seconds, answered or not.

        Does nothing when the connection is closing. `reason` may have 123 bytes of UTF-8 at most.
        """
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
        if self._pong:
            pong, self._pong = self._pong, b""
            self.write(pong)
        if self.has_room and self.on_writable is not None:
            self.on_writable()

    def handle_ping(self) -> None:
        """Answer a ping. While the peer reads nothing, only the newest is kept for an answer (RFC 6455, section 5.5.3)."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self._pong = next((frame for frame in reversed(self.conn.data_to_send()) if frame), self._pong)

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
        """Called when the server stops.

        A peer that was sent a close frame gets LINGER_AT_STOP seconds to answer it: it may still be sending, and closing the connection
        before its answer could lose the close frame.
        """
        if self.close_sent and self.close_timer is not None:
            self.close_timer.cancel()
            self.close_timer = self.loop.call_later(LINGER_AT_STOP, self.transport.abort)
            return
        self._full()
        super().shutdown()
        self.loop.call_later(LINGER_AT_STOP, self.transport.abort)


def wire_of(scope: Any) -> LiveProtocol:
    """The connection's protocol object, from its ASGI scope.

    Raises:
        KeyError: the server does not use `LiveProtocol`.
    """
    return scope["extensions"][EXTENSION]
