"""The servers that are compared, each in its own process: the service on Neo4j (`neo4j`), the same as one of several replicas (`replica`),
the same with signals that fade within seconds (`fading`), the same app on a store that does nothing (`none`), a hub that is fed events
directly (`hub`), baselines of the web layer (`asgi`, `litestar`, `direct`), and what a user would build instead (`postgres`, `redis`).

    python -m benchmarks.servers KIND PORT [NUMBER]
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil
import uvicorn
import uvloop
from litestar import Litestar, post
from semp.api.application import create_app
from semp.api.direct import Answer, Incoming, decode, direct_post
from semp.domain.events import Event, NewEvent, draft, new_id
from semp.domain.signals import Rules
from semp.engine.environment import Environment
from semp.engine.records import Entry, Plan
from semp.main import server_config, tune_collector
from semp.mcp.mount import Mount
from semp.relays.handing_on.replica import Replica
from semp.storage.memory.store import MemoryStore
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.store import Neo4jStore

from benchmarks.databases import environment
from benchmarks.peer_apps import postgres_app, redis_app
from benchmarks.sampling import SAMPLES, sample_main_thread

FADING = Rules(lambda_=0.01, interval=1.0)
"""Rules under which every signal is gone three seconds after it was made."""


class NoStore(MemoryStore):
    """Accepts every plan, and stores only the state of the log, no events."""

    async def append(self, plan: Plan) -> bool:
        self.current = plan.state
        return True


def target() -> Target:
    """The database of this run, from the environment variables."""
    return Target(os.environ["SEMP_NEO4J"], os.environ["SEMP_NEO4J_USER"], os.environ["SEMP_NEO4J_PASSWORD"])


async def bare_asgi(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI app without a framework: it decodes, validates and encodes one event per POST."""
    if scope["type"] != "http":
        return
    if scope["method"] == "GET":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        return
    message = await receive()
    body = msgspec.json.encode(draft(_read(message["body"])))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": body})


_read = msgspec.json.Decoder(NewEvent).decode


def plain_litestar() -> Litestar:
    """The same as an ordinary Litestar handler."""

    @post("/api/events")
    async def append(data: NewEvent) -> dict[str, Any]:
        return msgspec.to_builtins(draft(data))

    return Litestar([append], logging_config=None)


def direct_litestar() -> Litestar:
    """The same with `direct_post`, the kind of route that appends use."""

    @direct_post("/api/events", body=NewEvent, answer=dict[str, Any], responses={})
    async def append(incoming: Incoming) -> Answer:
        return Answer(201, msgspec.json.encode(draft(decode(_read, incoming.body))))

    return Litestar([append], logging_config=None)


BASELINES = {
    "asgi": lambda: bare_asgi, "litestar": plain_litestar, "direct": direct_litestar, "postgres": postgres_app, "redis": redis_app,
}  # fmt: skip


async def publish(environment: Environment, rate: float) -> None:
    """Publish `rate` events per second to the hub, each with the time when it was sent. Nothing is appended to the log."""
    began = time.perf_counter()
    position = environment.hub.head
    while True:
        due = int((time.perf_counter() - began) * rate)
        entries: list[Entry] = []
        for number in range(position + 1, due + 1):
            payload = msgspec.Raw(b'{"action":"do1","sent":%.3f}' % (time.time() * 1000))
            event = Event(new_id(), "proposal", "project.mod1", "t1", "agent-1", [], "2026-01-01T00:00:00.000Z", payload, number)
            entries.append(Entry(event, None, (), 0, None, 0.0, None, msgspec.json.encode(event)))
        environment.hub.publish(entries)
        position = max(position, due)
        await asyncio.sleep(0.002)


async def serve(kind: str, port: int, number: float = 0.0) -> None:
    """Run a server of this kind until it is terminated. `number`: events per second of kind `hub`, seconds between sweeps of `fading`."""
    environment: Environment | None = None
    replica: Replica | None = None
    if kind in ("neo4j", "replica", "fading", "none", "hub"):
        store = NoStore() if kind in ("none", "hub") else Neo4jStore(target())
        environment = Environment(store, FADING, sweep_interval=number) if kind == "fading" else Environment(store, Rules())
        await environment.start()
        if kind == "replica":
            replica = Replica(environment, ("127.0.0.1", 0))
            await replica.start()
        app: Any = create_app(environment, Mount().route())
    else:
        app = BASELINES[kind]()
    config = server_config(app)
    config.port = port
    if kind in ("postgres", "redis"):
        config.lifespan = "on"  # they connect to their database there
    tune_collector()
    if samples := os.environ.get(SAMPLES):
        sample_main_thread(Path(samples))
    feeding = asyncio.create_task(publish(environment, number)) if kind == "hub" and environment is not None else None
    await uvicorn.Server(config).serve()
    if feeding is not None:
        feeding.cancel()
    if replica is not None:
        await replica.stop()
    if environment is not None:
        await environment.stop()


def free_port() -> int:
    """A TCP port of loopback that is free now."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(kind: str, *arguments: str, database: Target | None = None) -> Generator[int]:
    """Start a server of this kind in a process; yields its port.

    Args:
        arguments: further arguments of the command.
        database: the database to use instead of that of the run.
    """
    port = free_port()
    variables = os.environ | (environment(database) if database else {})
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.servers", kind, str(port), *arguments], env=variables)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=1).close()
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def process_on(port: int) -> psutil.Process:
    """The process that listens on a port of this machine."""
    links = psutil.net_connections("tcp")
    return next(psutil.Process(link.pid) for link in links if link.laddr and link.laddr.port == port and link.status == "LISTEN")


def load(port: int, connections: int, seconds: float, path: str = "/api/events", method: str = "POST") -> dict[str, float]:
    """Run the load generator in its own process; its result as `benchmarks.load.run` returns it."""
    command = [sys.executable, "-m", "benchmarks.load", str(port), str(connections), str(seconds), path, method]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1], int(sys.argv[2]), *map(float, sys.argv[3:4])))
