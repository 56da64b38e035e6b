"""Leases in memory; time is this process's."""

from __future__ import annotations

import msgspec

from semp.domain.clock import Clock
from semp.engine.records import Lease, lease_milliseconds


class MemoryLeases:
    """Implements `semp.engine.ports.LeaseStore`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, Lease] = {}
        self._tokens: dict[str, int] = {}

    async def acquire(self, name: str, holder: str, seconds: float) -> Lease:
        lasts, held = lease_milliseconds(seconds), await self.lease(name)
        if held is None:
            self._tokens[name] = self._tokens.get(name, 0) + 1
            return self._keep(Lease(name, holder, self._tokens[name], self._clock() + lasts, lasts))
        return self._keep(self._longer(held, lasts)) if held.holder == holder else held

    async def renew(self, lease: Lease, seconds: float) -> Lease | None:
        lasts = lease_milliseconds(seconds)
        return self._keep(self._longer(self._held[lease.name], lasts)) if self.holds(lease) else None

    async def release(self, lease: Lease) -> bool:
        if not self.holds(lease):
            return False
        del self._held[lease.name]
        return True

    async def lease(self, name: str) -> Lease | None:
        held, now = self._held.get(name), self._clock()
        return msgspec.structs.replace(held, left=held.expires - now) if held is not None and held.expires > now else None

    def holds(self, lease: Lease) -> bool:
        """Whether its token is the current one, and was not given back."""
        held = self._held.get(lease.name)
        return held is not None and held.token == lease.token

    def _longer(self, held: Lease, lasts: int) -> Lease:
        now = self._clock()
        expires = max(held.expires, now + lasts)
        return msgspec.structs.replace(held, expires=expires, left=expires - now)

    def _keep(self, lease: Lease) -> Lease:
        self._held[lease.name] = lease
        return lease
