"""Stored signal states in Neo4j."""

from __future__ import annotations

from collections.abc import Sequence

from semp.domain.clock import from_text
from semp.domain.event_types import LOWERING, RAISING_OR_LOWERING
from semp.domain.events import new_id
from semp.domain.signals import Key, Rules, Signal, rules_at
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

    async def signals_after(self, key: Key, limit: int) -> list[Signal]:
        return await read_page(self.connection, key, limit)

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
        page = await read_page(connection, last, PAGE)
        signals += page
        if len(page) < PAGE:
            return signals
        last = signals[-1].key


async def read_page(connection: Connection, after: Key, limit: int) -> list[Signal]:
    """A page of the stored states, in the order of their keys. ("", "") comes before all keys."""
    return [rows.signal(row) for row in await connection.run("signals", scope=after[0], pattern=after[1], limit=limit)]


async def read_states(connection: Connection, keys: Sequence[Key], upto: int, rules: Sequence[Rules]) -> list[Signal]:
    """The states right after a position: the stored ones if they are that old, else from the moves of the events up to there."""
    stored = map(rows.signal, await connection.run("signals_of", keys=[list(key) for key in keys]))
    found = {signal.key: signal for signal in stored if signal.position <= upto}
    texts = [rows.key_text(key) for key in keys if key not in found]
    if not texts:
        return list(found.values())
    history = list(rules)
    of_moves = await connection.run(
        "signals_before", keys=texts, upto=upto, lowering=list(LOWERING), making_anew=list(RAISING_OR_LOWERING)
    )  # fmt: skip
    return [*found.values(), *[_of_moves(row, history) for row in of_moves]]


def _of_moves(row: rows.Row, history: list[Rules]) -> Signal:
    """From a row of signals_before."""
    text, strength, decayed_at, last_updated, position, born = row
    rules = rules_at(history, born)
    return Signal(
        *rows.key_of(text), strength, rules.alpha, rules.lambda_, from_text(decayed_at), from_text(last_updated), position, rules.interval
    )
