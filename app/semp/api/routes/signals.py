"""Signals: their strength now or at any earlier time, what moved them, and what-if questions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Body, HeaderParameter, Parameter, QueryParameter
from litestar.response import Stream

from semp.api.direct import JSON, Answer, Incoming, decode, direct_post
from semp.api.errors import responses
from semp.api.etags import matches, position_tag
from semp.api.examples import EXPLANATION, SIGNAL, SUPPOSITION, WHAT_IF, success
from semp.api.params import InPath, ScopeGlob, rest_of_path, valid_glob
from semp.api.security.credentials import principal_of
from semp.domain.errors import FieldError, InvalidInput, NotFound
from semp.domain.events import Id, NewEvent, draft
from semp.engine.environment import Environment
from semp.engine.explaining import Explanation
from semp.engine.field import WhatIf
from semp.engine.ranking import PIECE, Ranked, SignalView, Wanted

MAX_SUPPOSED = 1_000
"""Maximum number of events to drop, and of events to add, in one what-if question."""


class Supposition(msgspec.Struct, forbid_unknown_fields=True):
    """The changes to the log that a what-if question assumes. The log itself is not changed."""

    drop: Annotated[list[Id], msgspec.Meta(description="Ids of events to leave out.")] = msgspec.field(default_factory=list[Id])
    add: Annotated[list[NewEvent], msgspec.Meta(description="Events to add after all others.")] = msgspec.field(
        default_factory=list[NewEvent]
    )


At = Annotated[
    str | None,
    Parameter(
        required=False,
        max_length=40,
        description="A log position or an RFC 3339 time; the answer is as of then. Default: now.",
        examples=[Example(value="2025-01-15T10:30:00.000Z")],
    ),
]
_read_supposition = msgspec.json.Decoder(Supposition).decode
_encode = msgspec.json.Encoder().encode


def position_or_time(at: str) -> int | str:
    """A text of digits as a position; any other text unchanged, to be read as a time.

    Raises:
        InvalidInput: the position has more than 18 digits.
    """
    if at.isascii() and at.isdecimal():
        if len(at) > 18:
            raise InvalidInput(FieldError("at", "a position has at most 18 digits"))
        return int(at)
    return at


async def _array(ranked: Ranked) -> AsyncIterator[bytes]:
    """The signals as a JSON array, piece by piece, so that neither the answer nor its encoding is ever whole in memory."""
    separator = b"["
    async for piece in ranked.pieces():
        yield separator + _encode(piece)[1:-1]
        separator = b","
    yield b"]"


def signal_routes(environment: Environment) -> Router:
    """`/signals` and the paths below it.

    Present signals are answered from memory: they include every commit that this process has seen.
    """

    @get(
        "/signals",
        operation_id="listSignals",
        summary="Read signals, as they are or as they were",
        responses={
            200: success(list[SignalView], [SIGNAL]),
            304: ResponseSpec(data_container=None, description="The log is at the position of the `If-None-Match` still."),
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
        known: Annotated[
            str | None,
            HeaderParameter(name="If-None-Match", required=False, description="An `ETag` of this list: 304 if no event came since then."),
        ] = None,
    ) -> Response[Any]:
        """Strongest first, decayed to now or to `at`. Signals below 0.01 are left out.

        `ETag` names the position of the log. Strengths decay also while it stays the same.
        """
        gate = environment.acting(principal_of(request.scope))
        wanted = Wanted(valid_glob(in_scope), pattern, min_strength, limit)
        moment = await gate.moment(position_or_time(at)) if at is not None else await gate.signals_complete()
        place = (gate.state.head,) if moment is None else (moment.position, moment.now)
        tag = position_tag(gate.state.epoch, *place)
        headers = {"etag": tag, "cache-control": "no-store"}
        if matches(known, tag):
            return Response(None, status_code=304, headers=headers)
        ranked = await gate.signals(wanted) if moment is None else await gate.signals_at(moment, wanted)
        if len(ranked) <= PIECE:
            return Response(ranked.views(), headers=headers)
        return Stream(_array(ranked), media_type=JSON, headers=headers)

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
        """404 when the signal was never created or has faded below 0.01. If the pattern ends with `/explain`, write that slash as `%2F`."""
        full_pattern = rest_of_path(request, f"/api/signals/{signal_scope}/")
        gate = environment.acting(principal_of(request.scope))
        if at is None:
            signal = await gate.signal(signal_scope, full_pattern)
        else:
            signal = await gate.signal_at(signal_scope, full_pattern, await gate.moment(position_or_time(at)))
        if signal is None:
            raise NotFound(f"no live signal {signal_scope}:{full_pattern}")
        return signal

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
        limit: Annotated[
            int, Parameter(ge=0, le=1_000, description="Maximum number of events in a page; 0 returns only strength and count.")
        ] = 100,
        order: Annotated[Literal["asc", "desc"], Parameter(description="By position; `desc` is newest first.")] = "asc",
        seen: Annotated[
            int | None, QueryParameter(name="cursor", ge=1, le=2**62, required=False, description="From a `Link` header.")
        ] = None,
        at: At = None,
    ) -> Response[Explanation]:
        """Every event that moved the signal, each with the strength before and after, the change, and the decay since the event before it.

        If there are more events, a `Link` header leads to the next page, which is as of the same moment. 404 when no event ever moved the
        signal.
        """
        full_pattern = rest_of_path(request, f"/api/signals/{signal_scope}/").removesuffix("/explain")
        gate = environment.acting(principal_of(request.scope))
        moment = await gate.moment(None if at is None else position_or_time(at))
        explanation = await gate.explain(signal_scope, full_pattern, moment, seen=seen, limit=limit, newest_first=order == "desc")
        if explanation is None:
            raise NotFound(f"nothing ever moved a signal {signal_scope}:{full_pattern}")
        headers: dict[str, str] = {}
        if explanation.truncated:
            same_moment = explanation.at.timestamp if at is None else at
            query = urlencode({"limit": limit, "order": order, "cursor": explanation.events[-1].position, "at": same_moment})
            headers["link"] = f'<{request.scope["raw_path"].decode("ascii").partition("?")[0]}?{query}>; rel="next"'
        return Response(explanation, headers=headers)

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
        """The signals whose strength would differ, each with its `actual` strength. Nothing is written.

        Which signals each event moved stays as the log has it. So to drop a proposal removes only its own effect on its signal, not the
        effects of events that followed it.
        """
        supposed = decode(_read_supposition, incoming.body)
        for name, events in (("drop", supposed.drop), ("add", supposed.add)):
            if len(events) > MAX_SUPPOSED:
                raise InvalidInput(FieldError(name, f"{len(events)} events, the limit is {MAX_SUPPOSED}"))
        drafts = [draft(new, f"add[{index}].") for index, new in enumerate(supposed.add)]
        gate = environment.acting(principal_of(incoming.scope))
        return Answer(200, _encode(await gate.what_if([event_id.lower() for event_id in supposed.drop], drafts)))

    return Router("/", route_handlers=[list_signals, what_if, get_signal, explain_signal], tags=["Signals"])
