"""The storage in memory, on networkx, for tests, notebooks and `--memory`. Same contract as Neo4j, but nothing is kept at exit."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from heapq import nsmallest
from itertools import chain, islice

import msgspec
import networkx as nx

from semp.domain.causes import Cause, Proposal
from semp.domain.clock import Clock, system_clock
from semp.domain.errors import NotFound
from semp.domain.events import Event, new_id
from semp.domain.signals import Key, Rules, Signal
from semp.engine.past import Moment, signal_at
from semp.engine.ports import AT_START
from semp.engine.records import Ancestor, DuplicateId, Entry, LogState, OfferedQuery, Plan, QueryAnswer, Thread
from semp.storage.memory.cursors import MemoryCursors
from semp.storage.memory.history import MemoryHistory
from semp.storage.memory.nodes import MemoryNodes
from semp.storage.memory.pages import MemoryPages
from semp.storage.memory.traces import MemoryTraces


def _ancestor(entry: Entry) -> Ancestor:
    event = entry.event
    proposes = event.type == "proposal"
    return Ancestor(entry.as_proposal() if proposes else None, event.parent_ids, proposes)


class MemoryTurn:
    """The exclusive right to append. Its append takes effect only when the turn ends without an error."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.state = store.current
        self.plan: Plan | None = None

    async def append(self, plan: Plan) -> None:
        self._store.check(plan)
        self.plan = plan


class MemoryStore(MemoryNodes, MemoryHistory, MemoryCursors, MemoryPages, MemoryTraces):
    """Implements `semp.engine.ports.Storage`, for one event loop.

    Args:
        clock: gives milliseconds since 1970. Leases expire by it.
    """

    def __init__(self, clock: Clock = system_clock) -> None:
        MemoryNodes.__init__(self)
        MemoryHistory.__init__(self)
        MemoryCursors.__init__(self, clock)
        MemoryPages.__init__(self)
        self.states: dict[Key, Signal] = {}
        """The stored signal states."""
        self.newest: dict[Thread, Proposal] = {}
        """The newest proposal of each thread."""
        self.current = LogState(str(uuid.uuid4()), 0, new_id(), 0, [])
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """Does nothing: there is nothing to release."""

    async def open(self, rules: Rules) -> tuple[LogState, list[Signal] | None]:
        history = self.current.rules
        if not history or not history[-1].same_numbers(rules):
            begins = msgspec.structs.replace(rules, since=self.current.head + 1)
            kept = [old for old in history if old.since < begins.since]
            self.current = msgspec.structs.replace(self.current, rules=[*kept, begins], tip=new_id())
        return self.current, list(self.states.values()) if len(self.states) <= AT_START else None

    async def state(self) -> LogState:
        return self.current

    async def heartbeat(self, within: float) -> None:
        """Always answers."""

    def require_room(self) -> None:
        """Does nothing: a lack of memory cannot be foreseen."""

    async def append(self, plan: Plan) -> bool:
        async with self._lock:
            if plan.after.tip != self.current.tip:
                return False
            self.check(plan)
            self._write(plan)
            return True

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[MemoryTurn]:
        async with self._lock:
            turn = MemoryTurn(self)
            yield turn
            if turn.plan is not None:
                self._write(turn.plan)

    def check(self, plan: Plan) -> None:
        """Check that no id of the plan is in the log already, or twice in the plan.

        Raises:
            DuplicateId: an id is taken.
        """
        ids = [entry.event.id for entry in plan.entries]
        if len(set(ids)) < len(ids) or any(event_id in self.causality for event_id in ids):
            raise DuplicateId

    def _write(self, plan: Plan) -> None:
        for entry in plan.entries:
            event = entry.event
            self.log.append(entry)
            self.keep(entry)
            self.index(event)
            self.causality.add_node(event.id, entry=entry)
            self.causality.add_edges_from((event.id, parent) for parent in event.parent_ids)
            if event.type == "proposal":
                self.newest[event.trace_id, event.scope] = entry.as_proposal()
        self.states.update(plan.signals)
        self.current = plan.state

    async def signals_of(self, keys: Sequence[Key], upto: int, rules: Sequence[Rules]) -> list[Signal]:
        found = [await signal_at(self, rules, key, Moment(upto, 0)) for key in keys]
        return [signal for signal in found if signal is not None]

    async def events(self, ids: Sequence[str]) -> dict[str, Event]:
        return {event_id: self.entry(event_id).event for event_id in ids if event_id in self.causality}

    async def read(self, after: int, limit: int) -> list[Entry]:
        return [msgspec.structs.replace(entry, moves=(), encoded=b"") for entry in self.log[after : after + limit]]

    async def causes(self, ids: Sequence[str]) -> dict[str, Cause]:
        return {event_id: self.entry(event_id).cause for event_id in ids if event_id in self.causality}

    async def ancestry(self, ids: Sequence[str], limit: int) -> dict[str, Ancestor]:
        graph = self.causality
        near = [islice(chain([event_id], (to for _, to in nx.bfs_edges(graph, event_id))), limit) for event_id in ids if event_id in graph]
        return {event_id: _ancestor(self.entry(event_id)) for event_id in chain.from_iterable(near)}

    async def newest_proposals(self, threads: Sequence[Thread]) -> dict[Thread, Proposal]:
        return {thread: self.newest[thread] for thread in threads if thread in self.newest}

    async def signals(self) -> list[Signal]:
        return list(self.states.values())

    async def signals_after(self, key: Key, limit: int) -> list[Signal]:
        return [self.states[later] for later in nsmallest(limit, [other for other in self.states if other > key])]

    async def put_signals(self, signals: Sequence[Signal]) -> None:
        self.states.update((signal.key, signal) for signal in signals)

    async def sweep(self, faded: Sequence[Signal]) -> int:
        unmoved = [signal.key for signal in faded if (stored := self.states.get(signal.key)) and stored.position == signal.position]
        for key in unmoved:
            del self.states[key]
        return len(unmoved)

    def offered(self) -> list[OfferedQuery]:
        return []

    async def ask(self, name: str, given: Mapping[str, str]) -> QueryAnswer:  # noqa: ARG002 - there is no query language here
        raise NotFound(f"no query is named {name}: queries run on Neo4j, and this service keeps its log in memory")
