"""What connects events: the ways from one to another, and what several have in common."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.params import Parameter, QueryParameter

from semp.api.errors import responses
from semp.api.examples import LINEAGE, PATHS, success
from semp.api.params import Budget, Cursor, Depth, PageSize, ScopeGlob, Types, WithPayload, valid_glob
from semp.api.routes.lineage import LineageAnswer, page, read_cursor
from semp.api.security.credentials import principal_of
from semp.domain.errors import FieldError, InvalidInput, NotFound
from semp.domain.events import Event
from semp.engine.environment import Environment
from semp.engine.gate import Gate
from semp.engine.records import NODE_BUDGET, Counted, LineageFilter

MAX_IDS = 16
"""Events whose common causes may be asked for, at most."""


class PathsAnswer(LineageAnswer, kw_only=True):
    """Every event on any way between the two, both included, nearest to the cause first; `depth` counts from the cause.

    `shortest` has the ids of one shortest way from the cause to the effect; it is empty, and `count` 0, when none leads there.
    """

    shortest: list[str] = msgspec.field(default_factory=list[str])


FromId = Annotated[str, QueryParameter(name="from", description="Id of an event.")]
ToId = Annotated[str, QueryParameter(name="to", description="Id of another; which of the two is the cause, the log knows.")]
Ids = Annotated[str, Parameter(description=f"Ids of one to {MAX_IDS} events, separated by commas.")]


def connection_routes(environment: Environment) -> Router:
    """`/paths` and `/common-causes`."""

    async def known(gate: Gate, **ids: str) -> list[Event]:
        found = await gate.events(list(ids.values()))
        for field, event_id in ids.items():
            if event_id not in found:
                raise NotFound(f"{field}: no event has the id {event_id[:40]}")
        return [found[event_id] for event_id in ids.values()]

    @get(
        "/paths",
        operation_id="listPaths",
        summary="How one event led to another",
        responses={200: success(PathsAnswer, PATHS), **responses(400, 404, 503)},
    )
    async def list_paths(
        request: Request[Any, Any, Any],
        from_id: FromId,
        to_id: ToId,
        depth: Depth = None,
        limit: PageSize = 100,
        types: Types = None,
        in_scope: ScopeGlob = None,
        payload: WithPayload = 0,
        budget: Budget = NODE_BUDGET,
        cursor: Cursor = None,
    ) -> Response[PathsAnswer]:
        """The part of the graph between a cause and its effect, and one shortest way. The order of the two does not matter.

        `depth` counts from the cause. The filters choose what is counted and shown; `shortest` is what it is.
        """
        gate = environment.acting(principal_of(request.scope))
        cause, effect = sorted(await known(gate, **{"from": from_id.lower(), "to": to_id.lower()}), key=lambda event: event.position)
        after = read_cursor(cursor).after
        selection = LineageFilter(
            depth=depth, types=types, scope=valid_glob(in_scope), after=after, limit=limit + 1, payload=bool(payload), budget=budget
        )
        counted = await gate.count_between(cause.id, effect.id, selection)
        found = await gate.between(cause.id, effect.id, selection) if counted.count and limit else []
        unfiltered = depth is None and types is None and in_scope is None and counted.complete
        shortest = await gate.shortest_path(cause.id, effect.id) if counted.count or not unfiltered else []
        answer = page(request, counted, found, limit, payload=bool(payload))
        whole = answer.content
        return Response(
            PathsAnswer(count=whole.count, truncated=whole.truncated, nodes=whole.nodes, shortest=shortest), headers=answer.headers
        )

    @get(
        "/common-causes",
        operation_id="listCommonCauses",
        summary="What events have in common",
        responses={200: success(LineageAnswer, LINEAGE), **responses(400, 404, 503)},
    )
    async def list_common_causes(
        request: Request[Any, Any, Any],
        ids: Ids,
        depth: Depth = None,
        limit: PageSize = 100,
        types: Types = None,
        in_scope: ScopeGlob = None,
        payload: WithPayload = 0,
        budget: Budget = NODE_BUDGET,
        cursor: Cursor = None,
    ) -> Response[LineageAnswer]:
        """The causes shared by all of them of which none led to another, as Git's merge bases. An event counts among its own causes.

        `depth` is how far the farthest of the events is. The filters choose among these causes. When more events than the budget led to one
        of those asked for, there is no answer but 400: a part of them cannot tell which causes are the last ones.
        """
        gate = environment.acting(principal_of(request.scope))
        asked = list(dict.fromkeys([one.strip().lower() for one in ids.split(",")]))
        if not 1 <= len(asked) <= MAX_IDS or not all(asked):
            raise InvalidInput(FieldError("ids", f"expected 1 to {MAX_IDS} ids separated by commas"))
        await known(gate, **{f"ids[{index}]": event_id for index, event_id in enumerate(asked)})
        after = read_cursor(cursor).after
        selection = LineageFilter(depth=depth, types=types, scope=valid_glob(in_scope), payload=bool(payload), budget=budget)
        found = await gate.common_causes(asked, selection)
        left = found if after is None else [one for one in found if (one.depth, -one.event.position) > (after[0], -after[1])]
        return page(request, Counted(len(found)), left, limit, payload=bool(payload))

    return Router("/", route_handlers=[list_paths, list_common_causes], tags=["Lineage"])
