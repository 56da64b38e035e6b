"""What the engine needs from storage: small Protocols that Neo4j and the in-memory store both implement.

The thirteen storage operations of the public SEL/SEMP architecture page are all here, under the field's names:

    createEvent            EventLog.append          createSignal, updateSignalStrength  SignalStore.put_signals
    getEvent               EventLog.events          getSignal                           SignalStore.signal
    getEvents              EventLog.page            getAllSignals                       SignalStore.signals
    getEventsByScope       EventLog.page            applySignalDecay                    SignalStore.sweep
    getEventsByTraceId     EventLog.page            createNode, getNode, addEdge        NodeStore.put_node, node, add_edge

Decay itself is computed on read (`semp.domain.signals`), so `sweep` only frees the space of what has faded.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol

import msgspec

from semp.domain.causes import Cause, Proposal
from semp.domain.credit import Credited, Reached
from semp.domain.events import Event, EventType
from semp.domain.signals import Key, Move, Rules, Signal
from semp.domain.traces import TraceEvent

Thread = tuple[str, str]
"""(trace_id, scope): where the newest proposal answers for an event without an action and without causes."""


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
        return LogState(self.after.epoch, last.event.position, self.tip, self.timestamp, self.after.rules)

    timestamp: int = 0


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events a page holds. Fields that are None select everything; several must all hold."""

    types: Sequence[EventType] | None = None
    scope: str | None = None
    """A scope, or a glob of `semp.domain.scopes`."""
    trace_id: str | None = None
    agent_id: str | None = None
    after: int | None = None
    """Only positions above this."""
    before: int | None = None
    """Only positions below this."""
    newest_first: bool = True
    limit: int = 100


class DuplicateId(Exception):
    """An append held an id that the log already has; nothing of it was written."""


class Turn(Protocol):
    """The exclusive right to append, while it lasts."""

    @property
    def state(self) -> LogState:
        """The log's state, which no one else can change during the turn."""
        ...

    async def append(self, plan: Plan) -> None:
        """Write the plan; it is committed when the turn ends without an error.

        Raises:
            DuplicateId: an id is taken.
        """
        ...


class EventLog(Protocol):
    """The append-only log. Every method raises StoreUnavailable when the database cannot be reached."""

    async def open(self, rules: Rules) -> tuple[LogState, list[Signal]]:
        """Make or check the schema, put `rules` in force from the next position if they differ, give state and signals.

        Raises:
            SchemaMismatch: the database was written by a newer version.
        """
        ...

    async def state(self) -> LogState: ...

    async def append(self, plan: Plan) -> bool:
        """Commit the plan in one transaction, or write nothing and answer False because the log's tip is not `plan.after.tip`.

        Safe to repeat: a second try of a plan that was committed finds another tip.

        Raises:
            DuplicateId: an id is taken; nothing was written.
            StoreUnavailable: the connection was lost; the outcome is unknown until the ids are looked up during a turn.
        """
        ...

    def turn(self) -> AbstractAsyncContextManager[Turn]:
        """Wait for the exclusive right to append; whoever else appends waits until it is given back."""
        ...

    async def events(self, ids: Sequence[str]) -> dict[str, Event]:
        """The events with these ids, as far as they exist."""
        ...

    async def page(self, wanted: EventFilter) -> list[Event]:
        """At most `wanted.limit` events in order of position."""
        ...

    async def read(self, after: int, limit: int) -> list[Entry]:
        """The entries after a position in log order, contiguous, at most `limit`; `moves` and `encoded` are not filled in."""
        ...

    async def causes(self, ids: Sequence[str]) -> dict[str, Cause]:
        """What the events with these ids hand on to children, as far as they exist."""
        ...

    async def proposals_above(self, ids: Sequence[str], depth: int) -> dict[str, list[Reached]]:
        """For each of these events that exists: itself if it is a proposal, and the proposals among its causes within `depth` PARENT
        hops, each at its shortest distance, nearest first, then newest first; MAX_CREDITED of them at most."""
        ...

    async def newest_proposals(self, threads: Sequence[Thread]) -> dict[Thread, Proposal]:
        """The proposal with the highest position in each thread, where there is one."""
        ...


class SignalStore(Protocol):
    """Stored signal states. During normal work they change only inside an append."""

    async def signals(self) -> list[Signal]: ...

    async def signal(self, key: Key) -> Signal | None: ...

    async def put_signals(self, signals: Sequence[Signal]) -> None:
        """Create or overwrite these states, for repair from the log."""
        ...

    async def sweep(self, faded: Sequence[Signal]) -> int:
        """Delete the states that still are as given here; one that moved meanwhile stays. The number deleted."""
        ...


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


class SignalHistory(Protocol):
    """What moved signals in the past. Kept with each event at its append; nothing is replayed to answer."""

    async def count_moves(self, key: Key, upto: int) -> int:
        """How many events up to a position moved a signal."""
        ...

    async def moves(self, key: Key, after: int, upto: int, limit: int) -> list[Moved]:
        """Those at positions from above `after` up to `upto`, in log order."""
        ...

    async def moves_back(self, key: Key, after: int, upto: int, limit: int, kind: Kind = "any") -> list[Moved]:
        """Those of one kind, newest first."""
        ...

    async def aimed_at(self, positions: Sequence[int]) -> dict[int, list[Key]]:
        """The signals that the events at these positions moved, or would have moved had they been there."""
        ...

    async def timestamps(self, positions: Sequence[int]) -> dict[int, str]:
        """When the events at these positions were appended, as far as they exist."""
        ...

    async def put_snapshot(self, snapshot: Snapshot, epoch: str) -> None:
        """Keep it, unless the log has another epoch or ends before it; one that is there for the same position is the same."""
        ...

    async def newest_snapshot(self, upto: int) -> int:
        """Position of the newest up to this one, 0 when there is none."""
        ...

    async def snapshot(self, upto: int) -> Snapshot | None:
        """The newest at a position up to this."""
        ...


Direction = Literal["ancestors", "descendants", "roots", "impact"]
"""What led to an event and what it led to; and of those, with the event itself, the ends: what has no cause, what led to nothing yet."""


NODE_BUDGET = 1_000_000
"""Events that a question about lineage may reach, at most."""


class LineageFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of an event's lineage is asked for."""

    depth: int | None = None
    """PARENT hops at most, None for no bound."""
    types: Sequence[EventType] | None = None
    scope: str | None = None
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


class LineageReader(Protocol):
    """Reachability along PARENT, counted by distinct events, never by paths.

    Every method raises QueryTimeout when it takes longer than the store's limit for reads, and QueryTooLarge when it needs more memory
    than the store gives one.
    """

    async def count(self, event_id: str, direction: Direction, wanted: LineageFilter) -> Counted | None:
        """How many distinct events match, `after` and `limit` aside; None when the event does not exist."""
        ...

    async def relatives(self, event_id: str, direction: Direction, wanted: LineageFilter) -> list[Relative]:
        """Nearest first, then by position (newest first towards causes, oldest first towards effects).

        `budget` does not bound this; `semp.engine.lineage.nearest` does, from what was counted.
        """
        ...

    async def count_between(self, cause: str, effect: str, wanted: LineageFilter) -> Counted:
        """How many events are on the ways from a cause to its effect, both included; 0 when none leads there or either is not there.

        `depth` is counted from the cause, `budget` from either end; `until` has no meaning here.
        """
        ...

    async def between(self, cause: str, effect: str, wanted: LineageFilter) -> list[Relative]:
        """Those events, nearest to the cause first, then by position."""
        ...

    async def shortest_path(self, cause: str, effect: str) -> list[str]:
        """Ids of a shortest way from a cause to its effect, both included; empty when none leads there."""
        ...

    async def common_causes(self, ids: Sequence[str], wanted: LineageFilter) -> list[Relative]:
        """The causes shared by all these different events (each counts among its own) of which none led to another.

        Nearest first, then newest first; `depth` is that of the farthest of the events. Depth, types and scope choose among them;
        `until`, `after` and `limit` have no meaning here.

        Raises:
            QueryTooLarge: more events than the budget led to one of these. A part of them cannot tell which causes are the last ones.
        """
        ...


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
    scope: str | None = None
    """... in such a scope."""
    limit: int = 100


class TraceReader(Protocol):
    """Events that belong together."""

    async def traces(self, wanted: TraceFilter) -> list[TraceSpan]:
        """By their newest event, newest first."""
        ...

    async def trace_events(
        self, trace_id: str, after: int, limit: int, *, types: Sequence[EventType] | None = None, scope: str | None = None
    ) -> list[TraceEvent]:
        """The trace's events after a position, in order."""
        ...


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


class NodeStore(Protocol):
    """The users' own graph, and where it is linked to the log."""

    async def put_node(self, node_id: str, node_type: str, data: str) -> tuple[GraphNode, bool]:
        """Store a node, or find the one that has this id; True when it was new."""
        ...

    async def node(self, node_id: str) -> GraphNode | None: ...

    async def add_edge(self, node_id: str, to: str, edge_type: str) -> bool:
        """Link a node to another, or else to an event; an edge that is there already stays one. False when either is missing."""
        ...

    async def nodes_of(self, event_id: str) -> list[LinkedNode]:
        """The nodes linked to an event, by type of the link, then by id."""
        ...

    async def count_linked(self, node_id: str, side: Side, edge: str | None, wanted: LineageFilter) -> Counted:
        """How many events are on one side of a node, by links of one type or of all; `after` and `limit` aside.

        A linked event is at depth 0. Whether the node exists is not asked.
        """
        ...

    async def linked(self, node_id: str, side: Side, edge: str | None, wanted: LineageFilter) -> list[Relative]:
        """Those, nearest first, then by position (newest first towards causes, oldest first towards effects)."""
        ...


class Storage(EventLog, SignalStore, SignalHistory, LineageReader, TraceReader, NodeStore, Protocol):
    """All of it behind one connection."""

    async def close(self) -> None: ...

    async def query(self, name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        """Run a read query of `cypher/` by name, for the command line. Only stores that speak Cypher can.

        Raises:
            NotFound: no such query, or this store has none.
            InvalidInput: a parameter is missing or unknown.
        """
        ...
