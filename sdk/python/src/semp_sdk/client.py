"""The typed client: emit, read, follow. Its questions about causes are in `semp_sdk.causality`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Literal, ParamSpec, TypeVar, overload

from semp_sdk import tracing
from semp_sdk.causality import Causality, reader
from semp_sdk.consumer import EVERY, Consumer, Delivery, Start, default_directory
from semp_sdk.decorators import OnFailure, Recorder
from semp_sdk.emitting import Emitter
from semp_sdk.errors import NotFound, SignalTimeout, Unavailable
from semp_sdk.events import Event, EventType, NewEvent, Signal, SignalUpdate
from semp_sdk.frames import Filter, Values
from semp_sdk.stream import OnReset, Stream
from semp_sdk.timestamps import Moment, moment_text
from semp_sdk.transport import Answer, Query, query_string, segment

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
_read_event = reader(Event)
_read_events = reader(list[Event])
_read_signal = reader(Signal)
_read_signals = reader(list[Signal])


class Client(Causality, Emitter):
    """One connection pool, one queue of events to send, any number of streams. Use it with `async with`.

    Belongs to the event loop it is first used on. Other threads may use `emit_nowait`, `emit_blocking` and decorated functions.
    """

    # Traces

    def trace(self, trace_id: str | None = None) -> AbstractContextManager[tracing.Trace]:
        """`with client.trace("checkout-42"):` - see `semp_sdk.tracing.trace`."""
        return tracing.trace(trace_id)

    def traced(
        self,
        scope: str,
        action: str | None = None,
        *,
        on_failure: OnFailure = "penalty",
        penalty: float = 0.5,
        result: Callable[[Any], object] | None = None,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Decorate a function or coroutine function: each call emits events, see `semp_sdk.decorators.Recorder`.

        A plain function that runs in another thread than the client's waits until its events are stored. On the client's own loop it must
        not wait, so there its events are sent as by `emit_nowait`.

        Args:
            action: the pattern of the signal; the function's name unless given.
            on_failure: whether an exception becomes a penalty or a failed test.
            penalty: size of that penalty, 0..1.
            result: converts the return value to the `result` in the payload of `ready`; without it the payload has no result.
        """
        return Recorder(self._draft_from, self.send, self.post_or_wait, scope, action, on_failure, penalty, result)

    # Reading

    async def events(
        self,
        *,
        limit: int = 100,
        type: Values = None,
        scope: str | None = None,
        trace_id: str | None = None,
        agent_id: str | None = None,
        before: int | None = None,
        after: int | None = None,
        order: Literal["asc", "desc"] = "desc",
    ) -> list[Event]:
        """Events of the log, newest first unless `order` is asc. `limit`: 1..1000. `before`, `after`: positions, not included.

        Fewer than `limit` events mean that there are no more.
        """
        query: Query = {
            "limit": limit, "type": type, "scope": scope, "trace_id": trace_id, "agent_id": agent_id,
            "before": before, "after": after, "order": order,
        }  # fmt: skip
        return await self.read_events(query, limit, _read_events)

    async def read_events(self, query: Query, limit: int, read: Callable[[bytes], list[T]]) -> list[T]:
        """`limit` events of the log, each page decoded by `read`. A page may be short, or empty, although more follow."""
        events: list[T] = []
        target: str | None = "/api/events" + query_string(query)
        while target is not None and len(events) < limit:
            answer = await self._exchange("GET", target)
            events += read(answer.body)
            target = answer.following
        return events[:limit]

    async def event(self, id: str) -> Event:
        """Raises NotFound when there is none."""
        return _read_event(await self.get_bytes(f"/api/events/{segment(id)}"))

    async def signals(
        self, *, scope: str | None = None, pattern: str | None = None, min_strength: float | None = None, limit: int | None = None,
        at: Moment | None = None,
    ) -> list[Signal]:  # fmt: skip
        """Live signals, strongest first, decayed to now, or as they were `at` a moment. `scope` may be a glob."""
        query: Query = {"scope": scope, "pattern": pattern, "min_strength": min_strength, "limit": limit, "at": moment_text(at)}
        return _read_signals(await self.get_bytes("/api/signals", query))

    async def signal(self, scope: str, pattern: str, *, at: Moment | None = None) -> Signal | None:
        """One signal, now or as it was `at` a moment; None when there never was one, or it has faded."""
        query: Query = {"at": moment_text(at)}
        try:
            return _read_signal(await self.get_bytes(f"/api/signals/{segment(scope)}/{segment(pattern)}", query))
        except NotFound:
            return None

    async def wait_for_signal(self, scope: str, pattern: str, *, above: float = 0.7, timeout: float | None = None) -> Signal:
        """Return the signal as soon as it is stronger than `above`, at once when it is. `timeout` in seconds, None for ever.

        Raises:
            SignalTimeout: it did not become that strong in time.
        """
        try:
            async with asyncio.timeout(timeout), self.stream(scope=scope, signals=True, on_reset="restart") as changes:
                # read after the stream is open, so that no change is missed between the two
                found = None if changes.closed else await self.signal(scope, pattern)
                if found is not None and found.strength > above:
                    return found
                async for change in changes:
                    if isinstance(change, SignalUpdate) and (change.scope, change.pattern) == (scope, pattern) and change.strength > above:
                        return change
        except TimeoutError:
            raise SignalTimeout(f"the signal {scope}:{pattern} did not rise above {above} within {timeout} s") from None
        raise Unavailable("the client was closed")

    # Following

    @overload
    def stream(
        self, *, scope: Values = None, type: Values = None, trace_id: Values = None, agent_id: Values = None,
        after: int | None = None, epoch: str | None = None, signals: Literal[False] = False, on_reset: OnReset = "raise",
    ) -> Stream[Event]: ...  # fmt: skip
    @overload
    def stream(
        self, *, scope: Values = None, type: Values = None, trace_id: Values = None, agent_id: Values = None,
        after: int | None = None, epoch: str | None = None, signals: Literal[True], on_reset: OnReset = "raise",
    ) -> Stream[Event | SignalUpdate]: ...  # fmt: skip
    def stream(
        self, *, scope: Values = None, type: Values = None, trace_id: Values = None, agent_id: Values = None,
        after: int | None = None, epoch: str | None = None, signals: bool = False, on_reset: OnReset = "raise",
    ) -> Stream[Any]:  # fmt: skip
        """Events as they are committed, each once, in order, across reconnects: `async for event in client.stream(scope="ui.**")`.

        Args:
            scope: scopes or globs; like every filter one value or several alternatives.
            after: the position to continue from; 0 is the log's start, None is where the log stands when the stream connects.
            epoch: the log that position belongs to; from `Stream.epoch`.
            signals: also give each `SignalUpdate` of a matching scope, right after the event that caused it. For missed events only the
                last update of each signal comes, ahead of the events.
            on_reset: what to do when the log was replaced: raise `HistoryLost`, or read the new one from its start.
        """
        chosen = Filter.of(scope, type, trace_id, agent_id)
        stream: Stream[Any] = Stream(
            self.url, chosen, after=after, epoch=epoch, signals=signals, on_reset=on_reset, headers=self._headers,
            open_streams=self._streams,
        )  # fmt: skip
        return stream

    def consumer(
        self, name: str, *, scope: Values = None, type: Values = None, trace_id: Values = None, agent_id: Values = None,
        start: Start = "beginning", delivery: Delivery = "at-least-once", every: int = EVERY, on_reset: OnReset = "raise",
    ) -> Consumer:  # fmt: skip
        """A stream that remembers its position on disk under this name, see `Consumer`.

        `start`: where it begins the first time. `delivery`, `every`: when the position is saved.
        """

        def open_stream(after: int | None, epoch: str | None) -> Stream[Event]:
            return self.stream(
                scope=scope, type=type, trace_id=trace_id, agent_id=agent_id, after=after, epoch=epoch, on_reset=on_reset
            )  # fmt: skip

        return Consumer(name, self._state or default_directory(), open_stream, start=start, delivery=delivery, every=every)

    def _draft_from(self, type: EventType, scope: str, payload: dict[str, Any], parent_ids: list[str]) -> NewEvent:
        return self.draft(type, scope, payload, parent_ids=parent_ids)

    async def get_bytes(self, path: str, query: Query | None = None) -> bytes:
        """The body of the answer to any GET of the service, such as `/api/events/{id}/ancestors`."""
        await self.start()
        return await self._transport.get(path, query, patience=self.patience)

    async def _exchange(self, method: str, target: str, body: bytes | None = None) -> Answer:
        await self.start()
        return await self._transport.exchange(method, target, body, patience=self.patience)
