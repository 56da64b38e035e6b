"""Python client of SEL/SEMP.

`Client` is async-first and typed; `SEMPClient` is the small client of the public SEL/SEMP documents, with plain dicts. Importing this
package imports none of its dependencies: each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from semp_sdk._version import __version__

if TYPE_CHECKING:
    from semp_sdk.client import Client
    from semp_sdk.consumer import Consumer
    from semp_sdk.errors import (
        Busy,
        Conflict,
        HistoryLost,
        InvalidEvent,
        NotAllowed,
        NotFound,
        OutboxFull,
        ProtocolViolation,
        SempError,
        ServiceFault,
        SignalTimeout,
        TooLarge,
        Unavailable,
    )
    from semp_sdk.events import Emitted, Event, EventType, FieldError, Move, NewEvent, Signal, SignalUpdate
    from semp_sdk.identifiers import new_id
    from semp_sdk.mirror import Bolt, Mirror
    from semp_sdk.public_client import SEMPClient
    from semp_sdk.retry import Backoff
    from semp_sdk.stream import Stream
    from semp_sdk.tracing import Trace, carry, caused_by, current_trace

_PLACES = {
    "client": "Client",
    "consumer": "Consumer",
    "errors": "Busy Conflict HistoryLost InvalidEvent NotAllowed NotFound OutboxFull ProtocolViolation SempError ServiceFault "
    "SignalTimeout TooLarge Unavailable",
    "events": "Emitted Event EventType FieldError Move NewEvent Signal SignalUpdate",
    "identifiers": "new_id",
    "mirror": "Bolt Mirror",
    "retry": "Backoff",
    "public_client": "SEMPClient",
    "stream": "Stream",
    "tracing": "Trace carry caused_by current_trace",
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names.split()}

__all__ = [
    "Backoff",
    "Bolt",
    "Busy",
    "Client",
    "Conflict",
    "Consumer",
    "Emitted",
    "Event",
    "EventType",
    "FieldError",
    "HistoryLost",
    "InvalidEvent",
    "Mirror",
    "Move",
    "NewEvent",
    "NotAllowed",
    "NotFound",
    "OutboxFull",
    "ProtocolViolation",
    "SEMPClient",
    "SempError",
    "ServiceFault",
    "Signal",
    "SignalTimeout",
    "SignalUpdate",
    "Stream",
    "TooLarge",
    "Trace",
    "Unavailable",
    "__version__",
    "carry",
    "caused_by",
    "current_trace",
    "new_id",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
