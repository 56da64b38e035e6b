"""What the service answers about causes and consequences, as typed values."""

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
    """PARENT hops from the event asked about, by the shortest way."""
    relation: Literal["ancestor", "descendant"] | None = None
    """Set where both are listed together."""
    payload: dict[str, Any] | None = None
    """None unless it was asked for."""


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a lineage, nearest first."""

    count: int
    """Events in all, exact for the depth and filters asked, whatever the page."""
    truncated: bool
    """Whether this page is not the last, or the node budget ended the count."""
    nodes: list[Relative]


class Paths(Lineage, frozen=True, kw_only=True):
    """A page of the events on any way from one event to another, both included, nearest to the cause first."""

    shortest: list[str]
    """Ids of one shortest way, from the cause to the effect; empty when none leads to the other."""


class TraceSpan(msgspec.Struct, frozen=True, kw_only=True):
    """Where a trace lies in the log."""

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
    """From the step before to this one, 0 for the first."""


class CriticalPath(msgspec.Struct, frozen=True, kw_only=True):
    """The chain of causes that decided how long a trace took; `steps` are its newest ones when there are very many."""

    count: int
    seconds: float
    steps: list[Step]


class AgentShare(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent did in a trace."""

    agent_id: str
    events: int
    critical_seconds: float
    """Time on the critical path up to this agent's events."""
    critical_share: float
    """The same as a part of the path's time, 0..1."""


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """Roots or leaves of a trace: how many, and their ids when there are not very many."""

    count: int
    ids: list[str]


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Rewards or penalties: how many, and the sum of their sizes."""

    count: int
    total: float


class TraceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A trace at a glance. `truncated`: it has more events than were read, and only the oldest of them are summed up."""

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
    """An event that moved a signal, and by how much: `before` + `change` is `after`."""

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
    """What part of the value reached this signal: less than 1 by credit along causes."""
    before: float
    change: float
    decay: float
    """What time took between the `after` of the event before and this one's `before`; 0 or less."""
    after: float


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the events that moved a signal, in log order, and what time has taken since the last of them."""

    scope: str
    pattern: str
    strength: float
    at: Instant
    count: int
    truncated: bool
    decay: float
    events: list[Shift]


class SupposedSignal(Signal, frozen=True, kw_only=True, rename={"lambda_": "lambda"}):
    """A signal as it would be, and its `actual` strength; 0 stands for absent in both."""

    actual: float


class Supposition(msgspec.Struct, frozen=True, kw_only=True):
    """What the signals would be had the log been another one."""

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
