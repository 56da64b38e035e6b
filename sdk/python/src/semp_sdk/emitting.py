"""Emitting: one queue of pending events, usable from any thread, with or without an outbox."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from semp_sdk import tracing
from semp_sdk.batching import Batcher
from semp_sdk.drain import Drain
from semp_sdk.encoding import encode_event
from semp_sdk.errors import InvalidEvent, SempError
from semp_sdk.events import Emitted, EventType, FieldError, NewEvent
from semp_sdk.identifiers import new_id
from semp_sdk.outbox import Outbox
from semp_sdk.stream import Stream
from semp_sdk.transport import Transport, base_of

log = logging.getLogger("semp_sdk")


class Emitter:
    """The part of `Client` that emits, and the client's life cycle."""

    def __init__(
        self,
        url: str = "http://localhost:5000",
        *,
        agent_id: str | None = None,
        outbox: str | Path | None = None,
        state: str | Path | None = None,
        patience: float = 60.0,
        timeout: float = 60.0,
        capacity: int = 10_000,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Nothing is connected yet.

        Args:
            agent_id: agent of events that name none.
            outbox: a file for events that the service does not have yet. With it, `emit` returns once the event is on disk, even while the
                service is away; without it, once the service has committed the event.
            state: directory for the positions of consumers.
            patience: seconds for which a request is retried while the service cannot be reached or is full.
            timeout: seconds for one attempt.
            capacity: events that may wait to be sent. Beyond it `emit` waits and `emit_nowait` raises.
            headers: sent with every request.

        Raises:
            ValueError: the URL is none.
        """
        self.url = base_of(url)
        self.agent_id = agent_id
        self.patience = patience
        self._state = Path(state) if state is not None else None
        self._headers = headers
        self._transport = Transport(self.url, timeout=timeout, headers=headers)
        self._capacity = capacity
        self._outbox = Path(outbox) if outbox is not None else None
        self._batcher, self._drain = self._make_senders()
        self._started: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._background: set[asyncio.Future[Any]] = set()
        self._failures: list[BaseException] = []
        self._streams: set[Stream[Any]] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Send the events of `emit_nowait`, then close everything. Events in an outbox stay there for the next start."""
        try:
            if self._background:
                await asyncio.wait(self._background)
        finally:
            for stream in list(self._streams):
                await stream.close()
            if self._drain is not None:
                await self._drain.close()
            await self._batcher.close()
            await self._transport.close()
            self._started = None
            self._batcher, self._drain = self._make_senders()  # new objects, so that the client may be used on another loop

    async def emit(
        self,
        type: EventType,
        scope: str,
        payload: Mapping[str, Any],
        *,
        trace_id: str | None = None,
        agent_id: str | None = None,
        parent_ids: Sequence[str] | None = None,
        id: str | None = None,
    ) -> Emitted:
        """Emit an event. Events emitted at the same time share requests; their order is kept.

        Trace and parents are those of the running code (see `trace`) unless given. The id is made here, so the event is stored once,
        however often it is sent.

        A reward or penalty whose payload has `"credit": {"discount": 0.5, "max_depth": 3}` also moves the signals of proposals further
        up: those at most `max_depth` hops away. Each hop multiplies the value by `discount` (0..1).

        Raises:
            InvalidEvent, TooLarge, Conflict: it was refused. Never with an outbox: there, what is refused goes to `<outbox>.rejected`.
            Unavailable: the service was away for `patience` seconds. The event may have been stored; emit it again with the same id.
        """
        event = self.draft(type, scope, payload, trace_id=trace_id, agent_id=agent_id, parent_ids=parent_ids, id=id)
        emitted = await self.send(event)
        tracing.follow(event.id)
        return emitted

    def emit_nowait(
        self,
        type: EventType,
        scope: str,
        payload: Mapping[str, Any],
        *,
        trace_id: str | None = None,
        agent_id: str | None = None,
        parent_ids: Sequence[str] | None = None,
        id: str | None = None,
    ) -> NewEvent:
        """The same without waiting, from any thread. A later failure is logged, and raised by `flush`.

        Raises:
            OutboxFull: too many events are pending (on the client's own loop; from other threads this is logged).
            RuntimeError: the client has not been entered.
        """
        event = self.draft(type, scope, payload, trace_id=trace_id, agent_id=agent_id, parent_ids=parent_ids, id=id)
        self._post(event)
        tracing.follow(event.id)
        return event

    def emit_blocking(
        self,
        type: EventType,
        scope: str,
        payload: Mapping[str, Any],
        *,
        trace_id: str | None = None,
        agent_id: str | None = None,
        parent_ids: Sequence[str] | None = None,
        id: str | None = None,
    ) -> Emitted:
        """`emit` for code in other threads than the client's: waits until the event is stored, and raises the same.

        Raises:
            RuntimeError: called on the client's own loop, which would deadlock, or the client has not been entered.
        """
        event = self.draft(type, scope, payload, trace_id=trace_id, agent_id=agent_id, parent_ids=parent_ids, id=id)
        loop = self._running_elsewhere()
        emitted = asyncio.run_coroutine_threadsafe(self.send(event), loop).result()
        tracing.follow(event.id)
        return emitted

    async def flush(self) -> None:
        """Return when every event emitted so far is stored, also those in the outbox, however long that takes.

        Raises:
            SempError: the first failure of an `emit_nowait` since the last flush; further failures are notes on it.
        """
        if self._background:
            await asyncio.wait(self._background)
        if self._drain is not None:
            await self._drain.empty()
        failures, self._failures = self._failures, []
        if failures:
            for other in failures[1:]:
                failures[0].add_note(f"also: {other}")
            raise failures[0]

    def draft(
        self,
        type: EventType,
        scope: str,
        payload: Mapping[str, Any],
        *,
        trace_id: str | None = None,
        agent_id: str | None = None,
        parent_ids: Sequence[str] | None = None,
        id: str | None = None,
    ) -> NewEvent:
        """The event that `emit` would send now, with its id.

        Raises:
            InvalidEvent: there is no trace, or no agent.
        """
        current = tracing.current_trace()
        trace_id = trace_id or (current.id if current is not None else None)
        agent_id = agent_id or self.agent_id
        if trace_id is None:
            raise _missing("trace_id", "give one, or emit inside `with client.trace(...)`")
        if agent_id is None:
            raise _missing("agent_id", "give one, or make the client with one")
        if parent_ids is None:
            parent_ids = current.parents if current is not None and current.id == trace_id else ()
        return NewEvent(
            id=id or new_id(), type=type, scope=scope, trace_id=trace_id, agent_id=agent_id,
            parent_ids=list(parent_ids), payload=dict(payload),
        )  # fmt: skip

    def _make_senders(self) -> tuple[Batcher, Drain | None]:
        drain = Drain(Outbox(self._outbox), self._transport) if self._outbox is not None else None
        return Batcher(self._transport, self._capacity), drain

    async def start(self) -> None:
        """Open the outbox, if there is one, and bind the client to the running loop; `async with` does it. Safe to repeat."""
        loop = asyncio.get_running_loop()
        if self._loop is not None and self._loop is not loop and not self._loop.is_closed():
            raise RuntimeError("this client belongs to another event loop; from other threads use emit_blocking or emit_nowait")
        self._loop = loop
        if self._started is None:
            self._started = asyncio.ensure_future(self._drain.start() if self._drain is not None else asyncio.sleep(0))
        try:
            await asyncio.shield(self._started)
        except Exception:
            self._started = None
            raise

    async def send(self, event: NewEvent) -> Emitted:
        """Emit a drafted event. It does not become the parent of later events."""
        body = encode_event(event)
        if self._started is None or not self._started.done() or self._loop is not asyncio.get_running_loop():
            await self.start()
        if self._drain is None:
            return await self._batcher.send(body, self.patience)
        await self._drain.outbox.put(body)
        return Emitted(**msgspec.structs.asdict(event))

    def _post(self, event: NewEvent) -> None:
        body = encode_event(event)
        if self._loop is None or self._started is None:
            raise RuntimeError("enter the client first: async with Client(...) as client")
        if _loop_here() is self._loop:
            self._put(body)
        else:
            self._loop.call_soon_threadsafe(self._put_logged, body)

    def _put(self, body: bytes) -> None:
        answer: asyncio.Future[Any] = self._drain.outbox.put(body) if self._drain is not None else self._batcher.put(body, self.patience)
        self._background.add(answer)
        answer.add_done_callback(self._posted)

    def _put_logged(self, body: bytes) -> None:
        try:
            self._put(body)
        except SempError as error:
            self._failed(error)

    def _posted(self, answer: asyncio.Future[Any]) -> None:
        self._background.discard(answer)
        if not answer.cancelled() and (error := answer.exception()) is not None:
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        log.error("an event could not be stored: %s", error)
        if len(self._failures) < 100:
            self._failures.append(error)

    def post_or_wait(self, event: NewEvent) -> None:
        """Emit a drafted event from a plain function: wait for it on other threads than the client's, else send it as `emit_nowait`."""
        if _loop_here() is self._loop:
            self._post(event)
        else:
            asyncio.run_coroutine_threadsafe(self.send(event), self._running_elsewhere()).result()

    def _running_elsewhere(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._loop.is_closed():
            raise RuntimeError("enter the client first: async with Client(...) as client")
        if _loop_here() is self._loop:
            raise RuntimeError("this would block the client's own loop; await emit instead")
        return self._loop


def _loop_here() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _missing(field: str, reason: str) -> InvalidEvent:
    return InvalidEvent(f"{field}: {reason}", [FieldError(field, reason)])
