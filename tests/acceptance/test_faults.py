"""Nothing acknowledged is lost, nothing is doubled, when the service and its database are killed with -9 under load."""

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
    chaos = Chaos(directory, seed)
    try:
        chaos.run(kills)
        print(chaos.check())
        assert differences(chaos.home) == []
    finally:
        chaos.stopping.set()
        chaos.service.stop()


def differences(home: Path) -> list[object]:
    """Stored signals that are not what a replay of the log says."""
    found = running_connection(home)
    assert found is not None

    async def compare() -> list[object]:
        store = Neo4jStore(Target(found.uri, found.user, found.password, found.database))
        try:
            return list(await verify(store))
        finally:
            await store.close()

    return asyncio.run(compare())


def test_three_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    kill_and_check(tmp_path, ["neo4j", "service", "neo4j"], seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_fifty_kills_lose_and_double_nothing(tmp_path: Path, seed: int) -> None:
    kill_and_check(tmp_path, ["service", "neo4j"] * 6, seed=100 + seed)
