"""How an older database becomes one of today: steps by number, each from the version before it to its own.

Two kinds of change need no step: a constraint or an index is a file in `cypher/schema/`, made at every start where it is
missing; a property or a label that older code does not notice is simply written. A step is for data that older code wrote
otherwise. Its rules:

- It stands in a module of its own, `mNNNN_name`, and at the end of STEPS; its number is the next one. A released one is not edited.
- It derives what it writes from what is there, in pages, and may be interrupted at any point and begun again.
- `migrate` sets the version in the database once the step has ended, under the lock that orders appends, with a new tip: a plan of
  an older process is refused from then on. Services of an older version must not append meanwhile: they would leave out what the
  step adds.
- Its test begins with data as the release before wrote it, and ends with what an append of today would have written.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from semp.domain.events import new_id
from semp.engine.ports import EventLog
from semp.storage.neo4j.connection import Connection
from semp.storage.neo4j.migrations import m0002_moves

log = logging.getLogger(__name__)


class Step(NamedTuple):
    """From the version before to this one."""

    version: int
    what: str
    run: Callable[[EventLog, Connection], Awaitable[None]]


STEPS = (Step(2, "what each event moved is kept with it, and the field of signals in snapshots", m0002_moves.run),)
"""In order, without gaps; version 1 is what the first release wrote."""
VERSION = STEPS[-1].version
"""What this code reads and writes. A database with a higher one is refused, one with a lower one is brought up."""


async def migrate(store: EventLog, connection: Connection, found: int) -> None:
    """Run the steps above the version that was found, one after the other. Safe to interrupt and repeat."""
    for step in STEPS:
        if step.version <= found:
            continue
        log.warning("bringing the database up to schema %d: %s", step.version, step.what)
        await step.run(store, connection)
        async with connection.transaction() as transaction:
            await transaction.run("lock_stream", turn=new_id())
            await transaction.run("set_schema", tip=new_id(), schema=step.version)
    await connection.run("await_indexes")
