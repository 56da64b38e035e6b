"""Word between replicas that the log has grown, over Redis. It makes them prompt; what makes them certain is that each polls the log."""

from __future__ import annotations

import asyncio
import logging
from typing import cast
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import RedisError

from semp.domain.errors import FieldError, InvalidInput
from semp.engine.environment import Environment

log = logging.getLogger(__name__)

CHANNEL = "semp:head"
LONGEST_PAUSE = 5.0
"""Seconds between tries to reach a Redis that is away, at most."""


def check_url(url: str) -> None:
    """Refuse what could not be used, and what holds a secret.

    Raises:
        InvalidInput: without the URL in its message.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.username is None and parts.password is None
    except ValueError:
        usable = False
    if not usable:
        reason = "expected an address such as redis://host:6379/0 without a password; that goes into SEMP_REDIS_PASSWORD"
        raise InvalidInput(FieldError("--redis", reason))


class RedisHints:
    """Says when this replica has committed, and has it look when another one has. Never in the way: without Redis nothing waits.

    Args:
        url: as redis://host:6379/0.
        password: None when the server asks for none.
    """

    def __init__(self, environment: Environment, url: str, password: str | None = None) -> None:
        check_url(url)
        self.environment = environment
        self._redis = Redis.from_url(url, password=password, socket_connect_timeout=2.0, socket_keepalive=True, health_check_interval=15)
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self.environment.on_growth = self._news.set
        self._tasks = [
            asyncio.create_task(self._tell_forever(), name="hints out"),
            asyncio.create_task(self._listen_forever(), name="hints in"),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._redis.aclose()

    async def _tell_forever(self) -> None:
        """One message for all that was committed while the one before was under way."""
        while True:
            await self._news.wait()
            self._news.clear()
            state = self.environment.ledger.state
            try:
                await self._redis.publish(CHANNEL, f"{state.epoch}:{state.head}")
            except (RedisError, OSError):
                await asyncio.sleep(0.5)

    async def _listen_forever(self) -> None:
        pause = 0.1
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(CHANNEL)
                    self.environment.look()  # for what was said while this one did not listen
                    pause = 0.1
                    async for message in channel.listen():  # pyright: ignore[reportUnknownVariableType]
                        self._heard(cast("dict[str, bytes]", message)["data"])
            except (RedisError, OSError) as error:
                log.warning("no hints from Redis, polling alone: %s", type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _heard(self, said: bytes) -> None:
        epoch, _, head = said.decode(errors="replace").rpartition(":")
        state = self.environment.ledger.state
        if epoch == state.epoch and head.isdigit() and int(head) > state.head:
            self.environment.look()
