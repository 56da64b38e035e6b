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
        """The fields to blame, empty when it is none in particular."""


class InvalidEvent(_Refused):
    """What was sent was refused (400) and nothing was written. `errors` names the fields."""


class TooLarge(InvalidEvent):
    """It is beyond one of the documented sizes (413)."""


class Conflict(_Refused):
    """The id is taken by an event with other content (409)."""


class NotFound(SempError):
    """There is no such thing (404)."""


class NotAllowed(SempError):
    """The service does not let this client do that (401, 403, close code 4001)."""


class ServiceFault(SempError):
    """The service failed on this request (500), or answered what it never should. Its log has the details."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Unavailable(SempError):
    """The service could not be reached, or had no room, for as long as the client was told to try.

    An event that was being sent may have been stored: emit it again with the same id, which is always safe.
    `retry_after`: seconds the service asked to wait, None when it did not say.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutboxFull(Unavailable):
    """More events wait to be sent than the client may hold. Nothing was taken."""


class HistoryLost(SempError):
    """The log cannot be read on from where the reader stands: it is another log, or that part of it is gone.

    Read the state again (signals, recent events), then start from the new log's position.
    """

    def __init__(self, message: str, position: int | None = None, epoch: str | None = None) -> None:
        super().__init__(message)
        self.position = position
        self.epoch = epoch


class ProtocolViolation(SempError):
    """The service broke what it promises, for instance left out a position, even after a reconnect."""


class SignalTimeout(SempError, TimeoutError):
    """The signal did not become strong enough in time."""


class Busy(SempError):
    """Another process (or another client of this one) uses this outbox or consumer name."""
