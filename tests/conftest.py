"""Fixtures: one real Neo4j for the whole run, stores on it that start empty, and the real service as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from neo4j import GraphDatabase
from semp.engine.ports import Storage
from semp.storage.memory.store import MemoryStore
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import Neo4jStore

READY_WITHIN = 180.0


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def neo4j_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A real Neo4j: the embedded one, unless SEMP_TEST_NEO4J names a URI, or is `docker` for a container of Neo4j's own image."""
    wanted = os.environ.get("SEMP_TEST_NEO4J", "")
    if wanted == "docker":
        from testcontainers.neo4j import Neo4jContainer

        with Neo4jContainer("neo4j:2026.08.1-community") as container:
            yield Target(container.get_connection_url(), container.username, container.password)
    elif wanted:
        yield Target(wanted, os.environ.get("SEMP_NEO4J_USER", "neo4j"), os.environ.get("SEMP_NEO4J_PASSWORD", ""))
    else:
        with embedded_neo4j(tmp_path_factory.mktemp("neo4j")) as target:
            yield target


@contextmanager
def embedded_neo4j(home: Path) -> Generator[Target]:
    """An embedded Neo4j that runs on an event loop in a thread of its own, so that it outlives the loops of single tests."""
    import threading

    from semp.storage.neo4j.embedded import EmbeddedNeo4j

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    neo4j = EmbeddedNeo4j(home, heap="768m", page_cache="256m")
    try:
        found = asyncio.run_coroutine_threadsafe(neo4j.start(), loop).result(READY_WITHIN * 5)
        yield Target(found.uri, found.user, found.password, found.database)
    finally:
        asyncio.run_coroutine_threadsafe(neo4j.stop(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def empty(target: Target) -> None:
    """Delete every node; constraints and indexes stay. The next start makes a new log with a new epoch."""
    with GraphDatabase.driver(target.uri, auth=(target.user, target.password), notifications_min_severity="OFF") as driver:
        driver.execute_query("MATCH (n) DETACH DELETE n", database_=target.database)


@pytest.fixture
async def neo4j_store(neo4j_target: Target) -> AsyncIterator[Neo4jStore]:
    """An empty store on the real Neo4j; `open` is still to be called."""
    await asyncio.to_thread(empty, neo4j_target)
    store = Neo4jStore(neo4j_target)
    yield store
    await store.close()


@pytest.fixture(params=["memory", "neo4j"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """Each storage in turn, empty; `open` is still to be called. Neo4j starts only where a test on it is chosen."""
    if request.param == "memory":
        yield MemoryStore()
        return
    neo4j_target: Target = request.getfixturevalue("neo4j_target")
    await asyncio.to_thread(empty, neo4j_target)
    found = Neo4jStore(neo4j_target)
    yield found
    await found.close()


@dataclass
class Service:
    """A `semp serve` process."""

    url: str
    process: subprocess.Popen[str]
    environment: dict[str, str]
    log: Path
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.url, timeout=60)

    @property
    def websocket_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/ws"

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Signal it and wait until it has gone; its exit code."""
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(60)


def free_port() -> int:
    """A port that is free now."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_service(log: Path, *arguments: str, environment: dict[str, str] | None = None, port: int | None = None) -> Service:
    """Start `semp serve` on a free port and wait until it is ready.

    Raises:
        AssertionError: it ended or was not ready in time; holds what it printed.
    """
    port = port or free_port()
    variables = {**os.environ, **(environment or {})}
    with log.open("a") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "semp", "serve", "--port", str(port), *arguments],
            stdout=stream, stderr=subprocess.STDOUT, env=variables, text=True, start_new_session=True,
        )  # fmt: skip
    return Service(wait_ready(f"http://127.0.0.1:{port}", process, log), process, variables, log)


def wait_ready(url: str, process: subprocess.Popen[Any], log: Path) -> str:
    """The URL, once the service that the process runs there is ready.

    Raises:
        AssertionError: it ended or was not ready in time; holds what it printed.
    """
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/health/ready", timeout=2).is_success:
                return url
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    process.kill()
    raise AssertionError(f"the service did not become ready:\n{log.read_text()}")


def neo4j_environment(target: Target) -> dict[str, str]:
    """The variables that point `semp` at a database."""
    return {
        "SEMP_NEO4J": target.uri,
        "SEMP_NEO4J_USER": target.user,
        "SEMP_NEO4J_PASSWORD": target.password,
        "SEMP_NEO4J_DATABASE": target.database or "",
    }


@pytest.fixture(scope="module")
def service(neo4j_target: Target, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The real service on the real Neo4j, empty at the start of the module."""
    empty(neo4j_target)
    running = start_service(tmp_path_factory.mktemp("service") / "log", environment=neo4j_environment(neo4j_target))
    yield running
    assert running.stop() == 0, running.log.read_text()
