"""The errors of the service, independent of HTTP. Only `semp.api.errors` maps them to HTTP."""

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
    """The input is larger than a documented limit."""


class NotFound(SempError):
    """Something that was asked for by id or name does not exist."""


class Forbidden(SempError):
    """The principal may not do this; nothing was written. `fields` names the parts of the input that caused it, if any."""

    def __init__(self, message: str, *fields: FieldError) -> None:
        self.fields: Sequence[FieldError] = fields
        super().__init__(message)


class IdConflict(SempError):
    """The id already belongs to an event (or a node, see `what`) with other content.

    `index` is the place of the refused event in its batch, None outside a batch.
    """

    def __init__(self, event_id: str, index: int | None = None, what: str = "an event") -> None:
        self.what = what
        """What the id belongs to: `an event` or `a node`."""
        self.event_id = event_id
        self.index = index
        super().__init__(f"id {event_id} is taken by {what} with other content")

    @property
    def field(self) -> str:
        """The path of the id in the input."""
        return "id" if self.index is None else f"[{self.index}].id"


class CannotResume(SempError):
    """The position does not exist in this log: the log was replaced, or it ends earlier. The client has to read the state again."""


class Unavailable(SempError):
    """The request cannot be served now; the client may repeat it after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: int = 1) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class QueueFull(Unavailable):
    """The bounded append queue has no room; nothing of the request was accepted."""


class StoreUnavailable(Unavailable):
    """The database cannot be reached or is not ready."""


class StoreFull(StoreUnavailable):
    """The disk that holds the data has too little room for more. Nothing was written; reading goes on."""


class StoreOverloaded(StoreUnavailable):
    """The database had too little memory for this beside what else it was doing, and stopped it. It answers others."""


class CredentialsRefused(StoreUnavailable):
    """The database can be reached, but it refuses this user and password."""


class OutcomeUnknown(Unavailable):
    """The database went away during the commit and did not come back in time: the events may or may not be stored.

    Repeating the request with the same ids is safe: events that were stored are answered, events that were not are appended.
    """


class QueryTimeout(SempError):
    """A read took longer than its time limit and was stopped; a narrower question may succeed."""


class QueryTooLarge(SempError):
    """A read needs more than its node budget or the database's memory for one; a narrower question may succeed."""


class SchemaMismatch(SempError):
    """The database was written by a newer version of this service, or by something else."""
