"""Leases in memory. They expire by a clock of this process."""

from __future__ import annotations

import msgspec

from semp.domain.clock import Clock
from semp.engine.records import Lease, lease_milliseconds


class MemoryLeases:
    """Implements `semp.engine.ports.LeaseStore`.

    Args:
        clock: gives milliseconds since 1970.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, Lease] = {}
        """Leases that were not given back; they may have expired."""
        self._tokens: dict[str, int] = {}
        """The last token given out for each name."""

    async def acquire(self, name: str, holder: str, seconds: float) -> Lease:
        length, held = lease_milliseconds(seconds), await self.lease(name)
        if held is None:
            self._tokens[name] = self._tokens.get(name, 0) + 1
            return self._keep(Lease(name, holder, self._tokens[name], self._clock() + length, length))
        return self._keep(self._extended(held, length)) if held.holder == holder else held

    async def renew(self, lease: Lease, seconds: float) -> Lease | None:
        length = lease_milliseconds(seconds)
        return self._keep(self._extended(self._held[lease.name], length)) if self.holds(lease) else None

    async def release(self, lease: Lease) -> bool:
        if not self.holds(lease):
            return False
        del self._held[lease.name]
        return True

    async def lease(self, name: str) -> Lease | None:
        held, now = self._held.get(name), self._clock()
        return msgspec.structs.replace(held, left=held.expires - now) if held is not None and held.expires > now else None

    def holds(self, lease: Lease) -> bool:
        """Whether the lease was not given back and its token is the current one. True for an expired lease that nobody else took, too."""
        held = self._held.get(lease.name)
        return held is not None and held.token == lease.token

    def _extended(self, held: Lease, length: int) -> Lease:
        now = self._clock()
        expires = max(held.expires, now + length)
        return msgspec.structs.replace(held, expires=expires, left=expires - now)

    def _keep(self, lease: Lease) -> Lease:
        self._held[lease.name] = lease
        return lease
