"""What every connector tells the service through: from any thread, at once, and never in the way of the run it tells of."""

from __future__ import annotations

import asyncio
import atexit
import logging
import math
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Literal, Self

from semp_sdk.batching import Batcher
from semp_sdk.connectors.texts import name_of, reason_of, scope_of
from semp_sdk.encoding import encode_event
from semp_sdk.events import Emitted, EventType, NewEvent
from semp_sdk.identifiers import new_id
from semp_sdk.portal import Portal
from semp_sdk.tracing import current_trace
from semp_sdk.transport import Transport, base_of

log = logging.getLogger("semp_sdk")

OnFailure = Literal["penalty", "test"]
MOST_PARENTS = 64
"""Causes that the service takes with one event."""
SILENT = 5.0
"""Seconds after which a service that does not answer is told of, once."""
AT_EXIT = 5.0
"""Seconds for what was not sent when the process ends."""
LINGER = 0.02
"""Seconds an event waits for others to go with it: a request costs the run's process more than an event."""
REMEMBERED = 100_000
"""Events that were lost, whose causes still stand in for them, at most."""


class Recording:
    """A run, told as events. Its methods return at once and raise nothing, whatever the service does.

    An id is known before its event is stored, so the next event can name it as a parent right away. Events are sent in the order they
    were told, each stored once however often it has to be sent. While the service is away they wait, `capacity` of them at most, and
    the log of this process says so once. What finds no room, or is refused, is lost: it is counted in `lost`, and events that would
    have followed from it follow from its causes.

    Safe to use from any thread and any event loop. Belongs to one process: after a fork nothing is told.
    """

    def __init__(
        self,
        url: str = "http://localhost:5000",
        *,
        agent_id: str,
        scope: str,
        trace_id: str | None = None,
        parents: Sequence[str] | None = None,
        capacity: int = 10_000,
        content: bool = False,
        penalty: float = 0.5,
        on_failure: OnFailure = "penalty",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Nothing is connected before the first event.

        Args:
            agent_id: who acts where nobody in particular does.
            scope: where a run's events are left unless they say otherwise. `my team` becomes `my-team`.
            trace_id: of all events. None: that of the running code, see `semp_sdk.tracing.trace`; else a new one.
            parents: what the run follows from. None: what the running code follows from, if it is in that trace.
            capacity: events that may wait to be sent.
            content: whether payloads tell what went in and came out, cut to a readable length; else only that something did.
            penalty: size of the penalty an exception earns, 0..1.
            on_failure: whether an exception becomes a penalty or a failed test.
            headers: sent with every request.

        Raises:
            ValueError: the URL is none.
        """
        here = current_trace()
        self.url = base_of(url)
        self.agent_id = agent_id
        self.scope = scope_of(scope)
        self.trace_id = trace_id or (here.id if here is not None else new_id())
        inherited = here.parents if here is not None and here.id == self.trace_id else ()
        self.parents: tuple[str, ...] = inherited if parents is None else tuple(parents)
        self.capacity = capacity
        self.content = content
        self.penalty_value = -abs(penalty)
        self.on_failure: OnFailure = on_failure
        self.lost = 0
        """Events that were not told."""
        self._headers = headers
        self._portal = Portal()
        self._batcher: Batcher | None = None
        self._transport: Transport | None = None
        self._quiet = threading.Condition()
        self._fresh: deque[tuple[str, tuple[str, ...], bytes]] = deque()
        self._held = 0
        self._settled_ones = 0
        self._awake = False
        self._closed = False
        self._said: set[str] = set()
        self._stand_ins: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        atexit.register(_finish, weakref.ref(self))

    # What happened

    def tell(
        self,
        type: EventType,
        payload: Mapping[str, Any],
        *,
        parents: Sequence[str] | None = None,
        scope: str | None = None,
        agent_id: str | None = None,
        trace_id: str | None = None,
    ) -> str:
        """Leave an event. Answers its id, also when it is lost.

        `parents`: ids of what caused it; None for what the run follows from. More than 64 are gathered first, by events of type ready.
        """
        event_id = new_id()
        causes = self._present(self.parents if parents is None else parents)
        while len(causes) > MOST_PARENTS:
            shares = [causes[start : start + MOST_PARENTS] for start in range(0, len(causes), MOST_PARENTS)]
            gathered = {"status": "gathered"}
            causes = tuple(self.tell("ready", gathered, parents=one, scope=scope, agent_id=agent_id, trace_id=trace_id) for one in shares)
        try:
            event = NewEvent(
                id=event_id, type=type, scope=scope or self.scope, trace_id=trace_id or self.trace_id,
                agent_id=name_of(agent_id or "", self.agent_id), parent_ids=list(causes), payload=dict(payload),
            )  # fmt: skip
            body = encode_event(event)
        except Exception as error:
            self._lose(event_id, causes, f"an event could not be told: {error}")
            return event_id
        with self._quiet:
            room = self._held < self.capacity and not self._closed
            if room:
                self._held += 1
                self._fresh.append((event_id, causes, body))
            wake, self._awake = room and not self._awake, self._awake or room
        if not room:
            self._lose(event_id, causes, f"{self.capacity:,} events wait for {self.url}: what comes now is not told")
        elif wake:
            self._wake()
        return event_id

    def started(self, action: str, *, parents: Sequence[str] | None = None, scope: str | None = None, agent_id: str | None = None,
                trace_id: str | None = None, **payload: Any) -> str:  # fmt: skip
        """Work begins: a proposal."""
        told = {"action": name_of(action, "work"), **payload}
        return self.tell("proposal", told, parents=parents, scope=scope, agent_id=agent_id, trace_id=trace_id)

    def ended(self, action: str, parents: Sequence[str], *, scope: str | None = None, agent_id: str | None = None,
              trace_id: str | None = None, status: str = "completed", **payload: Any) -> str:  # fmt: skip
        """Work is done: ready. `parents`: its proposal and everything that happened in it and led on to nothing else."""
        told = {"action": name_of(action, "work"), "status": status, **payload}
        return self.tell("ready", told, parents=parents, scope=scope, agent_id=agent_id, trace_id=trace_id)

    def checked(self, action: str, parents: Sequence[str], passed: bool, *, scope: str | None = None, agent_id: str | None = None,
                trace_id: str | None = None, **payload: Any) -> str:  # fmt: skip
        """A check has a result: a test."""
        told = {"action": name_of(action, "work"), "status": "passed" if passed else "failed", **payload}
        return self.tell("test", told, parents=parents, scope=scope, agent_id=agent_id, trace_id=trace_id)

    def failed(self, action: str, parents: Sequence[str], error: BaseException | str, *, scope: str | None = None,
               agent_id: str | None = None, trace_id: str | None = None, **payload: Any) -> str:  # fmt: skip
        """Work ended in an error: a penalty or a failed test, as the recording was told. The error's text is told."""
        reason = error[:1_000] if isinstance(error, str) else reason_of(error)
        if self.on_failure == "test":
            return self.checked(action, parents, False, scope=scope, agent_id=agent_id, trace_id=trace_id, failures=[reason], **payload)
        told = {"action": name_of(action, "work"), "value": self.penalty_value, "reason": reason, **payload}
        return self.tell("penalty", told, parents=parents, scope=scope, agent_id=agent_id, trace_id=trace_id)

    def scored(self, score: float, parents: Sequence[str], *, action: str | None = None, scope: str | None = None,
               agent_id: str | None = None, trace_id: str | None = None, **payload: Any) -> str:  # fmt: skip
        """Feedback: a reward of a score of 0..1, a penalty of one below 0. Beyond -1..1 it counts as that bound; NaN is lost.

        `action`: the signal it moves. None: those of the nearest proposals above it, as the protocol says.
        """
        value = max(-1.0, min(1.0, score))
        told = {"value": value, **({} if action is None else {"action": name_of(action, "work")}), **payload}
        return self.tell("reward" if value >= 0 else "penalty", told, parents=parents, scope=scope, agent_id=agent_id, trace_id=trace_id)

    # Life cycle

    @property
    def heard(self) -> bool:
        """Whether the service has answered so far, as far as that was tried."""
        return "silent" not in self._said

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything told so far was answered. False: `timeout` seconds were not enough. Not for use on an event loop."""
        with self._quiet:
            return self._quiet.wait_for(lambda: self._held == 0, timeout)

    async def drained(self, timeout: float | None = None) -> bool:
        """`flush` for coroutines."""
        return await asyncio.to_thread(self.flush, timeout)

    def close(self, timeout: float = AT_EXIT) -> None:
        """Send what waits, for `timeout` seconds at most, then stop. Safe to repeat; what is told afterwards is lost."""
        with self._quiet:
            if self._closed:
                return
        self.flush(timeout)
        with self._quiet:
            self._closed = True
            left = self._held
        if left:
            self.lost += left
            log.warning("%d events were not told: %s did not answer", left, self.url)
        try:
            if self._transport is not None:
                self._portal.call(self._shut, timeout)
            self._portal.close()
        except Exception as error:
            log.debug("closing: %s", error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await asyncio.to_thread(self.close)

    # Sending, on the portal's thread

    def _wake(self) -> None:
        try:
            self._portal.submit(self._send)
        except Exception as error:  # a forked child, or an interpreter that is ending
            with self._quiet:
                gone, self._held = list(self._fresh), 0
                self._fresh.clear()
                self._awake = False
            for event_id, causes, _ in gone:
                self._lose(event_id, causes, f"nothing can be told from here: {error}")

    async def _send(self) -> None:
        if self._batcher is None or self._transport is None:
            self._transport = Transport(self.url, timeout=30.0, headers=self._headers)
            self._batcher = Batcher(self._transport, self.capacity + 1)
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LINGER)
            with self._quiet:
                batch = list(self._fresh)
                self._fresh.clear()
                if not batch:
                    self._awake = False
                    return
                settled = self._settled_ones
            for event_id, causes, body in batch:
                self._batcher.put(body, math.inf).add_done_callback(partial(self._answered, event_id, causes))
            if "silent" not in self._said:
                loop.call_later(SILENT, self._listen, settled)

    def _listen(self, settled: int) -> None:
        with self._quiet:
            silent = self._held > 0 and self._settled_ones == settled
        if silent:
            self._say("silent", f"{self.url} does not answer; events wait for it, {self.capacity:,} at most")

    def _answered(self, event_id: str, causes: tuple[str, ...], answer: asyncio.Future[Emitted]) -> None:
        error = None if answer.cancelled() else answer.exception()
        if error is not None and not self._closed:
            self._lose(event_id, causes, f"an event was refused: {error}")
        with self._quiet:
            self._settled_ones += 1
            self._held -= 1
            if self._held == 0:
                self._quiet.notify_all()

    async def _shut(self) -> None:
        if self._batcher is not None and self._transport is not None:
            await self._batcher.close()
            await self._transport.close()

    # Losses

    def _present(self, parents: Sequence[str]) -> tuple[str, ...]:
        """The parents, each lost one replaced by what it would have followed from."""
        if not self._stand_ins:
            return tuple(dict.fromkeys(parents))
        found: dict[str, None] = {}
        waiting = list(reversed(parents))
        while waiting:
            parent = waiting.pop()
            with self._quiet:
                causes = self._stand_ins.get(parent)
            if causes is None:
                found[parent] = None
            else:
                waiting += reversed(causes)
        return tuple(found)

    def _lose(self, event_id: str, causes: tuple[str, ...], why: str) -> None:
        with self._quiet:
            self.lost += 1
            self._stand_ins[event_id] = causes
            if len(self._stand_ins) > REMEMBERED:
                self._stand_ins.popitem(last=False)
        self._say("lost", why)

    def _say(self, what: str, text: str) -> None:
        if what not in self._said:
            self._said.add(what)
            log.warning("%s (told once)", text)


def _finish(recording: weakref.ref[Recording]) -> None:
    found = recording()
    if found is not None:
        found.close(AT_EXIT if found.heard else 0.5)
