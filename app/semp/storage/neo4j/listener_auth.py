"""Credentials that are sent only after a check which program listens at the other end of the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar

from neo4j import Address, Auth, basic_auth
from neo4j.auth_management import AsyncAuthManager
from neo4j.exceptions import Neo4jError, ServiceUnavailable

_connecting: ContextVar[bool] = ContextVar("connecting", default=False)


class ListenerAuth(AsyncAuthManager):
    """User and password for a server on this machine. The server is checked at each new connection of a driver.

    A driver reconnects by itself when the server was down. Meanwhile another user's program may have taken the port. The driver asks for
    the credentials after it has connected, so a check at that moment is about the program that accepted the connection. A connection
    that is reused is not checked again: it ends together with the program that accepted it.

    Pass the instance as the driver's `auth`, and `note_connecting` as its `resolver`.
    """

    def __init__(self, user: str, password: str, trusted: Callable[[], bool]) -> None:
        """`trusted` tells whether the listener is the right one. It may block: it is called in a thread."""
        self._auth = basic_auth(user, password)
        self._trusted = trusted

    async def note_connecting(self, address: Address) -> list[Address]:
        """Remember that a connection is new. The driver calls this before it connects, in the task that then asks for the credentials."""
        _connecting.set(True)
        return [address]

    async def get_auth(self) -> Auth:
        """The credentials.

        Raises:
            ServiceUnavailable: the connection is new, and the listener is not the right one. Nothing secret was sent.
        """
        if _connecting.get():
            _connecting.set(False)
            if not await asyncio.to_thread(self._trusted):
                raise ServiceUnavailable("another program listens at the address of the database")
        return self._auth

    async def handle_security_exception(self, auth: Auth | tuple[object, object] | None, error: Neo4jError) -> bool:  # noqa: ARG002
        """False: there are no other credentials to try."""
        return False
