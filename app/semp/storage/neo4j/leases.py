"""Leases in Neo4j. They expire by the clock of the database."""

from __future__ import annotations

from semp.engine.records import Lease, lease_milliseconds
from semp.storage.neo4j import rows
from semp.storage.neo4j.connection import Connection


class Neo4jLeases:
    """Implements `semp.engine.ports.LeaseStore`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def acquire(self, name: str, holder: str, seconds: float) -> Lease:
        [row] = await self.connection.run_until_done("acquire_lease", name=name, holder=holder, milliseconds=lease_milliseconds(seconds))
        return _lease(row)

    async def renew(self, lease: Lease, seconds: float) -> Lease | None:
        result = await self.connection.run_until_done(
            "renew_lease", name=lease.name, token=lease.token, milliseconds=lease_milliseconds(seconds)
        )
        return _lease(result[0]) if result else None

    async def release(self, lease: Lease) -> bool:
        return bool(await self.connection.run_until_done("release_lease", name=lease.name, token=lease.token))

    async def lease(self, name: str) -> Lease | None:
        result = await self.connection.run("lease", name=name)
        return _lease(result[0]) if result else None


def _lease(row: rows.Row) -> Lease:
    """From a row of any query that returns a lease."""
    name, holder, token, expires, now = row
    return Lease(name, holder, token, expires, max(0, expires - now))
