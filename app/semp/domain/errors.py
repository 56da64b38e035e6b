"""What can go wrong, in the domain's own words; `semp.api.errors` is the one place that maps it to HTTP."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """One field of the input and why it was refused. `field` is a path such as `payload.value` or `[3].scope`."""

    field: str
    reason: str


class SempError(Exception):
    """Base of every error the service raises on purpose."""


class InvalidInput(SempError):
    """The input was refused and nothing was written. `fields` names each field with its reason."""

    def __init__(self, *fields: FieldError) -> None:
        self.fields: Sequence[FieldError] = fields
        super().__init__("; ".join(f"{error.field}: {error.reason}" if error.field else error.reason for error in fields))


class TooLarge(InvalidInput):
    """The input is beyond one of the documented sizes."""


class NotFound(SempError):
    """What was asked for by name does not exist."""


class Forbidden(SempError):
    """Whoever asks may not do this; nothing was written. `fields` names what of the input was the reason, where it was."""

    def __init__(self, message: str, *fields: FieldError) -> None:
        self.fields: Sequence[FieldError] = fields
        super().__init__(message)


class IdConflict(SempError):
    """The id is taken by an event with other content. `index` is its place in a batch, None for a single event."""

    def __init__(self, event_id: str, index: int | None = None, what: str = "an event") -> None:
        self.what = what
        """What has the id."""
        self.event_id = event_id
        self.index = index
        super().__init__(f"id {event_id} is taken by {what} with other content")

    @property
    def field(self) -> str:
        """Where the id stands in what was sent."""
        return "id" if self.index is None else f"[{self.index}].id"


class CannotResume(SempError):
    """The position is not one of this log: it was replaced, or ends before it. The client has to read the state again."""


class Unavailable(SempError):
    """The work cannot be done now; the same request may be repeated after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: int = 1) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class QueueFull(Unavailable):
    """The bounded append queue has no room; nothing of the request was accepted."""


class StoreUnavailable(Unavailable):
    """The database cannot be reached or is not ready."""


class StoreFull(StoreUnavailable):
    """The disk that holds the data has too little room for more. Nothing was written; reading goes on."""


class CredentialsRefused(StoreUnavailable):
    """The database is there, but not for this user and password."""


class OutcomeUnknown(Unavailable):
    """The database went away during the commit and did not come back in time: the events may or may not be stored.

    Repeating the request with the same ids is safe: what was stored is answered, what was not is appended.
    """


class QueryTimeout(SempError):
    """A read took longer than its time limit and was stopped; a narrower question may succeed."""


class QueryTooLarge(SempError):
    """A read needs more than its node budget or the database's memory for one; a narrower question may succeed."""


class SchemaMismatch(SempError):
    """The database was written by a newer version of this service, or is not one of ours."""
