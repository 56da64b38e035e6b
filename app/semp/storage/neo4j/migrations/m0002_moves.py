"""To schema 2: moves are stored with their events, and all signals in snapshots. Both are computed from the log."""

from __future__ import annotations

import logging

from semp.domain.clock import from_text
from semp.domain.signals import Key, Signal, rules_at
from semp.engine.ledger import fold, kept
from semp.engine.ports import EventLog
from semp.engine.records import Snapshot
from semp.engine.replay import entries
from semp.engine.snapshots import EVERY
from semp.storage.neo4j import rows
from semp.storage.neo4j.connection import Connection
from semp.storage.neo4j.history import Neo4jHistory

log = logging.getLogger(__name__)


async def run(store: EventLog, connection: Connection) -> None:
    """Replay the log once, and write what an append of schema 2 writes besides the events. Safe to interrupt and repeat."""
    history = Neo4jHistory(connection)
    state = await store.state()
    signals: dict[Key, Signal] = {}
    done = 0
    async for page in entries(store, state.head):
        moves_of_events: list[rows.Row] = []
        for entry in page:
            now = from_text(entry.event.timestamp)
            entry.moves = fold(entry, signals.get, signals, now, rules_at(state.rules, entry.event.position))
            if moves := kept(entry):
                first, *further = [rows.moved(move) for move in moves]
                moves_of_events.append([entry.event.position, *first, further])
        await connection.run("put_moves", events=rows.Rows(moves_of_events))
        last = page[-1].event
        if last.position - done >= EVERY:
            done, now = last.position, from_text(last.timestamp)
            await history.put_snapshot(Snapshot(done, now, [signal for signal in signals.values() if signal.strength_at(now)]), state.epoch)
            log.warning("%d of %d events are migrated", done, state.head)
