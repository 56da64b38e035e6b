"""What clients of `/mcp` may take: sessions, subscriptions, and the memory of those that have ended."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import httpx
import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError
from semp.api.application import create_app
from semp.domain.signals import Rules
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.mcp.in_process import InProcessTransport
from semp.mcp.resources import resource
from semp.mcp.service import Service as Client
from semp.mcp.sessions import MAX_SESSIONS
from semp.mcp.subscriptions import MAX_SUBSCRIPTIONS, MAX_SUBSCRIPTIONS_OF_ALL, watch
from semp.storage.memory.store import MemoryStore

from tests.conftest import Service
from tests.live_streams import subscribers
from tests.mcp_client import connected, subscribe
from tests.waiting import until

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
ACCEPT = {"accept": "application/json, text/event-stream"}


def message(method: str, **parameters: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}


def session_of(client: httpx.Client) -> dict[str, str]:
    """Open a session; the header that names it."""
    about = {"capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}
    answer = client.post("/mcp", json=message("initialize", protocolVersion="2025-11-25", **about), headers=ACCEPT)
    assert answer.status_code == 200, answer.text
    return {**ACCEPT, "mcp-session-id": answer.headers["mcp-session-id"]}


def status_of(client: httpx.Client, session: dict[str, str]) -> int:
    return client.post("/mcp", json=message("ping"), headers=session).status_code


def test_a_session_too_many_ends_the_idlest_and_first_those_that_were_only_opened(memory_service: Service) -> None:
    client = memory_service.client
    used, opened, used_later = (session_of(client) for _ in range(3))
    assert (status_of(client, used), status_of(client, used_later)) == (200, 200)
    with client.stream("GET", "/mcp", headers=session_of(client)) as listening:  # never idle
        newer = [session_of(client) for _ in range(MAX_SESSIONS)]
        assert status_of(client, opened) == 404
        assert [status_of(client, one) for one in (used, used_later, newer[-1])] == [200, 200, 200]
        assert listening.status_code == 200


async def test_subscriptions_of_all_clients_together_are_bounded(memory_service: Service) -> None:
    async def listen(number: int, full: asyncio.Event, release: asyncio.Event) -> None:
        uris = [f"semp://traces/t{number}-{count}" for count in range(MAX_SUBSCRIPTIONS)]
        async with client.listen(resource_subscriptions=uris):
            full.set()
            await release.wait()

    release = asyncio.Event()
    async with connected(memory_service.url, ("http", "2026-07-28")) as client, asyncio.TaskGroup() as group:
        for number in range(MAX_SUBSCRIPTIONS_OF_ALL // MAX_SUBSCRIPTIONS):
            full = asyncio.Event()
            group.create_task(listen(number, full, release))
            await full.wait()
        with pytest.raises(MCPError) as error:
            async with client.listen(resource_subscriptions=["semp://signals"]):
                pass
        assert error.value.code == types.INTERNAL_ERROR
        assert f"at most {MAX_SUBSCRIPTIONS_OF_ALL} subscriptions" in str(error.value)
        async with connected(memory_service.url, ("http", "legacy")) as older:
            with pytest.raises(MCPError, match="at most"):
                await subscribe(older, "semp://signals")
        assert memory_service.client.get("/health/live").status_code == 200
        release.set()
    await until(lambda: subscribers(memory_service) == 0)
    async with connected(memory_service.url, ("http", "legacy")) as older:
        await subscribe(older, "semp://signals")


async def test_a_subscription_that_has_ended_leaves_nothing_for_the_garbage_collector() -> None:
    """Full collections are rare in the service, so what only they free would stay."""

    environment = Environment(MemoryStore(), Rules())
    await environment.start()
    service = Client("http://semp", InProcessTransport(create_app(environment)), in_process=True).acting(OPEN)

    async def ignore(_: str) -> None:
        pass

    async def once() -> None:
        opened = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(watch(service, resource("semp://signals"), ignore, opened))
        await opened
        task.cancel()
        await asyncio.wait([task])

    def left() -> int:
        return sum(isinstance(one, httpx.Response | httpx.Request) or type(one).__name__ == "_Exchange" for one in gc.get_objects())

    await once()
    gc.collect()
    before = left()
    gc.disable()
    try:
        for _ in range(20):
            await once()
        await asyncio.sleep(0)
        assert left() == before
    finally:
        gc.enable()
        await environment.stop()
