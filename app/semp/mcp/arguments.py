"""The arguments of each tool. Names, bounds and meanings are those of the REST API, so its error messages fit the tools unchanged."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from semp.api.routes.paths import MAX_IDS
from semp.domain.event_types import EventType
from semp.domain.events import Id, Name
from semp.domain.scopes import MAX_SCOPE, SCOPE_PATTERN

MAX_LIMIT = 200
"""Maximum number of events, signals or traces in an answer: more would fill a model's context."""
MAX_WAIT = 55.0
"""Maximum wait in seconds: many clients give up a call after 60."""

Glob = Annotated[
    str,
    Meta(
        max_length=MAX_SCOPE,
        description="A scope such as ui.login, or a glob: * matches one segment, ** at the end matches one or more (ui.**).",
    ),
]
Types = Annotated[list[EventType], Meta(description="Only events of these types.")]
Limit = Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="Maximum number of results.")]
Position = Annotated[int, Meta(ge=0, le=2**62)]
Pattern = Annotated[str, Meta(description="The exact action that the signal is about.")]
At = Annotated[int | str, Meta(description="A log position or an RFC 3339 time; the answer is as of then. Default: now.")]
Cursor = Annotated[str, Meta(description="From `next` of the previous answer.")]
ExactScope = Annotated[
    str,
    Meta(
        max_length=MAX_SCOPE,
        description="The part of the work, as a dotted path of letters, digits, _ and -, such as ui.login.",
        examples=["ui.login"],
        extra_json_schema={"pattern": SCOPE_PATTERN},
    ),
]
EventId = Annotated[Id, Meta(description="Id of an event.")]


class Arguments(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The arguments of any tool. An argument that was not given and has no default is UNSET."""

    def query(self, *without: str) -> dict[str, Any]:
        """The arguments that are not UNSET, as query parameters of the REST API.

        Args:
            without: names of arguments to leave out.
        """
        arguments: dict[str, Any] = msgspec.to_builtins(self)
        return {name: value for name, value in arguments.items() if name not in without}


Payload = Annotated[
    dict[str, Any],
    Meta(
        description="proposal: {action} (what you intend to do, as a short stable name such as improve_ux); ready: {status}; "
        "test: {status: running, passed or failed}; reward: {value: 0..1, reason}; penalty: {value: -1..1, reason}; "
        "cancel: {reason, value: 0..1}, with the ids of the proposals to withdraw in parent_ids. "
        "Other keys are kept. At most 256 KiB.",
        examples=[{"action": "improve_ux"}],
    ),
]


class EmitEvent(Arguments):
    type: Annotated[EventType, Meta(description="What happened.")]
    scope: ExactScope
    trace_id: Annotated[Name, Meta(description="The piece of work that this event belongs to; all agents working on it use the same one.")]
    agent_id: Annotated[Name, Meta(description="Your name; use the same one in all your events.")]
    payload: Payload
    parent_ids: Annotated[list[Id], Meta(description="Ids of the events that caused this one, at most 64.")] | UnsetType = UNSET
    id: Annotated[Id, Meta(description="A UUID that you choose. The same event sent again with it is stored only once.")] | UnsetType = (
        UNSET
    )


class ReadSignals(Arguments):
    scope: Glob | UnsetType = UNSET
    pattern: Pattern | UnsetType = UNSET
    min_strength: Annotated[float, Meta(ge=0, le=1, description="Only signals at least this strong.")] | UnsetType = UNSET
    limit: Limit = 20
    at: At | UnsetType = UNSET


class WaitForSignal(Arguments):
    scope: Glob
    pattern: Pattern | UnsetType = UNSET
    min_strength: Annotated[float, Meta(ge=0.01, le=1, description="Minimum strength. With the default, any live signal is enough.")] = 0.01
    timeout: Annotated[float, Meta(gt=0, le=MAX_WAIT, description="Maximum wait in seconds.")] = 30.0


class ExplainSignal(Arguments):
    scope: ExactScope
    pattern: Pattern
    order: Annotated[Literal["asc", "desc"], Meta(description="desc: newest first.")] = "desc"
    limit: Limit = 20
    cursor: Annotated[Position, Meta(description="From `next` of the previous answer.")] | UnsetType = UNSET
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
    before: Annotated[Position, Meta(description="From `next` of the previous answer.")] | UnsetType = UNSET
    until: Annotated[Position, Meta(description="From `next` of the previous answer.")] | UnsetType = UNSET


class ReadTrace(Arguments):
    trace_id: Name


class Related(Arguments):
    """Arguments that all lineage tools share."""

    depth: Annotated[int, Meta(ge=1, le=1_000_000, description="Maximum number of hops. Default: no limit.")] | UnsetType = UNSET
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
            description="ancestors: all its direct and indirect causes; descendants: everything it led to; lineage: both; "
            "roots: ancestors without causes; impact: descendants that led to nothing yet; "
            "open: proposals it led to that are neither ready nor cancelled (depth and type are ignored)."
        ),
    ] = "ancestors"


class FindPaths(Related, kw_only=True, rename={"from_id": "from", "to_id": "to"}):
    from_id: EventId
    to_id: EventId


class FindCommonCauses(Related, kw_only=True):
    ids: Annotated[list[Id], Meta(min_length=1, max_length=MAX_IDS, description="Ids of the events.")]
