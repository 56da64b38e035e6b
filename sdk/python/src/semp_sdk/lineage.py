"""Answers about causes and consequences, as typed values."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from semp_sdk.events import Signal


class Relative(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a lineage."""

    id: str
    type: str
    scope: str
    trace_id: str
    agent_id: str
    parent_ids: list[str]
    timestamp: str
    position: int
    depth: int
    """PARENT hops to the event of the request, by the shortest path."""
    relation: Literal["ancestor", "descendant"] | None = None
    """Set when both are in one list."""
    payload: dict[str, Any] | None = None
    """None unless it was requested."""


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a lineage, nearest first."""

    count: int
    """Exact total for the requested depth and filters, on every page."""
    truncated: bool
    """Whether more pages follow, or the node budget ended the count."""
    nodes: list[Relative]


class Paths(Lineage, frozen=True, kw_only=True):
    """A page of the events on any path from one event to another, both included, nearest to the cause first."""

    shortest: list[str]
    """Ids of one shortest path, from the cause to the effect; empty when there is no path."""


class TraceSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A trace's range in the log."""

    trace_id: str
    events: int
    first: int
    """Position of its oldest event."""
    last: int
    started: str
    ended: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """An event on a critical path."""

    id: str
    type: str
    scope: str
    agent_id: str
    timestamp: str
    position: int
    seconds: float
    """Seconds since the step before; 0 for the first."""


class CriticalPath(msgspec.Struct, frozen=True, kw_only=True):
    """The chain of causes that determined the trace's duration. `steps` has only the newest ones when there are very many."""

    count: int
    seconds: float
    steps: list[Step]


class AgentShare(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's part in a trace."""

    agent_id: str
    events: int
    critical_seconds: float
    """Seconds on the critical path that end at this agent's events."""
    critical_share: float
    """The same as a fraction of the path's duration, 0..1."""


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """Roots or leaves of a trace: their number, and their ids unless there are very many."""

    count: int
    ids: list[str]


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Rewards or penalties: their number, and the sum of their sizes."""

    count: int
    total: float


class TraceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Summary of a trace. `truncated`: the trace has more events than the service reads, and only the oldest are summarised."""

    trace_id: str
    events: int
    truncated: bool
    started: str
    ended: str
    duration: float
    """Seconds from the oldest event to the newest."""
    types: dict[str, int]
    scopes: dict[str, int]
    agents: list[AgentShare]
    roots: Ends
    leaves: Ends
    rewards: Tally
    penalties: Tally
    critical_path: CriticalPath


class TraceNode(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a trace's graph."""

    id: str
    type: str
    scope: str
    agent_id: str
    timestamp: str
    position: int


class TraceEdge(msgspec.Struct, frozen=True, kw_only=True):
    """From an event to one of its causes."""

    source: str
    target: str
    type: str


class TraceGraph(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a trace as node-link data: `networkx.node_link_graph(msgspec.to_builtins(page), edges="edges")` reads it.

    A cause in another trace is an edge's target only.
    """

    nodes: list[TraceNode]
    edges: list[TraceEdge]
    graph: dict[str, Any]
    directed: bool
    multigraph: bool


class Instant(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of the log."""

    position: int
    timestamp: str


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """An event that moved a signal: `before` + `change` = `after`."""

    id: str
    type: str
    scope: str
    trace_id: str
    agent_id: str
    timestamp: str
    position: int
    value: float | None = None
    """How much it raises or lowers; None for types that do neither."""
    share: float = 1.0
    """Fraction of the value that reached this signal; less than 1 for credit along causes."""
    before: float
    change: float
    decay: float
    """Decay between the `after` of the event before and the `before` of this one; 0 or less."""
    after: float


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the events that moved a signal, in log order, and the decay since the last of them."""

    scope: str
    pattern: str
    strength: float
    at: Instant
    count: int
    truncated: bool
    decay: float
    events: list[Shift]


class SupposedSignal(Signal, frozen=True, kw_only=True, rename={"lambda_": "lambda"}):
    """A hypothetical signal and its `actual` strength; 0 means absent in both."""

    actual: float


class Supposition(msgspec.Struct, frozen=True, kw_only=True):
    """The signals for a hypothetical log."""

    position: int
    timestamp: str
    signals: list[SupposedSignal]


class NodeEdge(msgspec.Struct, frozen=True, kw_only=True):
    """An edge from a graph node to another node or to an event."""

    to: str
    type: str


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the users' own graph: a file, a ticket, a model."""

    id: str
    type: str
    data: dict[str, Any]
    edges: list[NodeEdge]


class LinkedNode(msgspec.Struct, frozen=True, kw_only=True):
    """A graph node as seen from an event it is linked to; `edge` is the type of the link."""

    id: str
    type: str
    data: dict[str, Any]
    edge: str
