"""What a subscriber wants to receive: a filter over events. It is hashable, so that subscribers with equal filters share work."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from semp.domain.errors import FieldError, InvalidInput
from semp.domain.event_types import EVENT_TYPES, EventType
from semp.domain.events import MAX_NAME, Event
from semp.domain.scopes import Glob, Globs

MAX_ALTERNATIVES = 100
"""Values in one field of an interest, at most."""


class Interest(msgspec.Struct, frozen=True, kw_only=True):
    """A filter over events. The values of one field are alternatives; all fields must match; an empty field matches every event."""

    scopes: Globs = Globs()
    types: tuple[EventType, ...] = ()
    trace_ids: tuple[str, ...] = ()
    agent_ids: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, scopes: Iterable[str] = (), types: Iterable[str] = (), trace_ids: Iterable[str] = (), agent_ids: Iterable[str] = ()
    ) -> Interest:
        """An interest in these values. Order and repeats do not matter.

        Raises:
            InvalidInput: an unknown type, a malformed scope, a name of the wrong length, or too many alternatives.
        """
        values = {"scope": set(scopes), "type": set(types), "trace_id": set(trace_ids), "agent_id": set(agent_ids)}
        errors = [
            FieldError(name, f"{len(v)} alternatives, the limit is {MAX_ALTERNATIVES}")
            for name, v in values.items()
            if len(v) > MAX_ALTERNATIVES
        ]
        if errors:
            raise InvalidInput(*errors)  # before each is looked at: there may be a hundred thousand
        fields = {name: tuple(sorted(v)) for name, v in values.items()}
        try:
            globs = Globs([Glob.parse(scope) for scope in fields["scope"]])
        except InvalidInput as error:
            globs = Globs()
            errors += error.fields
        if unknown := [name for name in fields["type"] if name not in EVENT_TYPES]:
            errors.append(FieldError("type", f"{unknown[0][:40]!r} is none of {', '.join(EVENT_TYPES)}"))
        errors += [
            FieldError(name, f"expected 1 to {MAX_NAME} characters")
            for name in ("trace_id", "agent_id")
            if not all(1 <= len(value) <= MAX_NAME for value in fields[name])
        ]
        if errors:
            raise InvalidInput(*errors)
        known: tuple[EventType, ...] = tuple([name for name in EVENT_TYPES if name in fields["type"]])
        return cls(scopes=globs, types=known, trace_ids=fields["trace_id"], agent_ids=fields["agent_id"])

    @property
    def everything(self) -> bool:
        """Whether it matches every event."""
        return not (self.scopes or self.types or self.trace_ids or self.agent_ids)

    def covers_scope(self, scope: str) -> bool:
        """Whether the field `scopes` matches; the other fields are not looked at."""
        return not self.scopes or self.scopes.matches(scope)

    def covers(self, event: Event) -> bool:
        """Whether all fields match the event."""
        return (
            (not self.types or event.type in self.types)
            and (not self.trace_ids or event.trace_id in self.trace_ids)
            and (not self.agent_ids or event.agent_id in self.agent_ids)
            and self.covers_scope(event.scope)
        )


EVERYTHING = Interest()
