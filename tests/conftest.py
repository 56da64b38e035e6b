"""Fixtures: one real Neo4j for the whole test run, empty stores on it, and the real service in a process of its own."""

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
"""Seconds within which a service must be ready."""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def neo4j_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A real Neo4j: the embedded one, unless SEMP_TEST_NEO4J names a URI, or is `docker` for a container of Neo4j's own image."""
    choice = os.environ.get("SEMP_TEST_NEO4J", "")
    if choice == "docker":
        from testcontainers.neo4j import Neo4jContainer

        with Neo4jContainer("neo4j:2026.08.1-community") as container:
            yield Target(container.get_connection_url(), container.username, container.password)
    elif choice:
        yield Target(choice, os.environ.get("SEMP_NEO4J_USER", "neo4j"), os.environ.get("SEMP_NEO4J_PASSWORD", ""))
    else:
        with embedded_neo4j(tmp_path_factory.mktemp("neo4j")) as target:
            yield target


@contextmanager
def embedded_neo4j(home: Path) -> Generator[Target]:
    """An embedded Neo4j. Its event loop runs in a thread of its own, because the event loop of a test ends with the test."""
    import threading

    from semp.storage.neo4j.embedded import EmbeddedNeo4j

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    neo4j = EmbeddedNeo4j(home, heap="768m", page_cache="256m")
    try:
        started = asyncio.run_coroutine_threadsafe(neo4j.start(), loop).result(READY_WITHIN * 5)
        yield Target(started.uri, started.user, started.password, started.database)
    finally:
        asyncio.run_coroutine_threadsafe(neo4j.stop(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def empty(target: Target) -> None:
    """Delete every node; constraints and indexes stay. The next start of a service makes a new log with a new epoch.

    First the node of the log, so that nothing is appended meanwhile; then the others in parts, because a transaction cannot hold the log of
    every test.
    """
    with GraphDatabase.driver(target.uri, auth=(target.user, target.password), notifications_min_severity="OFF") as driver:
        driver.execute_query("MATCH (n:Stream) DETACH DELETE n", database_=target.database)
        deleted = 1
        while deleted:
            part = driver.execute_query("MATCH (n) WITH n LIMIT 10000 DETACH DELETE n", database_=target.database)
            deleted = part.summary.counters.nodes_deleted


@pytest.fixture
async def neo4j_store(neo4j_target: Target) -> AsyncIterator[Neo4jStore]:
    """An empty store on the real Neo4j. The test calls `open` itself."""
    await asyncio.to_thread(empty, neo4j_target)
    store = Neo4jStore(neo4j_target)
    yield store
    await store.close()


@pytest.fixture(params=["memory", "neo4j"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """Each kind of store in turn, empty. The test calls `open` itself. Neo4j starts only where a test on it is selected."""
    if request.param == "memory":
        yield MemoryStore()
        return
    neo4j_target: Target = request.getfixturevalue("neo4j_target")
    await asyncio.to_thread(empty, neo4j_target)
    neo4j_store = Neo4jStore(neo4j_target)
    yield neo4j_store
    await neo4j_store.close()


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
        """Send the signal, unless it has ended, and wait up to 60 s until it has; its exit code."""
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(60)


def free_port() -> int:
    """A TCP port of this machine that nothing listens on now."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_service(log: Path, *arguments: str, environment: dict[str, str] | None = None, port: int | None = None) -> Service:
    """Start `semp serve`, on a free port unless one is given, and wait until it is ready. Its output is appended to the file `log`.

    Whoever calls it stops the service; `running_service` does so by itself.

    Raises:
        AssertionError: it ended or was not ready within `READY_WITHIN` seconds; the message holds its output.
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
    """Wait until the service at the URL is ready; the URL. `process` is what runs it, `log` the file with its output.

    Raises:
        AssertionError: it ended or was not ready within `READY_WITHIN` seconds; the message holds its output.
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


@contextmanager
def running_service(
    directory: Path, *arguments: str, environment: dict[str, str] | None = None, port: int | None = None
) -> Generator[Service]:
    """`semp serve` during the block; its output goes to the file `log` in the directory.

    The block itself may stop the service. The exit code must be 0, and its output must hold no traceback.
    """
    running = start_service(directory / "log", *arguments, environment=environment, port=port)
    try:
        yield running
    finally:
        try:
            exit_code = running.stop()
        finally:
            running.process.kill()  # has no effect unless it did not end in time
    output = running.log.read_text()
    assert exit_code == 0, output
    assert "Traceback" not in output, output


@pytest.fixture(scope="module")
def service(neo4j_target: Target, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The real service on the real Neo4j, with an empty log at the start of each test module."""
    empty(neo4j_target)
    with running_service(tmp_path_factory.mktemp("service"), environment=neo4j_environment(neo4j_target)) as running:
        yield running


@pytest.fixture(scope="module")
def memory_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The real service, in memory, with an empty log at the start of each test module."""
    with running_service(tmp_path_factory.mktemp("service"), "--memory") as running:
        yield running


@pytest.fixture
def empty_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The real service, in memory, with an empty log at the start of each test."""
    with running_service(tmp_path_factory.mktemp("service"), "--memory") as running:
        yield running
