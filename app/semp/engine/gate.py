"""The gate: everything that one principal can do with the environment. The API and MCP have no other access to it.

Every append is checked against `semp.engine.access`, draft by draft. Reads are not filtered yet: so far all clients are the open
principal, which may read everything. Filters by principal belong in these methods and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from semp.domain.errors import FieldError, Forbidden
from semp.domain.events import Draft, Event
from semp.domain.interests import Interest
from semp.domain.traces import TraceEvent, TraceSummary
from semp.engine.access import Principal, may_append, reads_everything, require
from semp.engine.explaining import Explanation
from semp.engine.field import WhatIf
from semp.engine.lineage import Asked, Found, around, connecting, nearest, nearest_of, still_open
from semp.engine.live.follow import Follow, Outlet, check_place
from semp.engine.pace import Pace
from semp.engine.past import Moment
from semp.engine.planning import Recorded
from semp.engine.ranking import Ranked, SignalView, Wanted
from semp.engine.records import (
    Counted,
    Direction,
    EncodedPage,
    EventFilter,
    GraphNode,
    LineageFilter,
    LinkedNode,
    LogState,
    OfferedQuery,
    Page,
    QueryAnswer,
    Relative,
    Side,
    TraceFilter,
    TracePage,
)
from semp.engine.trace_reading import trace_pages, trace_summary

if TYPE_CHECKING:
    from semp.engine.environment import Environment


class Statistics(msgspec.Struct, frozen=True):
    """Figures of this process at the time of the call."""

    events: int
    """Position of the newest event that this process has seen."""
    transactions: int
    """Append transactions that this process has committed."""
    queued: int
    """Events that wait for a transaction."""
    signals: int
    """Signals in memory, including faded ones that were not swept yet."""
    subscribers: int
    """Live subscriptions of this process."""
    available: bool
    """Whether the database was available at the last contact."""
    clock_ahead: int
    """Milliseconds that timestamps are ahead of this machine's clock."""
    leads: bool
    """Whether this process appends for all replicas. Also True if there is only one."""
    handed_on: int
    """Events that another replica appended for this process."""


class Gate:
    """The environment as one principal may use it. It has no state of its own, and making one is cheap.

    A method without a `Raises` section raises the errors that `semp.engine.ports` documents for the storage operation behind it.
    """

    __slots__ = ("_environment", "_unrestricted", "principal")

    def __init__(self, environment: Environment, principal: Principal) -> None:
        self.principal = principal
        self._environment = environment
        self._unrestricted = principal.unrestricted

    # the service

    @property
    def pace(self) -> Pace:
        """Shared by all long work of this process."""
        return self._environment.pace

    def require_ready(self) -> None:
        """Check that an event would be taken now.

        Raises:
            StoreUnavailable: it would not; StoreFull where the disk is the reason.
        """
        self._environment.require_ready()

    @property
    def state(self) -> LogState:
        """The state of the log as this process has seen it. Every principal may see it: positions and the epoch are not secret."""
        return self._environment.ledger.state

    @property
    def statistics(self) -> Statistics:
        """Figures of this process."""
        environment = self._environment
        committer, ledger = environment.committer, environment.ledger
        return Statistics(
            ledger.state.head, committer.transactions, committer.queued, len(ledger.signals), environment.hub.subscribers,
            committer.available, environment.field.clock_ahead(), committer.following.leading, committer.following.handed_on,
        )  # fmt: skip

    def poll_now(self) -> None:
        """Poll for events of other replicas without waiting for the next interval. Does not wait for the result.

        Raises:
            Forbidden: the principal may not maintain what is stored.
        """
        require(self.principal, "maintain")
        self._environment.committer.poll_now()

    async def sweep(self) -> int:
        """Delete the signals that had faded at the time of the newest event; returns the number deleted from storage.

        Raises:
            Forbidden: the principal may not maintain what is stored.
        """
        require(self.principal, "maintain")
        return await self._environment.sweep()

    # the log

    async def append(self, drafts: Sequence[Draft], *, batch: bool = False) -> list[Recorded]:
        """Commit the drafts together or not at all. Cancelling the call does not cancel an append that was sent.

        Raises:
            Forbidden: the principal may not append one of them; none was appended.
            SempError: what `Committer.submit` and its future raise.
        """
        return await self.submit(drafts, batch=batch)

    def submit(self, drafts: Sequence[Draft], *, batch: bool = False, sender: object = None) -> asyncio.Future[list[Recorded]]:
        """The same as `append`, but it returns at once.

        Args:
            sender: the drafts are queued behind everything that the same sender submitted before.
        """
        if not self._unrestricted:
            self._check(drafts, batch)
        return self._environment.committer.submit(drafts, batch=batch, sender=sender)

    def _check(self, drafts: Sequence[Draft], batch: bool) -> None:
        for index, draft in enumerate(drafts):
            if not may_append(self.principal, draft):
                prefix = f"[{index}]." if batch else ""
                reason = f"{self.principal.id} may not append a {draft.type} of {draft.agent_id} to {draft.scope}"
                raise Forbidden(reason, FieldError(f"{prefix}scope", reason))

    async def events(self, ids: Sequence[str]) -> dict[str, Event]:
        """The events with these ids, by id. Unknown ids are left out."""
        return await self._environment.storage.events(ids)

    async def page(self, selection: EventFilter) -> Page:
        """A page of the log, in order of position."""
        return await self._environment.storage.page(selection)

    async def encoded_page(self, selection: EventFilter) -> EncodedPage:
        """The same page, encoded; from memory where it can."""
        return await self._environment.pages.page(selection)

    async def follow(
        self,
        interest: Interest,
        *,
        after: int | None = None,
        epoch: str | None = None,
        signals: bool = False,
        outlet: Outlet | None = None,
        quiet: float | None = None,
    ) -> Follow:
        """Past and future events of the log after a position; see `semp.engine.live.follow.Follow`.

        Args:
            after: position to resume after; None for events that are committed from now on.
            epoch: the epoch of the log that the position is from; None: not checked.

        Raises:
            CannotResume: the position is from another log.
            StoreUnavailable: the database is needed for the check, and is not available.
        """
        environment = self._environment
        await check_place(environment.ledger, environment.storage, after, epoch)
        return Follow(
            environment.hub, environment.ledger, environment.changes, environment.storage, self.principal, interest,
            after=after, signals=signals, outlet=outlet, quiet=quiet,
        )  # fmt: skip

    # lineage

    async def lineage(self, event_id: str, direction: Direction, selection: LineageFilter, asked: Asked) -> Found:
        """A page of an event's relatives in one direction, within the budget."""
        return await nearest_of(self._environment.storage, event_id, direction, selection, asked)

    async def open(self, event_id: str, selection: LineageFilter, asked: Asked) -> Found:
        """A page of the proposals that an event led to and that are still open: neither ended nor cancelled."""
        return await still_open(self._environment.storage, event_id, selection, asked)

    async def around(self, origin: Event, selection: LineageFilter, asked: Asked) -> Found:
        """A page of an event's relatives in both directions, within the budget."""
        return await around(self._environment.storage, origin, selection, asked)

    async def between(self, cause: str, effect: str, selection: LineageFilter) -> tuple[list[Relative], Counted]:
        """A page of the events on the paths from a cause to its effect, nearest to the cause first, and how many there are in all."""
        return await connecting(self._environment.storage, cause, effect, selection)

    async def shortest_path(self, cause: str, effect: str) -> list[str]:
        """Ids of the events on one shortest path from a cause to its effect."""
        return await self._environment.storage.shortest_path(cause, effect)

    async def common_causes(self, ids: Sequence[str], selection: LineageFilter) -> list[Relative]:
        """The latest common causes of these events: shared causes that led to no other shared cause."""
        return await self._environment.storage.common_causes(ids, selection)

    # traces

    async def stored_head(self) -> int:
        """Position of the newest event in storage, including events of other replicas that this process has not read yet."""
        return (await self._environment.storage.state()).head

    async def traces(self, selection: TraceFilter) -> TracePage:
        """A page of traces; the trace with the newest event comes first."""
        return await self._environment.storage.traces(selection)

    def trace_pages(self, trace_id: str, after: int, limit: int) -> AsyncIterator[list[TraceEvent]]:
        """The events of a trace after a position, in order of position, `limit` at most. No list is empty or long."""
        return trace_pages(self._environment.storage, self._environment.pace, trace_id, after, limit)

    async def trace_summary(self, trace_id: str) -> TraceSummary | None:
        """A summary of the oldest events of a trace; None when it has no events."""
        return await trace_summary(self._environment.storage, self._environment.pace, trace_id)

    async def has_trace(self, trace_id: str) -> bool:
        """Whether an event has this `trace_id`."""
        return bool(await self._environment.storage.trace_events(trace_id, 0, 1))

    # signals

    async def signals(self, wanted: Wanted) -> Ranked:
        """Live signals, strongest first."""
        return await self._environment.field.signals(wanted)

    async def signals_complete(self) -> None:
        """Wait until all signals are in memory, after a start with many."""
        await self._environment.field.complete()

    async def signal(self, scope: str, pattern: str) -> SignalView | None:
        """One live signal, None when it is absent or has faded."""
        return await self._environment.field.signal(scope, pattern)

    async def moment(self, at: int | str | None) -> Moment:
        """A place in the log's history. See `Field.moment`."""
        return await self._environment.field.moment(at)

    async def signals_at(self, moment: Moment, wanted: Wanted) -> Ranked:
        """The same as `signals`, at a moment of the past."""
        return await self._environment.field.signals_at(moment, wanted)

    async def signal_at(self, scope: str, pattern: str, moment: Moment) -> SignalView | None:
        """The same as `signal`, at a moment of the past."""
        return await self._environment.field.signal_at(scope, pattern, moment)

    async def explain(
        self, scope: str, pattern: str, moment: Moment, *, seen: int | None = None, limit: int = 100, newest_first: bool = False
    ) -> Explanation | None:
        """A page of the events that moved a signal up to a moment; None when there are none."""
        return await self._environment.field.explain(scope, pattern, moment, seen=seen, limit=limit, newest_first=newest_first)

    async def what_if(self, drop: Sequence[str], add: Sequence[Draft]) -> WhatIf:
        """The signals as they would be without some events and with others added. Nothing is written. See `semp.engine.what_if`."""
        return await self._environment.field.what_if(drop, add)

    # the users' own graph

    async def put_node(self, node_id: str, node_type: str, data: str) -> tuple[GraphNode, bool]:
        """Store a node, or return the node that has this id already. True: it was new.

        Raises:
            Forbidden: the principal may not write nodes.
            StoreFull: the disk that holds the data has too little room.
        """
        require(self.principal, "link")
        self._environment.storage.require_room()
        return await self._environment.storage.put_node(node_id, node_type, data)

    async def add_edge(self, node_id: str, to: str, edge_type: str) -> bool:
        """Link a node to another node, or to an event if no node has the id `to`; False when either end is missing.

        Raises:
            Forbidden: the principal may not write edges.
            StoreFull: the disk that holds the data has too little room.
        """
        require(self.principal, "link")
        self._environment.storage.require_room()
        return await self._environment.storage.add_edge(node_id, to, edge_type)

    async def node(self, node_id: str) -> GraphNode | None:
        """A node with its edges, None when there is no such node."""
        return await self._environment.storage.node(node_id)

    async def nodes_of(self, event_id: str) -> list[LinkedNode]:
        """The nodes linked to an event."""
        return await self._environment.storage.nodes_of(event_id)

    async def linked(self, node_id: str, side: Side, edge: str | None, selection: LineageFilter, asked: Asked) -> Found:
        """A page of the events on one side of a node, within the budget."""
        storage = self._environment.storage
        count, find = partial(storage.count_linked, node_id, side, edge), partial(storage.linked, node_id, side, edge)
        return await nearest(count, find, selection, asked)

    # queries by name

    def queries(self) -> list[OfferedQuery]:
        """The queries that can be run by name."""
        return self._environment.queries.offered()

    async def ask(self, name: str, given: Mapping[str, str]) -> QueryAnswer:
        """Run a query by name, with its parameters as texts. A query sees the whole graph, so its caller must be able to read all scopes.

        Raises:
            Forbidden: the principal may not read all scopes.
            SempError: what `QueryReader.ask` raises.
        """
        if not reads_everything(self.principal):
            raise Forbidden(f"{self.principal.id} may not run queries: they see every scope")
        return await self._environment.queries.ask(name, given)
