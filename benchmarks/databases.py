"""An embedded Neo4j that runs for the duration of a `with` block."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.embedded import EmbeddedNeo4j, StepReporter


@contextmanager
def embedded(home: Path | None = None) -> Generator[Target]:
    """A database with the memory settings that the service would choose.

    Args:
        home: directory that holds it below `neo4j`, and keeps it. None for a new database that is deleted at the end.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder, StepReporter() as reporter:
        neo4j = EmbeddedNeo4j((home or Path(folder)) / "neo4j", progress=reporter.report)
        connection = asyncio.run_coroutine_threadsafe(neo4j.start(), loop).result()
        try:
            yield Target(connection.uri, connection.user, connection.password)
        finally:
            asyncio.run_coroutine_threadsafe(neo4j.stop(), loop).result()
            loop.call_soon_threadsafe(loop.stop)


def environment(database: Target) -> dict[str, str]:
    """The environment variables that point processes at this database."""
    return {"SEMP_NEO4J": database.uri, "SEMP_NEO4J_USER": database.user, "SEMP_NEO4J_PASSWORD": database.password}
