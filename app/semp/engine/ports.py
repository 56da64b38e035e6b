"""What the engine needs from storage: small Protocols that Neo4j and the in-memory store both implement.

What became of the thirteen storage operations of the public SEL/SEMP architecture page:

    createEvent            EventLog.append          createSignal            EventLog.append: with the event that raises it
    getEvent               EventLog.events          updateSignalStrength    EventLog.append: with the event that moves it
    getEvents              EventLog.page            getSignal               none: answered from memory (`semp.engine.field`)
    getEventsByScope       EventLog.page            getAllSignals           SignalStore.signals, once, at the start
    getEventsByTraceId     EventLog.page            applySignalDecay        none: decay is computed on read (`semp.domain.signals`);
                                                                            SignalStore.sweep deletes what has faded
    createNode             NodeStore.put_node       getNode, addEdge        NodeStore.node, NodeStore.add_edge
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from semp.domain.causes import Cause, Proposal
from semp.domain.credit import Reached
from semp.domain.event_types import EventType
from semp.domain.events import Event
from semp.domain.scopes import Glob
from semp.domain.signals import Key, Rules, Signal
from semp.domain.traces import TraceEvent
from semp.engine.records import (
    Counted,
    Cursor,
    Direction,
    Entry,
    EventFilter,
    GraphNode,
    Kind,
    Lease,
    LineageFilter,
    LinkedNode,
    LogState,
    Moved,
    OfferedQuery,
    Plan,
    QueryAnswer,
    Relative,
    Side,
    Snapshot,
    Thread,
    TraceFilter,
    TraceSpan,
)


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

    def require_room(self) -> None:
        """Check that there is room for more, where this storage can know it. Cheap: asked once a request that writes.

        Raises:
            StoreFull: there is not. What was accepted before still fits.
        """
        ...

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

    async def page(self, selection: EventFilter) -> list[Event]:
        """At most `selection.limit` events in order of position."""
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

    async def signals(self) -> list[Signal]:
        """All of them, in no order."""
        ...

    async def put_signals(self, signals: Sequence[Signal]) -> None:
        """Create or overwrite these states, for repair from the log."""
        ...

    async def sweep(self, faded: Sequence[Signal]) -> int:
        """Delete the states that still are as given here; one that moved meanwhile stays. The number deleted."""
        ...


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


class CursorStore(Protocol):
    """Durable positions by name, for whoever follows the log across restarts: webhooks, brokers, sweepers.

    Names are any text; by convention a kind, a colon and an id (`webhook:billing`), so that `cursors` can list a kind.
    They are no part of the log: replay, lineage, export and `semp verify` do not see them.
    """

    async def cursor(self, name: str) -> Cursor | None:
        """Where it stands. Compare its epoch with the log's before you go on from it."""
        ...

    async def cursors(self, prefix: str = "") -> list[Cursor]:
        """Those whose names begin so, in order of name (by code point)."""
        ...

    async def advance(self, name: str, position: int, epoch: str, *, under: Lease | None = None, back: bool = False) -> Cursor:
        """Move a cursor on, or make it; where it stands then.

        Safe to repeat: it moves forward only, and one that is as far or further stays where it is. Positions of one name may come out
        of order.

        Args:
            epoch: of the log that the position was read from.
            under: a lease that has to be held still; whoever takes it next finds the cursor moved.
            back: move it to just this position, even back, or over from a log that was replaced.

        Raises:
            Fenced: the lease is not held under this token any more.
            LogReplaced: the log has another epoch or ends before the position; or the cursor is one of another log, and not `back`.
        """
        ...

    async def delete_cursor(self, name: str) -> bool:
        """False when there was none."""
        ...


class LeaseStore(Protocol):
    """Leases by name, for work that one process at a time does. One holder at most, until the lease expires by the storage's clock.

    A holder that is late does not know it: whatever it writes names its token and is refused once another holds the lease
    (`CursorStore.advance`), or is safe to do twice. Tokens of one name only grow, across expiry, release and restarts.
    """

    async def acquire(self, name: str, holder: str, seconds: float) -> Lease:
        """Take the lease if it is free or has expired, renew it if it is the holder's own; the lease as it stands then.

        It is yours when the answer's holder is you. Safe to repeat. An expired lease comes back under a new token, also to the same holder.

        Args:
            holder: who asks; must differ between processes, and between lives of one.
            seconds: how long from now on, 0.001 to 86,400. It never shortens.

        Raises:
            ValueError: `seconds` is out of bounds.
        """
        ...

    async def renew(self, lease: Lease, seconds: float) -> Lease | None:
        """Hold it for longer; None when another took it, or it was given back. One that expired and nobody took is held again."""
        ...

    async def release(self, lease: Lease) -> bool:
        """Give it back before it expires. False when it was not held under this token any more; safe to repeat."""
        ...

    async def lease(self, name: str) -> Lease | None:
        """Who holds it now; None when nobody does."""
        ...


class LineageReader(Protocol):
    """Reachability along PARENT, counted by distinct events, never by paths.

    Every method raises QueryTimeout when it takes longer than the store's limit for reads, and QueryTooLarge when it needs more memory
    than the store gives one.
    """

    async def count(self, event_id: str, direction: Direction, selection: LineageFilter) -> Counted | None:
        """How many distinct events match, `after` and `limit` aside; None when the event does not exist."""
        ...

    async def relatives(self, event_id: str, direction: Direction, selection: LineageFilter) -> list[Relative]:
        """Nearest first, then by position (newest first towards causes, oldest first towards effects).

        `budget` does not bound this; `semp.engine.lineage.nearest` does, from what was counted.
        """
        ...

    async def count_open(self, event_id: str, selection: LineageFilter) -> Counted | None:
        """How many proposals among its descendants are open: no event of an ending type (`ENDING`) up to `until` has them as its nearest.

        Scope chooses among them; depth and types have no meaning here. None when the event does not exist.
        """
        ...

    async def nearest_open(self, event_id: str, selection: LineageFilter) -> list[Relative]:
        """Those, nearest first, then oldest first. `budget` does not bound this."""
        ...

    async def count_between(self, cause: str, effect: str, selection: LineageFilter) -> Counted:
        """How many events are on the ways from a cause to its effect, both included; 0 when none leads there or either is not there.

        `depth` is counted from the cause, `budget` from either end; `until` has no meaning here.
        """
        ...

    async def between(self, cause: str, effect: str, selection: LineageFilter) -> list[Relative]:
        """Those events, nearest to the cause first, then by position."""
        ...

    async def shortest_path(self, cause: str, effect: str) -> list[str]:
        """Ids of a shortest way from a cause to its effect, both included; empty when none leads there."""
        ...

    async def common_causes(self, ids: Sequence[str], selection: LineageFilter) -> list[Relative]:
        """The causes shared by all these different events (each counts among its own) of which none led to another.

        Nearest first, then newest first; `depth` is that of the farthest of the events. Depth, types and scope choose among them;
        `until`, `after` and `limit` have no meaning here.

        Raises:
            QueryTooLarge: more events than the budget led to one of these. A part of them cannot tell which causes are the last ones.
        """
        ...


class TraceReader(Protocol):
    """Events that belong together."""

    async def traces(self, selection: TraceFilter) -> list[TraceSpan]:
        """By their newest event, newest first."""
        ...

    async def trace_events(
        self, trace_id: str, after: int, limit: int, *, types: Sequence[EventType] | None = None, scope: Glob | None = None
    ) -> list[TraceEvent]:
        """The trace's events after a position, in order."""
        ...


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

    async def count_linked(self, node_id: str, side: Side, edge: str | None, selection: LineageFilter) -> Counted:
        """How many events are on one side of a node, by links of one type or of all; `after` and `limit` aside.

        A linked event is at depth 0. Whether the node exists is not asked.
        """
        ...

    async def linked(self, node_id: str, side: Side, edge: str | None, selection: LineageFilter) -> list[Relative]:
        """Those, nearest first, then by position (newest first towards causes, oldest first towards effects)."""
        ...


class QueryReader(Protocol):
    """Questions that a store answers by name, in a language of its own. They only read. A store without such a language offers none."""

    def offered(self) -> list[OfferedQuery]:
        """All of them, by name."""
        ...

    async def ask(self, name: str, given: Mapping[str, str]) -> QueryAnswer:
        """Run one, with its parameters as texts; those left out are the defaults.

        Bounded: QUERY_ROWS rows, QUERY_BYTES bytes, and the store's limits for a read in time and memory.

        Raises:
            NotFound: it offers no such question.
            InvalidInput: a parameter is missing, unknown or not what the question takes.
            QueryTimeout: it took longer than the store's limit for reads.
            QueryTooLarge: it needs more memory than the store gives one.
        """
        ...


class Storage(EventLog, SignalStore, SignalHistory, CursorStore, LeaseStore, LineageReader, TraceReader, NodeStore, QueryReader, Protocol):
    """All of it behind one connection."""

    async def close(self) -> None: ...
