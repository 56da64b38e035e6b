"""A part of the log as a graph: fetched, kept, compared."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import asdict

from semp_sdk.client import Client
from semp_sdk.extras import extra
from semp_sdk.mirror.bolt import Bolt
from semp_sdk.mirror.exports import edges_frame, events_frame, graphml_text, json_text
from semp_sdk.mirror.following import Following
from semp_sdk.mirror.rest import RestSource
from semp_sdk.mirror.selection import Head, Row, Selection, Source, before
from semp_sdk.timestamps import Moment

if TYPE_CHECKING:
    import networkx as nx
    from pandas import DataFrame

CONCURRENT = 4
"""Pages that are fetched at the same time, at most."""
LOOK = 100_000
"""Positions that the search for one page covers, at most. So no page takes longer on a longer log, however rare the selected events are."""
PARENT = "PARENT"
COMPARED = ("type", "scope", "trace_id", "agent_id", "timestamp", "position", "action", "value", "status", "payload")


class Difference(NamedTuple):
    """A difference between a mirror and the log."""

    id: str
    """The event."""
    what: str
    """`missing` in the mirror, `unknown` to the log, `causes`, or the name of an attribute."""
    mirror: object
    log: object


class Mirror:
    """Part of the log as a networkx MultiDiGraph, as of a position. Make one with `fetch`.

    A node is an event, and its key the event's id. Its attributes:

    - `type`, `scope`, `trace_id`, `agent_id`, `timestamp` (text as the service has it), `position`: always
    - `action`: the payload's, where there is one
    - `value`: of rewards and penalties, 0..1 and -1..0
    - `status`: of `ready` and `test`
    - `payload`: a dict, when the mirror was fetched with `payload=True`

    An edge goes from an event to each of its causes; its key and its attribute `type` are `PARENT`. Causes that the mirror does not
    hold have no node; they are in `outside`. The graph's own attributes are `epoch` and `position`.
    """

    def __init__(self, source: Client | Bolt, selection: Selection, head: Head, *, payload: bool = False) -> None:
        """An empty one; see `fetch`."""
        networkx = extra("networkx")
        self.graph: nx.MultiDiGraph[str] = networkx.MultiDiGraph(epoch=head.epoch, position=head.position)
        self.selection = selection
        self.payload = payload
        self.outside: dict[str, list[str]] = {}
        """Causes that are not in the mirror, by the id of the event they caused."""
        self._source = source
        self._related: set[str] | None = None
        """For a lineage: the event and its descendants, which decide whether a new event belongs to it. Made on first use."""

    @classmethod
    async def fetch(
        cls,
        source: Client | Bolt,
        *,
        trace_id: str | None = None,
        scope: str | None = None,
        lineage_of: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        payload: bool = False,
    ) -> Mirror:
        """Read what the log holds now. Events committed during the reading are left out, see `follow`.

        All given arguments must match; without any, it is the whole log. Makes one request per 1,000 events over REST (2,000 over Bolt),
        four at a time, and about 20 small requests to find a time in a million events.

        Args:
            source: a client, or a `Bolt` to read from Neo4j past the service.
            trace_id: the events of a trace.
            scope: of a scope, or of those a glob such as `ui.**` selects.
            lineage_of: an event's id: the event, its ancestors and its descendants. Cannot be combined with other arguments.
            since: the first position or time that is included; `until`: the first that is excluded. Times are datetimes with a time
                zone, or text as in RFC 3339.
            payload: keep payloads.

        Raises:
            NotFound: no event has the id `lineage_of`. A trace or scope without events is an empty mirror.
            ValueError: the selection is invalid, see `Selection.of`.
            ImportError: the extra is not installed.
        """
        selection = Selection.of(trace_id, scope, lineage_of, since, until)
        async with opened(source) as reading:
            mirror = cls(source, selection, await reading.head(), payload=payload)
            async for rows in selected(reading, selection, mirror.position):
                mirror.add(rows)
        return mirror

    @property
    def position(self) -> int:
        """The mirror holds every selected event up to here, and no later one."""
        return self.graph.graph["position"]

    @property
    def epoch(self) -> str:
        """The log that it mirrors."""
        return self.graph.graph["epoch"]

    def __len__(self) -> int:
        return len(self.graph)

    def __repr__(self) -> str:
        events, edges = self.graph.number_of_nodes(), self.graph.number_of_edges()
        chosen = ", ".join(f"{name}={value!r}" for name, value in asdict(self.selection).items() if value is not None)
        return f"<Mirror of {chosen or 'the whole log'}: {events} events, {edges} edges, position {self.position}>"

    def follow(self, client: Client | None = None) -> Following:
        """Keep the mirror current through the live stream, from its position on; see `Following`.

        `client`: required when the mirror was fetched over Bolt.

        Raises:
            ValueError: the mirror was fetched over Bolt, and no client is given.
        """
        if client is None:
            if not isinstance(self._source, Client):
                raise ValueError("a mirror that was fetched over Bolt needs a client to follow: mirror.follow(client)")
            client = self._source
        return Following(self, client)

    async def verify(self, source: Client | Bolt | None = None) -> list[Difference]:
        """Read the same part of the log again and compare it up to the mirror's position. Empty when both agree.

        Works also while the mirror is followed, and with another source. Reads as much as `fetch` did.
        """
        position = self.position
        log: dict[str, Row] = {}
        async with opened(source or self._source) as reading:
            head = await reading.head()
            if head.epoch != self.epoch or head.position < position:
                return [Difference("", "epoch", f"{self.epoch} at {position}", f"{head.epoch} at {head.position}")]
            async for rows in selected(reading, self.selection, position):
                log.update((row.id, row) for row in rows)
        return [*self._missing_or_other(log), *self._unknown(log, position)]

    def to_graphml(self) -> str:
        """The graph as GraphML, which Gephi, yEd and networkx read; payloads as JSON text. Read back with `graph_from_graphml`."""
        return graphml_text(self.graph)

    def to_json(self) -> str:
        """The graph as node-link JSON; `networkx.node_link_graph(json.loads(text), edges="edges")` reads it back."""
        return json_text(self.graph)

    def events_frame(self) -> DataFrame:
        """A pandas table of the events in order of position: `id` and the attributes, with `timestamp` as UTC times."""
        return events_frame(self.graph)

    def edges_frame(self) -> DataFrame:
        """A pandas table of the edges: `event`, `cause`, `type`, and the `seconds` between the two."""
        return edges_frame(self.graph)

    def add(self, rows: list[Row]) -> None:
        """Add events, in order of position. Internal: for `fetch` and `Following`."""
        graph: Any = self.graph  # its type stubs know no edges with keys
        graph.add_nodes_from([(row.id, attributes(row, self.payload)) for row in rows])
        edges: list[tuple[str, str, str, dict[str, str]]] = []
        for row in rows:
            for cause in row.parent_ids:
                if cause in graph:  # causes come before effects, so a cause that is missing now stays missing
                    edges.append((row.id, cause, PARENT, {"type": PARENT}))
                else:
                    self.outside.setdefault(row.id, []).append(cause)
        graph.add_edges_from(edges)

    def advance(self, position: int) -> None:
        """Set the position up to which the mirror is complete. Internal: for `Following`."""
        self.graph.graph["position"] = max(self.position, position)

    def selects(self, row: Row) -> bool:
        """Whether a new event, which has the right trace and scope, belongs to the mirror. Internal: for `Following`."""
        origin = self.selection.lineage_of
        if origin is None:
            return self.selection.begins(row.position, row.timestamp)
        if self._related is None:
            self._related = {origin, *extra("networkx").ancestors(self.graph, origin)}
        if self._related.isdisjoint(row.parent_ids):
            return False
        self._related.add(row.id)
        return True

    def _missing_or_other(self, log: dict[str, Row]) -> list[Difference]:
        found: list[Difference] = []
        for row in log.values():
            if row.id not in self.graph:
                found.append(Difference(row.id, "missing", None, row))
                continue
            mine, theirs = self.graph.nodes[row.id], attributes(row, self.payload)
            found += [
                Difference(row.id, name, mine.get(name), theirs.get(name)) for name in COMPARED if mine.get(name) != theirs.get(name)
            ]  # fmt: skip
            causes = {*self.graph.successors(row.id), *self.outside.get(row.id, ())}
            if causes != set(row.parent_ids) or any(cause in log for cause in self.outside.get(row.id, ())):
                found.append(Difference(row.id, "causes", sorted(causes), sorted(row.parent_ids)))
        return found

    def _unknown(self, log: dict[str, Row], position: int) -> list[Difference]:
        return [
            Difference(key, "unknown", dict(mine), None)
            for key, mine in self.graph.nodes.items()
            if key not in log and mine.get("position", 0) <= position
        ]


def attributes(row: Row, payload: bool) -> dict[str, Any]:
    """A node's attributes, see `Mirror`."""
    content = row.payload
    found: dict[str, Any] = {
        "type": row.type, "scope": row.scope, "trace_id": row.trace_id, "agent_id": row.agent_id, "timestamp": row.timestamp,
        "position": row.position,
    }  # fmt: skip
    if isinstance(action := content.get("action"), str):
        found["action"] = action
    match row.type:
        case "reward":
            found["value"] = float(content["value"])
        case "penalty":
            found["value"] = -abs(float(content["value"]))
        case "ready" | "test":
            found["status"] = content["status"]
        case "cancel":
            found["value"] = -float(content.get("value", 0.3))
        case _:
            pass
    if payload:
        found["payload"] = content
    return found


@asynccontextmanager
async def opened(source: Client | Bolt) -> AsyncGenerator[Source]:
    """A source to read from, open during the block."""
    if isinstance(source, Bolt):
        async with source.open() as reading:
            yield reading
    else:
        yield RestSource(source)


async def selected(source: Source, selection: Selection, head: int) -> AsyncGenerator[list[Row]]:
    """Pages of all selected events up to a position, in order of position."""
    if selection.lineage_of is not None:
        related = {row.id: row async for rows in source.lineage(selection.lineage_of, head) for row in rows if row.position <= head}
        yield sorted(related.values(), key=lambda row: row.position)
        return
    after = await before(source, selection.since, head) if selection.since is not None else 0
    last = await before(source, selection.until, head) if selection.until is not None else head
    if after >= last:
        return
    edge = min(last, after + LOOK)
    first = await source.page(selection, after, edge)
    yield first
    after = edge if len(first) < source.page_size else first[-1].position
    step = source.page_size if selection.dense else max(source.page_size, min(LOOK, -(-(last - after) // CONCURRENT)))
    async for rows in in_order([_piece(source, selection, start, min(start + step, last)) for start in range(after, last, step)]):
        yield rows


async def _piece(source: Source, selection: Selection, after: int, last: int) -> list[Row]:
    """All selected events with after < position <= last."""
    found: list[Row] = []
    while after < last:
        page = await source.page(selection, after, last)
        found += page
        if len(page) < source.page_size:
            break
        after = page[-1].position
    return found


async def in_order(pieces: Iterable[Coroutine[Any, Any, list[Row]]]) -> AsyncGenerator[list[Row]]:
    """Results of the coroutines in their order; at most `CONCURRENT` run at the same time."""
    waiting = deque(pieces)
    running: deque[asyncio.Task[list[Row]]] = deque()
    try:
        while waiting or running:
            while waiting and len(running) < CONCURRENT:
                running.append(asyncio.create_task(waiting.popleft()))
            rows = await running[0]
            running.popleft()
            yield rows
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for piece in waiting:
            piece.close()
