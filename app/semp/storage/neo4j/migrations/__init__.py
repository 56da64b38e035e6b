"""Brings the data of an older version up to the current schema: numbered steps, each from the version before it to its own version.

Two kinds of change need no step: a new constraint or index is a file in `cypher/schema/`, and is created at the next start; a new
property or label that older code ignores is simply written. A step is for data that older code wrote in another form. The rules:

- A step has its own module, `mNNNN_name`, and the next number, and is the last one in STEPS. A released step is never edited.
- A step computes what it writes from the stored data, in pages. It can be interrupted at any point and started again.
- After a step has ended, `migrate` writes the new version and a new tip, under the lock that orders appends. From then on, the
  database refuses plans that an older process made before. No service of an older version may append while a step runs: its events
  would lack what the step adds.
- The test of a step starts with data as the previous release wrote it, and ends with what an append of today writes.
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
    """One step, from the version before `version` to `version`."""

    version: int
    what: str
    """What the step does, for the log."""
    run: Callable[[EventLog, Connection], Awaitable[None]]


STEPS = (Step(2, "moves are stored with their events, and all signals in snapshots", m0002_moves.run),)
"""In order of version, without gaps. Version 1 is the schema of the first release."""
VERSION = STEPS[-1].version
"""The version that this code reads and writes. A database of a higher version is refused; one of a lower version is migrated."""


async def migrate(store: EventLog, connection: Connection, found: int) -> None:
    """Run all steps above the version `found` in the database, one after the other. Safe to interrupt and repeat.

    Raises:
        StoreUnavailable: the database cannot be reached.
    """
    for step in STEPS:
        if step.version <= found:
            continue
        log.warning("migrating the database to schema version %d: %s", step.version, step.what)
        await step.run(store, connection)
        async with connection.transaction() as transaction:
            await transaction.run("lock_stream", turn=new_id())
            await transaction.run("set_schema", tip=new_id(), schema=step.version)
