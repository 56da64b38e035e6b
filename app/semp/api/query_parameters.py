"""The query parameters of each route. An unknown parameter is refused by name, so that a misspelt filter is noticed."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request
from litestar.openapi.spec import Parameter

from semp.domain.errors import FieldError, InvalidInput

UNCHECKED = ("/api/events", "/api/events/scope/{path}", "/api/events/trace/{path}", "/api/stream", "/api/queries/{name}")
"""Routes that ignore unknown parameters, as their contract says; and `/api/queries/{name}`, which checks the parameters of each query."""


async def refuse_unknown(request: Request[Any, Any, Any]) -> None:
    """A `before_request` hook of the API's routes. It checks GET requests only.

    Raises:
        InvalidInput: names each unknown parameter (10 at most) and the parameters that the route has.
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
        allowed = f"the parameters are {', '.join(sorted(known))}" if known else "this path has no parameters"
        raise InvalidInput(*[FieldError(name[:100], f"unknown parameter; {allowed}") for name in unknown[:10]])


def query_parameters(app: Litestar) -> dict[str, dict[str, Parameter]]:
    """The query parameters of each GET route by path and name, from the app's OpenAPI document. Computed once per app."""
    by_path: dict[str, dict[str, Parameter]] | None = app.state.get("query_parameters")
    if by_path is None:
        routes = {path: item.get for path, item in (app.openapi_schema.paths or {}).items() if item.get is not None}
        by_path = {
            path: {one.name: one for one in route.parameters or () if isinstance(one, Parameter) and one.param_in == "query"}
            for path, route in routes.items()
        }
        app.state["query_parameters"] = by_path
    return by_path
