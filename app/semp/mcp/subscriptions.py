"""Notifications that a resource has changed.

Clients of the protocol's 2025 revisions subscribe with `resources/subscribe`, later ones with `subscriptions/listen`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import anyio
import mcp_types as types
from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import SUBSCRIPTION_ID_META_KEY

from semp.api.security.credentials import principal_of
from semp.domain.errors import InvalidInput
from semp.mcp.resources import Resource, resource
from semp.mcp.service import Refused, Service

MAX_SUBSCRIPTIONS = 100
"""Maximum number of resources of one session, or of one listen request."""
MAX_SUBSCRIPTIONS_OF_ALL = 2_000
"""Maximum number of subscriptions of all sessions and listen requests of a server together. Each takes about 50 kB."""
PACE = 0.1
"""Minimum seconds between two notifications about one resource. The last change is always followed by a notification."""
LONGEST_PAUSE = 30.0
"""Maximum seconds between two attempts to reach a service that is not available."""

Context = ServerRequestContext[Any, Any]
Notify = Callable[[str], Awaitable[None]]
"""Sends the notification that the resource with this URI has changed."""


async def watch(service: Service, watched: Resource, notify: Notify, opened: asyncio.Future[None]) -> None:
    """Notify of each change of a resource. After the connection was lost, notify once, because changes may have been missed.

    Runs until it is cancelled; for an in-process service, until that stops. It ends without an error then: a task keeps the error that
    ended it, and with it the frames of the whole stream. They refer to each other, and so would stay in memory.

    Args:
        opened: gets a result when no later change is missed, or the error when the stream cannot be opened the first time, such as Refused.
            That error is not raised.
    """
    try:
        await _follow(service, watched, notify, opened)
    except asyncio.CancelledError:
        return
    except Exception as error:
        if opened.done():
            raise
        opened.set_exception(error.with_traceback(None) if isinstance(error, Refused) else error)
    finally:
        if not opened.done():  # the service stopped first, or nobody waits any more
            opened.set_result(None)


async def _follow(service: Service, watched: Resource, notify: Notify, opened: asyncio.Future[None]) -> None:
    pause = 1.0
    gap = False
    while True:
        try:
            async with aclosing(service.follow(watched.stream)) as stream:
                async for messages in stream:
                    if not opened.done():
                        opened.set_result(None)
                    if gap or any(map(watched.changed_by, messages)):
                        await notify(watched.uri)
                        await asyncio.sleep(PACE)
                    gap, pause = False, 1.0
        except Refused:
            if not opened.done():
                raise
        if service.in_process:
            return
        gap = True
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


class Subscriptions:
    """The subscriptions of every session of a server. The methods that take a context raise MCPError."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._sessions: dict[int, dict[str, asyncio.Task[None]]] = {}
        """The watching task of each URI, by the id of the connection. The end of a connection removes its entry."""
        self._running: set[asyncio.Task[None]] = set()
        """Every watching task that has not ended."""

    async def subscribe(self, context: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
        """Notify this session of changes from now on. Safe to repeat."""
        watched = resource_of(params.uri)
        connection = _connection(context)
        tasks = self._tasks_of(connection)
        if params.uri in tasks and not tasks[params.uri].done():
            return types.EmptyResult()
        if len(tasks) >= MAX_SUBSCRIPTIONS:
            raise MCPError(types.INVALID_PARAMS, f"a session may subscribe to at most {MAX_SUBSCRIPTIONS} resources")
        self._require_room(1)
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        tasks[params.uri] = self._start(on_behalf(self._service, context), watched, connection.send_resource_updated, opened)
        try:
            await opened
        except Exception as error:
            tasks.pop(params.uri, None)
            if isinstance(error, Refused):
                raise mcp_error(error) from None
            raise
        return types.EmptyResult()

    async def unsubscribe(self, context: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        """Stop notifying this session. Safe to repeat."""
        task = self._tasks_of(_connection(context)).pop(params.uri, None)
        if task is not None:
            task.cancel()
        return types.EmptyResult()

    def _require_room(self, wanted: int) -> None:
        if len(self._running) + wanted > MAX_SUBSCRIPTIONS_OF_ALL:
            text = f"all clients together may have at most {MAX_SUBSCRIPTIONS_OF_ALL} subscriptions, and have {len(self._running)}"
            raise MCPError(types.INTERNAL_ERROR, f"{text}; try again later, or read the resource from time to time", {"status": 503})

    def _start(self, service: Service, watched: Resource, notify: Notify, opened: asyncio.Future[None]) -> asyncio.Task[None]:
        task = asyncio.create_task(watch(service, watched, notify, opened))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _ended(self) -> None:
        await self._service.ended.wait()

    def _tasks_of(self, connection: Connection) -> dict[str, asyncio.Task[None]]:
        key = id(connection)
        if key not in self._sessions:
            self._sessions[key] = {}
            connection.exit_stack.callback(self._end, key)
        return self._sessions[key]

    def _end(self, key: int) -> None:
        for task in self._sessions.pop(key).values():
            task.cancel()

    async def listen(self, context: Context, params: types.SubscriptionsListenRequestParams) -> types.SubscriptionsListenResult:
        """Notify on the stream of this request until the client leaves or the service stops.

        Only changes of resources are sent: tools and prompts never change.
        """
        uris = list(dict.fromkeys(params.notifications.resource_subscriptions or []))
        if len(uris) > MAX_SUBSCRIPTIONS:
            raise MCPError(types.INVALID_PARAMS, f"a request may listen to at most {MAX_SUBSCRIPTIONS} resources")
        watched = [resource_of(uri) for uri in uris]
        self._require_room(len(watched))
        service = on_behalf(self._service, context)
        meta: dict[str, Any] = {SUBSCRIPTION_ID_META_KEY: context.request_id}

        async def send(notification: types.ServerNotification) -> None:
            await context.session.send_notification(notification, related_request_id=context.request_id)

        async def notify(uri: str) -> None:
            await acknowledged.wait()
            await send(types.ResourceUpdatedNotification(params=types.ResourceUpdatedNotificationParams(uri=uri, _meta=meta)))

        acknowledged = asyncio.Event()
        loop = asyncio.get_running_loop()
        opened = {uri: loop.create_future() for uri in uris}
        tasks = [self._start(service, one, notify, opened[one.uri]) for one in watched]
        if not tasks:  # nothing to watch; the request stays open, so that the client does not repeat it again and again
            tasks = [asyncio.create_task(self._ended())]
        try:
            for error in await asyncio.gather(*opened.values(), return_exceptions=True):
                if isinstance(error, Refused):
                    raise mcp_error(error)
                if isinstance(error, BaseException):
                    raise error
            accepted = types.SubscriptionFilter(resource_subscriptions=uris or None)
            acknowledgement = types.SubscriptionsAcknowledgedNotificationParams(notifications=accepted, _meta=meta)
            await send(types.SubscriptionsAcknowledgedNotification(params=acknowledgement))
            acknowledged.set()
            await asyncio.wait(tasks)
        finally:
            for task in tasks:
                task.cancel()
            with anyio.CancelScope(shield=True):  # without the shield each would be cancelled again while it closes its stream
                await asyncio.wait(tasks)
        return types.SubscriptionsListenResult(_meta=meta)


def on_behalf(service: Service, context: Context) -> Service:
    """The service, acting as the principal of this call: different principals may use one session. Over stdio there is no principal."""
    return service.acting(None if context.request is None else principal_of(context.request.scope))


def _connection(context: Context) -> Connection:
    """The connection of a request. It outlives the request, unlike `context.session`. The SDK has no public access to it."""
    return context.session._connection  # pyright: ignore[reportPrivateUsage]


def resource_of(uri: str) -> Resource:
    """The resource with a URI.

    Raises:
        MCPError: there is no such resource.
    """
    try:
        return resource(uri)
    except InvalidInput as error:
        raise MCPError(types.INVALID_PARAMS, str(error), {"uri": uri}) from None


def mcp_error(error: Refused) -> MCPError:
    """The service's refusal as an error of the protocol: INVALID_PARAMS for a status below 500, else INTERNAL_ERROR."""
    code = types.INVALID_PARAMS if error.status < 500 else types.INTERNAL_ERROR
    return MCPError(code, str(error), {"status": error.status, **error.body})
