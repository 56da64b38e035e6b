"""Function calls as events: a proposal before the call, and its end and result after it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, cast

from semp_sdk.tracing import current_trace, follow, trace

if TYPE_CHECKING:
    from semp_sdk.events import EventType, NewEvent

P = ParamSpec("P")
R = TypeVar("R")
OnFailure = Literal["penalty", "test"]
REASON = 1_000
"""Longest text of an exception in a payload, in characters."""


class Recorder:
    """Decorates functions. Each call emits a `proposal` before it, and `ready`, a penalty or a test after it.

    With `on_failure="penalty"` an exception becomes a penalty of size `penalty`; with `"test"` every call ends with a test that passed or
    failed. The exception is raised again. Its type and text are in the event, so it must not contain secrets. A call that was cancelled or
    interrupted emits only the proposal, because it says nothing about the work.

    Calls inside the call follow from its proposal; `ready` follows from all events inside; later events follow from the call's last event.
    Without a trace around it, each call has a trace of its own.
    """

    def __init__(
        self,
        draft: Callable[[EventType, str, dict[str, Any], list[str]], NewEvent],
        wait: Callable[[NewEvent], Awaitable[object]],
        block: Callable[[NewEvent], object],
        scope: str,
        action: str | None,
        on_failure: OnFailure,
        penalty: float,
        result: Callable[[Any], object] | None,
    ) -> None:
        """`wait` stores an event from a coroutine, `block` from a function."""
        self._draft = draft
        self._wait = wait
        self._block = block
        self._scope = scope
        self._action = action
        self._on_failure: OnFailure = on_failure
        self._penalty = -abs(penalty)
        self._result = result

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function with its calls recorded; coroutine functions stay coroutine functions."""
        action = self._action or function.__name__
        if inspect.iscoroutinefunction(function):
            return cast("Callable[P, R]", self._asynchronous(cast("Callable[P, Awaitable[Any]]", function), action))

        @wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            with _some_trace():
                proposal = self._propose(action)
                self._block(proposal)
                follow(proposal.id)
                try:
                    answer = function(*args, **kwargs)
                except Exception as error:
                    event = self._failure(action, proposal, error)
                    try:
                        self._block(event)
                        follow(event.id)
                    except Exception as also:  # the function's own error is more important
                        error.add_note(f"its event could not be stored: {also}")
                    raise
                for event in self._success(action, proposal, answer):
                    self._block(event)
                    follow(event.id)
                return answer

        return called

    def _asynchronous(self, function: Callable[P, Awaitable[R]], action: str) -> Callable[P, Awaitable[R]]:
        @wraps(function)
        async def called(*args: P.args, **kwargs: P.kwargs) -> R:
            with _some_trace():
                proposal = self._propose(action)
                await self._wait(proposal)
                follow(proposal.id)
                try:
                    answer = await function(*args, **kwargs)
                except Exception as error:
                    event = self._failure(action, proposal, error)
                    try:
                        await self._wait(event)
                        follow(event.id)
                    except Exception as also:
                        error.add_note(f"its event could not be stored: {also}")
                    raise
                for event in self._success(action, proposal, answer):
                    await self._wait(event)
                    follow(event.id)
                return answer

        return called

    def _propose(self, action: str) -> NewEvent:
        found = current_trace()
        return self._draft("proposal", self._scope, {"action": action}, list(found.parents) if found else [])

    def _success(self, action: str, proposal: NewEvent, answer: object) -> list[NewEvent]:
        payload: dict[str, Any] = {"action": action, "status": "completed"}
        if self._result is not None:
            payload["result"] = self._result(answer)
        events = [self._draft("ready", self._scope, payload, _causes(proposal))]
        if self._on_failure == "test":
            events.append(self._draft("test", self._scope, {"action": action, "status": "passed"}, [events[0].id]))
        return events

    def _failure(self, action: str, proposal: NewEvent, error: Exception) -> NewEvent:
        reason = f"{type(error).__name__}: {error}"[:REASON]
        if self._on_failure == "test":
            payload: dict[str, Any] = {"action": action, "status": "failed", "failures": [reason]}
        else:
            payload = {"action": action, "value": self._penalty, "reason": reason}
        return self._draft(self._on_failure, self._scope, payload, _causes(proposal))


def _causes(proposal: NewEvent) -> list[str]:
    found = current_trace()
    return list(dict.fromkeys([proposal.id, *(found.parents if found else ())]))


def _some_trace() -> ExitStack:
    """Starts a new trace when there is none."""
    stack = ExitStack()
    if current_trace() is None:
        stack.enter_context(trace())
    return stack
