"""The tools. Each makes requests of the REST API. Their docstrings are the descriptions that the calling model reads."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from urllib.parse import quote

import msgspec

from semp.api.routes.events import RecordedEvent
from semp.api.routes.lineage import LineageAnswer
from semp.api.routes.paths import PathsAnswer
from semp.domain.events import Event, new_id
from semp.domain.traces import TraceSummary
from semp.engine.explaining import Explanation
from semp.engine.field import SignalView
from semp.engine.records import TraceSpan
from semp.mcp.arguments import (
    EmitEvent,
    ExplainSignal,
    FindCommonCauses,
    FindPaths,
    ReadEvent,
    ReadEvents,
    ReadLineage,
    ReadSignals,
    ReadTrace,
    ReadTraces,
    WaitForSignal,
)
from semp.mcp.service import Answer, Refused, Service
from semp.mcp.tool import Tool, tool

PACE = 0.05
"""Minimum seconds between two reads of the signals while `wait_for_signal` waits."""
RECONNECT = 1.0
"""Seconds to wait before the stream is opened again."""

_encode = msgspec.json.Encoder().encode


class Signals(msgspec.Struct):
    signals: list[SignalView]


class Reached(Signals):
    reached: bool


class Events(msgspec.Struct):
    events: list[Event]


class Traces(msgspec.Struct):
    traces: list[TraceSpan]


@tool("Emit an event", EmitEvent, RecordedEvent, writes=True)
async def emit_event(service: Service, arguments: EmitEvent) -> bytes:
    """Append an event: a proposal before you work, ready when it is done, a test result, a reward or penalty for what others did, a cancel
    to withdraw proposals. Put the ids of the events that caused it in parent_ids. The answer has its id, and the signals it moved or, in
    `moved`, why it moved none. A reward or penalty moves the signals of the nearest proposals among its causes; with payload.action, it
    moves the signal of its scope and that action instead."""
    if not arguments.id:
        arguments.id = new_id()
    try:
        return (await service.post("/api/events", _encode(arguments))).body
    except Refused as error:
        if error.status == 503:  # the event may be stored although the answer was lost
            raise Refused(503, {**error.body, "repeat_with": {"id": arguments.id}}, error.retry_after) from None
        raise


@tool("Read signals", ReadSignals, Signals)
async def read_signals(service: Service, arguments: ReadSignals) -> bytes:
    """What is promising now: live signals, strongest first. A signal is a scope and an action (pattern) with a strength of 0..1. Rewards
    raise it, penalties lower it, and it fades with time. A missing signal has faded or never existed."""
    return b'{"signals":%b}' % (await service.get("/api/signals", arguments.query())).body


@tool("Wait for a signal", WaitForSignal, Reached)
async def wait_for_signal(service: Service, arguments: WaitForSignal) -> bytes:
    """Wait until a signal is at least as strong as min_strength. Answers at once if one already is. `reached` says whether one was strong
    enough in time; if not, `signals` has the current signals. To wait longer, call it again."""
    query = {**arguments.query("timeout"), "limit": 20}
    try:
        async with asyncio.timeout(arguments.timeout):
            while True:
                async with aclosing(service.follow({"scope": arguments.scope, "signals": True})) as stream:
                    async for _ in stream:
                        strong = await service.get("/api/signals", query)
                        if strong.body != b"[]":
                            return b'{"signals":%b,"reached":true}' % strong.body
                        await asyncio.sleep(PACE)
                if service.in_process:
                    raise Refused(503, {"message": "the service is stopping"})
                await asyncio.sleep(RECONNECT)
    except TimeoutError:
        current = await service.get("/api/signals", {**query, "min_strength": None})
        return b'{"signals":%b,"reached":false}' % current.body


@tool("Explain a signal", ExplainSignal, Explanation, paged=True)
async def explain_signal(service: Service, arguments: ExplainSignal) -> bytes:
    """Why a signal has its strength: every event that moved it, with the strength before and after, and the decay in between."""
    path = f"/api/signals/{quote(arguments.scope, safe='')}/{quote(arguments.pattern, safe='')}/explain"
    return _paged(await service.get(path, arguments.query("scope", "pattern")))


@tool("Read events", ReadEvents, Events, paged=True)
async def read_events(service: Service, arguments: ReadEvents) -> bytes:
    """Events of the log, newest first. An event must match all given filters. For more, repeat the call with the arguments in `next`; only
    without `next` there are no more."""
    return _listed("events", await service.get("/api/events", arguments.query()))


@tool("Read an event", ReadEvent, Event)
async def read_event(service: Service, arguments: ReadEvent) -> bytes:
    """One event by its id."""
    return (await service.get(f"/api/events/{arguments.id}")).body


@tool("List traces", ReadTraces, Traces, paged=True)
async def read_traces(service: Service, arguments: ReadTraces) -> bytes:
    """The latest traces (pieces of work), latest first, with the number of events of each. With scope or type: only traces that have such
    an event."""
    return _listed("traces", await service.get("/api/traces", arguments.query()))


@tool("Summarize a trace", ReadTrace, TraceSummary)
async def read_trace(service: Service, arguments: ReadTrace) -> bytes:
    """Summary of one piece of work: its agents, its duration, its first and last events, its rewards, and the critical path, which is the
    chain of causes that determined the duration. For its events, call read_events with this trace_id."""
    return (await service.get(f"/api/traces/{quote(arguments.trace_id, safe='')}")).body


@tool("Read lineage", ReadLineage, LineageAnswer, paged=True)
async def read_lineage(service: Service, arguments: ReadLineage) -> bytes:
    """What led to an event, or what it led to, nearest first, with the total count. depth is the number of hops from the event."""
    return _paged(
        await service.get(
            f"/api/events/{arguments.id}/{arguments.direction}",
            arguments.query("id", "direction", *(("depth", "type") if arguments.direction == "open" else ())),
        )
    )


@tool("Find paths", FindPaths, PathsAnswer, paged=True)
async def find_paths(service: Service, arguments: FindPaths) -> bytes:
    """How one event led to another: every event on any path between them, and the ids on one shortest path. count is 0 when there is no
    path. The order of the two ids does not matter."""
    return _paged(await service.get("/api/paths", arguments.query()))


@tool("Find common causes", FindCommonCauses, LineageAnswer, paged=True)
async def find_common_causes(service: Service, arguments: FindCommonCauses) -> bytes:
    """The latest causes that events have in common: shared causes that led to no other shared cause, like Git's merge base."""
    query = {**arguments.query(), "ids": ",".join(arguments.ids)}
    return _paged(await service.get("/api/common-causes", query))


TOOLS: dict[str, Tool] = {
    one.name: one
    for one in (
        emit_event, read_signals, wait_for_signal, explain_signal, read_events, read_event, read_traces, read_trace, read_lineage,
        find_paths, find_common_causes,
    )
}  # fmt: skip


def _listed(name: str, answer: Answer) -> bytes:
    """The answer's array as an object, with the arguments for the next page."""
    return b'{"%b":%b%b}' % (name.encode(), answer.body, _following(answer))


def _paged(answer: Answer) -> bytes:
    """The answer's object, with the arguments for the next page."""
    return answer.body[:-1] + _following(answer) + b"}"


def _following(answer: Answer) -> bytes:
    return b',"next":%b' % _encode(answer.following) if answer.following else b""
