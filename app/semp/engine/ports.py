"""What the engine needs from storage: small Protocols, implemented by Neo4j and by the in-memory store.

The public SEL/SEMP architecture page names thirteen storage operations. Here they are:

    createEvent            EventLog.append          createSignal            EventLog.append: with the event that creates it
    getEvent               EventLog.events          updateSignalStrength    EventLog.append: with the event that moves it
    getEvents              EventLog.page            getSignal               none: answered from memory (`semp.engine.field`)
    getEventsByScope       EventLog.page            getAllSignals           EventLog.open, SignalStore.signals_after
    getEventsByTraceId     EventLog.page            applySignalDecay        none: decay is computed on read (`semp.domain.signals`);
                                                                            SignalStore.sweep deletes what has faded
    createNode             NodeStore.put_node       getNode, addEdge        NodeStore.node, NodeStore.add_edge
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from semp.domain.causes import Cause, Proposal
from semp.domain.events import Event
from semp.domain.signals import Key, Rules, Signal
from semp.domain.traces import TraceEvent
from semp.engine.records import (
    Ancestor,
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
    Page,
    Plan,
    QueryAnswer,
    Relative,
    Side,
    Snapshot,
    Thread,
    TraceFilter,
    TracePage,
)

AT_START = 2_000
"""Signals that are read before a start is done, at most. If there are more, all are read afterwards, see `semp.engine.unread`."""


class Turn(Protocol):
    """The exclusive right to append. It ends with the context of `EventLog.turn`."""

    @property
    def state(self) -> LogState:
        """The log's state at the start of the turn. Nobody else can change it during the turn."""
        ...

    async def append(self, plan: Plan) -> None:
        """Write the plan. It is committed when the turn ends without an error.

        Raises:
            DuplicateId: the log already has an id of the plan.
        """
        ...


class EventLog(Protocol):
    """The append-only log. Every method raises StoreUnavailable when the database cannot be reached."""

    async def open(self, rules: Rules) -> tuple[LogState, list[Signal] | None]:
        """Create or check the schema, and return the log's state and all stored signals; None when there are more than AT_START.

        If `rules` differ from the rules in force, they come into force from the next position on.

        Raises:
            SchemaMismatch: the database was written by a newer version.
        """
        ...

    async def state(self) -> LogState:
        """The log's state in the database."""
        ...

    async def heartbeat(self, within: float) -> None:
        """Ask something trivial, on a connection that nothing else uses.

        Raises:
            StoreUnavailable: there was no answer within so many seconds, and none to anything else either.
        """
        ...

    def require_room(self) -> None:
        """Check that there is room for more, where this storage can know it. Cheap: asked once a request that writes.

        Raises:
            StoreFull: there is not. What was accepted before still fits.
        """
        ...

    async def append(self, plan: Plan) -> bool:
        """Commit the plan in one transaction. False: nothing was written, because the log's tip is not `plan.after.tip`.

        Safe to repeat: the second attempt of a committed plan finds another tip and writes nothing.

        Raises:
            DuplicateId: the log already has an id of the plan; nothing was written.
            StoreUnavailable: the connection was lost. Whether the plan was committed can only be found out by a look-up of the ids
                during a turn.
        """
        ...

    def turn(self) -> AbstractAsyncContextManager[Turn]:
        """Wait for the exclusive right to append. All other appends wait until the turn ends."""
        ...

    async def signals_of(self, keys: Sequence[Key], upto: int, rules: Sequence[Rules]) -> list[Signal]:
        """The states that these signals had right after the event at position `upto`, in no particular order.

        Signals that did not exist then are left out; those that had faded then may be left out.

        Args:
            rules: the rules of the log, in order of `since`.
        """
        ...

    async def events(self, ids: Sequence[str]) -> dict[str, Event]:
        """The events with these ids, by id. Unknown ids are left out."""
        ...

    async def page(self, selection: EventFilter) -> Page:
        """At most `selection.limit` events in order of position.

        A page of several fields looks at LOOKED_AT events at most, and then ends, see `Page.next`.
        """
        ...

    async def read(self, after: int, limit: int) -> list[Entry]:
        """The entries after a position, in log order without gaps, `limit` at most. Their `moves` and `encoded` are not filled in."""
        ...

    async def causes(self, ids: Sequence[str]) -> dict[str, Cause]:
        """What the events with these ids hand on to their children, by id. Unknown ids are left out."""
        ...

    async def ancestry(self, ids: Sequence[str], limit: int) -> dict[str, Ancestor]:
        """The events with these ids, by id, and with each of them some of its causes: so many that it makes `limit` events, at most.

        Unknown ids are left out. Which causes these are is not defined; the caller asks again for what it needs.
        """
        ...

    async def newest_proposals(self, threads: Sequence[Thread]) -> dict[Thread, Proposal]:
        """The proposal with the highest position in each thread. Threads without a proposal are left out."""
        ...


class SignalStore(Protocol):
    """Stored signal states. During normal work they change only as a part of appends."""

    async def signals(self) -> list[Signal]:
        """All stored signals, in no particular order."""
        ...

    async def signals_after(self, key: Key, limit: int) -> list[Signal]:
        """A page of the stored signals, in an order of their keys that never changes, `limit` at most.

        Args:
            key: of the last signal of the page before; ("", "") for the first page.
        """
        ...

    async def put_signals(self, signals: Sequence[Signal]) -> None:
        """Create or overwrite these signals, for a repair from the log. Many are written in several transactions; safe to repeat."""
        ...

    async def sweep(self, faded: Sequence[Signal]) -> int:
        """Delete the signals whose stored state equals the one given here; returns the number deleted. A signal that moved since stays.

        Many are deleted in several transactions. When a later one fails, what the earlier ones deleted stays deleted.
        """
        ...


class SignalHistory(Protocol):
    """What moved signals in the past. The moves are stored with each event at its append, so reads replay nothing.

    Moves from 0 to 0 are included: those of events that would have lowered a signal but found it absent. See `semp.engine.ledger.kept`.
    """

    async def count_moves(self, key: Key, upto: int, look: int) -> int:
        """How many events up to a position moved a signal; `look` when there are more."""
        ...

    async def moves(self, key: Key, after: int, upto: int, limit: int) -> list[Moved]:
        """The moves of a signal at positions above `after`, up to and including `upto`, in log order, `limit` at most."""
        ...

    async def moves_back(self, key: Key, after: int, upto: int, limit: int, kind: Kind = "any") -> list[Moved]:
        """The same moves, but only those of one kind, newest first."""
        ...

    async def aimed_at(self, positions: Sequence[int]) -> dict[int, list[Key]]:
        """By position: the signals that its event moved, or would have lowered had they not been absent."""
        ...

    async def timestamps(self, positions: Sequence[int]) -> dict[int, str]:
        """The timestamps of the events at these positions, by position. Positions without an event are left out."""
        ...

    async def put_snapshot(self, snapshot: Snapshot, epoch: str) -> None:
        """Store a snapshot, unless the log has another epoch or ends before it. Safe to repeat: snapshots of one position are equal."""
        ...

    async def newest_snapshot(self, upto: int) -> tuple[int, int]:
        """Position of the newest snapshot at or below `upto`, and how many signals it has; 0 and 0 when there is none."""
        ...

    async def snapshot_positions(self, after: int, upto: int) -> list[int]:
        """The positions of the snapshots above `after`, up to and including `upto`, in order."""
        ...

    async def snapshot(self, upto: int) -> Snapshot | None:
        """The newest snapshot at or below position `upto`."""
        ...


class CursorStore(Protocol):
    """Durable positions by name, for followers of the log that outlive restarts: webhooks, brokers, sweepers.

    A name is any text. By convention it is a kind, a colon and an id (`webhook:billing`), so that `cursors` can list all of a kind.
    Cursors are not part of the log: replay, lineage, export and `semp verify` do not see them.
    """

    async def cursor(self, name: str) -> Cursor | None:
        """The cursor, None when there is none. Compare its epoch with the log's before you continue from its position."""
        ...

    async def cursors(self, prefix: str = "") -> list[Cursor]:
        """The cursors whose names begin with `prefix`, in order of name (by code point)."""
        ...

    async def advance(self, name: str, position: int, epoch: str, *, under: Lease | None = None, back: bool = False) -> Cursor:
        """Move a cursor forward, or create it; returns the cursor as it is then.

        Safe to repeat, and safe in any order: a cursor that is at the position or beyond stays where it is.

        Args:
            epoch: epoch of the log that the position was read from.
            under: a lease that must not have been released or taken by another process. The check and the move are one transaction, so the
                next holder of the lease sees the move.
            back: set the cursor to exactly this position, even backwards, or away from a log that was replaced.

        Raises:
            Fenced: the lease was released, or taken by another process. Nothing was written.
            LogReplaced: the log has another epoch, or ends before the position; or the cursor is of another log and `back` is False.
                Nothing was written.
        """
        ...

    async def delete_cursor(self, name: str) -> bool:
        """Delete a cursor; False when there was none."""
        ...


class LeaseStore(Protocol):
    """Leases by name, for work that only one process at a time may do. A lease has one holder at most, and expires by the storage's clock.

    A holder may not notice that its lease has expired. So everything it writes must either name the lease's token, and is refused once
    another process holds the lease (`CursorStore.advance`), or be safe to do twice. The tokens of one name only grow, across expiry,
    release and restarts.
    """

    async def acquire(self, name: str, holder: str, seconds: float) -> Lease:
        """Take the lease if it is free or expired; renew it if `holder` holds it; returns the lease as it is then.

        The caller holds it when the answer's `holder` is its own. Safe to repeat. An expired lease gets a new token, even for the same
        holder.

        Args:
            holder: name of the caller, different for every process and after every restart.
            seconds: length from now on, 0.001 to 86,400. A lease is never shortened.

        Raises:
            ValueError: `seconds` is out of range.
        """
        ...

    async def renew(self, lease: Lease, seconds: float) -> Lease | None:
        """Extend the lease to at least `seconds` from now; None when it was released, or taken by another process.

        A lease that has expired but was taken by nobody is held again, under the same token.

        Raises:
            ValueError: `seconds` is not within 0.001 to 86,400.
        """
        ...

    async def release(self, lease: Lease) -> bool:
        """Give the lease up before it expires. False when it was no longer held under this token. Safe to repeat."""
        ...

    async def lease(self, name: str) -> Lease | None:
        """The lease that is held now, None when nobody holds it."""
        ...


class LineageReader(Protocol):
    """Reachability along PARENT. Each event counts once, however many paths lead to it.

    Every method raises QueryTimeout when it takes longer than the store's time limit for reads, and QueryTooLarge when it needs more
    memory than the store allows for one read.
    """

    async def count(self, event_id: str, direction: Direction, selection: LineageFilter) -> Counted | None:
        """How many events match; `after` and `limit` are ignored. None when the event does not exist."""
        ...

    async def relatives(self, event_id: str, direction: Direction, selection: LineageFilter) -> list[Relative]:
        """A page of relatives: nearest first, then by position (newest first towards causes, oldest first towards effects).

        Only among the nearest events that the budget allows; of those at the last distance, it can be any.
        """
        ...

    async def count_open(self, event_id: str, selection: LineageFilter) -> Counted | None:
        """How many proposals among the event's descendants are open; None when the event does not exist.

        A proposal is open when it is a nearest proposal of no event of an ending type (`ENDING`) up to `until`. `scope` selects among
        the proposals; `depth` and `types` are ignored.
        """
        ...

    async def nearest_open(self, event_id: str, selection: LineageFilter) -> list[Relative]:
        """A page of these open proposals: nearest first, then oldest first. Any, if the event led to more events than the budget."""
        ...

    async def count_between(self, cause: str, effect: str, selection: LineageFilter) -> Counted:
        """How many events are on the paths from a cause to its effect, both included; 0 when there is no path or one does not exist.

        `depth` is counted from the cause. `budget` bounds the search from each end. `until` is ignored.
        """
        ...

    async def between(self, cause: str, effect: str, selection: LineageFilter) -> list[Relative]:
        """A page of the events on these paths: nearest to the cause first, then by position."""
        ...

    async def shortest_path(self, cause: str, effect: str) -> list[str]:
        """Ids of the events on one shortest path from a cause to its effect, both included; empty when there is no path."""
        ...

    async def common_causes(self, ids: Sequence[str], selection: LineageFilter) -> list[Relative]:
        """The latest common causes of these events: causes of all of them that led to no other such cause.

        Here, each event also counts as a cause of itself. The ids must differ. Nearest first, then newest first; `depth` is the distance
        to the farthest of the events. `depth`, `types` and `scope` of the selection apply to the result; `until`, `after` and `limit` are
        ignored.

        Raises:
            QueryTooLarge: one of the events has more causes than the budget. From a part of them the latest cannot be determined.
        """
        ...


class TraceReader(Protocol):
    """Traces and their events."""

    async def traces(self, selection: TraceFilter) -> TracePage:
        """A page of traces; the trace with the newest event comes first."""
        ...

    async def trace_events(self, trace_id: str, after: int, limit: int) -> list[TraceEvent]:
        """The events of a trace after a position, in order of position, `limit` at most."""
        ...


class NodeStore(Protocol):
    """The users' own graph, and its links to the log."""

    async def put_node(self, node_id: str, node_type: str, data: str) -> tuple[GraphNode, bool]:
        """Store a node, or return the node that has this id already. True: it was new."""
        ...

    async def node(self, node_id: str) -> GraphNode | None:
        """A node with its edges, None when there is no such node."""
        ...

    async def add_edge(self, node_id: str, to: str, edge_type: str) -> bool:
        """Link a node to another node, or to an event if no node has the id `to`; False when either end is missing.

        Safe to repeat: an edge of this type between the two exists once.
        """
        ...

    async def nodes_of(self, event_id: str) -> list[LinkedNode]:
        """The nodes linked to an event, by type of the link, then by id."""
        ...

    async def count_linked(self, node_id: str, side: Side, edge: str | None, selection: LineageFilter) -> Counted:
        """How many events are on one side of a node; `after` and `limit` are ignored. 0 when the node does not exist.

        Args:
            edge: only links of this type count; None for links of all types.

        An event that is linked to the node is at depth 0.
        """
        ...

    async def linked(self, node_id: str, side: Side, edge: str | None, selection: LineageFilter) -> list[Relative]:
        """A page of these events: nearest first, then by position (newest first towards causes, oldest first towards effects)."""
        ...


class QueryReader(Protocol):
    """Queries that a store offers by name, written in a language of its own. They only read. A store without such a language has none."""

    def offered(self) -> list[OfferedQuery]:
        """All queries, in order of name."""
        ...

    async def ask(self, name: str, given: Mapping[str, str]) -> QueryAnswer:
        """Run a query.

        The answer is bounded by QUERY_ROWS and QUERY_BYTES, the run by the store's limits of time and memory for a read.

        Args:
            given: parameters as texts, by name. Those left out get their defaults.

        Raises:
            NotFound: there is no query of this name.
            InvalidInput: a parameter is missing, unknown, or not of its type or range.
            QueryTimeout: it took longer than the store's time limit for reads.
            QueryTooLarge: it needs more memory than the store allows for one read.
        """
        ...


class Storage(EventLog, SignalStore, SignalHistory, CursorStore, LeaseStore, LineageReader, TraceReader, NodeStore, QueryReader, Protocol):
    """All storage operations, behind one connection."""

    async def close(self) -> None:
        """Close the connection."""
        ...
