"""Redis hints that the log grew. A hint makes other replicas read the log at once. They also poll it, so a hint may be lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import cast
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import RedisError

from semp.domain.errors import FieldError, InvalidInput
from semp.engine.access import SERVICE
from semp.engine.environment import Environment
from semp.engine.records import Entry

log = logging.getLogger(__name__)

CHANNEL = "semp:head"
"""The Redis channel of the hints. A hint is the text `<epoch>:<head>`."""
LONGEST_PAUSE = 5.0
"""Seconds between attempts to reach a Redis that is away, at most."""


def check_url(url: str) -> None:
    """Check the URL of a Redis. It must not contain a password: a command line is visible to every user of the machine.

    Raises:
        InvalidInput: the URL cannot be used. The message does not contain it, because it may hold a secret.
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
    """Publishes a hint when this replica has seen the log grow, and reads the log when another replica publishes one.

    Appends and deliveries never wait for Redis.

    Args:
        environment: must be started.
        url: such as redis://host:6379/0.
        password: None when Redis needs none.

    Raises:
        InvalidInput: the URL cannot be used.
    """

    def __init__(self, environment: Environment, url: str, password: str | None = None) -> None:
        check_url(url)
        self._growth = environment.growth
        self._gate = environment.acting(SERVICE)
        self._redis = Redis.from_url(url, password=password, socket_connect_timeout=2.0, socket_keepalive=True, health_check_interval=15)
        self._grown = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to publish and to listen. Needs a running event loop."""
        self._growth.add(self._on_growth)
        self._tasks = [
            asyncio.create_task(self._publish_forever(), name="hints out"),
            asyncio.create_task(self._listen_forever(), name="hints in"),
        ]

    async def stop(self) -> None:
        """Stop publishing and listening, and close the connection."""
        self._growth.remove(self._on_growth)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._redis.aclose()

    def _on_growth(self, _: Sequence[Entry]) -> None:
        self._grown.set()

    async def _publish_forever(self) -> None:
        """Publish one hint for all events that were committed while the previous hint was being sent."""
        while True:
            await self._grown.wait()
            self._grown.clear()
            state = self._gate.state
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
                    self._gate.poll_now()  # hints that were published before this replica listened are lost
                    pause = 0.1
                    async for message in channel.listen():  # pyright: ignore[reportUnknownVariableType]
                        self._on_hint(cast("dict[str, bytes]", message)["data"])
            except (RedisError, OSError) as error:
                log.warning("Redis cannot be reached (%s); this replica polls for new events without hints", type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _on_hint(self, hint: bytes) -> None:
        epoch, _, head = hint.decode(errors="replace").rpartition(":")
        state = self._gate.state
        if epoch == state.epoch and head.isdigit() and int(head) > state.head:
            self._gate.poll_now()
