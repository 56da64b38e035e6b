"""Resources: signals and traces under `semp://`. For each: where it is read, and which live messages change it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from semp.domain.errors import FieldError, InvalidInput
from semp.mcp.service import Message

LISTED = 100
"""Maximum number of signals, traces or events in a resource. The tools can read more."""

_URI = re.compile(r"semp://(?P<kind>signals|traces)(?:/(?P<first>[^/]+)(?:/(?P<second>[^/]+))?)?")


class Description(NamedTuple):
    """How a resource is described to a model. A URI with `{}` in it is a template."""

    uri: str
    name: str
    text: str


FIXED = (
    Description("semp://signals", "signals", f"The {LISTED} strongest live signals: what is promising now."),
    Description("semp://traces", "traces", f"The {LISTED} latest traces. Each is a piece of work."),
)
TEMPLATES = (
    Description("semp://signals/{scope}", "signals-of-scope", "Live signals of a scope or glob (ui.**), strongest first."),
    Description("semp://signals/{scope}/{pattern}", "signal", "One signal: the current strength of an action in a scope."),
    Description("semp://traces/{trace_id}", "trace", "Summary of a trace: its agents, its duration, its critical path."),
    Description("semp://traces/{trace_id}/events", "trace-events", f"The newest {LISTED} events of a trace, newest first."),
)


class Resource(NamedTuple):
    """Where a resource is read, and which live messages mean that it has changed."""

    uri: str
    path: str
    """Path in the REST API."""
    query: Mapping[str, Any]
    """Query parameters for `path`."""
    stream: Mapping[str, Any]
    """Query parameters of `/api/stream`, for the messages that can change the resource."""
    pattern: str | None = None
    """The signal's pattern, when the resource is a single signal."""

    def changed_by(self, message: Message) -> bool:
        """Whether a message of its stream changes it. There is no message when a signal fades with time."""
        if "signals" not in self.stream:
            return True
        return message["type"] == "signal" and self.pattern in (None, message["data"]["pattern"])


def resource(uri: str) -> Resource:
    """The resource with a URI. The parts of the URI are percent-encoded.

    Raises:
        InvalidInput: there is no such resource.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        known = ", ".join(one.uri for one in (*FIXED, *TEMPLATES))
        raise InvalidInput(FieldError("uri", f"expected one of {known}, with percent-encoded parts"))
    first, second = (unquote(part) if part else None for part in match.group("first", "second"))
    if match["kind"] == "signals":
        stream = {"scope": first, "signals": True}
        if second is None:
            return Resource(uri, "/api/signals", {"scope": first, "limit": LISTED}, stream)
        return Resource(uri, f"/api/signals/{quote(first or '', safe='')}/{quote(second, safe='')}", {}, stream, second)
    if first is None:
        return Resource(uri, "/api/traces", {"limit": LISTED}, {})
    if second is None:
        return Resource(uri, f"/api/traces/{quote(first, safe='')}", {}, {"trace_id": first})
    if second == "events":
        return Resource(uri, "/api/events", {"trace_id": first, "limit": LISTED}, {"trace_id": first})
    raise InvalidInput(FieldError("uri", "expected semp://traces/{trace_id} or semp://traces/{trace_id}/events"))


def signal_uri(scope: str, pattern: str) -> str:
    """The URI of a signal."""
    return f"semp://signals/{quote(scope, safe='')}/{quote(pattern, safe='')}"


def trace_uri(trace_id: str) -> str:
    """The URI of a trace."""
    return f"semp://traces/{quote(trace_id, safe='')}"
