"""`semp trace`: shows the summary of a trace, and its events as a tree of causes."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from cyclopts import Parameter, validators
from rich.table import Table

from semp.cli.client import Client
from semp.cli.options import DEFAULT_URL, Json, Url
from semp.cli.terminal import cell, json_line, plural, say, show, table, when, write
from semp.cli.trace_tree import Node, tree_lines

PAGE = 1_000
SHOWN = 5
"""Maximum number of types and of scopes in the summary. Twice as many agents are shown."""


class _Tally(msgspec.Struct):
    count: int
    total: float


class _Step(msgspec.Struct):
    id: str


class _Path(msgspec.Struct):
    count: int
    seconds: float
    steps: list[_Step]


class _Agent(msgspec.Struct):
    agent_id: str
    events: int
    critical_seconds: float
    critical_share: float


class Summary(msgspec.Struct):
    """The service's summary of a trace."""

    trace_id: str
    events: int
    truncated: bool
    started: str
    ended: str
    duration: float
    types: dict[str, int]
    scopes: dict[str, int]
    agents: list[_Agent]
    rewards: _Tally
    penalties: _Tally
    critical_path: _Path


class _Graph(msgspec.Struct):
    nodes: list[dict[str, Any]]
    edges: list[dict[str, Any]]


def trace(
    trace_id: Annotated[str, Parameter(name="id")],
    /,
    *,
    url: Url = DEFAULT_URL,
    limit: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=50_000))] = 200,
    json: Json = False,
) -> None:
    """Show a trace: its agents, its duration, its tree of causes, and the critical path, which determined the duration.

    Args:
        trace_id: Id of the trace.
        url: URL of the service.
        limit: Maximum number of events in the tree; the oldest are shown.
        json: Print the service's summary as JSON, with the events and edges as its graph.
    """
    path = f"/api/traces/{quote(trace_id, safe='')}"
    with Client(url) as client:
        reply = client.get(path)
        answer, summary = client.decode(reply, dict[str, Any]), client.decode(reply, Summary)
        nodes, edges = _graph(client, f"{path}/graph", limit)
    if json:
        write(json_line({**answer, "graph": {"nodes": nodes, "edges": edges}}) + "\n")
        return
    show(_overview(summary), "", _agents(summary), "")
    for line in tree_lines(_tree(nodes, edges, summary), summary.started):
        show(line)
    if summary.events > len(nodes):
        say(f"the oldest {plural(len(nodes), 'event')} of {summary.events:,}{' or more' if summary.truncated else ''}; --limit shows more")


def _graph(client: Client, path: str, limit: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    nodes: list[dict[str, Any]] = []
    edges: list[dict[str, Any]] = []
    query: dict[str, Any] = {"payload": 1}
    while True:
        reply = client.get(path, {**query, "limit": min(PAGE, limit - len(nodes))})
        part = client.decode(reply, _Graph)
        nodes += part.nodes
        edges += part.edges
        if len(nodes) >= limit or not reply.following:
            return nodes, edges
        query = reply.following


def _tree(nodes: list[dict[str, Any]], edges: list[dict[str, Any]], summary: Summary) -> list[Node]:
    critical = {step.id for step in summary.critical_path.steps}
    causes: dict[str, list[str]] = {}
    for edge in edges:
        causes.setdefault(edge["source"], []).append(edge["target"])
    tree = [msgspec.convert(node, Node) for node in nodes]
    for node in tree:
        node.parents, node.critical = causes.get(node.id, []), node.id in critical
    return tree


def _overview(summary: Summary) -> Table:
    rows = table("name", "value", cut=["value"], header=False)
    rows.add_row("trace", cell(summary.trace_id, "bold"))
    rows.add_row("events", cell(f"{summary.events:,}: {_counted(summary.types)}"))
    rows.add_row("scopes", cell(_counted(summary.scopes)))
    rows.add_row("time", cell(f"{when(summary.started)} to {when(summary.ended)}, {summary.duration:g} s"))
    for name, tally in (("rewards", summary.rewards), ("penalties", summary.penalties)):
        if tally.count:
            rows.add_row(name, f"{tally.count:,}, {tally.total:.2f} in all")
    path = summary.critical_path
    rows.add_row("critical path", cell(f"{plural(path.count, 'event')}, {path.seconds:g} s; marked ●"))
    return rows


def _counted(counts: dict[str, int]) -> str:
    shown = [f"{count:,} {name}" for name, count in list(counts.items())[:SHOWN]]
    return ", ".join(shown) + (f" and {len(counts) - SHOWN:,} more" if len(counts) > SHOWN else "")


def _agents(summary: Summary) -> Table:
    rows = table("AGENT", "EVENTS", "ON THE CRITICAL PATH", right=["EVENTS", "ON THE CRITICAL PATH"], cut=["AGENT"])
    for agent in summary.agents[: 2 * SHOWN]:
        time = f"{agent.critical_seconds:.3f} s  {agent.critical_share:4.0%}" if agent.critical_seconds else "-"
        rows.add_row(cell(agent.agent_id), f"{agent.events:,}", time)
    if len(summary.agents) > 2 * SHOWN:
        rows.add_row(cell(f"and {len(summary.agents) - 2 * SHOWN:,} more", "dim"))
    return rows
