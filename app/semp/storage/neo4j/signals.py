"""Stored signal states in Neo4j."""

from __future__ import annotations

from collections.abc import Sequence

from semp.domain.events import new_id
from semp.domain.signals import Signal
from semp.storage.neo4j import rows
from semp.storage.neo4j.connection import Connection


class Neo4jSignals:
    """Implements `semp.engine.ports.SignalStore`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def signals(self) -> list[Signal]:
        return [rows.signal(row) for row in await self.connection.run("signals")]

    async def put_signals(self, signals: Sequence[Signal]) -> None:
        async with self.connection.transaction() as transaction:
            await transaction.run("lock_stream", turn=new_id())
            await transaction.run("put_signals", signals=[[*rows.signal_row(signal), *rows.rates(signal)] for signal in signals])

    async def sweep(self, faded: Sequence[Signal]) -> int:
        async with self.connection.transaction() as transaction:
            await transaction.run("lock_stream", turn=new_id())
            rows = [[signal.scope, signal.pattern, signal.position] for signal in faded]
            [[deleted]] = await transaction.run("sweep_signals", signals=rows)
        return deleted
