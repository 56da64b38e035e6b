"""Signals: read what is strong now."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Router, get
from litestar.params import Parameter

from app.api.errors import responses
from app.api.events import InPath, ScopeGlob, rest_of_path, valid_glob
from app.api.examples import SIGNAL, success
from app.domain.errors import NotFound
from app.engine.environment import Environment, SignalView


def signal_routes(environment: Environment) -> Router:
    """`/signals` and what is below it. Answers come from memory; they are as new as the last commit this process has seen."""

    @get(
        "/signals",
        operation_id="listSignals",
        summary="Read live signals",
        responses={
            200: success(list[SignalView], [SIGNAL]),
            **responses(400),
        },
        sync_to_thread=False,
    )
    def list_signals(
        in_scope: ScopeGlob = None,
        pattern: Annotated[str | None, Parameter(required=False, description="Exactly this pattern.")] = None,
        min_strength: Annotated[float, Parameter(ge=0, le=1, description="At least this strong.")] = 0.0,
        limit: Annotated[int | None, Parameter(ge=1, le=100_000, required=False, description="Default: all.")] = None,
    ) -> list[SignalView]:
        """Strongest first, decayed to now. A signal below 0.01 is absent."""
        return environment.signals(scope=valid_glob(in_scope), pattern=pattern, min_strength=min_strength, limit=limit)

    @get(
        "/signals/{signal_scope:str}/{pattern:path}",
        operation_id="getSignal",
        summary="Read one signal",
        responses={
            200: success(SignalView, SIGNAL),
            **responses(400, 404),
        },
        sync_to_thread=False,
    )
    def get_signal(request: Request[Any, Any, Any], signal_scope: InPath, pattern: InPath) -> SignalView:  # noqa: ARG001
        """404 when it was never created or has faded below 0.01."""
        exactly = rest_of_path(request, f"/api/signals/{signal_scope}/")
        found = environment.signal(signal_scope, exactly)
        if found is None:
            raise NotFound(f"no live signal {signal_scope}:{exactly}")
        return found

    return Router("/", route_handlers=[list_signals, get_signal], tags=["Signals"])
