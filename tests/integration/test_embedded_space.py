"""What the embedded Neo4j takes on disk: a bounded transaction log, and records of another size than an earlier release had."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise, takewhile
from pathlib import Path

import msgspec
import pytest
from semp.domain.events import Draft, Event
from semp.domain.signals import Rules
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.replay import verify
from semp.main import target_of
from semp.storage.neo4j.embedded import EmbeddedNeo4j, config
from semp.storage.neo4j.store import Neo4jStore

from tests.strategies import make_id, new_draft, whole_log

EARLIER = {
    "db.tx_log.rotation.size": "64m", "db.tx_log.rotation.retention_policy": "1 days 512M",
    "db.checkpoint": "PERIODIC", "db.checkpoint.interval.time": "5m",
}  # fmt: skip
"""Settings of version 0.1 that are other ones today."""
TODAY = ("db.checkpoint.interval.volume", "internal.dbms.block_size.strings", "internal.dbms.block_size.array_properties")
"""Settings that version 0.1 did not have."""


def conf_of_an_earlier_release(version: str, port: int, page_cache: int, heap: int) -> str:
    """The configuration that version 0.1 wrote."""
    lines = dict(line.split("=", 1) for line in config.render_conf(version, port, page_cache, heap).splitlines() if "=" in line)
    return "".join(f"{name}={value}\n" for name, value in (lines | EARLIER).items() if name not in TODAY)


def drafts(first: int, count: int) -> list[Draft]:
    """Events with short and long payloads, and with up to five parents."""
    drafts: list[Draft] = []
    for number in range(first, first + count):
        parents = [make_id(number - back) for back in range(1, min(number - first, 5) + 1)]
        drafts.append(new_draft(number=number, parents=parents, note="é" * (number * 7 % 3_000)))
    return drafts


def timeless(event: Event) -> Event:
    """The event without its time."""
    return msgspec.structs.replace(event, timestamp="")


async def append(home: Path, batches: Iterable[list[Draft]], logs: list[int] | None = None) -> list[Event]:
    """Start the database, append these batches and stop it; returns the whole log, which must agree with the signals.

    Args:
        logs: the size of the transaction log is added after each batch, in bytes.
    """
    server = EmbeddedNeo4j(home, heap="512m", page_cache="128m")
    store = Neo4jStore(target_of(await server.start()))
    environment = Environment(store, Rules())
    try:
        await environment.start()
        for batch in batches:
            await environment.acting(OPEN).append(batch, batch=True)
            if logs is not None:
                logs.append(sum(file.stat().st_size for file in (home / "data" / "transactions" / "neo4j").iterdir()))
        await environment.halt()
        assert await verify(store) == []
        return [entry.event for entry in await whole_log(store)]
    finally:
        await store.close()
        await server.stop()


async def test_a_database_of_an_earlier_release_keeps_its_events_and_takes_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its records keep the size that they were created with; only a new database has the new one."""
    with monkeypatch.context() as earlier:
        earlier.setattr("semp.storage.neo4j.embedded.server.render_conf", conf_of_an_earlier_release)
        before = await append(tmp_path / "old", [drafts(1, 100)])
    assert len(before) == 100
    after = await append(tmp_path / "old", [drafts(101, 100)])
    assert after[:100] == before
    fresh = await append(tmp_path / "new", [drafts(1, 100), drafts(101, 100)])
    assert [timeless(event) for event in after] == [timeless(event) for event in fresh]


async def test_old_parts_of_the_transaction_log_are_deleted_while_the_log_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With small bounds. A checkpoint comes a few seconds after its volume is reached, so this appends until the second has been seen."""
    monkeypatch.setattr(config, "LOG_FILE", config.MIB)
    monkeypatch.setattr(config, "CHECKPOINT", 4 * config.MIB)
    logs: list[int] = []

    def seen() -> int:
        return sum(after < before for before, after in pairwise(logs))

    await append(tmp_path / "neo4j", (drafts(500 * number + 1, 500) for number in takewhile(lambda _: seen() < 2, range(150))), logs)
    assert seen() == 2
