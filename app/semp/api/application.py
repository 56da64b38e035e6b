"""The Litestar application over an environment."""

from __future__ import annotations

from litestar import Litestar, Router
from litestar.openapi.config import OpenAPIConfig
from litestar.types import ControllerRouterHandler

from semp import __version__
from semp.api.errors import EXCEPTION_HANDLERS
from semp.api.live.sse import stream_route
from semp.api.live.websocket import live_route
from semp.api.pages.front import front_route, version_route
from semp.api.pages.reference import ReferencePage, schema_router
from semp.api.query_parameters import refuse_unknown
from semp.api.routes.events import event_routes
from semp.api.routes.health import health_routes
from semp.api.routes.lineage import lineage_routes
from semp.api.routes.nodes import node_routes
from semp.api.routes.paths import connection_routes
from semp.api.routes.queries import query_routes
from semp.api.routes.signals import signal_routes
from semp.api.routes.traces import trace_routes
from semp.api.security.credentials import Credentials
from semp.api.text_paths import App
from semp.engine.environment import Environment


def create_app(environment: Environment, *more: ControllerRouterHandler) -> Litestar:
    """The app for an environment. Has no side effects; the caller starts and stops the environment.

    Args:
        more: further routes, such as `/mcp`.
    """
    api = Router(
        "/api",
        route_handlers=[
            event_routes(environment), lineage_routes(environment), connection_routes(environment), trace_routes(environment),
            signal_routes(environment), node_routes(environment), query_routes(environment), stream_route(environment),
            version_route(),
        ],
        before_request=refuse_unknown,
    )  # fmt: skip
    return App(
        route_handlers=[api, health_routes(environment), live_route(environment), front_route(), *more],
        middleware=[Credentials],
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=OpenAPIConfig(
            use_handler_docstrings=True,
            title="SEL/SEMP",
            version=__version__,
            description="Agents leave typed events in a shared environment; rewards and penalties move signals that decay with time.",
            render_plugins=[ReferencePage()],
            openapi_router=schema_router(),
        ),
        logging_config=None,
    )
