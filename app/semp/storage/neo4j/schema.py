"""The schema: constraints first, versioned, checked at every start."""

from __future__ import annotations

import asyncio
import random
import uuid

import msgspec

from semp.domain.errors import SchemaMismatch, StoreUnavailable
from semp.domain.events import new_id
from semp.domain.signals import Rules
from semp.storage.neo4j import migrations, rows
from semp.storage.neo4j.connection import Connection, Transaction

ATTEMPTS = 10


async def prepare(connection: Connection, rules: Rules) -> int:
    """Make the schema of a new database or check that of an old one. Safe to repeat, and to run from several replicas at once.

    Returns:
        The version its data has: this one's, or an older one's, which `migrations` has still to bring up.

    Raises:
        SchemaMismatch: a newer version wrote this database.
    """
    found = await connection.run("stream_state")
    if found and found[0][5] > migrations.VERSION:
        raise SchemaMismatch(
            f"the database has schema version {found[0][5]}, this version of semp knows {migrations.VERSION} at most; update semp"
        )
    for name, query in connection.queries.items():
        if query.mode == "schema":
            await _apply(connection, name)
    if not found:
        await connection.run(
            "create_stream", epoch=str(uuid.uuid4()), tip=new_id(), rules=rows.rules_text([rules]), schema=migrations.VERSION
        )
    return found[0][5] if found else migrations.VERSION


async def _apply(connection: Connection, name: str) -> None:
    """Run a schema statement; several replicas that start together can deadlock in it, and then one of them tries again."""
    for attempt in range(ATTEMPTS):
        try:
            await connection.run(name)
            return
        except StoreUnavailable:
            if attempt == ATTEMPTS - 1:
                raise
            await asyncio.sleep(random.uniform(0.02, 0.2))  # noqa: S311


async def put_in_force(transaction: Transaction, history: list[Rules], head: int, rules: Rules) -> None:
    """Write `rules` as those in force from the next position on, when they differ from the last ones. During a turn."""
    if history[-1].same_numbers(rules):
        return
    kept = [old for old in history if old.since <= head]
    begins = msgspec.structs.replace(rules, since=head + 1 if kept else 1)
    await transaction.run("set_rules", tip=new_id(), rules=rows.rules_text([*kept, begins]))
