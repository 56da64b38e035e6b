"""How events are connected: the paths from one event to another, and the common causes of several."""

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

MAX_SHORTEST = 1_000
"""Ids of a shortest path in an answer, at most."""
MAX_IDS = 16
"""Maximum number of events in one request for common causes."""


class PathsAnswer(LineageAnswer, kw_only=True):
    """Every event on any path between the two, both included, nearest to the cause first. `depth` counts from the cause.

    `shortest` has the ids on one shortest path from the cause to the effect, the first 1,000 of a longer one, and `hops` its length. When
    there is no path, it is empty, `hops` is null and `count` is 0.
    """

    shortest: list[str] = msgspec.field(default_factory=list[str])
    hops: int | None = None


FromId = Annotated[str, QueryParameter(name="from", description="Id of an event.")]
ToId = Annotated[str, QueryParameter(name="to", description="Id of another event. The earlier of the two is taken as the cause.")]
Ids = Annotated[str, Parameter(description=f"Ids of one to {MAX_IDS} events, separated by commas.")]


def connection_routes(environment: Environment) -> Router:
    """`/paths` and `/common-causes`."""

    async def existing(gate: Gate, **ids: str) -> list[Event]:
        events = await gate.events(list(ids.values()))
        for field, event_id in ids.items():
            if event_id not in events:
                raise NotFound(f"{field}: no event has the id {event_id[:40]}")
        return [events[event_id] for event_id in ids.values()]

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
        """The part of the graph between a cause and its effect, and one shortest path. The order of the two ids does not matter.

        `depth` counts from the cause. The filters select which events are counted and shown; they do not change `shortest`.
        """
        gate = environment.acting(principal_of(request.scope))
        cause, effect = sorted(await existing(gate, **{"from": from_id.lower(), "to": to_id.lower()}), key=lambda event: event.position)
        after = read_cursor(cursor).after
        selection = LineageFilter(
            depth=depth,
            types=types,
            scope=valid_glob(in_scope),
            after=after,
            limit=limit and limit + 1,
            payload=bool(payload),
            budget=budget,
        )
        relatives, counted = await gate.between(cause.id, effect.id, selection)
        unfiltered = depth is None and types is None and in_scope is None and counted.complete
        shortest = await gate.shortest_path(cause.id, effect.id) if counted.count or not unfiltered else []
        answer = page(request, counted, relatives, limit, payload=bool(payload))
        lineage = answer.content
        hops = len(shortest) - 1 if shortest else None
        paths = PathsAnswer(
            count=lineage.count, truncated=lineage.truncated, nodes=lineage.nodes, shortest=shortest[:MAX_SHORTEST], hops=hops
        )  # fmt: skip
        return Response(paths, headers=answer.headers)

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
        """The latest common causes: causes shared by all the events, without those that led to another shared cause. Git's merge bases are
        the same idea. An event counts as a cause of itself.

        `depth` of a cause is its distance to the farthest of the events. The filters select among these causes. If one of the events has
        more ancestors than the budget, the answer is 400, because a partial search cannot tell which causes are the latest.
        """
        gate = environment.acting(principal_of(request.scope))
        event_ids = list(dict.fromkeys([one.strip().lower() for one in ids.split(",")]))
        if not 1 <= len(event_ids) <= MAX_IDS or not all(event_ids):
            raise InvalidInput(FieldError("ids", f"expected 1 to {MAX_IDS} ids separated by commas"))
        await existing(gate, **{f"ids[{index}]": event_id for index, event_id in enumerate(event_ids)})
        after = read_cursor(cursor).after
        selection = LineageFilter(depth=depth, types=types, scope=valid_glob(in_scope), payload=bool(payload), budget=budget)
        causes = await gate.common_causes(event_ids, selection)
        rest = causes if after is None else [one for one in causes if (one.depth, -one.event.position) > (after[0], -after[1])]
        return page(request, Counted(len(causes)), rest, limit, payload=bool(payload))

    return Router("/", route_handlers=[list_paths, list_common_causes], tags=["Lineage"])
