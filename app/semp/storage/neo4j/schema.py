"""The schema: constraints and indexes, created before the first append, and its version, checked at every start."""

from __future__ import annotations

import asyncio
import logging
import random
import uuid

import msgspec

from semp.domain.errors import SchemaMismatch, StoreUnavailable
from semp.domain.events import new_id
from semp.domain.signals import Rules
from semp.storage.neo4j import migrations, rows
from semp.storage.neo4j.connection import Connection, Transaction

log = logging.getLogger(__name__)

INDEX_PATIENCE = 3600.0
"""Seconds that a start waits for new indexes of a large log, at most."""
INDEX_NOTICE = 2.0
"""Seconds after which it says that it waits."""
ATTEMPTS = 10
"""Tries of one schema statement."""


async def prepare(connection: Connection, rules: Rules) -> int:
    """Create the schema and the stream node in a new database; check and complete the schema of an existing one.

    Safe to repeat, and to run on several replicas at the same time.

    Args:
        rules: the first rules of a new log. The rules of an existing one are not changed.

    Returns:
        The schema version of the data. If it is lower than `migrations.VERSION`, the steps of `migrations` must still run.

    Raises:
        SchemaMismatch: a newer version of semp wrote this database.
        StoreUnavailable: the database cannot be reached.
    """
    streams = await connection.run("stream_state")
    version = streams[0][5] if streams else migrations.VERSION
    if version > migrations.VERSION:
        raise SchemaMismatch(
            f"the database has schema version {version}, this version of semp knows {migrations.VERSION} at most; update semp"
        )
    for name, query in connection.queries.items():
        if query.mode == "schema":
            await _apply(connection, name)
    await _await_indexes(connection)
    if not streams:
        await connection.run(
            "create_stream", epoch=str(uuid.uuid4()), tip=new_id(), rules=rows.rules_text([rules]), schema=migrations.VERSION
        )
    return version


async def _apply(connection: Connection, name: str) -> None:
    """Run a schema statement, and repeat it when the database is not available: replicas that start together can deadlock here."""
    for attempt in range(ATTEMPTS):
        try:
            await connection.run(name)
            return
        except StoreUnavailable:
            if attempt == ATTEMPTS - 1:
                raise
            await asyncio.sleep(random.uniform(0.02, 0.2))  # noqa: S311


async def _await_indexes(connection: Connection) -> None:
    """Wait until every index is populated, because queries name the index that they need. It says so when that takes a while."""
    waiting = asyncio.create_task(connection.await_indexes(INDEX_PATIENCE))
    try:
        if not (await asyncio.wait({waiting}, timeout=INDEX_NOTICE))[0]:
            log.warning("building new indexes; on a large log this takes minutes")
        await waiting
    finally:
        waiting.cancel()


async def put_in_force(transaction: Transaction, history: list[Rules], head: int, rules: Rules) -> None:
    """Put `rules` in force from the next position on, unless the last rules of `history` have the same numbers.

    Args:
        transaction: holds the stream's lock.
        history: all rules so far, in order of `since`; at least one.
        head: position of the newest event, 0 in an empty log.
    """
    if history[-1].same_numbers(rules):
        return
    kept = [old for old in history if old.since <= head]
    begins = msgspec.structs.replace(rules, since=head + 1 if kept else 1)
    await transaction.run("set_rules", tip=new_id(), rules=rows.rules_text([*kept, begins]))
