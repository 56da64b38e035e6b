"""The questions about causes: what led to an event, what it led to, what moved a signal, what would be if."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import msgspec

from semp_sdk.errors import ServiceFault
from semp_sdk.events import NewEvent
from semp_sdk.frames import Values
from semp_sdk.identifiers import new_id
from semp_sdk.lineage import (
    Explanation,
    Lineage,
    LinkedNode,
    Node,
    Paths,
    Relative,
    Shift,
    Supposition,
    TraceGraph,
    TraceNode,
    TraceSpan,
    TraceSummary,
)
from semp_sdk.moments import Moment, moment_text
from semp_sdk.pages import Pages
from semp_sdk.transport import Answer, Query, query_string, segment

P = TypeVar("P")
R = TypeVar("R")
T = TypeVar("T")
LARGEST_GRAPH = 10_000
"""Events in a page of a trace's graph, at most."""


def reader(kind: type[R]) -> Callable[[bytes], R]:
    """Reads answers of this kind; raises ServiceFault when one is not what the service promises."""
    decode = msgspec.json.Decoder(kind).decode

    def read(answer: bytes) -> R:
        try:
            return decode(answer)
        except msgspec.MsgspecError as error:
            raise ServiceFault(f"the answer is not what the service promises: {error}") from None

    return read


_lineage = reader(Lineage)
_paths = reader(Paths)
_spans = reader(list[TraceSpan])
_summary = reader(TraceSummary)
_graph = reader(TraceGraph)
_explanation = reader(Explanation)
_supposition = reader(Supposition)
_node = reader(Node)
_linked = reader(list[LinkedNode])


class Causality:
    """The part of `Client` that asks about causes.

    What is answered in pages is awaited for the first page, or iterated over for everything, see `Pages`:

        page = await client.ancestors(event.id)  # page.count is the number of all
        async for cause in client.ancestors(event.id): ...

    Lineage counts an event once, at its shortest distance, nearest first. Its pages leave out what was committed after the first one.
    Arguments they share: `depth` is the number of PARENT hops at most, None for no bound; `type` and `scope` (or a glob) choose what is
    counted and shown, while the way may lead through others; `payload` asks for payloads; `limit` is the size of a page, 0..1000, and 0
    asks for the count alone.

    Raises:
        NotFound: there is no such event, node or trace.
        InvalidEvent: an argument was refused, or the question takes the service too long: ask for less depth or a narrower filter.
    """

    # Lineage

    def ancestors(
        self, id: str, *, depth: int | None = None, type: Values = None, scope: str | None = None, payload: bool = False,
        limit: int | None = None,
    ) -> Pages[Lineage, Relative]:  # fmt: skip
        """Everything that led to an event; at the same distance newest first."""
        return self._around("ancestors", id, depth, type, scope, payload, limit)

    def descendants(
        self, id: str, *, depth: int | None = None, type: Values = None, scope: str | None = None, payload: bool = False,
        limit: int | None = None,
    ) -> Pages[Lineage, Relative]:  # fmt: skip
        """Everything an event led to; at the same distance oldest first."""
        return self._around("descendants", id, depth, type, scope, payload, limit)

    def lineage(
        self, id: str, *, depth: int | None = None, type: Values = None, scope: str | None = None, payload: bool = False,
        limit: int | None = None,
    ) -> Pages[Lineage, Relative]:  # fmt: skip
        """Both in one list; `relation` says which."""
        return self._around("lineage", id, depth, type, scope, payload, limit)

    def roots(
        self, id: str, *, depth: int | None = None, type: Values = None, scope: str | None = None, payload: bool = False,
        limit: int | None = None,
    ) -> Pages[Lineage, Relative]:  # fmt: skip
        """The first causes: ancestors without a cause; the event itself, at depth 0, when it has none."""
        return self._around("roots", id, depth, type, scope, payload, limit)

    def impact(
        self, id: str, *, depth: int | None = None, type: Values = None, scope: str | None = None, payload: bool = False,
        limit: int | None = None,
    ) -> Pages[Lineage, Relative]:  # fmt: skip
        """Where the consequences end so far: descendants that led to nothing yet; the event itself when nothing followed."""
        return self._around("impact", id, depth, type, scope, payload, limit)

    def open(
        self, id: str, *, scope: str | None = None, payload: bool = False, limit: int | None = None
    ) -> Pages[Lineage, Relative]:  # fmt: skip
        """The proposals an event led to that are neither ended nor cancelled: what to stop when it is withdrawn."""
        query: Query = {"scope": scope, "payload": _flag(payload)}
        return self._pages(f"/api/events/{segment(id)}/open", query, _lineage, _relatives, limit)

    def paths(self, cause: str, effect: str, *, payload: bool = False, limit: int | None = None) -> Pages[Paths, Relative]:
        """How one event led to another: every event on any way between them. Their order does not matter; `count` is 0 without a way."""
        query: Query = {"from": cause, "to": effect, "payload": _flag(payload)}
        return self._pages("/api/paths", query, _paths, _relatives, limit)

    def common_causes(self, *ids: str, payload: bool = False, limit: int | None = None) -> Pages[Lineage, Relative]:
        """What 2..16 events have in common: the causes shared by all, of which none led to another, as Git's merge bases.

        Each event counts among its own causes. `depth` is how far the farthest of the events is.
        """
        query: Query = {"ids": ",".join(ids), "payload": _flag(payload)}
        return self._pages("/api/common-causes", query, _lineage, _relatives, limit)

    # Traces

    def traces(self, *, limit: int | None = None) -> Pages[list[TraceSpan], TraceSpan]:
        """By their newest event, newest first. A page may hold fewer than `limit` though more follow."""
        return self._pages("/api/traces", {}, _spans, _itself, limit)

    async def trace_summary(self, trace_id: str) -> TraceSummary:
        """A trace at a glance: agents, duration, roots, leaves, rewards, and the chain of causes that decided how long it took."""
        return _summary(await self.get_bytes(f"/api/traces/{segment(trace_id)}"))

    def trace_graph(self, trace_id: str, *, limit: int | None = None) -> Pages[TraceGraph, TraceNode]:
        """A trace as node-link data, in order of position; `limit`: events in a page, 1..10,000. A whole one is `semp_sdk.mirror`'s."""
        path = f"/api/traces/{segment(trace_id)}/graph"
        return self._pages(path, {}, _graph, lambda page: page.nodes, limit, usual=1_000, largest=LARGEST_GRAPH)

    # Signals

    def explain(
        self, scope: str, pattern: str, *, at: Moment | None = None, order: Literal["asc", "desc"] = "asc", limit: int | None = None
    ) -> Pages[Explanation, Shift]:
        """Why a signal is as strong as it is, or was `at` a moment: every event that moved it, in log order, or newest first.

        Each begins at the strength the one before left, less what time took; the last, less `decay`, is the signal's own strength.
        """
        path = f"/api/signals/{segment(scope)}/{segment(pattern)}/explain"
        return self._pages(path, {"at": moment_text(at), "order": order}, _explanation, lambda page: page.events, limit)

    async def what_if(self, *, drop: Iterable[str] = (), add: Iterable[NewEvent | Mapping[str, Any]] = ()) -> Supposition:
        """The signals as they would be without the events `drop`ped (ids) and with those `add`ed. Nothing is written.

        `add`: from `Client.draft`, or dicts as `POST /events` takes them.
        """
        body = msgspec.json.encode({"drop": list(drop), "add": list(add)})
        return _supposition((await self._exchange("POST", "/api/signals/what-if", body)).body)

    # Graph nodes

    async def create_node(self, type: str, data: Mapping[str, Any] | None = None, *, id: str | None = None) -> Node:
        """Store a node of the users' own graph: a file, a ticket, a model. Its id is made here, so it is stored once.

        Raises:
            Conflict: the id is taken by a node with other content.
        """
        body = msgspec.json.encode({"id": id or new_id(), "type": type, "data": dict(data or {})})
        return _node((await self._exchange("POST", "/api/nodes", body)).body)

    async def node(self, id: str) -> Node:
        """A node with its edges."""
        return _node(await self.get_bytes(f"/api/nodes/{segment(id)}"))

    async def link(self, id: str, to: str, type: str) -> Node:
        """Link a node to another one, or to an event, by id; the node with all its edges. The same link twice is one."""
        body = msgspec.json.encode({"to": to, "type": type})
        return _node((await self._exchange("POST", f"/api/nodes/{segment(id)}/edges", body)).body)

    def provenance(
        self, id: str, *, edge: str | None = None, depth: int | None = None, type: Values = None, scope: str | None = None,
        payload: bool = False, limit: int | None = None,
    ) -> Pages[Lineage, Relative]:  # fmt: skip
        """How a node came about: the events it is linked to and everything that led to them.

        The events linked to the node are at depth 0. `edge`: by links of this type alone.
        """
        return self._around("provenance", id, depth, type, scope, payload, limit, of="nodes", edge=edge)

    def node_descendants(
        self, id: str, *, edge: str | None = None, depth: int | None = None, type: Values = None, scope: str | None = None,
        payload: bool = False, limit: int | None = None,
    ) -> Pages[Lineage, Relative]:  # fmt: skip
        """What came of a node: the events it is linked to and everything they led to.

        The events linked to the node are at depth 0. `edge`: by links of this type alone.
        """
        return self._around("descendants", id, depth, type, scope, payload, limit, of="nodes", edge=edge)

    async def nodes_of(self, event_id: str) -> list[LinkedNode]:
        """The nodes that are linked to an event, by type of the link."""
        return _linked(await self.get_bytes(f"/api/events/{segment(event_id)}/nodes"))

    # Requests

    @abstractmethod
    async def get_bytes(self, path: str, query: Query | None = None) -> bytes:
        """The body of the answer to any GET."""

    @abstractmethod
    async def _exchange(self, method: str, target: str, body: bytes | None = None) -> Answer: ...

    def _around(
        self, kind: Literal["ancestors", "descendants", "lineage", "roots", "impact", "provenance"], id: str, depth: int | None,
        type: Values, scope: str | None, payload: bool, limit: int | None, of: Literal["events", "nodes"] = "events",
        edge: str | None = None,
    ) -> Pages[Lineage, Relative]:  # fmt: skip
        query: Query = {"depth": depth, "type": type, "scope": scope, "payload": _flag(payload), "edge": edge}
        return self._pages(f"/api/{of}/{segment(id)}/{kind}", query, _lineage, _relatives, limit)

    def _pages(
        self, path: str, query: Query, read: Callable[[bytes], P], items: Callable[[P], Sequence[T]], limit: int | None,
        usual: int = 100, largest: int = 1_000,
    ) -> Pages[P, T]:  # fmt: skip
        def target(size: int) -> str:
            return path + query_string({**query, "limit": size})

        async def ask(page: str) -> Answer:
            return await self._exchange("GET", page)

        return Pages(ask, target, read, items, limit, usual, largest)


def _relatives(page: Lineage) -> list[Relative]:
    return page.nodes


def _itself(page: list[T]) -> list[T]:
    return page


def _flag(wanted: bool) -> int | None:
    return 1 if wanted else None
