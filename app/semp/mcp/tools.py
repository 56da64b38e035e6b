"""The tools. Each is one request of the REST API; their docstrings are written for the model that calls them."""

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
"""Seconds between looks at the signals that are waited for, at least, however much happens."""
RECONNECT = 1.0
"""Seconds before the stream is opened again after it ended."""

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
    """Leave an event in the shared environment: a proposal before you work, ready when it is done, a test result, a reward or a penalty for
    what others did, a cancel for proposals that are withdrawn. Name the events that caused it in parent_ids. The answer has its id, for
    later parent_ids, and the signals it moved, or in `moved` why it moved none. A reward or penalty moves the signal of the nearest
    proposals among its causes, or of the scope and payload.action it names."""
    if not arguments.id:
        arguments.id = new_id()
    try:
        return (await service.post("/api/events", _encode(arguments))).body
    except Refused as error:
        if error.status == 503:  # it may have been stored before the answer was lost
            raise Refused(503, {**error.body, "repeat_with": {"id": arguments.id}}, error.retry_after) from None
        raise


@tool("Read signals", ReadSignals, Signals)
async def read_signals(service: Service, arguments: ReadSignals) -> bytes:
    """What is promising now: live signals, strongest first. A signal is a scope and an action (pattern) with a strength of 0..1, which
    rewards raise, penalties lower and time lets fade; one that is missing has faded or never was."""
    return b'{"signals":%b}' % (await service.get("/api/signals", arguments.query())).body


@tool("Wait for a signal", WaitForSignal, Reached)
async def wait_for_signal(service: Service, arguments: WaitForSignal) -> bytes:
    """Wait until a signal is at least as strong as min_strength, and answer at once if one is. reached: whether one was in time; if not,
    signals has what is there now. To go on waiting, call it again."""
    strong = {**arguments.query("timeout"), "limit": 20}
    try:
        async with asyncio.timeout(arguments.timeout):
            while True:
                async with aclosing(service.follow({"scope": arguments.scope, "signals": True})) as news:
                    async for _ in news:
                        found = await service.get("/api/signals", strong)
                        if found.body != b"[]":
                            return b'{"signals":%b,"reached":true}' % found.body
                        await asyncio.sleep(PACE)
                if service.within:
                    raise Refused(503, {"message": "the service is stopping"})
                await asyncio.sleep(RECONNECT)
    except TimeoutError:
        found = await service.get("/api/signals", {**strong, "min_strength": None})
        return b'{"signals":%b,"reached":false}' % found.body


@tool("Explain a signal", ExplainSignal, Explanation, paged=True)
async def explain_signal(service: Service, arguments: ExplainSignal) -> bytes:
    """Why a signal is as strong as it is: every event that moved it, each with the strength before and after, and what time took."""
    path = f"/api/signals/{quote(arguments.scope, safe='')}/{quote(arguments.pattern, safe='')}/explain"
    return _paged(await service.get(path, arguments.query("scope", "pattern")))


@tool("Read events", ReadEvents, Events, paged=True)
async def read_events(service: Service, arguments: ReadEvents) -> bytes:
    """Events of the log, newest first; all filters given must hold. To read on, repeat the call with the arguments in `next`."""
    return _listed("events", await service.get("/api/events", arguments.query()))


@tool("Read an event", ReadEvent, Event)
async def read_event(service: Service, arguments: ReadEvent) -> bytes:
    """One event by its id."""
    return (await service.get(f"/api/events/{arguments.id}")).body


@tool("List traces", ReadTraces, Traces, paged=True)
async def read_traces(service: Service, arguments: ReadTraces) -> bytes:
    """The latest pieces of work (traces) with how many events each has, latest first; with scope or type, those that have such an event."""
    return _listed("traces", await service.get("/api/traces", arguments.query()))


@tool("Summarize a trace", ReadTrace, TraceSummary)
async def read_trace(service: Service, arguments: ReadTrace) -> bytes:
    """One piece of work at a glance: who took part, how long it took, where it began and ended, what was rewarded, and the critical path,
    the chain of causes that decided how long it took. Its events: read_events with this trace_id."""
    return (await service.get(f"/api/traces/{quote(arguments.trace_id, safe='')}")).body


@tool("Read lineage", ReadLineage, LineageAnswer, paged=True)
async def read_lineage(service: Service, arguments: ReadLineage) -> bytes:
    """What led to an event, or what it led to, nearest first, with how many there are in all. depth counts hops from it."""
    return _paged(
        await service.get(
            f"/api/events/{arguments.id}/{arguments.direction}",
            arguments.query("id", "direction", *(("depth", "type") if arguments.direction == "open" else ())),
        )
    )


@tool("Find paths", FindPaths, PathsAnswer, paged=True)
async def find_paths(service: Service, arguments: FindPaths) -> bytes:
    """How one event led to another: every event on any way between them, and the ids of one shortest way. count is 0 when none leads there.
    The order of the two does not matter."""
    return _paged(await service.get("/api/paths", arguments.query()))


@tool("Find common causes", FindCommonCauses, LineageAnswer, paged=True)
async def find_common_causes(service: Service, arguments: FindCommonCauses) -> bytes:
    """The last causes that events have in common, as Git's merge base: those of which none led to another."""
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
    """An array as an object, with the arguments that lead to the next page."""
    return b'{"%b":%b%b}' % (name.encode(), answer.body, _following(answer))


def _paged(answer: Answer) -> bytes:
    """An object with the arguments that lead to the next page."""
    return answer.body[:-1] + _following(answer) + b"}"


def _following(answer: Answer) -> bytes:
    return b',"next":%b' % _encode(answer.following) if answer.following else b""
