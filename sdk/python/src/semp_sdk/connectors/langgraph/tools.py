"""Tools with which a model reads signals and leaves events."""

from __future__ import annotations

import asyncio
import json
import weakref
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, Field, ValidationError

from semp_sdk.client import Client
from semp_sdk.connectors.langgraph.context import Place, here
from semp_sdk.connectors.signals import close_client
from semp_sdk.connectors.texts import scope_of
from semp_sdk.errors import SempError
from semp_sdk.events import Emitted, EventType
from semp_sdk.identifiers import new_id
from semp_sdk.pending import wait_for_pending
from semp_sdk.portal import Portal
from semp_sdk.tracing import current_trace

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds to wait for pending events, so that they count in the signals that are read."""

READ = """Read the signals of the team: which ways of acting have done well lately.
A signal has a scope (a part of the work), a pattern (a way of acting) and a strength of 0 to 1. Rewards raise it, penalties lower it, and
it fades with time. What is not listed counts 0. Read them before you choose between ways of acting."""
LEAVE = """Leave an event that the rest of the team sees.
type proposal: you begin something; say what in action. ready: something is done; say how it stands in status. test: a check has a result;
status is passed, failed or running. reward or penalty: something has helped or done harm; say in action what, and in value how much. A
reward raises the signal of its scope and action, a penalty lowers it. Use the same words for the same action every time."""


class Reading(BaseModel):
    """Which signals."""

    scope: str = Field("", description="dotted names such as api.users, or api.** for everything below; empty for the team's own")
    min_strength: float = Field(0.0, ge=0, le=1, description="leave out weaker ones")
    limit: int = Field(20, ge=1, le=100, description="this many at most, strongest first")


class Leaving(BaseModel):
    """What has happened."""

    type: EventType
    action: str | None = Field(None, max_length=200, description="the way of acting; required for proposal, reward and penalty")
    scope: str = Field("", description="the part of the work, dotted names such as api.users; empty for the team's own")
    status: str | None = Field(None, max_length=200, description="required for ready and test")
    value: float | None = Field(None, ge=0, le=1, description="required for reward and penalty")
    reason: str | None = Field(None, max_length=1_000, description="why, in a sentence")


def semp_tools(
    url: str = "http://localhost:5000", *, scope: str = "langgraph", agent_id: str | None = None, trace_id: str | None = None,
    timeout: float = 10.0, headers: Mapping[str, str] | None = None,
) -> list[BaseTool]:  # fmt: skip
    """`read_signals` and `leave_event`, described for a model; for `bind_tools` and `ToolNode`.

    In a recorded graph an event belongs to the run's trace and follows from the tool call. Elsewhere it belongs to the trace of the running
    code and has that trace's parents. Invalid arguments, a refusal and a service that does not answer give the model a text that says what
    is wrong, with the status error.

    Args:
        scope: scope of events and signals, unless the model names another one.
        agent_id: agent of the events. None: the node that calls, or langgraph outside of a recorded graph.
        trace_id: trace of events outside of all traces. None: a new one.
        timeout: seconds for one call, with all its tries.
        headers: sent with every request.

    Raises:
        ValueError: the URL is none.
    """
    tools = _Tools(url, scope_of(scope), agent_id, trace_id or new_id(), timeout, headers)
    own = f"\nThe team's own scope is {tools.scope}."
    shared: dict[str, Any] = {"handle_tool_error": True, "handle_validation_error": _explain}
    return [
        StructuredTool.from_function(
            tools.read, tools.aread, name="read_signals", description=READ + own, args_schema=Reading, infer_schema=False, **shared
        ),
        StructuredTool.from_function(
            tools.leave, tools.aleave, name="leave_event", description=LEAVE + own, args_schema=Leaving, infer_schema=False, **shared
        ),
    ]


class _Tools:
    """The tools' functions, on a client in a background thread. Closed with the last tool, or at exit."""

    def __init__(
        self, url: str, scope: str, agent_id: str | None, trace_id: str, timeout: float, headers: Mapping[str, str] | None
    ) -> None:
        self.scope = scope
        self._agent_id = agent_id
        self._trace_id = trace_id
        self._client = Client(url, patience=timeout, timeout=timeout, headers=headers)
        self._portal = Portal()
        self.close = weakref.finalize(self, close_client, self._portal, self._client)

    def read(self, scope: str = "", min_strength: float = 0.0, limit: int = 20) -> str:
        return self._wait(lambda: self._read(scope, min_strength, limit))

    async def aread(self, scope: str = "", min_strength: float = 0.0, limit: int = 20) -> str:
        return await self._await(lambda: self._read(scope, min_strength, limit))

    def leave(self, type: EventType, scope: str = "", **payload: Any) -> str:
        with here() as place:
            return self._left(self._wait(self._leaving(place, type, scope, payload)), place)

    async def aleave(self, type: EventType, scope: str = "", **payload: Any) -> str:
        async with here() as place:
            return self._left(await self._await(self._leaving(place, type, scope, payload)), place)

    async def _read(self, scope: str, min_strength: float, limit: int) -> str:
        await wait_for_pending(self._client.url, PATIENCE)
        found = await self._client.signals(scope=scope or self.scope, min_strength=min_strength, limit=limit)
        return json.dumps([{"scope": one.scope, "pattern": one.pattern, "strength": round(one.strength, 3)} for one in found])

    def _leaving(
        self, place: Place | None, type: EventType, scope: str, payload: Mapping[str, Any]
    ) -> Callable[[], Coroutine[Any, Any, Emitted]]:
        current = place or current_trace()
        agent_id = self._agent_id or (place.agent_id if place is not None else "langgraph")
        fields = {key: value for key, value in payload.items() if value is not None}
        trace_id, parents = (current.id, current.parents) if current is not None else (self._trace_id, ())
        return lambda: self._client.emit(
            type, scope or self.scope, fields, agent_id=agent_id, trace_id=trace_id, parent_ids=parents
        )  # fmt: skip

    def _left(self, event: Emitted, place: Place | None) -> str:
        if place is not None:
            place.follow(event.id)
        moved = [f"{one.scope}:{one.pattern} {one.before:.2f} -> {one.after:.2f}" for one in event.signals]
        return f"Left {event.type} {event.id}. " + (f"Signals: {', '.join(moved)}." if moved else "It moved no signal.")

    def _wait(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            return self._portal.call(work)
        except SempError as error:
            raise ToolException(str(error)) from error

    async def _await(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            return await asyncio.wrap_future(self._portal.submit(work))
        except SempError as error:
            raise ToolException(str(error)) from error


def _explain(error: Any) -> str:
    if not isinstance(error, ValidationError):
        return f"Bad arguments: {error}"
    return "Bad arguments: " + "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
