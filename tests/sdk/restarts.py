"""A service that a test stops and starts again, for clients that must live through it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from semp.storage.neo4j.connection import Target

from tests.conftest import neo4j_environment, start_service

Restart = Callable[..., Awaitable[None]]


@asynccontextmanager
async def restarting(target: Target, directory: Path) -> AsyncGenerator[tuple[str, Restart]]:
    """The URL of a service on Neo4j, and a coroutine function that restarts it at the same URL.

    The function takes the signal that stops the service, and a function to call before it is started again.
    """
    log, environment = directory / "log", neo4j_environment(target)
    service = await asyncio.to_thread(start_service, log, environment=environment)
    url, port = service.url, int(service.url.rpartition(":")[2])

    async def restart(how: signal.Signals, between: Callable[[], None] = lambda: None) -> None:
        nonlocal service
        await asyncio.to_thread(service.stop, how)
        between()
        service = await asyncio.to_thread(start_service, log, environment=environment, port=port)

    try:
        yield url, restart
    finally:
        await asyncio.to_thread(service.stop)
