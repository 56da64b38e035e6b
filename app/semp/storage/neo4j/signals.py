"""Stored signal states in Neo4j."""

from __future__ import annotations

from collections.abc import Sequence

from semp.domain.events import new_id
from semp.domain.signals import Key, Signal
from semp.storage.neo4j import rows
from semp.storage.neo4j.connection import Connection

PAGE = 2_000
"""Signals that are read at once. The driver decodes a page in one piece, and holds the event loop meanwhile."""
BATCH = 1_000
"""Signals that one transaction writes or deletes, at most: its memory in the database and its time with the stream's lock are bounded."""


class Neo4jSignals:
    """Implements `semp.engine.ports.SignalStore`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def signals(self) -> list[Signal]:
        return await read_signals(self.connection)

    async def put_signals(self, signals: Sequence[Signal]) -> None:
        for begin in range(0, len(signals), BATCH):
            changed = [[*rows.signal_row(signal), *rows.rates(signal)] for signal in signals[begin : begin + BATCH]]
            async with self.connection.transaction() as transaction:
                await transaction.run("lock_stream", turn=new_id())
                await transaction.run("put_signals", signals=changed)

    async def sweep(self, faded: Sequence[Signal]) -> int:
        total = 0
        for begin in range(0, len(faded), BATCH):
            states = [[signal.scope, signal.pattern, signal.position] for signal in faded[begin : begin + BATCH]]
            async with self.connection.transaction() as transaction:
                await transaction.run("lock_stream", turn=new_id())
                [[deleted]] = await transaction.run("sweep_signals", signals=states)
            total += deleted
        return total


async def read_signals(connection: Connection) -> list[Signal]:
    """All stored states, page by page in the order of their keys. A signal that is moved meanwhile has its old or its new state."""
    signals: list[Signal] = []
    last: Key = ("", "")
    while True:
        page = await connection.run("signals", scope=last[0], pattern=last[1], limit=PAGE)
        signals += map(rows.signal, page)
        if len(page) < PAGE:
            return signals
        last = signals[-1].key
