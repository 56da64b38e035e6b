"""Request parameters that several routes share: name, type, bounds and description."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar
from urllib.parse import unquote

from litestar import Request
from litestar.openapi.spec import Example
from litestar.params import Parameter, QueryParameter

from semp.domain.event_types import EventType
from semp.domain.events import MAX_NAME
from semp.domain.scopes import MAX_SCOPE, Glob
from semp.engine.records import NODE_BUDGET

V = TypeVar("V")

MAX_PAGE = 1000
"""Maximum number of events or nodes in a page."""

Limit = Annotated[int, Parameter(ge=1, le=MAX_PAGE, description="Maximum number of items in a page.")]
Types = Annotated[list[EventType] | None, QueryParameter(name="type", required=False, description="Only these types; may be repeated.")]
ScopeGlob = Annotated[
    str | None,
    QueryParameter(
        name="scope",  # a handler's argument cannot be called `scope`: Litestar passes the ASGI scope under that name
        required=False,
        max_length=MAX_SCOPE,
        description="A scope or a glob: `*` matches one segment, `**` at the end matches one or more.",
        examples=[Example(value="ui.**")],
    ),
]
Position = Annotated[int | None, Parameter(ge=0, le=2**62, required=False, description="A position of the log.")]
Named = Annotated[str | None, Parameter(required=False, max_length=MAX_NAME, description="Only events with exactly this name.")]
InPath = Annotated[str, Parameter(description="Percent-encoded where needed.")]


Depth = Annotated[
    int | None, Parameter(ge=1, le=1_000_000, required=False, description="Maximum number of PARENT hops; default: no limit.")
]
PageSize = Annotated[int, Parameter(ge=0, le=MAX_PAGE, description="Maximum number of nodes in a page; 0 returns only the count.")]
Cursor = Annotated[
    str | None,
    Parameter(
        required=False,
        pattern=r"^[0-9]{1,9}:[0-9]{1,18}(:[0-9]{1,18}(:[0-9]{1,18}(:0)?)?)?$",
        description="From a `Link` header: depth and position of the last node, then the newest position included, then the total count, "
        "then 0 if that is a lower bound.",
    ),
]
Budget = Annotated[
    int,
    Parameter(ge=1, le=NODE_BUDGET, description="Maximum number of events to visit, shown or not. A search that reaches it is truncated."),
]
WithCount = Annotated[
    int, Parameter(ge=0, le=1, description="0 leaves out `count`; the page is then answered without counting all events.")
]
WithPayload = Annotated[int, Parameter(ge=0, le=1, description="1 to include payloads.")]


def valid_glob(scope: str | None) -> Glob | None:
    """Parse the scope filter; None stays None.

    Raises:
        InvalidInput: the text is neither a scope nor a glob.
    """
    return Glob.parse(scope) if scope is not None else None


def given(value: V | None) -> tuple[V, ...]:
    """The values of a parameter that is not repeated: one or none."""
    return () if value is None else (value,)


def rest_of_path(request: Request[Any, Any, Any], prefix: str) -> str:
    """The path after the prefix, percent-decoded once. Slashes and empty segments in it are kept as the client sent them."""
    return unquote(request.scope["raw_path"].decode("latin-1").partition("?")[0]).removeprefix(prefix)
