"""Wiring: the only module that combines a storage, a server and the application."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar, cast

import uvicorn

from semp.api.application import create_app
from semp.api.direct import MAX_BODY
from semp.api.http_protocol import REQUEST_TIMEOUT, HttpProtocol
from semp.api.live.wire import LiveProtocol
from semp.api.security.chain import Chain, Edge
from semp.api.security.hosts import Hosts
from semp.api.security.origins import Origins
from semp.domain.errors import CredentialsRefused, SempError, StoreUnavailable
from semp.engine.environment import Environment
from semp.engine.loop_watchdog import LoopWatchdog
from semp.engine.ports import Storage
from semp.file_handles import raise_limit, warn_when_exhausted
from semp.mcp.mount import Mount
from semp.relays.handing_on.replica import Replica, parsed_address
from semp.relays.redis_hints import RedisHints, check_url
from semp.settings import Credentials, DatabaseSettings, Settings, redis_password
from semp.storage.memory.store import MemoryStore
from semp.storage.neo4j.connection import Target
from semp.storage.neo4j.embedded import DEFAULT_VERSION, Connection, EmbeddedNeo4j, Step
from semp.storage.neo4j.embedded.running import running_connection
from semp.storage.neo4j.failures import cause_of, shown_uri
from semp.storage.neo4j.store import Neo4jStore

T = TypeVar("T")
log = logging.getLogger(__name__)

CONNECT_PATIENCE = 60.0
"""Seconds that a start waits for an external database that cannot be reached yet."""
CONNECT_PAUSE = 5.0
"""Seconds between two attempts to connect, at most. The first pause is 0.5 s; each further pause is twice as long."""
DRAIN = 10
"""Seconds, after a stop was asked for, to commit the accepted events; then as many seconds again for open requests and sockets to end."""
MAX_MESSAGE = 2 * MAX_BODY
"""Bytes of a WebSocket message, at most. Larger than MAX_BODY, so that a command that is too large gets an error message with its `ref` and
does not break the connection."""


def edge_of(settings: Settings) -> Edge:
    """Which hosts and origins the service accepts.

    Raises:
        InvalidInput: an allowed host or origin of the settings is malformed.
    """
    return Edge(Hosts(settings.host, settings.allowed_host), Origins(settings.cors_origin))


class StartError(SempError):
    """The service or command cannot start. The message tells the operator why, and what to do."""


def external_target(settings: DatabaseSettings) -> Target | None:
    """The external database of the settings, None when they name none."""
    if settings.neo4j is None:
        return None
    credentials = Credentials.from_environment()
    return Target(settings.neo4j, credentials.user, credentials.password, credentials.database)


@asynccontextmanager
async def database(settings: DatabaseSettings, progress: Callable[[Step], None], *, alone: bool = False) -> AsyncGenerator[Neo4jStore]:
    """Storage for a command: the external database, the embedded one of a running service, or an embedded one started for the command.

    Args:
        progress: called with each step of starting an embedded Neo4j.
        alone: refuse when a service runs on the same data directory.

    Raises:
        StartError: there is no data; a service runs and `alone` is set; or a running database cannot be used.
        EmbeddedNeo4jError: the embedded Neo4j cannot be started.
    """
    target = external_target(settings)
    running = running_connection(settings.home) if target is None else None
    if running is not None and alone:
        raise StartError(f"a service runs on {settings.data}; stop it first")
    if target is None and running is None:
        if not settings.home.exists():
            raise StartError(f"there is no data in {settings.data}; start a service with `semp serve`, or name a database with --neo4j")
        neo4j = EmbeddedNeo4j(settings.home, progress=progress)
        try:
            running = await neo4j.start()
            async with _closing(Neo4jStore(target_of(running))) as store:
                yield store
        finally:
            await neo4j.stop()
        return
    target = target or target_of(cast("Connection", running))
    async with _closing(Neo4jStore(target)) as store:
        with _naming_the_database(target.uri):
            yield store


@contextlib.contextmanager
def _naming_the_database(uri: str) -> Generator[None]:
    """Turn StoreUnavailable into a StartError with the address and the cause. It is for the operator; clients never see these."""
    try:
        yield
    except StoreUnavailable as error:
        raise StartError(f"cannot use the database at {shown_uri(uri)}: {cause_of(error)}") from error


@asynccontextmanager
async def _closing(store: Neo4jStore) -> AsyncGenerator[Neo4jStore]:
    try:
        yield store
    finally:
        await store.close()


def target_of(connection: Connection) -> Target:
    """The embedded database as a target, with what can be known of a database on this machine."""
    return Target(connection.uri, connection.user, connection.password, connection.database, connection.trusted, connection.has_room)


@asynccontextmanager
async def storage(settings: Settings, progress: Callable[[Step], None]) -> AsyncGenerator[Storage]:
    """The storage of the settings: in memory, the external database, or else an embedded Neo4j, which is started and stopped here.

    Raises:
        EmbeddedNeo4jError: the embedded Neo4j cannot be started.
    """
    target = external_target(settings)
    if settings.memory:
        yield MemoryStore()
    elif target is not None:
        yield Neo4jStore(target)
    else:
        neo4j = EmbeddedNeo4j(
            settings.home,
            version=settings.neo4j_version or DEFAULT_VERSION,
            cache=settings.cache,
            repository=settings.repository,
            heap=settings.heap,
            page_cache=settings.page_cache,
            progress=progress,
        )
        try:
            yield Neo4jStore(target_of(await neo4j.start()))
        finally:
            await neo4j.stop()


async def serve(settings: Settings, progress: Callable[[Step], None], on_ready: Callable[[str], None]) -> None:
    """Run the service until SIGINT or SIGTERM, then drain it and stop its embedded database.

    Args:
        progress: called with each step of starting an embedded Neo4j.
        on_ready: called with the service's URL once it accepts events.

    Raises:
        StartError: it cannot start; the message is for the operator.
        SempError: it cannot start for a reason found by another module, such as InvalidInput or SchemaMismatch.
        EmbeddedNeo4jError: the embedded Neo4j cannot be started.
    """
    if settings.redis is not None:
        check_url(settings.redis)
    address = parsed_address(settings.replica_address)
    raise_limit()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    edge = edge_of(settings)  # before anything starts, so that a wrong setting fails at once
    listener = _listen(settings.host, settings.port)
    with contextlib.closing(listener):
        async with contextlib.AsyncExitStack() as stack:
            if settings.loop_watchdog is not None:
                stack.enter_context(LoopWatchdog(limit=settings.loop_watchdog))
            store = await _until_stopped(stop, stack.enter_async_context(storage(settings, progress)))
            if store is None:
                return
            environment = Environment(
                store,
                settings.rules,
                sweep_interval=settings.sweep_interval,
                poll_interval=settings.poll_interval,
                patience=settings.patience,
            )
            try:
                if await _until_stopped(stop, _start(environment, settings.neo4j)):
                    async with _hints(environment, settings), _replicas(environment, address if settings.neo4j else None):
                        await _serve_http(environment, listener, stop, on_ready, settings, edge)
            finally:
                await environment.stop()


@asynccontextmanager
async def _hints(environment: Environment, settings: Settings) -> AsyncGenerator[None]:
    """Hints to and from other replicas, if the settings name a Redis."""
    if settings.redis is None:
        yield
        return
    hints = RedisHints(environment, settings.redis, redis_password())
    hints.start()
    try:
        yield
    finally:
        await hints.stop()


@asynccontextmanager
async def _replicas(environment: Environment, address: tuple[str, int] | None) -> AsyncGenerator[None]:
    """Appending together with other replicas on the same database. None: there can be no others."""
    if address is None:
        yield
        return
    replica = Replica(environment, address)
    await replica.start()
    try:
        yield
    finally:
        await replica.stop()


async def _start(environment: Environment, uri: str | None) -> bool:
    """Start the environment. An external database, given by its URI, is waited for; the embedded one runs already. Always True."""
    where = f"the database at {shown_uri(uri)}" if uri is not None else "the embedded database"
    deadline = asyncio.get_running_loop().time() + (CONNECT_PATIENCE if uri is not None else 0)
    pause = 0.5
    while True:
        try:
            await environment.start()
            return True
        except StoreUnavailable as error:
            why = cause_of(error)
            if isinstance(error, CredentialsRefused) or asyncio.get_running_loop().time() > deadline:
                raise StartError(f"cannot use {where}: {why}") from error
            log.warning("%s is not there yet: %s; trying again in %g s", where, why, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, CONNECT_PAUSE)


async def _until_stopped(stop: asyncio.Event, work: Awaitable[T]) -> T | None:
    """Await the work; returns its result. When `stop` is set first, cancel the work and return None."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        stopping.cancel()
        return await working
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    return None


def server_config(
    app: Any, ping_interval: float = 20.0, keep_alive: float = 75.0, request_timeout: float = REQUEST_TIMEOUT
) -> uvicorn.Config:
    """The configuration of uvicorn. Features that an append does not need are off.

    Args:
        ping_interval: seconds between pings on a WebSocket, and seconds to wait for each answer.
        keep_alive: seconds that an idle connection is kept open.
        request_timeout: seconds that a client may take for the head of a request, and between two parts of its body.
    """
    return uvicorn.Config(
        app,
        http=partial(HttpProtocol, request_timeout=request_timeout),  # pyright: ignore[reportArgumentType] - called as a class is
        ws=LiveProtocol,
        ws_max_size=MAX_MESSAGE,
        ws_ping_interval=ping_interval,
        ws_ping_timeout=ping_interval,
        timeout_keep_alive=keep_alive,  # pyright: ignore[reportArgumentType] - seconds for a timer; an int is asked for
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN,
        ws_per_message_deflate=False,
    )


def tune_collector() -> None:
    """Make garbage collections cheap and rare: they skip all objects that exist now, and appends create few reference cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers, because those of `serve` also cover the time before and after uvicorn runs."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


async def _serve_http(
    environment: Environment, listener: socket.socket, stop: asyncio.Event, on_ready: Callable[[str], None], settings: Settings, edge: Edge
) -> None:
    mcp = Mount()
    app = Chain(create_app(environment, mcp.route()), edge)  # type: ignore[arg-type]
    server = _Server(server_config(app, settings.ping_interval, settings.keep_alive, settings.request_timeout))
    host, port = listener.getsockname()[:2]
    try:
        listener.listen(server.config.backlog)  # fails when another process has bound the port too; uvloop would not report that
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    watching = asyncio.create_task(warn_when_exhausted(listener.fileno()))
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    tune_collector()
    if server.started:
        on_ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    watching.cancel()
    await environment.drain(DRAIN)  # before uvicorn stops, because uvicorn waits until the sockets are closed
    await mcp.close()
    server.should_exit = True
    await serving


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> StartError:
    if error.errno == errno.EADDRINUSE:
        airplay = "; on macOS it may be the AirPlay Receiver, which System Settings can turn off" if port == 5000 else ""
        advice = f"another program uses this port; choose another port with --port or SEMP_PORT{airplay}"
    elif error.errno == errno.EACCES:
        advice = "ports below 1024 need root; choose another port with --port or SEMP_PORT"
    else:
        advice = "check --host and --port, or SEMP_HOST and SEMP_PORT"
    return StartError(f"cannot listen on {host}:{port}: {error.strerror or error} ({advice})")
