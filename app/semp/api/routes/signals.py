"""Signals: what is strong now, what was at any time, why, and what would be."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get
from litestar.openapi.spec import Example
from litestar.params import Body, Parameter, QueryParameter

from semp.api.direct import Answer, Incoming, decode, direct_post
from semp.api.errors import responses
from semp.api.examples import EXPLANATION, SIGNAL, SUPPOSITION, WHAT_IF, success
from semp.api.params import InPath, ScopeGlob, rest_of_path, valid_glob
from semp.api.security.credentials import principal_of
from semp.domain.errors import FieldError, InvalidInput, NotFound
from semp.domain.events import Id, NewEvent, draft
from semp.engine.environment import Environment
from semp.engine.explaining import Explanation
from semp.engine.field import SignalView, WhatIf

MAX_SUPPOSED = 1_000
"""Events that may be dropped or added in thought, at most."""


class Supposition(msgspec.Struct, forbid_unknown_fields=True):
    """What to do without, and what to append in thought."""

    drop: Annotated[list[Id], msgspec.Meta(description="Ids of events to do without.")] = msgspec.field(default_factory=list[Id])
    add: Annotated[list[NewEvent], msgspec.Meta(description="Events to append in thought, after all others.")] = msgspec.field(
        default_factory=list[NewEvent]
    )


At = Annotated[
    str | None,
    Parameter(
        required=False,
        max_length=40,
        description="A position of the log or an RFC 3339 time: the answer as of then. Default: now.",
        examples=[Example(value="2025-01-15T10:30:00.000Z")],
    ),
]
_read_supposition = msgspec.json.Decoder(Supposition).decode
_encode = msgspec.json.Encoder().encode


def position_or_time(at: str) -> int | str:
    """A whole number as one, anything else as it is."""
    if at.isascii() and at.isdecimal():
        if len(at) > 18:
            raise InvalidInput(FieldError("at", "no log has so many positions"))
        return int(at)
    return at


def signal_routes(environment: Environment) -> Router:
    """`/signals` and what is below it. The present is answered from memory, as new as the last commit this process has seen."""

    @get(
        "/signals",
        operation_id="listSignals",
        summary="Read signals, as they are or as they were",
        responses={
            200: success(list[SignalView], [SIGNAL]),
            **responses(400, 503),
        },
    )
    async def list_signals(
        request: Request[Any, Any, Any],
        in_scope: ScopeGlob = None,
        pattern: Annotated[str | None, Parameter(required=False, description="Exactly this pattern.")] = None,
        min_strength: Annotated[float, Parameter(ge=0, le=1, description="At least this strong.")] = 0.0,
        limit: Annotated[int | None, Parameter(ge=1, le=100_000, required=False, description="Default: all.")] = None,
        at: At = None,
    ) -> list[SignalView]:
        """Strongest first, decayed to now, or to the moment asked for. A signal below 0.01 is absent."""
        gate, scope = environment.acting(principal_of(request.scope)), valid_glob(in_scope)
        if at is None:
            return gate.signals(scope=scope, pattern=pattern, min_strength=min_strength, limit=limit)
        moment = await gate.moment(position_or_time(at))
        return await gate.signals_at(moment, scope=scope, pattern=pattern, min_strength=min_strength, limit=limit)

    @get(
        "/signals/{signal_scope:str}/{pattern:str}",
        operation_id="getSignal",
        summary="Read one signal, as it is or as it was",
        responses={
            200: success(SignalView, SIGNAL),
            **responses(400, 404, 503),
        },
    )
    async def get_signal(
        request: Request[Any, Any, Any],
        signal_scope: InPath,
        pattern: InPath,  # noqa: ARG001 - read from the raw path
        at: At = None,
    ) -> SignalView:
        """404 when it was never created or has faded below 0.01. A slash in the pattern is written `%2F` where `/explain` could follow."""
        exactly = rest_of_path(request, f"/api/signals/{signal_scope}/")
        gate = environment.acting(principal_of(request.scope))
        if at is None:
            found = gate.signal(signal_scope, exactly)
        else:
            found = await gate.signal_at(signal_scope, exactly, await gate.moment(position_or_time(at)))
        if found is None:
            raise NotFound(f"no live signal {signal_scope}:{exactly}")
        return found

    @get(
        "/signals/{signal_scope:str}/{pattern:str}/explain",
        operation_id="explainSignal",
        summary="Why a signal is as strong as it is",
        responses={
            200: success(Explanation, EXPLANATION),
            **responses(400, 404, 503),
        },
    )
    async def explain_signal(
        request: Request[Any, Any, Any],
        signal_scope: InPath,
        pattern: InPath,  # noqa: ARG001 - read from the raw path
        limit: Annotated[int, Parameter(ge=0, le=1_000, description="Events in a page, at most; 0 for strength and count alone.")] = 100,
        order: Annotated[Literal["asc", "desc"], Parameter(description="By position; `desc` is newest first.")] = "asc",
        seen: Annotated[
            int | None, QueryParameter(name="cursor", ge=1, le=2**62, required=False, description="From a `Link` header.")
        ] = None,
        at: At = None,
    ) -> Response[Explanation]:
        """Every event that moved it, each with its strength before and after, what it changed, and what time took since the one before.

        A full page links to the next in its `Link` header, which keeps to the moment of the first. 404 when nothing ever moved it.
        """
        exactly = rest_of_path(request, f"/api/signals/{signal_scope}/").removesuffix("/explain")
        gate = environment.acting(principal_of(request.scope))
        moment = await gate.moment(None if at is None else position_or_time(at))
        found = await gate.explain(signal_scope, exactly, moment, seen=seen, limit=limit, newest_first=order == "desc")
        if found is None:
            raise NotFound(f"nothing ever moved a signal {signal_scope}:{exactly}")
        headers: dict[str, str] = {}
        if found.truncated:
            kept = at if at is not None and not at.isdecimal() else found.at.position
            query = urlencode({"limit": limit, "order": order, "cursor": found.events[-1].position, "at": kept})
            headers["link"] = f'<{request.scope["raw_path"].decode("ascii").partition("?")[0]}?{query}>; rel="next"'
        return Response(found, headers=headers)

    @direct_post(
        "/signals/what-if",
        body=Annotated[Supposition, Body(examples=[Example(value=SUPPOSITION)])],
        answer=WhatIf,
        status_code=200,
        operation_id="whatIf",
        summary="Signals as they would be without some events, or with some more",
        responses={200: success(WhatIf, WHAT_IF), **responses(400, 409, 413, 415, 503)},
    )
    async def what_if(incoming: Incoming) -> Answer:
        """Nothing is written. Answers the signals that would be others, each with the strength it really has.

        Which signals an event moves stands as the log has it: to drop a proposal takes away what it did to its signal, not what others did
        in answer to it.
        """
        supposed = decode(_read_supposition, incoming.body)
        for name, events in (("drop", supposed.drop), ("add", supposed.add)):
            if len(events) > MAX_SUPPOSED:
                raise InvalidInput(FieldError(name, f"{len(events)} events, the limit is {MAX_SUPPOSED}"))
        drafts = [draft(new, f"add[{index}].") for index, new in enumerate(supposed.add)]
        gate = environment.acting(principal_of(incoming.scope))
        return Answer(200, _encode(await gate.what_if([event_id.lower() for event_id in supposed.drop], drafts)))

    return Router("/", route_handlers=[list_signals, what_if, get_signal, explain_signal], tags=["Signals"])
