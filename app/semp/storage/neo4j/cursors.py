"""Cursors in Neo4j."""

from __future__ import annotations

from semp.engine.records import Cursor, Fenced, Lease, LogReplaced
from semp.storage.neo4j.connection import Connection


class Neo4jCursors:
    """Implements `semp.engine.ports.CursorStore`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def cursor(self, name: str) -> Cursor | None:
        result = await self.connection.run("cursor", name=name)
        return Cursor(*result[0]) if result else None

    async def cursors(self, prefix: str = "") -> list[Cursor]:
        return [Cursor(*row) for row in await self.connection.run("cursors", prefix=prefix)]

    async def advance(self, name: str, position: int, epoch: str, *, under: Lease | None = None, back: bool = False) -> Cursor:
        lease, token = (under.name, under.token) if under is not None else (None, None)
        result = await self.connection.run_until_done(
            "advance_cursor", name=name, position=position, epoch=epoch, back=back, lease=lease, token=token
        )  # fmt: skip
        if not result:
            raise LogReplaced
        reached, allowed, cursor_epoch, cursor_position = result[0]
        if not allowed:
            raise Fenced
        if not reached or cursor_epoch != epoch:
            raise LogReplaced
        return Cursor(name, cursor_epoch, cursor_position)

    async def delete_cursor(self, name: str) -> bool:
        [[deleted]] = await self.connection.run_until_done("delete_cursor", name=name)
        return bool(deleted)
