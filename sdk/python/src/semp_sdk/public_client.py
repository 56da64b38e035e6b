"""The client of the public SEL/SEMP documents: `SEMPClient`, with and without asyncio, plain dicts throughout."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from types import TracebackType
from typing import Any, TypeVar, cast, get_args, overload

import msgspec

from semp_sdk.client import Client
from semp_sdk.errors import SempError, Unavailable
from semp_sdk.events import Event, EventType, Signal, SignalUpdate
from semp_sdk.portal import Portal
from semp_sdk.stream import Stream
from semp_sdk.transport import segment

log = logging.getLogger("semp_sdk")

Handler = Callable[[dict[str, Any]], Any]
H = TypeVar("H", bound=Callable[..., Any])
T = TypeVar("T")
NAMES = frozenset({"event", "signal", "error", *get_args(EventType)})
"""Names for `on`: all events, events of one type, changes of signals, and the end of live delivery."""


class SEMPClient:
    """Thread-safe, and usable from any event loop. Runs a `Client` in a background thread.

    Every method raises `SempError` when the service refuses a request or cannot be reached. Requests are retried for a minute. Ids of
    events are made here, so no event is stored twice.
    """

    def __init__(self, url: str = "http://localhost:5000", *, patience: float = 60.0, timeout: float = 60.0) -> None:
        """`patience`: seconds for a request with all attempts; `timeout`: seconds for one attempt."""
        self.client = Client(url, patience=patience, timeout=timeout)
        """The typed client underneath; decorators and `emit_blocking` of it may be used here."""
        self._portal = Portal()
        self._handlers: dict[str, list[Callable[..., Any]]] = {name: [] for name in NAMES}
        self._dispatcher: ThreadPoolExecutor | None = None
        self._stream: Stream[Event | SignalUpdate] | None = None
        self._following: asyncio.Task[None] | None = None
        self._ended = threading.Event()

    def __enter__(self) -> SEMPClient:
        self._portal.call(self.client.__aenter__)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # Events and signals

    def create_event(
        self, type: str, scope: str, trace_id: str, agent_id: str, payload: dict[str, Any], parent_ids: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """Store an event; the stored one, with `id`, `timestamp`, `position` and the `signals` it moved."""
        return self._portal.call(lambda: self._create(type, scope, trace_id, agent_id, payload, parent_ids))

    async def create_event_async(
        self, type: str, scope: str, trace_id: str, agent_id: str, payload: dict[str, Any], parent_ids: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """The same for coroutines. Events created at the same time share requests."""
        return await self._in_background(lambda: self._create(type, scope, trace_id, agent_id, payload, parent_ids))

    def get_events(self) -> list[dict[str, Any]]:
        """The newest 100 events, newest first."""
        return self._get("/api/events")

    async def get_events_async(self) -> list[dict[str, Any]]:
        """The same for coroutines."""
        return await self._get_async("/api/events")

    def get_events_by_scope(self, scope: str) -> list[dict[str, Any]]:
        """The newest 100 events of exactly this scope, newest first."""
        return self._get(f"/api/events/scope/{segment(scope)}")

    async def get_events_by_scope_async(self, scope: str) -> list[dict[str, Any]]:
        """The same for coroutines."""
        return await self._get_async(f"/api/events/scope/{segment(scope)}")

    def get_signals(self) -> list[dict[str, Any]]:
        """All live signals, strongest first."""
        return self._get("/api/signals")

    async def get_signals_async(self) -> list[dict[str, Any]]:
        """The same for coroutines."""
        return await self._get_async("/api/signals")

    def get_signal(self, scope: str, pattern: str) -> dict[str, Any] | None:
        """One signal; None when there never was one, or it has faded."""
        return plain_signal(self._portal.call(lambda: self.client.signal(scope, pattern)))

    async def get_signal_async(self, scope: str, pattern: str) -> dict[str, Any] | None:
        """The same for coroutines."""
        return plain_signal(await self._in_background(lambda: self.client.signal(scope, pattern)))

    # Live

    @overload
    def on(self, name: str) -> Callable[[H], H]: ...
    @overload
    def on(self, name: str, handler: H) -> H: ...
    def on(self, name: str, handler: H | None = None) -> Callable[[H], H] | H:
        """Call the handler for every event (`"event"`), for events of a type (`"proposal"`, ...), for every change of a signal
        (`"signal"`), or with the exception that ended live delivery (`"error"`). Without a handler it is a decorator.

        Handlers, also coroutine functions, run one after the other in the order of the log, in a thread of their own, where they may use
        this client. Exceptions of handlers are logged. Nothing is delivered before `connect`.

        Raises:
            ValueError: there is no such name.
        """
        if name not in NAMES:
            raise ValueError(f"{name!r} is none of {', '.join(sorted(NAMES))}")
        if handler is not None:
            self._handlers[name].append(handler)
            return handler

        def register(handler: H) -> H:
            self._handlers[name].append(handler)
            return handler

        return register

    def connect(self, timeout: float = 30.0) -> None:
        """Start live delivery of every event committed from now on, each exactly once. Returns once the service delivers.

        A broken connection is opened again after 1 s, doubling to 30 s, and delivery continues where it stopped. When the log was replaced,
        delivery starts at the beginning of the new one. A script that only listens calls `wait`.

        Raises:
            Unavailable: the service could not be reached within `timeout` seconds.
        """
        if self._following is not None:
            return
        starting = self._portal.submit(self._connect)
        try:
            starting.result(timeout)
        except NotInTime:
            starting.cancel()
            raise Unavailable(f"{self.client.url} could not be reached within {timeout} s") from None

    async def connect_async(self, timeout: float = 30.0) -> None:
        """The same for coroutines."""
        await asyncio.to_thread(self.connect, timeout)

    def wait(self, timeout: float | None = None) -> bool:
        """Block until delivery has ended, by `close` or an error, or for `timeout` seconds. Returns whether it has ended."""
        return self._ended.wait(timeout)

    def close(self) -> None:
        """End live delivery and close everything. Safe to repeat. The client may be used again afterwards."""
        self._portal.call(self._disconnect)
        self._portal.close()

    async def _connect(self) -> None:
        stream = self.client.stream(signals=True, on_reset="restart")
        try:
            await stream.connect()
        except BaseException:
            await stream.close()
            raise
        self._ended.clear()
        self._stream = stream
        self._dispatcher = ThreadPoolExecutor(1, "semp-sdk-handlers")
        self._following = asyncio.create_task(self._follow(stream, self._dispatcher))

    async def _follow(self, stream: Stream[Event | SignalUpdate], dispatcher: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        try:
            async for found in stream:
                names = ["event", found.type] if isinstance(found, Event) else ["signal"]
                handlers = [handler for name in names for handler in self._handlers[name]]
                if handlers:
                    await loop.run_in_executor(dispatcher, _call, handlers, msgspec.to_builtins(found))
        except SempError as error:
            log.exception("live delivery has ended")
            await loop.run_in_executor(dispatcher, _call, list(self._handlers["error"]), error)
        finally:
            self._ended.set()

    async def _disconnect(self) -> None:
        following, self._following = self._following, None
        if self._stream is not None:
            await self._stream.close()
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        if self._dispatcher is not None:
            self._dispatcher.shutdown(wait=False, cancel_futures=True)
        self._ended.set()
        await self.client.close()

    # Ways into the background thread

    async def _create(
        self, type: str, scope: str, trace_id: str, agent_id: str, payload: dict[str, Any], parent_ids: Sequence[str] | None
    ) -> dict[str, Any]:
        stored = await self.client.emit(
            cast("EventType", type), scope, payload, trace_id=trace_id, agent_id=agent_id, parent_ids=parent_ids or ()
        )  # fmt: skip
        return msgspec.to_builtins(stored)

    async def _read(self, path: str) -> list[dict[str, Any]]:
        return msgspec.json.decode(await self.client.get_bytes(path), type=list[dict[str, Any]])

    def _get(self, path: str) -> list[dict[str, Any]]:
        return self._portal.call(lambda: self._read(path))

    async def _get_async(self, path: str) -> list[dict[str, Any]]:
        return await self._in_background(lambda: self._read(path))

    async def _in_background(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return await asyncio.wrap_future(self._portal.submit(work))


def plain_signal(signal: Signal | None) -> dict[str, Any] | None:
    """A signal as a plain dict."""
    return None if signal is None else cast("dict[str, Any]", msgspec.to_builtins(signal))


def _call(handlers: Sequence[Callable[..., Any]], argument: object) -> None:
    for handler in handlers:
        try:
            answer = handler(argument)
            if inspect.iscoroutine(answer):
                asyncio.run(answer)
        except Exception:
            log.exception("a handler failed")
