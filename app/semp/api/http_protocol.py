"""uvicorn's HTTP protocol with bounds on what a connection may take: head, waiting requests, and time.

It also reads requests that offer an upgrade to a protocol the server does not speak. A server may ignore such an offer (RFC 9110, section
7.8), and clients rely on that: Java's HTTP client offers h2c in its first request. httptools treats the bytes after the head of such a
request as the other protocol, so the request's body would be lost.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal, cast

import httptools
import msgspec
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from websockets.http11 import MAX_LINE_LENGTH, MAX_NUM_HEADERS

from semp.api.errors import ErrorBody
from semp.api.giving_up import give_up
from semp.api.security.headers import with_policies
from semp.domain.errors import FieldError

MAX_HEAD = 64 * 1024
"""Bytes of a request's target and headers, at most; as many again for the trailers of a body in chunks."""
MAX_WAITING = 32
"""Requests of a connection that wait for the answer to an earlier one. At this limit nothing more is read from the connection."""
PIECE = 4096
"""Bytes that are parsed at a time. The requests of one piece are queued even if they exceed MAX_WAITING."""
REQUEST_TIMEOUT = 20.0
"""Seconds for a whole head, and between two parts of a body, by default."""
BODY_FACTOR = 30
"""A whole body may take this many times the request timeout."""
UNREAD_FACTOR = 15
"""A connection is cut when the client reads nothing of an answer for this many times the request timeout."""
LINGER = 2.0
"""Seconds, after a refusal, to read and discard what the client still sends. Closing at once could lose the refusal on its way."""
MAX_DISCARDED = 4 * 1024 * 1024
"""Bytes that are discarded after a refusal, at most."""

_encode = msgspec.json.Encoder().encode


class HttpProtocol(HttpToolsProtocol):
    """An HTTP connection.

    A request whose head is too long or too slow, or whose body is too slow, is answered with an error, and the connection is closed. A
    request that offers an upgrade other than to a WebSocket is parsed again without the offer.

    Args:
        request_timeout: seconds that the client may take for a whole head, and between two parts of a body.
    """

    _part: Literal["head", "body"] | None = None
    """The part of a request that the parser is in; None between two requests."""
    _size = 0
    """Bytes of the target and of the complete headers, or trailers, of the current part."""
    _unfinished = 0
    """Bytes read since the last head ended or the last piece of a body came."""
    _requests = 0
    """Requests begun on this connection."""
    _unparsed = b""
    """What was read while too many requests wait. Nothing more is read until it is parsed."""
    _answering: RequestResponseCycle | None = None
    """The request that the application has. Later ones wait in `pipeline`; `cycle` is the newest one."""
    _refusal: bytes | None = None
    """The answer to a request that is refused here. It is sent after the answers to earlier requests; what follows is discarded."""
    _refusal_sent = False
    _discarded = 0
    _offered = False
    """Whether the head just parsed contains an offer to upgrade. The application has not seen that request yet."""
    _timer: asyncio.TimerHandle | None = None
    """Set while a request is incomplete after all that was read is parsed."""
    _timed: tuple[int, str] | None = None
    """The request, by number, and its part that the timer is for."""
    _progress_at = 0.0
    _body_ends_by = 0.0
    _unread: asyncio.TimerHandle | None = None
    """Set while the client does not read its answers."""

    def __init__(self, *args: Any, request_timeout: float = REQUEST_TIMEOUT, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request_timeout = request_timeout

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _Flow(transport, self)
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._stop_timers()
        if self._answering is not None:
            self._answering.disconnected = True  # uvicorn tells only the newest request
            self._answering.message_event.set()
            if not self._answering.response_complete:
                give_up(self._answering.scope)
        for cycle, _ in self.pipeline:
            cycle.on_response = _nothing  # else the cycle and this object keep each other alive, and with them all that they hold
        self.pipeline.clear()
        self._unparsed = b""
        self.cycle = self._answering = None  # type: ignore[assignment]
        cast("_Flow", self.flow).protocol = None

    def eof_received(self) -> None:
        """The transport closes itself; what still waits is not answered."""
        self._unparsed = b""

    # Reading

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._refusal is not None:
            self._discard(data)
        elif self._unparsed:
            self._unparsed += data  # was on its way when reading was paused
        else:
            self._parse(data)

    def _parse(self, data: bytes) -> None:
        try:
            if len(data) <= PIECE:
                self._feed(data)
            else:
                self._feed_pieces(data)
        except httptools.HttpParserError:
            if self._refusal is None:
                message = "Invalid HTTP request received."
                self.logger.warning(message)
                self.send_400_response(message)
                return
        if self._part is not None or self._timer is not None:
            self._watch()
        if self._part is None and self._refusal is None and not self._busy:
            self._expect_request()

    def _expect_request(self) -> None:
        if not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _feed_pieces(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE):
            if len(self.pipeline) >= MAX_WAITING:
                self._unparsed = data[start:]
                self.flow.pause_reading()
                return
            if self._feed(data[start : start + PIECE]):
                return

    def _feed(self, data: bytes) -> bool:
        """Parse bytes; true when the connection is not this protocol's any more."""
        self._unfinished += len(data)
        while True:
            try:
                self.parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as offer:
                if not self._offered:
                    self.handle_websocket_upgrade()
                    return True
                data = data[offer.args[0] :]
            head = self._head_without_offer()
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            self.parser.feed_data(head)
        if self._part is None:
            self._unfinished = 0
        elif self._unfinished > MAX_HEAD:
            self._refuse_long()
        return self._refusal is not None or self.transport.is_closing()

    def _head_without_offer(self) -> bytes:
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        for name, value in self.headers:
            if name in (b"upgrade", b"http2-settings"):
                continue
            kept = value
            if name == b"connection":
                options = [option.strip() for option in value.split(b",")]
                kept = b", ".join(option for option in options if option.lower() not in (b"upgrade", b"http2-settings"))
                if not kept:
                    continue
            lines.append(b"%b: %b" % (name, kept))
        return b"\r\n".join([*lines, b"", b""])

    def handle_websocket_upgrade(self) -> None:
        """Refuse a handshake that the WebSocket library would not read, or that follows a request without an answer; else upgrade."""
        self._part = None
        if len(self.headers) > MAX_NUM_HEADERS:
            self._refuse(431, "headers", f"a WebSocket handshake may have {MAX_NUM_HEADERS} at most")
        elif any(len(name) + len(value) + 2 > MAX_LINE_LENGTH for name, value in self.headers):
            self._refuse(431, "headers", f"each header of a WebSocket handshake may have {MAX_LINE_LENGTH} bytes at most")
        elif len(self.url) + len("GET  HTTP/1.1") > MAX_LINE_LENGTH:
            self._refuse(414, "url", f"the first line of a WebSocket handshake may have {MAX_LINE_LENGTH} bytes at most")
        elif self._busy:
            self._refuse(400, "upgrade", "the connection has a request that is not answered yet")
        else:
            self._stop_timers()
            super().handle_websocket_upgrade()

    # What the parser calls

    def on_message_begin(self) -> None:
        self._part, self._size = "head", 0
        self._requests += 1
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._size += len(url)
        if self._size > MAX_HEAD:
            self._stop_long()
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._size += len(name) + len(value) + 4
        if self._size > MAX_HEAD:
            self._stop_long()
        if self._part == "head":  # trailers are not headers (RFC 9110, section 6.5.1)
            name = name.lower()
            if name == b"expect":
                super().on_header(name, value)
            else:
                self.headers.append((name, value))

    def _stop_long(self) -> None:
        self._refuse_long()
        raise ValueError("too long")  # stops the parser

    def on_headers_complete(self) -> None:
        self._unfinished = 0
        self._offered = self.parser.should_upgrade() and not self._should_upgrade()
        if not self._offered:
            super().on_headers_complete()
            self._part, self._size = "body", 0

    def on_body(self, body: bytes) -> None:
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._offered:
            self._part = None
            super().on_message_complete()

    # Answering, in order

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    @property
    def _busy(self) -> bool:
        """Whether a request of the client is still to be answered."""
        cycle = self._answering
        return bool(self.pipeline) or (cycle is not None and not cycle.response_complete and not cycle.disconnected)

    @property
    def full(self) -> bool:
        """Whether no more may be read, because requests wait for an answer."""
        return bool(self.pipeline or self._unparsed)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._refusal is not None:
            if not self._busy:
                self._send_refusal()
        elif self._unparsed and len(self.pipeline) < MAX_WAITING and not self.transport.is_closing():
            data, self._unparsed = self._unparsed, b""
            self._parse(data)
            self.flow.resume_reading()
        if self._part is not None:
            self._unset_keepalive_if_required()  # the timer of the incomplete request is running

    # Time

    def _watch(self) -> None:
        """Limit the time for the rest of the incomplete request, if there is one."""
        if self._part is None or self._refusal is not None or self.transport.is_closing():
            self._stop_timer()
            return
        now = self.loop.time()
        self._progress_at = now
        if self._timed != (self._requests, self._part):
            self._stop_timer()
            self._timed = self._requests, self._part
            self._body_ends_by = now + BODY_FACTOR * self._request_timeout
            self._timer = self.loop.call_later(self._request_timeout, self._check_progress)

    def _check_progress(self) -> None:
        self._timer = None
        now = self.loop.time()
        if self.flow.read_paused:  # the service is slow, not the client
            self._progress_at, self._body_ends_by = now, now + BODY_FACTOR * self._request_timeout
        elif self._part == "head":
            self._refuse(408, "headers", f"were not complete within {self._request_timeout:g} s")
            return
        due = min(self._progress_at + self._request_timeout, self._body_ends_by)
        if due <= now:
            self._refuse(408, "body", f"nothing came for {self._request_timeout:g} s, or it took longer than {BODY_FACTOR} times that")
            return
        self._timer = self.loop.call_later(due - now, self._check_progress)

    def _stop_timer(self) -> None:
        self._timed = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop_timers(self) -> None:
        self._stop_timer()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reader(0)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _expect_reader(self, unread: int) -> None:
        """Cut the connection if the client has read nothing since `unread` bytes were left."""
        left = self.transport.get_write_buffer_size()
        if unread and left >= unread:
            self.transport.abort()
        else:
            self._unread = self.loop.call_later(UNREAD_FACTOR * self._request_timeout, self._expect_reader, left)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.loop.call_later(LINGER, self.transport.abort)  # `close` waits for a client that does not read its last answer

    # Refusing

    def _refuse_long(self) -> None:
        if self._part == "head" and not self.headers and len(self.url) >= MAX_HEAD // 2:
            self._refuse(414, "url", f"longer than {MAX_HEAD} bytes")
        else:
            self._refuse(431, "headers", f"longer than {MAX_HEAD} bytes")

    def _refuse(self, status: int, field: str, reason: str) -> None:
        """Answer the request that is being read with an error, once the earlier ones are answered, and close the connection."""
        if self._refusal is not None:
            return
        self._stop_timer()
        self._refusal = _answer(status, FieldError(field, reason), self.server_state.default_headers)
        self._unparsed = b""
        if self._part == "body":
            cycle = self.cycle
            if cycle.response_started or cycle.response_complete:
                self.transport.close()  # it has its answer, or a part of it
                self.loop.call_later(LINGER, self.transport.abort)
            cycle.disconnected = True  # the application gets no more of the body, and its answer is not sent
            cycle.message_event.set()
            if self.pipeline and self.pipeline[0][0] is cycle:
                self.pipeline.popleft()[0].on_response = _nothing
        if not self._busy:
            self._send_refusal()

    def _send_refusal(self) -> None:
        if self._refusal_sent or self._refusal is None or self.transport.is_closing():
            return
        self._refusal_sent = True
        self._unset_keepalive_if_required()
        self.transport.write(self._refusal)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(LINGER, self.transport.abort)

    def _discard(self, data: bytes) -> None:
        self._discarded += len(data)
        if not self._refusal_sent:
            self.flow.pause_reading()
        elif self._discarded > MAX_DISCARDED:
            self.transport.abort()


class _Flow(FlowControl):
    """Flow control that does not resume reading while requests wait for an answer."""

    def __init__(self, transport: asyncio.Transport, protocol: HttpProtocol) -> None:
        super().__init__(transport)
        self.protocol: HttpProtocol | None = protocol
        """None when the connection has ended, so that the two do not keep each other alive."""

    def resume_reading(self) -> None:
        if self.read_paused and self.protocol is not None and not self.protocol.full:
            super().resume_reading()


def _answer(status: int, why: FieldError, defaults: list[tuple[bytes, bytes]]) -> bytes:
    """The bytes of an error's answer, with the headers of every answer."""
    body = _encode(ErrorBody(f"{why.field}: {why.reason}", [why]))
    headers = with_policies(
        [*defaults, (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
    )
    return STATUS_LINE[status] + b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n" + body


def _nothing() -> None:
    pass
