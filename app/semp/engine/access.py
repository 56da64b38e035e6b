"""Principals: what each may do and may see. The checks are called by the gate (`semp.engine.gate`) and by maintenance, nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from semp.domain.errors import Forbidden
from semp.domain.event_types import EventType
from semp.domain.events import Draft
from semp.domain.scopes import Glob

Role = Literal["reader", "agent", "supervisor", "admin"]
Kind = Literal["open", "service", "key", "token"]
"""How a principal was identified. `open`: not at all, access control is off. `service`: it is the service itself. `key`: by an API key.
`token`: by a token of an identity provider."""
Verb = EventType | Literal["read", "link", "maintain"]
"""What a role can allow: to append an event of a type, to read, to write nodes and edges (`link`), or to `maintain` what is stored
(sweep, snapshot, verify, repair)."""

EVERYWHERE = (Glob.parse("**"),)
"""A grant of all scopes."""
_READER: tuple[Verb, ...] = ("read",)
_AGENT: tuple[Verb, ...] = (*_READER, "proposal", "ready", "test", "cancel", "link")
_SUPERVISOR: tuple[Verb, ...] = (*_AGENT, "reward", "penalty")
_ADMIN: tuple[Verb, ...] = (*_SUPERVISOR, "maintain")
ALLOWED: Mapping[Role, tuple[Verb, ...]] = {"reader": _READER, "agent": _AGENT, "supervisor": _SUPERVISOR, "admin": _ADMIN}
"""What each role may do, in the granted scopes."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes a request, and what was granted to it. Immutable: other grants need a new principal."""

    id: str
    kind: Kind
    roles: frozenset[Role] = frozenset()
    read: tuple[Glob, ...] = ()
    """Globs of the scopes it may read. Empty: no scope."""
    write: tuple[Glob, ...] = ()
    """Globs of the scopes it may append to. Empty: no scope."""
    agent_id: str | None = None
    """The only `agent_id` that its events may have; None for any."""

    @property
    def unrestricted(self) -> bool:
        """Whether it may do everything everywhere, so that its events need no check one by one."""
        return "admin" in self.roles and EVERYWHERE[0] in self.read and EVERYWHERE[0] in self.write and self.agent_id is None


OPEN = Principal(id="open", kind="open", roles=frozenset({"admin"}), read=EVERYWHERE, write=EVERYWHERE)
"""Every client, while access control is off."""
SERVICE = Principal(id="service", kind="service", roles=frozenset({"admin"}), read=EVERYWHERE, write=EVERYWHERE)
"""The service itself: for sweeping, snapshots, hints between replicas, verification and repair."""


def visible(principal: Principal, scope: str) -> bool:
    """Whether the principal may see the events and signals of a scope."""
    return _allows(principal, "read") and _granted(principal.read, scope)


def reads_everything(principal: Principal) -> bool:
    """Whether the principal may read all scopes."""
    return _allows(principal, "read") and EVERYWHERE[0] in principal.read


def may(principal: Principal, verb: Verb, scope: str | None = None) -> bool:
    """Whether the principal may do this in a scope. Without a scope, its roles alone decide."""
    if not _allows(principal, verb):
        return False
    return scope is None or _granted(principal.read if verb == "read" else principal.write, scope)


def may_append(principal: Principal, draft: Draft) -> bool:
    """Whether the principal may append an event of this type, to this scope, with this `agent_id`."""
    return principal.agent_id in (None, draft.agent_id) and may(principal, draft.type, draft.scope)


def require(principal: Principal, verb: Verb) -> None:
    """Check a verb that needs no scope.

    Raises:
        Forbidden: the principal's roles do not allow it.
    """
    if not may(principal, verb):
        raise Forbidden(f"{principal.id} may not {verb}")


def _allows(principal: Principal, verb: Verb) -> bool:
    return any(verb in ALLOWED[role] for role in principal.roles)


def _granted(globs: tuple[Glob, ...], scope: str) -> bool:
    return any(glob.matches(scope) for glob in globs)
