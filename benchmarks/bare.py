"""The baseline of ingest: the bare driver, writing the same nodes and edges on the same schema."""

from __future__ import annotations

import random
import uuid
from typing import Any

from neo4j import Driver, GraphDatabase, ManagedTransaction
from semp.domain.events import new_id

from benchmarks.servers import target

APPEND = """
UNWIND $rows AS row
CREATE (e:Event {id: row.id, position: row.position, type: 'proposal', scope: row.scope, trace_id: row.trace_id,
                 agent_id: row.agent_id, timestamp: row.timestamp, payload: row.payload, parent_ids: row.parent_ids,
                 action: row.action, nearest: row.nearest, distance: row.distance})
MERGE (t:Trace {id: row.trace_id})
CREATE (e)-[:TRACE]->(t)
WITH e, row
UNWIND row.parent_ids AS parent
MATCH (p:Event {id: parent})
CREATE (e)-[:PARENT]->(p)
"""


def connect() -> Driver:
    """A synchronous driver for the database of this run."""
    database = target()
    return GraphDatabase.driver(database.uri, auth=(database.user, database.password), notifications_min_severity="OFF")


def empty() -> None:
    """Delete everything, in steps that fit into memory; edges first, because a busy trace has very many."""
    steps = (
        "MATCH ()-[edge]->() WITH edge LIMIT 50000 DELETE edge RETURN count(*)",
        "MATCH (node) WITH node LIMIT 20000 DELETE node RETURN count(*)",
    )
    with connect() as driver, driver.session() as session:
        for step in steps:
            while session.run(step).single(strict=True).value():
                pass


class Events:
    """Proposals with up to two parents each, in 50 scopes; both sides of a comparison write the same kind.

    Args:
        growing: whether to imitate a log that grows for years: ids are time-ordered, as the service and its clients make them, and new
            traces begin all the time, with about fifty events each. Otherwise ids are random, in the same 20,000 traces.
    """

    def __init__(self, seed: int, *, growing: bool = False) -> None:
        self.random = random.Random(seed)
        self.growing = growing
        self.last: list[str] = []
        self.number = 0

    def batch(self, size: int) -> list[dict[str, Any]]:
        """The next `size` events, as a client sends them."""
        events: list[dict[str, Any]] = []
        for _ in range(size):
            self.number += 1
            event_id = new_id() if self.growing else str(uuid.UUID(int=self.random.getrandbits(128)))
            trace = self.number // 1_000 * 20 + self.random.randrange(20) if self.growing else self.random.randrange(20_000)
            events.append({
                "id": event_id,
                "type": "proposal",
                "scope": f"project.mod{self.number % 50}",
                "trace_id": f"t{trace}",
                "agent_id": f"agent-{self.number % 10}",
                "payload": {"action": f"do{self.number % 7}", "params": {"k": 1}},
                "parent_ids": list(self.last),
            })  # fmt: skip
            self.last = [*self.last[-1:], event_id]
        return events


def rows(events: list[dict[str, Any]], first: int) -> list[dict[str, Any]]:
    """These events as rows for APPEND, with positions from `first` on."""
    return [
        {
            **event, "position": first + index, "timestamp": "2026-01-01T00:00:00.000Z", "payload": '{"action":"do1","params":{"k":1}}',
            "action": event["payload"]["action"], "nearest": [first, first + 1], "distance": 1,
        }
        for index, event in enumerate(events)
    ]  # fmt: skip


def append(driver: Driver, batch: list[dict[str, Any]]) -> None:
    """Append the rows in one transaction."""

    def work(transaction: ManagedTransaction) -> None:
        transaction.run(APPEND, rows=batch).consume()

    with driver.session() as session:
        session.execute_write(work)
