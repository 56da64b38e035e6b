"""The recording that all connectors write to: usable from any thread, never blocking, never failing the run."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

from semp_sdk.connectors.sending import Outgoing, Sender
from semp_sdk.connectors.texts import name_of, reason_of, scope_of
from semp_sdk.encoding import encode_event
from semp_sdk.events import EventType, NewEvent
from semp_sdk.identifiers import new_id
from semp_sdk.tracing import current_trace
from semp_sdk.transport import base_of

OnFailure = Literal["penalty", "test"]
MOST_PARENTS = 64
"""Parents that the service accepts for one event."""


class Recording:
    """A run, recorded as events. Its methods return at once and raise nothing, whatever the service does.

    An event's id is known before it is stored, so the next event can name it as a parent right away. Events are sent in the order of the
    calls, and each is stored once, however often it is sent. While the service is away they wait, `capacity` of them at most, and the log
    of this process says so once. An event that finds no room, or is refused, is lost: `lost` counts it, and events that name it as a
    parent get its parents instead.

    Safe to use from any thread and any event loop. Belongs to one process: after a fork nothing is recorded. Events that are pending when
    the process ends, or when the recording is garbage, are sent as by `close`.
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
            agent_id: agent of events that name none.
            scope: scope of events that name none. `my team` becomes `my-team`.
            trace_id: trace of all events. None: the trace of the running code, see `semp_sdk.tracing.trace`; else a new one.
            parents: parents of the run. None: the parents of the running code, if it is in that trace.
            capacity: events that may wait to be sent.
            content: whether payloads contain inputs and outputs, cut to a readable length.
            penalty: size of the penalty for an exception, 0..1.
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
        self.content = content
        self.penalty_value = -abs(penalty)
        self.on_failure: OnFailure = on_failure
        self._sender = Sender(self.url, capacity, headers)
        weakref.finalize(self, self._sender.close_soon).atexit = False

    # Events

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
        """Record an event. Returns its id, also when it is lost.

        `parents`: ids of the events that caused it; None: the parents of the run. More than 64 are joined first by events of type ready.
        """
        event_id = new_id()
        causes = self._sender.resolve(self.parents if parents is None else parents)
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
            self._sender.refuse(Outgoing(event_id, causes, b""), error)
        else:
            self._sender.put(Outgoing(event_id, causes, body))
        return event_id

    def started(self, action: str, *, parents: Sequence[str] | None = None, scope: str | None = None, agent_id: str | None = None,
                trace_id: str | None = None, **payload: Any) -> str:  # fmt: skip
        """Work starts: a proposal."""
        fields = {"action": name_of(action, "work"), **payload}
        return self.tell("proposal", fields, parents=parents, scope=scope, agent_id=agent_id, trace_id=trace_id)

    def ended(self, action: str, parents: Sequence[str], *, scope: str | None = None, agent_id: str | None = None,
              trace_id: str | None = None, status: str = "completed", **payload: Any) -> str:  # fmt: skip
        """Work is done: ready. `parents`: its proposal, and every event inside it that no other event follows from."""
        fields = {"action": name_of(action, "work"), "status": status, **payload}
        return self.tell("ready", fields, parents=parents, scope=scope, agent_id=agent_id, trace_id=trace_id)

    def checked(self, action: str, parents: Sequence[str], passed: bool, *, scope: str | None = None, agent_id: str | None = None,
                trace_id: str | None = None, **payload: Any) -> str:  # fmt: skip
        """A check has a result: a test."""
        fields = {"action": name_of(action, "work"), "status": "passed" if passed else "failed", **payload}
        return self.tell("test", fields, parents=parents, scope=scope, agent_id=agent_id, trace_id=trace_id)

    def failed(self, action: str, parents: Sequence[str], error: BaseException | str, *, scope: str | None = None,
               agent_id: str | None = None, trace_id: str | None = None, **payload: Any) -> str:  # fmt: skip
        """Work failed: a penalty or a failed test, by the recording's `on_failure`. The payload contains the error's text."""
        reason = error[:1_000] if isinstance(error, str) else reason_of(error)
        if self.on_failure == "test":
            return self.checked(action, parents, False, scope=scope, agent_id=agent_id, trace_id=trace_id, failures=[reason], **payload)
        fields = {"action": name_of(action, "work"), "value": self.penalty_value, "reason": reason, **payload}
        return self.tell("penalty", fields, parents=parents, scope=scope, agent_id=agent_id, trace_id=trace_id)

    def scored(self, score: float, parents: Sequence[str], *, action: str | None = None, scope: str | None = None,
               agent_id: str | None = None, trace_id: str | None = None, **payload: Any) -> str:  # fmt: skip
        """Feedback: a reward for a score of 0..1, a penalty for a score below 0. Scores beyond -1..1 are clipped; NaN is lost.

        `action`: pattern of the signal it moves. None: the signals of its nearest proposals, as the protocol says.
        """
        value = max(-1.0, min(1.0, score))
        fields = {"value": value, **({} if action is None else {"action": name_of(action, "work")}), **payload}
        return self.tell("reward" if value >= 0 else "penalty", fields, parents=parents, scope=scope, agent_id=agent_id, trace_id=trace_id)

    # Life cycle

    @property
    def lost(self) -> int:
        """Number of events that will not be stored."""
        return self._sender.lost

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until the service has answered every event so far. Returns False when that takes longer than `timeout` seconds.

        Blocks the thread; on an event loop use `drained`.
        """
        return self._sender.flush(timeout)

    async def drained(self, timeout: float | None = None) -> bool:
        """`flush` for coroutines."""
        return await asyncio.to_thread(self.flush, timeout)

    def close(self, timeout: float | None = None) -> None:
        """Send pending events for `timeout` seconds at most (None: 5 s, or 0.5 s in an outage), then stop. Later events are lost. Safe to
        repeat.
        """
        self._sender.close(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await asyncio.to_thread(self.close)
