"""Parameters of the routes: their names, types, bounds and descriptions, each written once."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import unquote

from litestar import Request
from litestar.openapi.spec import Example
from litestar.params import Parameter, QueryParameter

from semp.domain.event_types import EventType
from semp.domain.events import MAX_NAME
from semp.domain.scopes import MAX_SCOPE, Glob
from semp.engine.records import NODE_BUDGET

MAX_PAGE = 1000
"""Events or nodes in a page, at most."""

Limit = Annotated[int, Parameter(ge=1, le=MAX_PAGE, description="Events in a page, at most.")]
Types = Annotated[list[EventType] | None, QueryParameter(name="type", required=False, description="Only these types; may be repeated.")]
ScopeGlob = Annotated[
    str | None,
    QueryParameter(
        name="scope",  # the name is taken in Litestar's handlers
        required=False,
        max_length=MAX_SCOPE,
        description="A scope, or a glob: `*` is one segment, `**` at the end is one or more.",
        examples=[Example(value="ui.**")],
    ),
]
Position = Annotated[int | None, Parameter(ge=0, le=2**62, required=False, description="A position of the log.")]
Named = Annotated[str | None, Parameter(required=False, max_length=MAX_NAME, description="Only events with exactly this name.")]
InPath = Annotated[str, Parameter(description="Percent-encoded where needed.")]


Depth = Annotated[int | None, Parameter(ge=1, le=1_000_000, required=False, description="PARENT hops at most; default: no bound.")]
PageSize = Annotated[int, Parameter(ge=0, le=MAX_PAGE, description="Nodes in a page, at most; 0 for the count alone.")]
Cursor = Annotated[
    str | None,
    Parameter(
        required=False,
        pattern=r"^[0-9]{1,9}:[0-9]{1,18}(:[0-9]{1,18}){0,2}$",
        description="From a `Link` header: depth and position last seen, the newest position that counts, and the count.",
    ),
]
Budget = Annotated[
    int,
    Parameter(
        ge=1, le=NODE_BUDGET, description="Events reached at most, whether they are shown or not; beyond it the answer is truncated."
    ),
]
WithCount = Annotated[
    int, Parameter(ge=0, le=1, description="0 to leave out `count`: a page of the nearest is there before all are counted.")
]
WithPayload = Annotated[int, Parameter(ge=0, le=1, description="1 to include payloads.")]


def valid_glob(scope: str | None) -> Glob | None:
    """The scope filter, parsed.

    Raises:
        InvalidInput: it is neither a scope nor a glob.
    """
    return Glob.parse(scope) if scope is not None else None


def rest_of_path(request: Request[Any, Any, Any], prefix: str) -> str:
    """What follows the prefix in the path, percent-decoded once: slashes and empty segments in it are the client's own."""
    return unquote(request.scope["raw_path"].decode("latin-1").partition("?")[0]).removeprefix(prefix)
