"""The log as an endless iteration: in order, without gaps or repeats, across reconnects."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast

import msgspec

from semp_sdk.errors import HistoryLost, InvalidEvent, NotAllowed, ProtocolViolation, SempError
from semp_sdk.events import Event, SignalUpdate
from semp_sdk.frames import Ack, EventFrame, EventsFrame, Filter, Frame, Hello, Refusal, SignalFrame, address, read_frame
from semp_sdk.retry import RECONNECTS, Backoff

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection
    from websockets.exceptions import ConnectionClosed

log = logging.getLogger("semp_sdk")

MOST_BYTES = 64 * 1024 * 1024
"""Largest frame, in bytes. When a frame with several events is larger, the stream reconnects and asks for one event per frame."""
QUIET = 20.0
"""Seconds without a frame after which the client sends a ping, and within which the service must answer it."""
CONNECT_WITHIN = 20.0
"""Seconds to connect, and then for the first frame."""
BAD_REQUEST, NOT_ALLOWED, TOO_SLOW, CANNOT_RESUME, TOO_BIG = 4000, 4001, 4008, 4009, 1009
OnReset = Literal["raise", "restart"]

T = TypeVar("T", bound=Event | SignalUpdate)


class _Lost(Exception):
    """The connection is lost. `at_once`: a new one may be opened without waiting."""

    def __init__(self, reason: str, at_once: bool = False) -> None:
        super().__init__(reason)
        self.at_once = at_once


class Stream(Generic[T]):
    """Iterate over it with `async for`; `async with` connects at once and closes at the end, else the client's `close` does.

    Every matching event comes exactly once, in the order of the log. When the connection breaks, the stream opens a new one and continues
    from its position: at once if the reader was too slow, else after 1 s, doubling to 30 s. Backpressure: a slow reader first slows the
    service down; then the service disconnects it, which is a break like any other.

    Without `after`, the stream starts where the log stands at the first connection. One task at a time may iterate.

    Raises while iterating:
        HistoryLost: the log was replaced; with `on_reset="restart"` the new one is read from its start instead.
        InvalidEvent: the filter was refused. NotAllowed: this client may not read.
        ProtocolViolation: the service left out an event twice.
    """

    def __init__(
        self,
        base: str,
        filter: Filter,
        *,
        after: int | None = None,
        epoch: str | None = None,
        signals: bool = False,
        on_reset: OnReset = "raise",
        backoff: Backoff = RECONNECTS,
        headers: Mapping[str, str] | None = None,
        open_streams: set[Stream[Any]] | None = None,
    ) -> None:
        """`open_streams`: holds every stream that has a connection, so that the client can close it after a loop was left."""
        self.position = after
        """Every matching event up to here was returned; None before the first connection."""
        self.epoch = epoch
        """The log that positions belong to; None before the first connection."""
        self.connections = 0
        """Number of connections opened so far."""
        self._base = base
        self._filter = filter
        self._signals = signals
        self._on_reset: OnReset = on_reset
        self._backoff = backoff
        self._headers = headers
        self._open_streams: set[Stream[Any]] = open_streams if open_streams is not None else set()
        self._connection: ClientConnection | None = None
        self._batch = True
        self._ready: deque[Event | SignalUpdate | Ack] = deque()
        self._read = after
        """The newest position received; events in `_ready` lie between `position` and this."""
        self._gap_at: int | None = None
        self._delays: Iterator[float] = backoff.delays()
        self._immediate_at: tuple[int | None, str | None, bool] | None = None
        self._signals_at: tuple[int, set[tuple[str, str]]] = (0, set())
        self._closed = asyncio.Event()

    async def __aenter__(self) -> Stream[T]:
        await self.connect()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def __aiter__(self) -> Stream[T]:
        return self

    async def __anext__(self) -> T:
        while True:
            while self._ready:
                found = self._ready.popleft()
                if found.position is not None and not isinstance(found, SignalUpdate):
                    self.position = max(found.position, self.position or 0)
                if not isinstance(found, Ack):
                    return cast("T", found)
            await self.connect()
            if self._closed.is_set():
                raise StopAsyncIteration
            try:
                await self._receive()
            except _Lost as lost:
                await self._pause(lost)
            except SempError:
                self._open_streams.discard(self)
                raise

    @property
    def closed(self) -> bool:
        """Whether it was closed, by itself or with its client."""
        return self._closed.is_set()

    @property
    def buffered(self) -> int:
        """Number of received events and signals that were not returned yet."""
        return len(self._ready)

    async def connect(self) -> None:
        """Connect if there is no connection. Returns when the service has sent its start position; retries until then."""
        while self._connection is None and not self._closed.is_set():
            self._open_streams.add(self)  # closing the client must end this stream too, also while it waits to retry
            try:
                await self._open()
            except _Lost as lost:
                await self._pause(lost)
            except BaseException:
                self._open_streams.discard(self)
                raise

    async def close(self) -> None:
        """Close the connection and end the iteration. Safe to repeat."""
        self._closed.set()
        self._open_streams.discard(self)
        await self._drop()

    async def _open(self) -> None:
        from websockets.asyncio.client import connect
        from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

        url = address(self._base, self._filter, after=self._read, epoch=self.epoch, signals=self._signals, batch=self._batch)
        try:
            self._connection = await connect(
                url, compression=None, max_size=MOST_BYTES, max_queue=8, ping_interval=None, open_timeout=CONNECT_WITHIN,
                close_timeout=2, proxy=None, additional_headers=self._headers, user_agent_header="semp-sdk-python",
            )  # fmt: skip
            self.connections += 1
            async with asyncio.timeout(CONNECT_WITHIN):
                hello = read_frame(await self._connection.recv(decode=False))
            if not isinstance(hello, Hello):
                raise ProtocolViolation("the service sent no start position; it is older than this client needs")
        except InvalidStatus as error:
            status = error.response.status_code
            if status in (401, 403):
                raise NotAllowed(f"{self._base} refused the stream with status {status}") from None
            if 400 <= status < 500 and status not in (408, 425, 429):
                raise ProtocolViolation(f"{self._base} has no stream here: status {status}") from None
            raise _Lost(f"status {status}") from None
        except ConnectionClosed as closed:
            raise await self._ended(closed) from None
        except (OSError, EOFError, InvalidHandshake, TimeoutError, msgspec.MsgspecError) as error:
            await self._drop()
            raise _Lost(f"{type(error).__name__}: {error}") from None
        except BaseException:
            await self._drop()
            raise
        await self._greet(hello)
        if self._closed.is_set():
            await self._drop()

    async def _greet(self, hello: Hello) -> None:
        if (self.epoch is not None and hello.epoch != self.epoch) or (self._read is not None and hello.position > self._read):
            await self._drop()
            self._history_lost("the service goes on from another place than asked for")
            raise _Lost("the log starts anew", at_once=True)
        self.epoch = hello.epoch
        if self._read is None:
            self.position = self._read = hello.position

    async def _receive(self) -> None:
        """Receive one frame."""
        from websockets.exceptions import ConnectionClosed

        connection = self._connection
        assert connection is not None
        try:
            frame: Frame = read_frame(await self._next_frame(connection))
        except ConnectionClosed as closed:
            raise await self._ended(closed) from None
        except (TimeoutError, msgspec.MsgspecError) as error:
            await self._drop()
            raise _Lost(f"{type(error).__name__}: {error}") from None
        self._delays = self._backoff.delays()
        match frame:
            case EventFrame():
                await self._take([frame.data])
            case EventsFrame():
                await self._take(frame.data)
            case SignalFrame():
                self._take_signal(frame.data)
            case Ack():
                self._read = max(self._read or 0, frame.position or 0)
                self._ready.append(frame)
            case Refusal():
                raise InvalidEvent(frame.message)
            case Hello():
                raise ProtocolViolation("the service said hello twice")

    async def _next_frame(self, connection: ClientConnection) -> bytes:
        try:
            async with asyncio.timeout(QUIET):
                return await connection.recv(decode=False)
        except TimeoutError:
            await connection.send('{"type":"ping"}')
            async with asyncio.timeout(QUIET):
                return await connection.recv(decode=False)

    async def _take(self, events: list[Event]) -> None:
        """Queue new events. Positions must increase, and must have no gaps when the filter matches every event."""
        for event in events:
            read = self._read or 0
            if event.position <= read:
                log.warning("position %d came again and was dropped", event.position)
                continue
            if self._filter.everything and event.position != read + 1:
                await self._drop()
                if self._gap_at == read:
                    raise ProtocolViolation(f"position {event.position} came right after {read}, even after a reconnect")
                self._gap_at = read
                raise _Lost(f"position {event.position} came right after {read}", at_once=True)
            self._read = event.position
            self._ready.append(event)

    def _take_signal(self, signal: SignalUpdate) -> None:
        """Queue a signal that is new; after a break the service may repeat some.

        A signal does not move the read position: while a reader catches up, signals come ahead of the events that moved them.
        """
        position, received = self._signals_at
        if signal.position < position or (signal.position == position and (signal.scope, signal.pattern) in received):
            return
        if signal.position > position:
            self._signals_at = signal.position, set()
        self._signals_at[1].add((signal.scope, signal.pattern))
        self._ready.append(signal)

    async def _ended(self, closed: ConnectionClosed) -> _Lost:
        """The `_Lost` that fits the close code; raises another error when a retry cannot help."""
        frame = closed.rcvd
        code, reason = (frame.code, frame.reason) if frame is not None else (1006, "the connection broke")
        if closed.sent is not None and closed.sent.code == TOO_BIG and not closed.rcvd_then_sent:
            code = TOO_BIG
        await self._drop()
        match code:
            case _ if code == BAD_REQUEST:
                raise InvalidEvent(reason)
            case _ if code == NOT_ALLOWED:
                raise NotAllowed(reason)
            case _ if code == CANNOT_RESUME:
                self._history_lost(reason)
                return _Lost(reason, at_once=True)
            case _ if code == TOO_BIG:
                if not self._batch:
                    raise ProtocolViolation(f"one frame is larger than {MOST_BYTES} bytes")
                self._batch = False
                return _Lost("a frame is too large; going on with one event a frame", at_once=True)
            case _:
                return _Lost(f"{code} {reason}".strip(), at_once=code == TOO_SLOW)

    def _history_lost(self, reason: str) -> None:
        if self._on_reset == "raise":
            raise HistoryLost(f"{reason or 'the log is another one'} (this stream was at {self._read})", self._read, self.epoch)
        log.warning("%s; reading the log from its start", reason or "the log is another one")
        self._ready.clear()
        self.position = self._read = 0
        self.epoch = self._gap_at = None
        self._signals_at = (0, set())

    async def _pause(self, lost: _Lost) -> None:
        """Wait before the next connection. A second break without a new event in between always waits."""
        if self._closed.is_set():
            return
        if lost.at_once and self._immediate_at != (self._read, self.epoch, self._batch):
            self._immediate_at = (self._read, self.epoch, self._batch)
            log.info("the stream reconnects at once: %s", lost)
            return
        delay = next(self._delays)
        log.warning("the stream was lost: %s; again in %.1f s", lost, delay)
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._closed.wait()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
