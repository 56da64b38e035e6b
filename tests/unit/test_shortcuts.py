"""POST routes that are reached past Litestar's router: what is answered there, and what is left to Litestar."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.types import Receive, Scope, Send
from semp.api.application import create_app
from semp.api.security.credentials import Credentials
from semp.domain.errors import StoreUnavailable
from semp.domain.signals import Rules
from semp.engine.environment import Environment
from semp.storage.memory.store import MemoryStore

from tests.strategies import FakeClock

EVENT = {"type": "proposal", "scope": "ui", "trace_id": "t", "agent_id": "a", "payload": {"action": "x"}}


@pytest.fixture
async def environment() -> AsyncIterator[Environment]:
    environment = Environment(MemoryStore(), Rules(), clock=FakeClock(), sweep_interval=3600)
    await environment.start()
    yield environment
    await environment.stop()


@pytest.fixture
def routed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the requests that reach Litestar."""
    paths: list[str] = []
    call: Any = Litestar.__call__

    async def noted(app: Litestar, scope: Any, receive: Any, send: Any) -> None:
        paths.append(scope["path"])
        await call(app, scope, receive, send)

    monkeypatch.setattr(Litestar, "__call__", noted)
    return paths


@pytest.fixture
async def client(environment: Environment) -> AsyncIterator[httpx.AsyncClient]:
    app: Any = create_app(environment)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://semp") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("/api/events", EVENT, 201), ("/api/events/batch", [EVENT], 201), ("/api/signals/what-if", {}, 200),
     ("/api/nodes", {"type": "artifact"}, 201)],
)  # fmt: skip
async def test_a_post_does_not_pass_the_router(client: httpx.AsyncClient, routed: list[str], path: str, body: Any, status: int) -> None:
    assert (await client.post(path, json=body)).status_code == status
    assert routed == []


async def test_errors_are_answered_by_the_handlers_of_the_app(
    client: httpx.AsyncClient, routed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = await client.post("/api/events", json={**EVENT, "scope": 7})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "scope")
    assert (await client.post("/api/events", content=b"x", headers={"content-type": "text/plain"})).status_code == 415

    def away(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("away", retry_after=7)

    monkeypatch.setattr("semp.engine.committer.Committer.submit", away)
    unavailable = await client.post("/api/events", json=EVENT)
    assert (unavailable.status_code, unavailable.headers["retry-after"]) == (503, "7")
    assert routed == ["/api/events"] * 3


async def test_other_methods_and_paths_are_left_to_the_router(client: httpx.AsyncClient, routed: list[str]) -> None:
    assert (await client.get("/api/events")).status_code == 200
    assert (await client.put("/api/events", json=EVENT)).status_code == 405
    assert (await client.post("/api/events/", json=EVENT)).status_code == 201
    assert len(routed) == 3


async def test_the_middleware_of_the_app_is_passed(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    call = Credentials.__call__

    async def noted(middleware: Credentials, scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["path"])
        await call(middleware, scope, receive, send)

    monkeypatch.setattr(Credentials, "__call__", noted)
    await client.post("/api/events", json=EVENT)
    assert seen == ["/api/events"]
