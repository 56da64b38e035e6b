"""Every operation, WebSocket and tool call asks the gate on behalf of the principal that made it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn
from litestar import get
from semp.api.application import create_app
from semp.api.security.credentials import KEY
from semp.domain.signals import Rules
from semp.engine.access import EVERYWHERE, SERVICE, Principal
from semp.engine.environment import Environment
from semp.engine.gate import Gate
from semp.main import server_config
from semp.mcp.mount import Mount
from semp.storage.memory.store import MemoryStore
from websockets.asyncio.client import connect

from tests.acceptance.refusals import UNKNOWN
from tests.events import new_event

PROBE = Principal(id="probe", kind="key", roles=frozenset({"admin"}), read=EVERYWHERE, write=EVERYWHERE)
PUBLIC = {"live", "version"}
"""Operations that answer nothing from the log, and so need no permission."""
EVENT = new_event()
BODIES: dict[str, Any] = {
    "appendEvent": EVENT,
    "appendBatch": [EVENT],
    "createNode": {"type": "file"},
    "addEdge": {"to": UNKNOWN, "type": "x"},
    "whatIf": {"drop": []},
}
QUERIES: dict[str, dict[str, Any]] = {"listPaths": {"from": UNKNOWN, "to": UNKNOWN}, "listCommonCauses": {"ids": UNKNOWN}}


class Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


class Recording(Environment):
    """Records the principal of each use of the gate."""

    def __init__(self) -> None:
        super().__init__(MemoryStore(), Rules())
        self.principals: list[Principal] = []

    def acting(self, principal: Principal) -> Gate:
        self.principals.append(principal)
        return super().acting(principal)


@get("/past-the-gate", operation_id="pastTheGate")
async def past_the_gate() -> str:
    return "x"


@asynccontextmanager
async def running(*more: Any) -> AsyncGenerator[tuple[Recording, str]]:
    """The service in this process, on a port. Every request is made by the probe, or by the principal in the header `x-test-principal`."""
    environment, mcp = Recording(), Mount()
    await environment.start()
    app = create_app(environment, mcp.route(), *more)

    async def as_probe(scope: Any, receive: Any, send: Any) -> None:
        named = dict(scope.get("headers", ())).get(b"x-test-principal")
        scope[KEY] = PROBE if named is None else msgspec.structs.replace(PROBE, id=named.decode())
        await app(scope, receive, send)

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    server = Server(server_config(as_probe))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield environment, f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        await environment.drain(5)
        await mcp.close()
        server.should_exit = True
        await serving
        await environment.halt()


async def operations_past_the_gate(environment: Recording, client: httpx.AsyncClient) -> set[str]:
    """The operations of the OpenAPI document that were answered without asking the gate for the probe."""
    document = (await client.get("/schema/openapi.json")).json()
    names: set[str] = set()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            name = operation["operationId"]
            environment.principals.clear()
            url = re.sub(r"\{\w+\}", UNKNOWN, path)
            async with client.stream(method, url, params=QUERIES.get(name), json=BODIES.get(name)) as answer:
                assert answer.status_code < 500 or answer.status_code == 503, (name, answer.status_code)
            if set(environment.principals) - {SERVICE} != {PROBE}:
                names.add(name)
    return names


async def test_every_operation_asks_the_gate_as_its_principal() -> None:
    async with running() as (environment, url), httpx.AsyncClient(base_url=url, timeout=20) as client:
        assert await operations_past_the_gate(environment, client) == PUBLIC


async def test_this_check_finds_a_route_that_does_not_ask_the_gate() -> None:
    async with running(past_the_gate) as (environment, url), httpx.AsyncClient(base_url=url, timeout=20) as client:
        assert await operations_past_the_gate(environment, client) == PUBLIC | {"pastTheGate"}


async def test_a_websocket_and_what_is_published_on_it_are_of_its_principal() -> None:
    async with running() as (environment, url):
        environment.principals.clear()
        async with connect(url.replace("http", "ws") + "/ws?v=1&after=0", compression=None) as live:
            assert json.loads(await live.recv())["type"] == "hello"
            await live.send(json.dumps({"type": "publish", "ref": 1, "data": EVENT}))
            assert {json.loads(await live.recv())["type"], json.loads(await live.recv())["type"]} == {"ack", "event"}
            await live.send(json.dumps({"type": "subscribe", "ref": 2, "after": 0}))
            assert json.loads(await live.recv())["type"] == "ack"
        assert set(environment.principals) - {SERVICE} == {PROBE}


@pytest.mark.parametrize("tool", ["read_events", "read_signals"])
async def test_a_tool_call_is_of_the_principal_that_made_it(tool: str) -> None:
    headers = {"accept": "application/json, text/event-stream"}
    initialize = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}},
    }  # fmt: skip
    async with running() as (environment, url), httpx.AsyncClient(base_url=url, timeout=20, headers=headers) as client:
        session = (await client.post("/mcp", json=initialize)).headers["mcp-session-id"]
        within = {"mcp-session-id": session}
        await client.post("/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"}, headers=within)
        environment.principals.clear()
        call: dict[str, Any] = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": tool, "arguments": {}}}
        answer = await client.post("/mcp", json=call, headers=within)
        assert answer.status_code == 200
        assert '"isError":true' not in answer.text.replace(" ", "")
        assert set(environment.principals) - {SERVICE} == {PROBE}
        environment.principals.clear()
        answer = await client.post("/mcp", json={**call, "id": 3}, headers={**within, "x-test-principal": "other"})
        assert answer.status_code == 200
        assert {one.id for one in environment.principals} == {"other"}, "the principal of the call counts, not that of the session"
