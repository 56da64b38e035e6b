"""Who is told when a resource changes: clients of the 2025 revisions by `resources/subscribe`, later ones by `subscriptions/listen`."""

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
"""Resources of one session, or of one listen request, at most."""
PACE = 0.1
"""Seconds between notices of one resource, at least, however often it changes; the last change is always followed by one."""
LONGEST_PAUSE = 30.0
"""Seconds between tries to reach a service that is away, at most."""

Context = ServerRequestContext[Any, Any]
Tell = Callable[[str], Awaitable[None]]


async def watch(service: Service, watched: Resource, tell: Tell, opened: asyncio.Future[None]) -> None:
    """Tell of each change once `opened` is done, until the service ends. After a gap, when it was away, it is told that there may be one.

    `opened` gets the error when it cannot be watched at all; nothing is raised.
    """
    pause = 1.0
    gap = False
    while True:
        try:
            async with aclosing(service.follow(watched.stream)) as news:
                async for messages in news:
                    if not opened.done():
                        opened.set_result(None)
                    if gap or any(map(watched.changed_by, messages)):
                        await tell(watched.uri)
                        await asyncio.sleep(PACE)
                    gap, pause = False, 1.0
        except Refused as error:
            if not opened.done():
                opened.set_exception(error)
                return
        if service.within:
            return
        gap = True
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


class Subscriptions:
    """Those of every session of a server."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._sessions: dict[int, dict[str, asyncio.Task[None]]] = {}
        """By the connection, whose end removes its entry."""

    async def subscribe(self, context: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
        """Tell this session from now on; safe to repeat."""
        watched = named(params.uri)
        connection = _connection(context)
        mine = self._of(connection)
        if params.uri in mine and not mine[params.uri].done():
            return types.EmptyResult()
        if len(mine) >= MAX_SUBSCRIPTIONS:
            raise MCPError(types.INVALID_PARAMS, f"a session subscribes to {MAX_SUBSCRIPTIONS} resources at most")
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        mine[params.uri] = asyncio.create_task(watch(on_behalf(self._service, context), watched, connection.send_resource_updated, opened))
        try:
            await opened
        except Refused as error:
            mine.pop(params.uri, None)
            raise refusal(error) from None
        return types.EmptyResult()

    async def unsubscribe(self, context: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        """Tell this session no more; safe to repeat."""
        task = self._of(_connection(context)).pop(params.uri, None)
        if task is not None:
            task.cancel()
        return types.EmptyResult()

    async def _ended(self) -> None:
        await self._service.ended.wait()

    def _of(self, connection: Connection) -> dict[str, asyncio.Task[None]]:
        key = id(connection)
        if key not in self._sessions:
            self._sessions[key] = {}
            connection.exit_stack.callback(self._end, key)
        return self._sessions[key]

    def _end(self, key: int) -> None:
        for task in self._sessions.pop(key).values():
            task.cancel()

    async def listen(self, context: Context, params: types.SubscriptionsListenRequestParams) -> types.SubscriptionsListenResult:
        """Tell on the stream of this request until its client leaves or the service ends. Tools and prompts never change."""
        uris = list(dict.fromkeys(params.notifications.resource_subscriptions or []))
        if len(uris) > MAX_SUBSCRIPTIONS:
            raise MCPError(types.INVALID_PARAMS, f"a request listens to {MAX_SUBSCRIPTIONS} resources at most")
        watched = [named(uri) for uri in uris]
        service = on_behalf(self._service, context)
        meta: dict[str, Any] = {SUBSCRIPTION_ID_META_KEY: context.request_id}

        async def send(notification: types.ServerNotification) -> None:
            await context.session.send_notification(notification, related_request_id=context.request_id)

        async def tell(uri: str) -> None:
            await acknowledged.wait()
            await send(types.ResourceUpdatedNotification(params=types.ResourceUpdatedNotificationParams(uri=uri, _meta=meta)))

        acknowledged = asyncio.Event()
        loop = asyncio.get_running_loop()
        opened = {uri: loop.create_future() for uri in uris}
        tasks = [asyncio.create_task(watch(service, one, tell, opened[one.uri])) for one in watched]
        if not tasks:  # nothing it asks for ever changes; it is kept waiting, so that it does not ask again and again
            tasks = [asyncio.create_task(self._ended())]
        try:
            for error in await asyncio.gather(*opened.values(), return_exceptions=True):
                if isinstance(error, Refused):
                    raise refusal(error)
            honored = types.SubscriptionFilter(resource_subscriptions=uris or None)
            acknowledgement = types.SubscriptionsAcknowledgedNotificationParams(notifications=honored, _meta=meta)
            await send(types.SubscriptionsAcknowledgedNotification(params=acknowledgement))
            acknowledged.set()
            await asyncio.wait(tasks)
        finally:
            for task in tasks:
                task.cancel()
            with anyio.CancelScope(shield=True):  # else each would be cancelled again while it closes its stream
                await asyncio.wait(tasks)
        return types.SubscriptionsListenResult(_meta=meta)


def on_behalf(service: Service, context: Context) -> Service:
    """The service, asked as whoever made this call: a session may be used by more than one. Without HTTP there is no principal."""
    return service.acting(None if context.request is None else principal_of(context.request.scope))


def _connection(context: Context) -> Connection:
    """Whom the request is from; unlike the request's own session it lasts. Handlers are given no public way to it."""
    return context.session._connection  # pyright: ignore[reportPrivateUsage]


def named(uri: str) -> Resource:
    """The resource, or the protocol's error for one that cannot be."""
    try:
        return resource(uri)
    except InvalidInput as error:
        raise MCPError(types.INVALID_PARAMS, str(error), {"uri": uri}) from None


def refusal(error: Refused) -> MCPError:
    """What the service refused, as the protocol's error: that a resource is not there is the asker's, that it cannot be read is not."""
    code = types.INVALID_PARAMS if error.status < 500 else types.INTERNAL_ERROR
    return MCPError(code, str(error), {"status": error.status, **error.body})
