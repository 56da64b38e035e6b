"""When the service and its database are killed under load, no acknowledged event is lost and none is stored twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from semp.engine.replay import verify
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.embedded.running import running_connection
from semp.storage.neo4j.store import Neo4jStore

from tests.chaos import Chaos


def kill_and_check(directory: Path, kills: list[str], seed: int) -> None:
    """Run the load with these kills (`service` or `neo4j`), and check the log and the stored signals."""
    chaos = Chaos(directory, seed)
    try:
        chaos.run(kills)
        print(chaos.check())
        assert differences(chaos.home) == []
    finally:
        chaos.stopping.set()
        chaos.service.stop()


def differences(home: Path) -> list[object]:
    """Stored signals that differ from a replay of the log."""
    running = running_connection(home)
    assert running is not None

    async def compare() -> list[object]:
        store = Neo4jStore(Target(running.uri, running.user, running.password, running.database))
        try:
            return list(await verify(store))
        finally:
            await store.close()

    return asyncio.run(compare())


def test_three_kills_lose_no_event_and_store_none_twice(tmp_path: Path) -> None:
    kill_and_check(tmp_path, ["neo4j", "service", "neo4j"], seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_twelve_kills_lose_no_event_and_store_none_twice(tmp_path: Path, seed: int) -> None:
    kill_and_check(tmp_path, ["service", "neo4j"] * 6, seed=100 + seed)
