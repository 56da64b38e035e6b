"""Decides which replica appends: the holder of the append lease. All others hand their submissions on to it."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket

import msgspec

from semp.domain.errors import FieldError, InvalidInput, StoreUnavailable
from semp.domain.events import new_id
from semp.engine.environment import Environment
from semp.engine.records import Lease
from semp.relays.handing_on.endpoint import Endpoint
from semp.relays.handing_on.handshake import NotAReplica
from semp.relays.handing_on.link import Link

log = logging.getLogger(__name__)

LEASE = "append"
"""The name of the lease."""
SECONDS = 1.5
"""Length of the lease. If its holder is gone, another replica takes it after this time."""
RENEWED_EVERY = 0.5
"""Seconds between two renewals, and between two looks at a lease that another replica holds."""
LONGEST_PAUSE = 5.0
"""Seconds between attempts to connect to a leader that cannot be reached, at most."""
TOLD_AFTER = 6
"""Failed attempts, about 3 s, after which the operator is told. A replica that has gone loses its lease before."""


class Holder(msgspec.Struct, frozen=True):
    """A replica, as the lease names its holder. Never log it: who knows the secret can hand events on."""

    id: str
    host: str
    port: int
    secret: str


def parsed_address(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`.

    Raises:
        InvalidInput: it is no such address.
    """
    host, colon, port = text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise InvalidInput(FieldError("--replica-address", f"expected HOST:PORT with a port of 0 to 65535, got {text}"))
    return host, int(port)


class Replica:
    """Takes part in the choice of the leader, and connects the committer to it.

    Nothing depends on the lease being right: the tip token (docs/decisions/0001) refuses the batch of a replica that wrongly believes that
    it leads. A replica that reaches no leader appends by itself.

    Args:
        environment: must be started.
        address: host and port to listen on for other replicas; they connect to the same address. Port 0: any free one. If the host stands
            for all addresses of the machine, they connect to the machine's host name.
    """

    def __init__(self, environment: Environment, address: tuple[str, int]) -> None:
        self._environment = environment
        self._storage = environment.storage
        self._following = environment.committer.following
        self._address = address
        self._secret = secrets.token_hex(32)
        self._endpoint = Endpoint(environment, self._secret.encode(), lambda: self._following.leading)
        self._me = ""
        self._lease: Lease | None = None
        self._until = 0.0
        """When the lease expires, by the loop's clock in seconds."""
        self._leader = ""
        """The holder of the lease that this replica follows; empty for none."""
        self._link: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Listen for other replicas, and take the lease or follow its holder from now on.

        Raises:
            InvalidInput: the address cannot be listened on.
        """
        host, port = self._address
        try:
            port = await self._endpoint.start(host, port)
        except OSError as error:
            reason = f"cannot listen on {host}:{port}: {error.strerror or error}"
            raise InvalidInput(FieldError("--replica-address", reason)) from error
        announced = socket.gethostname() if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not listened on
        self._me = msgspec.json.encode(Holder(new_id(), announced, port, self._secret)).decode()
        self._following.leading = False
        self._tasks = [
            asyncio.create_task(self._choose_forever(), name="append lease"),
            asyncio.create_task(self._show_life_forever(), name="signs of life"),
        ]

    async def stop(self) -> None:
        """Give the lease up, answer what was accepted from other replicas, and close all connections. Call it after the drain."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._follow("")
        await self._resign()
        await self._endpoint.stop()

    async def _show_life_forever(self) -> None:
        while True:
            await asyncio.sleep(RENEWED_EVERY)
            self._endpoint.show_life()

    async def _choose_forever(self) -> None:
        while True:
            left = RENEWED_EVERY
            try:
                left = await self._choose()
            except StoreUnavailable:
                if self._lease is not None and asyncio.get_running_loop().time() > self._until:
                    self._step_down("it could not be renewed in time")
            except Exception:
                log.exception("the append lease could not be looked at")
            await asyncio.sleep(min(RENEWED_EVERY, left))

    async def _choose(self) -> float:
        """Renew the lease, take it if it is free, or follow its holder; returns the seconds until it can be free again."""
        if self._environment.committer.closing:
            await self._resign()
            return RENEWED_EVERY
        asked = asyncio.get_running_loop().time()
        if self._lease is not None:
            renewed = await self._storage.renew(self._lease, SECONDS)
            if renewed is None:
                self._step_down("another replica has taken it")
            else:
                self._lease, self._until = renewed, asked + renewed.left / 1000
                return RENEWED_EVERY
        held = await self._storage.lease(LEASE) or await self._storage.acquire(LEASE, self._me, SECONDS)
        if held.holder == self._me:
            self._lease, self._until = held, asked + held.left / 1000
            await self._follow("")
            self._following.leading = True
            log.info("this replica has the append lease and appends for all (token %d)", held.token)
        else:
            await self._follow(held.holder)
        return held.left / 1000 + 0.01

    def _step_down(self, why: str) -> None:
        """Append no longer for others."""
        log.warning("this replica no longer has the append lease: %s", why)
        self._lease = None
        self._following.leading = False
        self._endpoint.disconnect()

    async def _resign(self) -> None:
        """Give the lease up, so that another replica can take it at once."""
        if self._lease is None:
            return
        lease, self._lease = self._lease, None
        self._following.leading = False
        try:
            await self._storage.release(lease)
            log.info("this replica has given the append lease up")
        except StoreUnavailable:
            pass  # it expires

    async def _follow(self, holder: str) -> None:
        """Connect to this holder of the lease, and to no other; empty: to nobody."""
        if holder == self._leader and (self._link is None or not self._link.done()):
            return
        if self._link is not None:
            self._link.cancel()
            await asyncio.gather(self._link, return_exceptions=True)
        self._leader, self._link, self._following.leader = holder, None, None
        if holder:
            self._link = asyncio.create_task(self._stay_connected(msgspec.json.decode(holder, type=Holder)), name="link to the leader")

    async def _stay_connected(self, leader: Holder) -> None:
        pause, attempts = 0.1, 0
        while True:
            link = self._following.leader = Link(self._environment, leader.host, leader.port, leader.secret.encode())
            try:
                why = await link.run()
                log.warning("the connection to the replica at %s:%d, which appends, was lost: %s", leader.host, leader.port, why)
                pause, attempts = 0.1, 0
            except (OSError, TimeoutError, asyncio.IncompleteReadError, NotAReplica) as error:
                attempts += 1
                if attempts == TOLD_AFTER:
                    log.warning(
                        "the replica that appends cannot be reached at %s:%d (%s); this one appends by itself. "
                        "If it is on another machine, set --replica-address or SEMP_REPLICA_ADDRESS there",
                        leader.host, leader.port, error or type(error).__name__,
                    )  # fmt: skip
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
