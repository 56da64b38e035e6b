"""What passes between the engine and storage: plain values, no behaviour that needs either."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from semp.domain.causes import Cause, Proposal
from semp.domain.credit import Credited
from semp.domain.event_types import EventType
from semp.domain.events import Event
from semp.domain.scopes import Glob
from semp.domain.signals import Key, Move, Rules, Signal

Thread = tuple[str, str]
"""(trace_id, scope): where the newest proposal answers for an event without an action and without causes."""


class ClockShift(msgspec.Struct, frozen=True, array_like=True):
    """From a position on, timestamps are ahead of the wall clock: it had jumped ahead and was corrected, and they never run backwards."""

    since: int
    """Position of the first event with such a timestamp."""
    ahead: int
    """Milliseconds; 0 once they follow the wall clock again."""
    noticed: int
    """What the wall clock showed then, milliseconds since 1970."""


class LogState(msgspec.Struct, frozen=True):
    """Where the log stands."""

    epoch: str
    """UUID made with the database. Positions of different epochs cannot be compared."""
    head: int
    """Position of the newest event, 0 when the log is empty."""
    tip: str
    """Token of the transaction that wrote last; the next append must name it."""
    last_timestamp: int
    """Milliseconds since 1970 of the newest event, 0 when the log is empty."""
    rules: list[Rules]
    """Every set of rules that was ever in force, in order of `since`."""
    shifts: list[ClockShift] = msgspec.field(default_factory=list[ClockShift])
    """How far timestamps were ahead of the wall clock, in order of `since`; empty unless a clock ever jumped ahead."""


class Entry(msgspec.Struct, gc=False):
    """An event with what was decided about it at its append. All of it is stored; nothing is searched for again."""

    event: Event
    action: str | None
    nearest: tuple[Proposal, ...]
    """The nearest proposals among its causes, in order of position."""
    distance: int
    """PARENT hops to them, 0 when there are none."""
    answers: Proposal | None
    """The newest proposal of its trace and scope, when only that says which signal it moves."""
    value: float
    alpha: float | None
    encoded: bytes = b""
    """The event as JSON, encoded once for every answer and every subscriber."""
    moves: Sequence[Move] = ()
    credited: tuple[Credited, ...] = ()
    """Proposals further up that its reward or penalty also reaches, nearest first."""

    @property
    def cause(self) -> Cause:
        """What it hands on to its children."""
        event = self.event
        if event.type == "proposal":
            return Cause(event.position, (self.as_proposal(),), 0)
        return Cause(event.position, self.nearest, self.distance)

    def as_proposal(self) -> Proposal:
        """The proposal this event is; only for events of type proposal, which always have an action."""
        return Proposal(self.event.position, self.event.scope, self.action or "")


class Plan(msgspec.Struct):
    """One append transaction, decided before it is sent."""

    after: LogState
    """The state it builds on: the append is refused when the log's tip is another."""
    tip: str
    entries: list[Entry]
    signals: dict[Key, Signal]
    """The states of all signals the entries moved, after the last of them."""
    born: set[Key]
    """Those of them that were absent before."""
    scopes: dict[str, str | None]
    """Scopes not known to be stored, each with its parent, outer ones first."""

    @property
    def state(self) -> LogState:
        """The state once it is committed."""
        last = self.entries[-1]
        return LogState(self.after.epoch, last.event.position, self.tip, self.timestamp, self.after.rules, self.shifts)

    timestamp: int = 0
    shifts: list[ClockShift] = msgspec.field(default_factory=list[ClockShift])
    """Those of the state that it leads to."""


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events a page holds. Fields that are None select everything; several must all hold."""

    types: Sequence[EventType] | None = None
    scope: Glob | None = None
    trace_id: str | None = None
    agent_id: str | None = None
    after: int | None = None
    """Only positions above this."""
    before: int | None = None
    """Only positions below this."""
    newest_first: bool = True
    limit: int = 100

    def selects(self, event: Event) -> bool:
        """Whether the event's own fields fit; its position is not looked at."""
        return (
            (not self.types or event.type in self.types)
            and (self.scope is None or self.scope.matches(event.scope))
            and (self.trace_id is None or event.trace_id == self.trace_id)
            and (self.agent_id is None or event.agent_id == self.agent_id)
        )


class DuplicateId(Exception):
    """An append held an id that the log already has; nothing of it was written."""


class Cursor(msgspec.Struct, frozen=True):
    """How far a follower of the log has come."""

    name: str
    epoch: str
    """The log whose positions it counts. When the log has another one by now, it was replaced, and the position says nothing about it."""
    position: int
    """Everything up to here is done."""


class Lease(msgspec.Struct, frozen=True):
    """Who may do what one at a time may do, as of the answer it came with."""

    name: str
    holder: str
    token: int
    """The fencing token: of two holders, the later one has the higher."""
    expires: int
    """Milliseconds since 1970, by the clock of the storage."""
    left: int
    """Milliseconds until then, at the answer: what a holder should count, from before it asked, on a clock of its own."""


def lease_milliseconds(seconds: float) -> int:
    """A lease's length as storage takes it, to the millisecond.

    Raises:
        ValueError: it is shorter than one, or longer than a day.
    """
    if not 0.001 <= seconds <= 86_400:
        raise ValueError(f"a lease lasts a millisecond to a day, not {seconds} seconds")
    return round(seconds * 1000)


class Fenced(Exception):
    """The lease was given back, or is another's by now. Nothing was written; whoever held it has to stop."""


class LogReplaced(Exception):
    """The log has another epoch than the position, or ends before it: it was replaced. Nothing was written."""


class Moved(msgspec.Struct, frozen=True):
    """An event that moved a signal, and how."""

    event: Event
    before: float
    """Strength right before it, after decay; 0 for absent."""
    after: float
    share: float
    """What part of the event's value reached this signal."""


Kind = Literal["any", "anew", "birth"]
"""Moves of a signal: all; those after which its strength decays anew (rewards, penalties, births); those that found it absent."""


class Snapshot(msgspec.Struct, frozen=True):
    """Every live signal right after the event at a position. Derived: the log alone decides what it holds."""

    position: int
    timestamp: int
    """Of that event, milliseconds since 1970."""
    signals: list[Signal]


Direction = Literal["ancestors", "descendants", "roots", "impact"]
"""What led to an event and what it led to; and of those, with the event itself, the ends: what has no cause, what led to nothing yet."""


NODE_BUDGET = 1_000_000
"""Events that a question about lineage may reach, at most."""


class LineageFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of an event's lineage is asked for."""

    depth: int | None = None
    """PARENT hops at most, None for no bound."""
    types: Sequence[EventType] | None = None
    scope: Glob | None = None
    until: int | None = None
    """Events at later positions do not count, so that pages of descendants fit together while events arrive."""
    after: tuple[int, int] | None = None
    """(depth, position) of the last node already seen."""
    limit: int = 100
    payload: bool = True
    """False: payloads may be left out, as `{}`."""
    budget: int = NODE_BUDGET
    """Events reached at most, whether they match or not. A count ends there."""


class Counted(msgspec.Struct, frozen=True):
    """How many events match; at least so many when the budget ended the count."""

    count: int
    complete: bool = True


class Relative(msgspec.Struct, frozen=True):
    """An event in another's lineage, `depth` PARENT hops away by the shortest way."""

    event: Event
    depth: int


class TraceSpan(msgspec.Struct, frozen=True):
    """A trace as a list of traces shows it."""

    trace_id: str
    events: int
    first: int
    """Position of its oldest event."""
    last: int
    started: str
    """Timestamp of its oldest event."""
    ended: str
    """Timestamp of its newest event so far."""


class TraceFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which traces are asked for: by the position of their newest event."""

    first: int
    """That position or a later one."""
    before: int
    """A position below this."""
    until: int
    """Events at later positions do not count, so that pages fit together while events arrive."""
    types: Sequence[EventType] | None = None
    """Only traces with such an event ..."""
    scope: Glob | None = None
    """... in such a scope."""
    limit: int = 100


class GraphEdge(msgspec.Struct, frozen=True):
    """An edge to another node."""

    to: str
    type: str


class GraphNode(msgspec.Struct, frozen=True):
    """A node of the users' own graph, beside the log."""

    id: str
    type: str
    data: msgspec.Raw
    edges: list[GraphEdge]


class LinkedNode(msgspec.Struct, frozen=True):
    """A node as seen from an event it is linked to."""

    id: str
    type: str
    data: msgspec.Raw
    edge: str
    """Type of the link."""


Side = Literal["provenance", "consequences"]
"""Of an artefact: the events it is linked to with all that led to them, or with all that they led to."""


QUERY_ROWS = 1_000
"""Rows in the answer of an offered query, at most."""
QUERY_BYTES = 8 * 1024 * 1024
"""Bytes of JSON in it, at most, whatever the rows."""

QueryParameterType = Literal["STRING", "INTEGER", "FLOAT", "BOOLEAN"]


class QueryParameter(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an offered query has to be told."""

    name: str
    type: QueryParameterType
    description: str
    required: bool
    default: str | float | bool | msgspec.UnsetType | None = msgspec.UNSET
    """What it is when left out; not there when it is required."""
    minimum: int | msgspec.UnsetType = msgspec.UNSET
    maximum: int | msgspec.UnsetType = msgspec.UNSET


class QueryColumn(msgspec.Struct, frozen=True):
    """What a row of an offered query holds at its place."""

    name: str
    type: str
    """As the query's language writes it."""


class OfferedQuery(msgspec.Struct, frozen=True):
    """A question that a store answers by name, in a language of its own."""

    name: str
    """May have a slash: `cookbook/rework_scopes`."""
    purpose: str
    language: str
    parameters: list[QueryParameter]
    columns: list[QueryColumn]
    text: str


class QueryAnswer(msgspec.Struct, frozen=True):
    """Rows of an offered query."""

    columns: list[str]
    rows: list[list[Any]]
    """Values that JSON can say."""
    truncated: bool
    """Whether there were more rows than an answer holds."""
