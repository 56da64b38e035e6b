"""Database queries that clients run by name: the cookbook, and the queries with which mirrors read the log."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router, get

from semp.api.errors import responses
from semp.api.examples import QUERY, QUERY_ANSWER, success
from semp.api.params import InPath, rest_of_path
from semp.api.security.credentials import principal_of
from semp.domain.errors import FieldError, InvalidInput
from semp.engine.environment import Environment
from semp.engine.records import OfferedQuery, QueryAnswer


def query_routes(environment: Environment) -> Router:
    """`/queries` and the paths below it."""

    @get(
        "/queries",
        operation_id="listQueries",
        summary="The queries that can be run by name",
        responses={200: success(list[OfferedQuery], [QUERY]), **responses(503)},
    )
    async def list_queries(request: Request[Any, Any, Any]) -> list[OfferedQuery]:
        """For each query: its purpose, parameters, columns, and its text in the language of the database. A service that keeps its log in
        memory offers no queries."""
        return environment.acting(principal_of(request.scope)).queries()

    @get(
        "/queries/{name:path}",
        operation_id="runQuery",
        summary="Run a query",
        responses={200: success(QueryAnswer, QUERY_ANSWER), **responses(400, 404, 503)},
    )
    async def run_query(request: Request[Any, Any, Any], name: InPath) -> QueryAnswer:  # noqa: ARG001 - read from the raw path
        """Give the parameters that `GET /api/queries` lists for the query as query parameters. Queries only read. An answer holds up to
        1,000 rows and about 8 MiB; `truncated` says that there were more. A query over the log looks at its newest events: at positions
        above `after`, up to `until`, which are parameters and part of the answer. A query that takes longer than 20 s is stopped."""
        given: dict[str, str] = {}
        for parameter, value in request.query_params.multi_items():
            if parameter in given:
                raise InvalidInput(FieldError(parameter, "is given more than once"))
            given[parameter] = value
        return await environment.acting(principal_of(request.scope)).ask(rest_of_path(request, "/api/queries/"), given)

    return Router("/", route_handlers=[list_queries, run_query], tags=["Queries"])
