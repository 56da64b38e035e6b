"""What can go wrong; all of it is a `SempError`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from semp_sdk.events import FieldError


class SempError(Exception):
    """Base of every error of this package."""


class _Refused(SempError):
    def __init__(self, message: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.errors = list(errors)
        """The invalid fields; empty when no field is to blame."""


class InvalidEvent(_Refused):
    """The service refused the request (400) and wrote nothing. `errors` names the fields."""


class TooLarge(InvalidEvent):
    """The request is larger than a documented limit (413)."""


class Conflict(_Refused):
    """An event with this id and other content exists (409)."""


class NotFound(SempError):
    """It does not exist (404)."""


class NotAllowed(SempError):
    """The service does not let this client do that (401, 403, close code 4001)."""


class ServiceFault(SempError):
    """The service failed on this request (500), or sent an invalid answer. Its log has the details."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Unavailable(SempError):
    """The service could not be reached, or was full, for the whole `patience` of the client.

    An event that was being sent may have been stored: emit it again with the same id, which is always safe.
    `retry_after`: seconds the service asked to wait, None when it did not say.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutboxFull(Unavailable):
    """Too many events wait to be sent. This one was not accepted."""


class HistoryLost(SempError):
    """The log cannot be read from the reader's position on: the log was replaced, or that part of it is gone.

    Read the state again (signals, recent events), then start from the new log's position.
    """

    def __init__(self, message: str, position: int | None = None, epoch: str | None = None) -> None:
        super().__init__(message)
        self.position = position
        self.epoch = epoch


class ProtocolViolation(SempError):
    """The service broke the protocol: for instance it left out a position, even after a reconnect."""


class SignalTimeout(SempError, TimeoutError):
    """The signal did not become strong enough in time."""


class Busy(SempError):
    """Another process (or another client of this one) uses this outbox or consumer name."""
