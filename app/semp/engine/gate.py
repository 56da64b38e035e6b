"""The gate: everything one principal may ask of the environment, and the only way of the API and of MCP to it.

Each append asks `semp.engine.access` for each draft. Each read knows its principal here; while there is only the open principal nothing
is filtered, and where filtering comes, it comes into these methods and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from semp.domain.errors import FieldError, Forbidden
from semp.domain.events import Draft, Event, EventType
from semp.domain.interests import Interest
from semp.domain.scopes import Glob
from semp.domain.traces import TraceEvent
from semp.engine.access import Principal, may_append, reads_everything, require
from semp.engine.explaining import Explanation
from semp.engine.field import SignalView, WhatIf
from semp.engine.lineage import Asked, Found, around, nearest, nearest_of, still_open
from semp.engine.live.follow import Follow, Outlet, check_place
from semp.engine.live.recent import recent_page
from semp.engine.past import Moment
from semp.engine.planning import Recorded
from semp.engine.records import (
    Counted,
    Direction,
    EventFilter,
    GraphNode,
    LineageFilter,
    LinkedNode,
    LogState,
    OfferedQuery,
    QueryAnswer,
    Relative,
    Side,
    TraceFilter,
    TraceSpan,
)

if TYPE_CHECKING:
    from semp.engine.environment import Environment


class Statistics(msgspec.Struct, frozen=True):
    """Figures of this process, as they are now."""

    events: int
    transactions: int
    queued: int
    signals: int
    subscribers: int
    available: bool
    clock_ahead: int
    """Milliseconds that timestamps are ahead of this machine's clock."""


class Gate:
    """The environment as one principal meets it. Cheap to make; it keeps nothing.

    Where a method does not say what it raises, it raises what `semp.engine.ports` says of the storage operation behind it.
    """

    __slots__ = ("_environment", "_unrestricted", "principal")

    def __init__(self, environment: Environment, principal: Principal) -> None:
        self.principal = principal
        self._environment = environment
        self._unrestricted = principal.unrestricted

    # the service

    def require_ready(self) -> None:
        """Check that an event would be taken now.

        Raises:
            StoreUnavailable: it would not; StoreFull where the disk is the reason.
        """
        self._environment.require_ready()

    @property
    def state(self) -> LogState:
        """Where the log stands, as far as this process has seen it. Positions and epoch are no secret."""
        return self._environment.ledger.state

    @property
    def statistics(self) -> Statistics:
        """Figures of this process."""
        environment = self._environment
        committer, ledger = environment.committer, environment.ledger
        return Statistics(
            ledger.state.head, committer.transactions, committer.queued, len(ledger.signals), environment.hub.subscribers,
            committer.available, environment.field.clock_ahead(),
        )  # fmt: skip

    def look(self) -> None:
        """Look for events of other replicas now."""
        require(self.principal, "maintain")
        self._environment.committer.look()

    async def sweep(self) -> int:
        """Delete signals that had faded at the newest event, here and in storage; the number deleted."""
        require(self.principal, "maintain")
        return await self._environment.sweep()

    # the log

    async def append(self, drafts: Sequence[Draft], *, batch: bool = False) -> list[Recorded]:
        """Commit the drafts together or not at all. Cancelling it does not undo it.

        Raises:
            Forbidden: the principal may not append one of them; none was appended.
            SempError: as `Committer.submit` and its future say.
        """
        return await self.submit(drafts, batch=batch)

    def submit(self, drafts: Sequence[Draft], *, batch: bool = False) -> asyncio.Future[list[Recorded]]:
        """The same without waiting: behind everything submitted before."""
        if not self._unrestricted:
            self._check(drafts, batch)
        return self._environment.committer.submit(drafts, batch=batch)

    def _check(self, drafts: Sequence[Draft], batch: bool) -> None:
        for index, draft in enumerate(drafts):
            if not may_append(self.principal, draft):
                prefix = f"[{index}]." if batch else ""
                reason = f"{self.principal.id} may not append a {draft.type} of {draft.agent_id} to {draft.scope}"
                raise Forbidden(reason, FieldError(f"{prefix}scope", reason))

    async def events(self, ids: Sequence[str]) -> dict[str, Event]:
        """The events with these ids, as far as they exist."""
        return await self._environment.storage.events(ids)

    async def page(self, selection: EventFilter) -> list[Event]:
        """A page of the log, in order of position; from memory where the newest events suffice."""
        recent = recent_page(self._environment.hub, selection)
        return await self._environment.storage.page(selection) if recent is None else recent

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
        """The log from a position on, past and to come; see `semp.engine.live.follow.Follow`.

        Args:
            after: position to resume after; None for what is committed from now on.
            epoch: the log that position belongs to; None for whichever there is.

        Raises:
            CannotResume: the position belongs to another log.
            StoreUnavailable: it cannot be told now.
        """
        environment = self._environment
        await check_place(environment.ledger, environment.storage, after, epoch)
        return Follow(
            environment.hub, environment.ledger, environment.storage, self.principal, interest,
            after=after, signals=signals, outlet=outlet, quiet=quiet,
        )  # fmt: skip

    # lineage

    async def lineage(self, event_id: str, direction: Direction, selection: LineageFilter, asked: Asked) -> Found:
        """A page of an event's relatives in one direction, within the budget."""
        return await nearest_of(self._environment.storage, event_id, direction, selection, asked)

    async def open(self, event_id: str, selection: LineageFilter, asked: Asked) -> Found:
        """A page of the proposals that an event led to and that are neither ended nor cancelled."""
        return await still_open(self._environment.storage, event_id, selection, asked)

    async def around(self, origin: Event, selection: LineageFilter, asked: Asked) -> Found:
        """The same in both directions."""
        return await around(self._environment.storage, origin, selection, asked)

    async def count_between(self, cause: str, effect: str, selection: LineageFilter) -> Counted:
        """How many events are on the ways from a cause to its effect."""
        return await self._environment.storage.count_between(cause, effect, selection)

    async def between(self, cause: str, effect: str, selection: LineageFilter) -> list[Relative]:
        """Those events, nearest to the cause first."""
        return await self._environment.storage.between(cause, effect, selection)

    async def shortest_path(self, cause: str, effect: str) -> list[str]:
        """Ids of a shortest way from a cause to its effect."""
        return await self._environment.storage.shortest_path(cause, effect)

    async def common_causes(self, ids: Sequence[str], selection: LineageFilter) -> list[Relative]:
        """The last causes that these events share."""
        return await self._environment.storage.common_causes(ids, selection)

    # traces

    async def stored_head(self) -> int:
        """Position of the newest event in storage, on whichever replica it was appended."""
        return (await self._environment.storage.state()).head

    async def traces(self, selection: TraceFilter) -> list[TraceSpan]:
        """Traces by their newest event, newest first."""
        return await self._environment.storage.traces(selection)

    async def trace_events(
        self, trace_id: str, after: int, limit: int, *, types: Sequence[EventType] | None = None, scope: Glob | None = None
    ) -> list[TraceEvent]:
        """A trace's events after a position, in order."""
        return await self._environment.storage.trace_events(trace_id, after, limit, types=types, scope=scope)

    # signals

    def signals(
        self, *, scope: Glob | None = None, pattern: str | None = None, min_strength: float = 0.0, limit: int | None = None
    ) -> list[SignalView]:
        """Live signals, strongest first."""
        return self._environment.field.signals(scope=scope, pattern=pattern, min_strength=min_strength, limit=limit)

    def signal(self, scope: str, pattern: str) -> SignalView | None:
        """One live signal, None when it is absent or has faded."""
        return self._environment.field.signal(scope, pattern)

    async def moment(self, at: int | str | None) -> Moment:
        """A place in the log's history; see `Field.moment`."""
        return await self._environment.field.moment(at)

    async def signals_at(
        self,
        moment: Moment,
        *,
        scope: Glob | None = None,
        pattern: str | None = None,
        min_strength: float = 0.0,
        limit: int | None = None,
    ) -> list[SignalView]:
        """The same as `signals`, as of a moment."""
        return await self._environment.field.signals_at(moment, scope=scope, pattern=pattern, min_strength=min_strength, limit=limit)

    async def signal_at(self, scope: str, pattern: str, moment: Moment) -> SignalView | None:
        """The same as `signal`, as of a moment."""
        return await self._environment.field.signal_at(scope, pattern, moment)

    async def explain(
        self, scope: str, pattern: str, moment: Moment, *, seen: int | None = None, limit: int = 100, newest_first: bool = False
    ) -> Explanation | None:
        """What moved a signal up to a moment; None when nothing did."""
        return await self._environment.field.explain(scope, pattern, moment, seen=seen, limit=limit, newest_first=newest_first)

    async def what_if(self, drop: Sequence[str], add: Sequence[Draft]) -> WhatIf:
        """The signals as they would be without some events, or with some more. Nothing is written."""
        return await self._environment.field.what_if(drop, add)

    # the users' own graph

    async def put_node(self, node_id: str, node_type: str, data: str) -> tuple[GraphNode, bool]:
        """Store a node, or find the one that has this id; True when it was new.

        Raises:
            Forbidden: the principal may not write nodes.
            StoreFull: the disk that holds the data has too little room.
        """
        require(self.principal, "link")
        self._environment.storage.require_room()
        return await self._environment.storage.put_node(node_id, node_type, data)

    async def add_edge(self, node_id: str, to: str, edge_type: str) -> bool:
        """Link a node to another, or else to an event; False when either is missing.

        Raises:
            Forbidden: the principal may not write edges.
            StoreFull: the disk that holds the data has too little room.
        """
        require(self.principal, "link")
        self._environment.storage.require_room()
        return await self._environment.storage.add_edge(node_id, to, edge_type)

    async def node(self, node_id: str) -> GraphNode | None:
        """A node with its edges."""
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
        """Those that can be run by name."""
        return self._environment.queries.offered()

    async def ask(self, name: str, given: Mapping[str, str]) -> QueryAnswer:
        """Run one of them. It sees the whole graph, so only a principal that may read every scope may ask.

        Raises:
            Forbidden: the principal may not.
        """
        if not reads_everything(self.principal):
            raise Forbidden(f"{self.principal.id} may not run queries: they see every scope")
        return await self._environment.queries.ask(name, given)
