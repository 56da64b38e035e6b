"""Resources: signals and traces under `semp://`, what is read for each, and what changes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from semp.domain.errors import FieldError, InvalidInput
from semp.mcp.service import Message

LISTED = 100
"""Signals, traces or events in a resource, at most; the tools read on from there."""

_URI = re.compile(r"semp://(?P<kind>signals|traces)(?:/(?P<first>[^/]+)(?:/(?P<second>[^/]+))?)?")


class Description(NamedTuple):
    """A resource, or with `{}` in its URI a template, as a model is told of it."""

    uri: str
    name: str
    text: str


FIXED = (
    Description("semp://signals", "signals", f"The {LISTED} strongest live signals: what is promising now."),
    Description("semp://traces", "traces", f"The {LISTED} latest traces, each a piece of work."),
)
TEMPLATES = (
    Description("semp://signals/{scope}", "signals-of-scope", "Live signals of a scope or glob (ui.**), strongest first."),
    Description("semp://signals/{scope}/{pattern}", "signal", "One signal: how strong a scope and action are now."),
    Description("semp://traces/{trace_id}", "trace", "A trace at a glance: who took part, how long it took, its critical path."),
    Description("semp://traces/{trace_id}/events", "trace-events", f"The newest {LISTED} events of a trace, newest first."),
)


class Resource(NamedTuple):
    """Where a resource is read, and which messages of which stream say that it has changed."""

    uri: str
    path: str
    query: Mapping[str, Any]
    stream: Mapping[str, Any]
    pattern: str | None = None
    """The pattern of a single signal."""

    def changed_by(self, message: Message) -> bool:
        """Whether a message of its stream is about it. Signals also fade with time, which nobody is told of."""
        if "signals" not in self.stream:
            return True
        return message["type"] == "signal" and self.pattern in (None, message["data"]["pattern"])


def resource(uri: str) -> Resource:
    """The resource a URI names; parts are percent-encoded.

    Raises:
        InvalidInput: it names none.
    """
    found = _URI.fullmatch(uri)
    if found is None:
        known = ", ".join(one.uri for one in (*FIXED, *TEMPLATES))
        raise InvalidInput(FieldError("uri", f"expected one of {known}, the parts percent-encoded"))
    first, second = (unquote(part) if part else None for part in found.group("first", "second"))
    if found["kind"] == "signals":
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
    raise InvalidInput(FieldError("uri", "of a trace there are semp://traces/{trace_id} and semp://traces/{trace_id}/events"))


def signal_uri(scope: str, pattern: str) -> str:
    """The URI of a signal."""
    return f"semp://signals/{quote(scope, safe='')}/{quote(pattern, safe='')}"


def trace_uri(trace_id: str) -> str:
    """The URI of a trace."""
    return f"semp://traces/{quote(trace_id, safe='')}"
