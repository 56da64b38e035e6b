"""Who acts, what that principal may do, and what it may see. The gate (`semp.engine.gate`) asks these questions, nobody else."""

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
"""How a principal is known: everyone while access control is off, the service itself, an API key, a token of an identity provider."""
Verb = EventType | Literal["read", "link", "maintain"]
"""What may be allowed: to read, to append an event of a type, to write nodes and edges (`link`), or to maintain what is stored: sweep,
snapshot, verify, repair."""

EVERYWHERE = (Glob.parse("**"),)
"""The grant of every scope."""
_READER: tuple[Verb, ...] = ("read",)
_AGENT: tuple[Verb, ...] = (*_READER, "proposal", "ready", "test", "cancel", "link")
_SUPERVISOR: tuple[Verb, ...] = (*_AGENT, "reward", "penalty")
_ADMIN: tuple[Verb, ...] = (*_SUPERVISOR, "maintain")
ALLOWED: Mapping[Role, tuple[Verb, ...]] = {"reader": _READER, "agent": _AGENT, "supervisor": _SUPERVISOR, "admin": _ADMIN}
"""What each role may do, inside the scopes that are granted."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who acts. A principal never changes; new grants make a new one."""

    id: str
    kind: Kind
    roles: frozenset[Role] = frozenset()
    read: tuple[Glob, ...] = ()
    """Globs of the scopes it may read. None of them: no scope."""
    write: tuple[Glob, ...] = ()
    """Globs of the scopes it may append to. None of them: no scope."""
    agent_id: str | None = None
    """The only agent in whose name it may append; None for any."""

    @property
    def unrestricted(self) -> bool:
        """Whether every answer of this module is yes, so that nothing has to be asked for each event."""
        return "admin" in self.roles and EVERYWHERE[0] in self.read and EVERYWHERE[0] in self.write and self.agent_id is None


OPEN = Principal(id="open", kind="open", roles=frozenset({"admin"}), read=EVERYWHERE, write=EVERYWHERE)
"""Everyone, while access control is off."""
SERVICE = Principal(id="service", kind="service", roles=frozenset({"admin"}), read=EVERYWHERE, write=EVERYWHERE)
"""The service itself: sweeper, snapshots, hints between replicas, verification and repair."""


def visible(principal: Principal, scope: str) -> bool:
    """Whether what lies in the scope may be shown to the principal."""
    return _allows(principal, "read") and _granted(principal.read, scope)


def reads_everything(principal: Principal) -> bool:
    """Whether there is no scope that must be hidden from the principal."""
    return _allows(principal, "read") and EVERYWHERE[0] in principal.read


def may(principal: Principal, verb: Verb, scope: str | None = None) -> bool:
    """Whether the principal may do this in a scope. Without a scope, for what lies in none, its roles alone decide."""
    if not _allows(principal, verb):
        return False
    return scope is None or _granted(principal.read if verb == "read" else principal.write, scope)


def may_append(principal: Principal, draft: Draft) -> bool:
    """Whether the principal may append this event, in the name of the agent it gives."""
    return principal.agent_id in (None, draft.agent_id) and may(principal, draft.type, draft.scope)


def require(principal: Principal, verb: Verb) -> None:
    """Insist on a verb that needs no scope.

    Raises:
        Forbidden: the principal's roles do not allow it.
    """
    if not may(principal, verb):
        raise Forbidden(f"{principal.id} may not {verb}")


def _allows(principal: Principal, verb: Verb) -> bool:
    return any(verb in ALLOWED[role] for role in principal.roles)


def _granted(globs: tuple[Glob, ...], scope: str) -> bool:
    return any(glob.matches(scope) for glob in globs)
