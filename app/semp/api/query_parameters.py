"""The query parameters of each route; one that a route does not know is refused by name, so that a misspelt filter is noticed."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request
from litestar.openapi.spec import Parameter

from semp.domain.errors import FieldError, InvalidInput

UNCHECKED = ("/api/events", "/api/events/scope/{path}", "/api/events/trace/{path}", "/api/stream", "/api/queries/{name}")
"""Routes whose contract says that unknown parameters are ignored; and the one that checks each query's own by itself."""


async def refuse_unknown(request: Request[Any, Any, Any]) -> None:
    """A hook that runs before GET routes.

    Raises:
        InvalidInput: names each parameter that the route does not know, and those it knows.
    """
    if request.method != "GET" or not request.scope["query_string"]:
        return
    path: str = request.scope["path_template"]
    if path in UNCHECKED:
        return
    known = query_parameters(request.app).get(path)
    if known is None:
        return
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        allowed = f"there are {', '.join(sorted(known))}" if known else "this path has none"
        raise InvalidInput(*[FieldError(name[:100], f"is no parameter here; {allowed}") for name in unknown[:10]])


def query_parameters(app: Litestar) -> dict[str, dict[str, Parameter]]:
    """The query parameters of each GET route by path and name, from the app's own document."""
    found: dict[str, dict[str, Parameter]] | None = app.state.get("query_parameters")
    if found is None:
        routes = {path: item.get for path, item in (app.openapi_schema.paths or {}).items() if item.get is not None}
        found = {
            path: {one.name: one for one in route.parameters or () if isinstance(one, Parameter) and one.param_in == "query"}
            for path, route in routes.items()
        }
        app.state["query_parameters"] = found
    return found
