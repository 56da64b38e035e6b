"""Clients that ask for as much as the protocol allows, or more, each until it is stopped.

python -m benchmarks.heavy_clients NAME PORT
"""

from __future__ import annotations

import itertools
import json
import random
import socket
import sys
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
from semp.domain.events import new_id
from websockets.sync.client import connect

EventBody = dict[str, Any]


def proposal(parents: list[str], scope: str = "heavy") -> EventBody:
    """A proposal with these parents."""
    return {
        "id": new_id(), "type": "proposal", "scope": scope, "trace_id": "heavy", "agent_id": "heavy", "parent_ids": parents,
        "payload": {"action": "a"},
    }  # fmt: skip


def layers(client: httpx.Client, count: int, wide: int = 64) -> list[str]:
    """Store layers of proposals, each with all of the layer before as parents; the ids of the last layer."""
    last: list[str] = []
    for _ in range(count):
        batch = [proposal(last) for _ in range(wide)]
        client.post("/api/events/batch?return=minimal", json=batch).raise_for_status()
        last = [event["id"] for event in batch]
    return last


def many_parents(client: httpx.Client, port: int) -> None:  # noqa: ARG001
    """Batches of 10,000 events with 64 parents each."""
    parents = layers(client, 1)
    while True:
        client.post("/api/events/batch?return=minimal", json=[proposal(parents) for _ in range(10_000)])


def deep_credit(client: httpx.Client, port: int) -> None:  # noqa: ARG001
    """Batches of 200 rewards that give credit to 64 layers of 64 proposals."""
    parents = layers(client, 64)
    payload = {"value": 0.5, "credit": {"discount": 0.99, "max_depth": 64}}
    while True:
        rewards = [{**proposal(parents), "type": "reward", "payload": payload} for _ in range(200)]
        client.post("/api/events/batch?return=minimal", json=rewards)


def what_if(client: httpx.Client, port: int) -> None:  # noqa: ARG001
    """What-if with 350 rewards that give deep credit."""
    parents = layers(client, 64)
    payload = {"value": 0.5, "credit": {"discount": 0.99, "max_depth": 64}}
    added = [{**proposal(parents), "type": "reward", "payload": payload} for _ in range(350)]
    while True:
        client.post("/api/signals/what-if", json={"drop": [], "add": added})


def long_globs(client: httpx.Client, port: int) -> None:
    """A subscription to 100 globs of 127 segments, and batches of events whose scopes have as many."""
    choose = random.Random(1)
    globs = [".".join(choose.choice("a*") for _ in range(127)) for _ in range(100)]
    scope = ".".join("a" * 127)
    with connect(f"ws://127.0.0.1:{port}/ws?v=1", max_size=None) as socket_:
        socket_.send(json.dumps({"type": "subscribe", "scopes": globs}))
        threading.Thread(target=lambda: [None for _ in socket_], daemon=True).start()
        while True:
            client.post("/api/events/batch?return=minimal", json=[proposal([], scope) for _ in range(10_000)])


def endless_head(client: httpx.Client, port: int) -> None:  # noqa: ARG001
    """A header without end."""
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as one:
            one.sendall(b"GET /health/live HTTP/1.1\r\nA: ")
            while True:
                one.sendall(b"a" * 65_536)


def unread_pipelines(client: httpx.Client, port: int) -> None:  # noqa: ARG001
    """Forty connections with 5,000 pipelined reads, whose answers are not read."""
    request = b"GET /api/signals HTTP/1.1\r\nhost: bench\r\n\r\n" * 5_000
    while True:
        sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        for one in sockets:
            one.settimeout(1)
            with suppress(OSError):
                one.sendall(request)
        for one in sockets:
            one.close()


def long_reads(client: httpx.Client, port: int) -> None:
    """24 clients that read the ancestors of an event with 100,000 of them."""
    last: list[str] = []
    for _ in range(10):
        batch: list[EventBody] = []
        for _ in range(10_000):
            batch.append(proposal(last))
            last = [batch[-1]["id"]]
        client.post("/api/events/batch?return=minimal", json=batch).raise_for_status()

    def read() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as own:
            while True:
                own.get(f"/api/events/{last[0]}/ancestors?budget=100000&depth=0")

    threads = [threading.Thread(target=read, daemon=True) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def subscribe_flood(client: httpx.Client, port: int) -> None:  # noqa: ARG001
    """A socket that subscribes to 100 globs again and again."""
    for number in itertools.count():
        with suppress(OSError, Exception), connect(f"ws://127.0.0.1:{port}/ws?v=1", max_size=None) as socket_:
            threading.Thread(target=lambda: [None for _ in socket_], daemon=True).start()
            while True:
                socket_.send(json.dumps({"type": "subscribe", "scopes": [f"s{number}.*.x{glob}" for glob in range(100)]}))


def mcp_sessions(client: httpx.Client, port: int) -> None:  # noqa: ARG001
    """`initialize` again and again, each for a new session."""
    body = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": str(uuid.uuid4()), "version": "1"}},
    }  # fmt: skip
    while True:
        client.post("/mcp", json=body, headers={"accept": "application/json, text/event-stream"})


CLIENTS: dict[str, Callable[[httpx.Client, int], None]] = {
    function.__name__: function
    for function in (
        many_parents, deep_credit, what_if, long_globs, endless_head, unread_pipelines, long_reads, subscribe_flood, mcp_sessions,
    )
}  # fmt: skip


if __name__ == "__main__":
    with httpx.Client(base_url=f"http://127.0.0.1:{sys.argv[2]}", timeout=120) as one_client:
        print("ready", flush=True)
        CLIENTS[sys.argv[1]](one_client, int(sys.argv[2]))
