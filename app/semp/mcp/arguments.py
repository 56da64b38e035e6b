"""What each tool takes. Names, bounds and meanings are those of the REST API, so that what it refuses can be told to a model as it is."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from semp.api.routes.paths import MAX_IDS
from semp.domain.event_types import EventType
from semp.domain.events import Id, Name
from semp.domain.scopes import MAX_SCOPE, SCOPE_PATTERN

MAX_LIMIT = 200
"""Events, signals or traces in an answer, at most: more would fill a model's context."""
MAX_WAIT = 55.0
"""Seconds, at most: many clients give a call up after 60."""

Glob = Annotated[
    str,
    Meta(max_length=MAX_SCOPE, description="A scope such as ui.login, or a glob: * is one segment, ** at the end is one or more (ui.**)."),
]
Types = Annotated[list[EventType], Meta(description="Only events of these types.")]
Limit = Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="How many at most.")]
Position = Annotated[int, Meta(ge=0, le=2**62)]
Pattern = Annotated[str, Meta(description="The action that the signal is about, exactly.")]
At = Annotated[int | str, Meta(description="A position of the log or an RFC 3339 time: the answer as of then. Default: now.")]
Cursor = Annotated[str, Meta(description="From `next` of the answer before.")]
Exactly = Annotated[
    str,
    Meta(
        max_length=MAX_SCOPE,
        description="A dotted path of letters, digits, _ and -, such as ui.login: which part of the work.",
        examples=["ui.login"],
        extra_json_schema={"pattern": SCOPE_PATTERN},
    ),
]
EventId = Annotated[Id, Meta(description="Id of an event.")]


class Arguments(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of any tool. A field that is left out is UNSET."""

    def query(self, *without: str) -> dict[str, Any]:
        """Those that were given or have a default, as parameters of the REST API."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return {name: value for name, value in found.items() if name not in without}


Payload = Annotated[
    dict[str, Any],
    Meta(
        description="proposal: {action} (what you mean to do, a short stable name such as improve_ux); ready: {status}; "
        "test: {status: running, passed or failed}; reward: {value: 0..1, reason}; penalty: {value: -1..1, reason}; "
        "cancel: {reason, value: 0..1}, with the proposals it withdraws as parent_ids. "
        "Any other keys are kept. At most 256 KiB.",
        examples=[{"action": "improve_ux"}],
    ),
]


class EmitEvent(Arguments):
    type: Annotated[EventType, Meta(description="What happened.")]
    scope: Exactly
    trace_id: Annotated[Name, Meta(description="The piece of work this belongs to; the same for all who work on it.")]
    agent_id: Annotated[Name, Meta(description="Who you are; the same in all your events.")]
    payload: Payload
    parent_ids: Annotated[list[Id], Meta(description="Ids of the events that caused this one, at most 64.")] | UnsetType = UNSET
    id: Annotated[Id, Meta(description="A UUID of your own: the same event sent again with it is stored once.")] | UnsetType = UNSET


class ReadSignals(Arguments):
    scope: Glob | UnsetType = UNSET
    pattern: Pattern | UnsetType = UNSET
    min_strength: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET
    limit: Limit = 20
    at: At | UnsetType = UNSET


class WaitForSignal(Arguments):
    scope: Glob
    pattern: Pattern | UnsetType = UNSET
    min_strength: Annotated[float, Meta(ge=0.01, le=1, description="How strong it has to be; default: that it is there.")] = 0.01
    timeout: Annotated[float, Meta(gt=0, le=MAX_WAIT, description="Seconds to wait at most.")] = 30.0


class ExplainSignal(Arguments):
    scope: Exactly
    pattern: Pattern
    order: Annotated[Literal["asc", "desc"], Meta(description="desc: newest first.")] = "desc"
    limit: Limit = 20
    cursor: Position | UnsetType = UNSET
    at: At | UnsetType = UNSET


class ReadEvents(Arguments):
    scope: Glob | UnsetType = UNSET
    type: Types | UnsetType = UNSET
    trace_id: Name | UnsetType = UNSET
    agent_id: Name | UnsetType = UNSET
    order: Annotated[Literal["asc", "desc"], Meta(description="desc: newest first.")] = "desc"
    before: Annotated[Position, Meta(description="Only positions below this.")] | UnsetType = UNSET
    after: Annotated[Position, Meta(description="Only positions above this.")] | UnsetType = UNSET
    limit: Limit = 20


class ReadEvent(Arguments):
    id: EventId


class ReadTraces(Arguments):
    scope: Glob | UnsetType = UNSET
    type: Types | UnsetType = UNSET
    limit: Limit = 20
    before: Position | UnsetType = UNSET
    until: Position | UnsetType = UNSET


class ReadTrace(Arguments):
    trace_id: Name


class Related(Arguments):
    """Of every question about lineage."""

    depth: Annotated[int, Meta(ge=1, le=1_000_000, description="Hops at most; default: no bound.")] | UnsetType = UNSET
    type: Types | UnsetType = UNSET
    scope: Glob | UnsetType = UNSET
    payload: Annotated[bool, Meta(description="Whether to include payloads.")] = False
    limit: Limit = 20
    cursor: Cursor | UnsetType = UNSET


class ReadLineage(Related, kw_only=True):
    id: EventId
    direction: Annotated[
        Literal["ancestors", "descendants", "lineage", "roots", "impact", "open"],
        Meta(
            description="ancestors: all that led to it; descendants: all it led to; lineage: both; "
            "roots: the first causes; impact: what it led to that has led to nothing yet; "
            "open: proposals it led to that are neither ready nor cancelled (depth and type do not apply)."
        ),
    ] = "ancestors"


class FindPaths(Related, kw_only=True, rename={"from_id": "from", "to_id": "to"}):
    from_id: EventId
    to_id: EventId


class FindCommonCauses(Related, kw_only=True):
    ids: Annotated[list[Id], Meta(min_length=1, max_length=MAX_IDS, description="Ids of the events.")]
