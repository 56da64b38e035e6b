"""The Litestar application over an environment."""

from __future__ import annotations

from litestar import Litestar, Router
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import ScalarRenderPlugin, SwaggerRenderPlugin
from litestar.types import ControllerRouterHandler

from app import __version__
from app.api.connections import connection_routes
from app.api.errors import EXCEPTION_HANDLERS
from app.api.events import event_routes
from app.api.health import health_routes
from app.api.lineage import lineage_routes
from app.api.live import live_route
from app.api.nodes import node_routes
from app.api.signals import signal_routes
from app.api.stream import stream_route
from app.api.text_paths import App
from app.api.traces import trace_routes
from app.engine.environment import Environment


def create_app(environment: Environment, *more: ControllerRouterHandler) -> Litestar:
    """The app with these further routes; the environment is started and stopped by whoever serves it. No side effects."""
    api = Router(
        "/api",
        route_handlers=[
            event_routes(environment), lineage_routes(environment), connection_routes(environment), trace_routes(environment),
            signal_routes(environment), node_routes(environment), stream_route(environment),
        ],
    )  # fmt: skip
    return App(
        route_handlers=[api, health_routes(environment), live_route(environment), *more],
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=OpenAPIConfig(
            use_handler_docstrings=True,
            title="SEL/SEMP",
            version=__version__,
            description="Agents leave typed events in a shared environment; rewards and penalties move signals that decay with time.",
            render_plugins=[ScalarRenderPlugin(), SwaggerRenderPlugin()],
        ),
        logging_config=None,
    )
