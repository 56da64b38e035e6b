"""Leases of several replicas on one database: the database decides who is first, and its clock alone decides what has expired."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from semp.domain.signals import Rules
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import Neo4jStore

from tests.conftest import empty

YEAR = 365 * 86_400


@pytest.fixture
async def replicas(neo4j_target: Target) -> AsyncIterator[list[Neo4jStore]]:
    await asyncio.to_thread(empty, neo4j_target)
    stores = [Neo4jStore(neo4j_target) for _ in range(3)]
    await stores[0].open(Rules())
    yield stores
    for store in stores:
        await store.close()


@pytest.mark.parametrize("ahead", [YEAR, -YEAR])
async def test_a_replica_with_a_wrong_clock_steals_no_lease_and_loses_none(
    replicas: list[Neo4jStore], monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    right, wrong, _ = replicas
    held = await right.acquire("x", "right", 600)
    now, now_ns = time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: now() + ahead)
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() + ahead * 10**9)
    refused = await wrong.acquire("x", "wrong", 600)
    assert (refused.holder, refused.token, refused.expires) == ("right", held.token, held.expires)
    assert 0 < refused.left <= 600_000
    acquired = await wrong.acquire("y", "wrong", 600)
    assert 0 < acquired.left <= 600_000
    monkeypatch.undo()
    assert (await right.acquire("y", "right", 600)).holder == "wrong"


async def test_of_replicas_that_race_for_many_new_leases_each_goes_to_one(replicas: list[Neo4jStore]) -> None:
    async def take(holder: int, name: str) -> tuple[str, str, int]:
        lease = await replicas[holder].acquire(name, f"replica {holder}", 600)
        return name, lease.holder, lease.token

    names = [f"lease {number}" for number in range(20)]
    found = await asyncio.gather(*(take(holder, name) for name in names for holder in range(len(replicas))))
    assert len(set(found)) == len(names), "one holder a name, whoever asks"
    assert {token for *_, token in found} == {1}


async def test_a_lease_and_its_tokens_outlive_the_process_that_took_it(replicas: list[Neo4jStore], neo4j_target: Target) -> None:
    await replicas[0].acquire("x", "before", 600)
    await replicas[0].close()
    store = Neo4jStore(neo4j_target)
    await store.open(Rules())
    held = await store.acquire("x", "after", 600)
    assert (held.holder, held.token) == ("before", 1)
    assert await store.release(held), "its token is enough to release it"
    assert (await store.acquire("x", "after", 600)).token == 2
    await store.close()
