"""Values that the engine and storage exchange."""

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
"""(trace_id, scope). An event without an action and without a proposal among its causes answers to the newest proposal of its thread."""


class ClockShift(msgspec.Struct, frozen=True, array_like=True):
    """From position `since` on, timestamps are `ahead` of the wall clock. See `semp.engine.log_clock`."""

    since: int
    """Position of the first event with such a timestamp."""
    ahead: int
    """Milliseconds; 0 once timestamps follow the wall clock again."""
    noticed: int
    """The wall clock's time when this began, milliseconds since 1970."""


class LogState(msgspec.Struct, frozen=True):
    """The state of the log at its newest event."""

    epoch: str
    """UUID that is created with the log. Positions of different epochs cannot be compared."""
    head: int
    """Position of the newest event, 0 when the log is empty."""
    tip: str
    """Token of the last append transaction. The next append must name it, or it is refused."""
    last_timestamp: int
    """Timestamp of the newest event, milliseconds since 1970; 0 when the log is empty."""
    rules: list[Rules]
    """Every set of rules that was ever in force, in order of `since`."""
    shifts: list[ClockShift] = msgspec.field(default_factory=list[ClockShift])
    """How far timestamps were ahead of the wall clock, in order of `since`. Empty if no clock ever jumped ahead."""


class Entry(msgspec.Struct, gc=False):
    """An event with everything that was decided at its append. It is stored with the event, so nothing is searched for again."""

    event: Event
    action: str | None
    nearest: tuple[Proposal, ...]
    """The nearest proposals among its causes, in order of position."""
    distance: int
    """PARENT hops to `nearest`, 0 when that is empty."""
    answers: Proposal | None
    """The newest proposal of its thread, if the event has neither an action nor a nearest proposal."""
    value: float
    """How much it raises or lowers signals, 0..1."""
    alpha: float | None
    """Amplification that the payload of a reward gives, if any."""
    encoded: bytes = b""
    """The event as JSON, encoded once for all answers and subscribers."""
    moves: Sequence[Move] = ()
    """What it did to signals."""
    credited: tuple[Credited, ...] = ()
    """Proposals further up that its reward or penalty also reaches, nearest first."""

    @property
    def cause(self) -> Cause:
        """What the event hands on to its children."""
        event = self.event
        if event.type == "proposal":
            return Cause(event.position, (self.as_proposal(),), 0)
        return Cause(event.position, self.nearest, self.distance)

    def as_proposal(self) -> Proposal:
        """The event as a proposal. Only for events of type proposal, which always have an action."""
        return Proposal(self.event.position, self.event.scope, self.action or "")


class Ancestor(msgspec.Struct, frozen=True, gc=False):
    """An event as the search for credit sees it."""

    proposal: Proposal | None
    """The event as a proposal; None when it is of another type, or a draft that has no position yet."""
    parent_ids: Sequence[str]
    proposes: bool
    """Whether it is a proposal."""


class Plan(msgspec.Struct):
    """Everything that one append transaction writes."""

    after: LogState
    """The state that the plan builds on. The append is refused when the log has another tip."""
    tip: str
    """The log's tip after the append."""
    entries: list[Entry]
    """In log order."""
    signals: dict[Key, Signal]
    """The states, after the last entry, of all signals that the entries moved."""
    born: set[Key]
    """Those of `signals` that an entry found absent."""
    scopes: dict[str, str | None]
    """Scopes that may not be stored yet, each with its parent, outer ones first."""

    @property
    def state(self) -> LogState:
        """The log's state after the append."""
        last = self.entries[-1]
        return LogState(self.after.epoch, last.event.position, self.tip, self.timestamp, self.after.rules, self.shifts)

    timestamp: int = 0
    """Of all entries, milliseconds since 1970."""
    shifts: list[ClockShift] = msgspec.field(default_factory=list[ClockShift])
    """The shifts of the state after the append."""
    size: int = 0
    """Bytes that it takes in the database's memory, estimated by `semp.engine.footprint`."""


LOOKED_AT = 10_000
"""Events that a page of the log looks at, at most, where no index leads to exactly those that its filter selects."""


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events a page of the log holds. The values of one field are alternatives; all fields must match; an empty field matches every
    event."""

    types: Sequence[EventType] = ()
    scopes: Sequence[Glob] = ()
    trace_ids: Sequence[str] = ()
    agent_ids: Sequence[str] = ()
    after: int | None = None
    """Only positions above this."""
    before: int | None = None
    """Only positions below this."""
    newest_first: bool = True
    limit: int = 100

    @property
    def selects_all(self) -> bool:
        """Whether every event fits whose position does."""
        return not (self.types or self.scopes or self.trace_ids or self.agent_ids)

    def span(self, head: int) -> tuple[int, int]:
        """The lowest and the highest position that the page may hold, if the log ends at `head`; lowest above highest: none."""
        return max(0, self.after or 0) + 1, head if self.before is None else min(self.before - 1, head)

    def positions(self, head: int) -> tuple[int, int]:
        """The lowest and the highest position of the page, if the log ends at `head` and every event fits."""
        lowest, highest = self.span(head)
        if self.newest_first:
            return max(lowest, highest - self.limit + 1), highest
        return lowest, min(highest, lowest + self.limit - 1)

    def selects(self, event: Event) -> bool:
        """Whether the event's own fields fit; its position is not looked at."""
        return (
            (not self.types or event.type in self.types)
            and (not self.scopes or any(scope.matches(event.scope) for scope in self.scopes))
            and (not self.trace_ids or event.trace_id in self.trace_ids)
            and (not self.agent_ids or event.agent_id in self.agent_ids)
        )


class Page(msgspec.Struct, frozen=True):
    """A page of the log. It may hold fewer events than the filter's `limit`, or none, although more follow: `next` shows it."""

    events: list[Event]
    """In order of position."""
    next: int | None = None
    """Position that the next page begins behind: its `before` if the newest come first, else its `after`. None: there are no more."""

    @classmethod
    def of(cls, events: list[Event], limit: int, edge: int | None = None) -> Page:
        """A page of events that were looked for.

        Args:
            limit: of the filter. A page of so many events may have a next one.
            edge: position up to which they are complete, None when nothing follows.
        """
        return cls(events, events[-1].position if events and len(events) == limit else edge)


class EncodedPage(msgspec.Struct, frozen=True):
    """A page of the log as it is answered: each event as JSON."""

    events: list[bytes]
    next: int | None = None
    """As in `Page`."""


class DuplicateId(Exception):
    """An append had an id that the log already has; nothing of it was written."""


class Cursor(msgspec.Struct, frozen=True):
    """How far a follower of the log has come."""

    name: str
    epoch: str
    """Epoch of the log that `position` is of. If the log has another epoch, it was replaced, and the position is invalid."""
    position: int
    """The follower has processed everything up to here."""


class Lease(msgspec.Struct, frozen=True):
    """A lease as it was when storage answered."""

    name: str
    holder: str
    token: int
    """The fencing token: a later holder has a higher token than an earlier one."""
    expires: int
    """When it expires: milliseconds since 1970, by the clock of the storage."""
    left: int
    """Milliseconds from the answer until it expires. A holder should count them on its own clock, from the moment before its request."""


def lease_milliseconds(seconds: float) -> int:
    """The length of a lease in whole milliseconds.

    Raises:
        ValueError: it is not within 0.001 to 86,400 seconds (one day).
    """
    if not 0.001 <= seconds <= 86_400:
        raise ValueError(f"a lease lasts a millisecond to a day, not {seconds} seconds")
    return round(seconds * 1000)


class Fenced(Exception):
    """The lease was released, or another process holds it. Nothing was written; its former holder has to stop its work."""


class LogReplaced(Exception):
    """The log was replaced: it has another epoch than the position, or ends before it. Nothing was written."""


class Moved(msgspec.Struct, frozen=True):
    """An event that moved a signal, and the move."""

    event: Event
    before: float
    """Strength right before the event, after decay, 0..1; 0: absent."""
    after: float
    """Strength right after the event, 0..1; 0: absent."""
    share: float
    """Part of the event's value that reached this signal, 0..1."""


Kind = Literal["any", "anew", "birth"]
"""Which moves of a signal. `any`: all. `anew`: those that set its strength, so that decay is computed from there (raising, lowering and
births). `birth`: those that created it."""


class Snapshot(msgspec.Struct, frozen=True):
    """All live signals right after the event at a position. It is derived: a replay of the log gives the same."""

    position: int
    timestamp: int
    """Timestamp of the event at `position`, milliseconds since 1970."""
    signals: list[Signal]


Direction = Literal["ancestors", "descendants", "roots", "impact"]
"""Which relatives of an event. `ancestors`: what led to it. `descendants`: what it led to. `roots`: of the ancestors and the event itself,
those without a parent. `impact`: of the descendants and the event itself, those without a child."""


NODE_BUDGET = 1_000_000
"""Events that a query about lineage reaches, at most."""


class LineageFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of an event's lineage a page holds. `types` and `scope` of None match every event."""

    depth: int | None = None
    """PARENT hops, at most; None: unbounded."""
    types: Sequence[EventType] | None = None
    scope: Glob | None = None
    until: int | None = None
    """Events at higher positions are ignored, so that pages of descendants stay consistent while events arrive. None: all count."""
    after: tuple[int, int] | None = None
    """(depth, position) of the last event of the previous page, None for the first page."""
    limit: int = 100
    """Events in the page, at most."""
    payload: bool = True
    """False: payloads may be left out, as `{}`."""
    budget: int = NODE_BUDGET
    """Events that the query reaches, at most, whether they match or not. A count stops there."""


class Counted(msgspec.Struct, frozen=True):
    """How many events match. When `complete` is False, the budget ended the count, and `count` is a lower bound."""

    count: int
    complete: bool = True


class Relative(msgspec.Struct, frozen=True):
    """An event in the lineage of another event. `depth` is the length of a shortest path between them, in PARENT hops."""

    event: Event
    depth: int


class TraceSpan(msgspec.Struct, frozen=True):
    """A trace in a list of traces."""

    trace_id: str
    events: int
    """How many events it has so far."""
    first: int
    """Position of its oldest event."""
    last: int
    """Position of its newest event so far."""
    started: str
    """Timestamp of its oldest event."""
    ended: str
    """Timestamp of its newest event so far."""


class TraceFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which traces a page holds, by the position of their newest event."""

    before: int
    """Only traces whose newest event is below this position."""
    until: int
    """Events at higher positions are ignored, so that pages stay consistent while events arrive."""
    types: Sequence[EventType] = ()
    """Only traces with an event of one of these types; with `scopes` as well, one event must fit both. Empty: every type."""
    scopes: Sequence[Glob] = ()
    """Only traces with an event in a scope that one of these matches; empty: every scope."""
    limit: int = 100


class TracePage(msgspec.Struct, frozen=True):
    """A page of traces. It may hold fewer than the filter's `limit`, or none, although more follow: `next` shows it."""

    traces: list[TraceSpan]
    """The trace with the newest event comes first."""
    next: int | None = None
    """The `before` of the next page. None: there are no more."""


class GraphEdge(msgspec.Struct, frozen=True):
    """An edge to another node or to an event."""

    to: str
    type: str


class GraphNode(msgspec.Struct, frozen=True):
    """A node of the users' own graph, which is not part of the log."""

    id: str
    type: str
    data: msgspec.Raw
    edges: list[GraphEdge]


class LinkedNode(msgspec.Struct, frozen=True):
    """A node that is linked to an event."""

    id: str
    type: str
    data: msgspec.Raw
    edge: str
    """Type of the link."""


Side = Literal["provenance", "consequences"]
"""Which events around a node: the events linked to it and, for `provenance`, all their ancestors; for `consequences`, all their
descendants."""


QUERY_ROWS = 1_000
"""Rows in the answer to an offered query, at most."""
QUERY_BYTES = 8 * 1024 * 1024
"""Bytes of JSON in the rows of such an answer, at most."""

QueryParameterType = Literal["STRING", "INTEGER", "FLOAT", "BOOLEAN"]


class QueryParameter(msgspec.Struct, frozen=True, omit_defaults=True):
    """A parameter of an offered query."""

    name: str
    type: QueryParameterType
    description: str
    required: bool
    default: str | float | bool | msgspec.UnsetType | None = msgspec.UNSET
    """The value when it is left out. UNSET for a required parameter."""
    minimum: int | msgspec.UnsetType = msgspec.UNSET
    maximum: int | msgspec.UnsetType = msgspec.UNSET


class QueryColumn(msgspec.Struct, frozen=True):
    """A column in the rows of an offered query."""

    name: str
    type: str
    """A type in the query's language."""


class OfferedQuery(msgspec.Struct, frozen=True):
    """A query that a store offers by name."""

    name: str
    """May contain a slash: `cookbook/rework_scopes`."""
    purpose: str
    language: str
    parameters: list[QueryParameter]
    columns: list[QueryColumn]
    text: str


class QueryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an offered query.

    A query over the log looks at a part of it, at the newest events: `after` and `until` are the positions between which it looked. The
    same query with `until` set to this `after` looks at the events before.
    """

    columns: list[str]
    rows: list[list[Any]]
    """Values that JSON can represent."""
    truncated: bool
    """Whether rows were left out because of QUERY_ROWS or QUERY_BYTES."""
    after: int | msgspec.UnsetType = msgspec.UNSET
    """The query looked at events at positions above this; 0: nothing is older."""
    until: int | msgspec.UnsetType = msgspec.UNSET
    """The query looked at events at positions up to this."""
