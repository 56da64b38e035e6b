"""A database that ends is restarted, after growing waits, for as long as the service runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from semp.storage.neo4j.embedded import EmbeddedNeo4j, EmbeddedNeo4jError
from semp.storage.neo4j.embedded import server as server_module


class Run:
    """One run of Java, which ends when the test sets `over`."""

    crashed = False

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.failed = asyncio.Event()
        self.stopped = False

    async def ended(self) -> int:
        await self.over.wait()
        return 137

    async def failure(self) -> str:
        await self.failed.wait()
        return "no space left"

    async def stop(self) -> None:
        self.stopped = True

    def java_pid(self) -> int | None:
        return None


class Supervised:
    """A supervisor of such runs. Its next `failing` restarts fail, and its waits take no time."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failing = 0
        self.waits: list[float] = []
        self.starts = 0
        self.neo4j = EmbeddedNeo4j(home)
        really_sleep = asyncio.sleep

        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)
            await really_sleep(0)

        def nothing_left(home: Path, grace: float) -> int:
            return 0

        monkeypatch.setattr(server_module.asyncio, "sleep", sleep)
        monkeypatch.setattr(server_module, "stop_leftovers", nothing_left)
        self.begin()
        self.neo4j._restart = self.restart  # type: ignore[assignment]
        self.supervisor = asyncio.create_task(self.neo4j._supervise())  # pyright: ignore[reportPrivateUsage]

    def begin(self) -> None:
        self.run = Run()
        self.neo4j._child = self.run  # type: ignore[assignment]
        self.neo4j._ready = True  # pyright: ignore[reportPrivateUsage]
        self.back = asyncio.Event()

    async def restart(self) -> None:
        self.starts += 1
        if self.failing:
            self.failing -= 1
            raise EmbeddedNeo4jError("not yet")
        back = self.back
        self.begin()
        back.set()

    async def die(self, failing: int) -> list[float]:
        """End the run, let `failing` restarts fail, and wait until it is back. Returns the seconds waited before each restart."""
        self.failing, self.waits, back = failing, [], self.back
        self.run.over.set()
        async with asyncio.timeout(30):
            await back.wait()
        return self.waits


async def test_restarts_wait_longer_each_time_up_to_eight_seconds_and_never_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    supervised = Supervised(tmp_path, monkeypatch)
    assert await supervised.die(failing=7) == [1, 2, 4, 8, 8, 8, 8, 8]
    assert supervised.starts == 8
    assert supervised.neo4j.running
    supervised.supervisor.cancel()


async def test_after_repeated_early_ends_the_waits_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    supervised = Supervised(tmp_path, monkeypatch)
    assert [await supervised.die(failing=0) for _ in range(3)] == [[1], [2], [4]]
    supervised.supervisor.cancel()


async def test_after_a_long_run_the_waits_start_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    supervised = Supervised(tmp_path, monkeypatch)
    await supervised.die(failing=5)
    monkeypatch.setattr(server_module, "STAYED_UP", 0.0)
    assert await supervised.die(failing=1) == [1, 2]
    supervised.supervisor.cancel()


async def test_one_whose_database_stopped_itself_is_stopped_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    supervised = Supervised(tmp_path, monkeypatch)
    run, back = supervised.run, supervised.back
    run.failed.set()
    async with asyncio.timeout(30):
        await back.wait()
    assert run.stopped
    assert supervised.neo4j.running
    assert "the database stopped itself: no space left" in caplog.text
    supervised.supervisor.cancel()


async def test_none_is_started_while_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    supervised = Supervised(tmp_path, monkeypatch)
    free = iter([0, 0, 0])

    def require_space(home: Path, needed: int, what: str) -> None:
        if next(free, None) is not None:
            raise EmbeddedNeo4jError(f"{what} needs {needed} bytes on the disk of {home}")

    monkeypatch.setattr(server_module, "require_space", require_space)
    assert await supervised.die(failing=0) == [1, 2, 4, 8]
    assert supervised.starts == 1
    supervised.supervisor.cancel()
