"""The event log in Neo4j."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from semp.domain.causes import Cause, Proposal
from semp.domain.errors import StoreFull, StoreUnavailable
from semp.domain.events import Event, new_id
from semp.domain.signals import Key, Rules, Signal
from semp.engine.ports import AT_START
from semp.engine.records import Ancestor, Entry, LogState, Plan, Thread
from semp.storage.neo4j import migrations, rows, schema
from semp.storage.neo4j.connection import Connection, Transaction
from semp.storage.neo4j.pages import Neo4jPages
from semp.storage.neo4j.signals import read_page, read_states


class Neo4jTurn:
    """The exclusive right to append: an open transaction that holds the lock of the stream node."""

    def __init__(self, transaction: Transaction, state: LogState) -> None:
        self.transaction = transaction
        self.state = state

    async def append(self, plan: Plan) -> None:
        if not await self.transaction.run("append", **await rows.append_parameters(plan)):
            raise RuntimeError("the log moved during an exclusive turn")


class Neo4jLog(Neo4jPages):
    """Implements `semp.engine.ports.EventLog`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def open(self, rules: Rules) -> tuple[LogState, list[Signal] | None]:
        version = await schema.prepare(self.connection, rules)
        if version < migrations.VERSION:
            await migrations.migrate(self, self.connection, version)
        async with self._locked() as (transaction, state):
            await schema.put_in_force(transaction, state.rules, state.head, rules)
        before = state.head
        found = await read_page(self.connection, ("", ""), AT_START + 1)
        signals = {signal.key: signal for signal in found} if len(found) <= AT_START else None
        async with self._locked() as (transaction, state):
            if signals is not None and state.head > before:  # others appended, and may have moved signals while they were read
                moved = await transaction.run("signals_moved", after=before, upto=state.head)
                signals.update({signal.key: signal for signal in map(rows.signal, moved)})
        await self._warm()
        return state, None if signals is None else list(signals.values())

    async def _warm(self) -> None:
        """Make the server plan the append query, so that the first event does not wait for it. Writes nothing: no log has an empty tip."""
        nothing: list[object] = []
        await self.connection.run(
            "append",
            after="",
            tip="",
            head=0,
            timestamp=0,
            clock_shifts=None,
            events=nothing,
            signals=nothing,
            born=nothing,
            scopes=nothing,
        )

    async def state(self) -> LogState:
        return _state(await self.connection.run("stream_state"))

    async def heartbeat(self, within: float) -> None:
        await self.connection.heartbeat(within)

    def require_room(self) -> None:
        if self.connection.has_room is not None and not self.connection.has_room():
            raise StoreFull("the disk that holds the data is full; nothing was stored", retry_after=30)

    async def append(self, plan: Plan) -> bool:
        parameters = await rows.append_parameters(plan)
        try:
            return bool(await self.connection.run("append", **parameters))
        finally:
            for value in parameters.values():
                if isinstance(value, rows.Rows):
                    value.clear()  # the driver's result holds them, and is a cycle: they would stay until the garbage collector runs

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[Neo4jTurn]:
        async with self._locked() as (transaction, state):
            yield Neo4jTurn(transaction, state)

    @asynccontextmanager
    async def _locked(self) -> AsyncGenerator[tuple[Transaction, LogState]]:
        async with self.connection.transaction() as transaction:
            yield transaction, _state(await transaction.run("lock_stream", turn=new_id()))

    async def signals_of(self, keys: Sequence[Key], upto: int, rules: Sequence[Rules]) -> list[Signal]:
        return await read_states(self.connection, keys, upto, rules)

    async def events(self, ids: Sequence[str]) -> dict[str, Event]:
        return {row[0]: rows.event(row) for row in await self.connection.run("events_by_id", ids=list(ids))}

    async def read(self, after: int, limit: int) -> list[Entry]:
        return [rows.entry(row) for row in await self.connection.run("read_log", after=after, last=after + limit)]

    async def causes(self, ids: Sequence[str]) -> dict[str, Cause]:
        return {row[0]: rows.cause(row) for row in await self.connection.run("causes", ids=list(ids))}

    async def ancestry(self, ids: Sequence[str], limit: int) -> dict[str, Ancestor]:
        return {row[0]: rows.ancestor(row) for row in await self.connection.run("ancestry", ids=list(ids), limit=limit)}

    async def newest_proposals(self, threads: Sequence[Thread]) -> dict[Thread, Proposal]:
        result = await self.connection.run("newest_proposals", threads=[list(thread) for thread in threads])
        return {(row[0], row[1]): Proposal(row[2], row[1], row[3]) for row in result}


def _state(result: list[rows.Row]) -> LogState:
    """From the rows of stream_state or lock_stream.

    Raises:
        StoreUnavailable: there is no row, so the database has no log. A row of nulls is a log that was deleted while it was read.
    """
    if not result or result[0][0] is None or result[0][4] is None:
        raise StoreUnavailable("the database holds no log; it was emptied or replaced", retry_after=30)
    return rows.state(result[0])
