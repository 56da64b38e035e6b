"""The events of a trace as a tree of lines: each below the cause that came last, since only then could it happen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from rich.text import Text

from semp.cli.event_lines import COLOURS, summary
from semp.cli.terminal import cell


class Node(msgspec.Struct):
    """An event of the trace."""

    id: str
    type: str
    scope: str
    agent_id: str
    timestamp: str
    position: int
    payload: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    parents: list[str] = msgspec.field(default_factory=list[str])
    critical: bool = False


def tree_lines(nodes: Sequence[Node], started: str) -> Iterator[Text]:
    """One line an event, in order of causes. A chain goes straight down; only where it forks are its ends set in.

    Args:
        nodes: in order of position.
        started: the time that the time of each event is counted from.
    """
    known = {node.id: node for node in nodes}
    below: dict[str | None, list[Node]] = {}
    for node in nodes:
        causes = [known[parent] for parent in node.parents if parent in known]
        nearest = max(causes, key=lambda cause: cause.position, default=None)
        below.setdefault(nearest.id if nearest else None, []).append(node)
    waiting = _rails(below.get(None, []), "")
    while waiting:
        first, rest, node = waiting.pop()
        yield _line(first, node, known, started)
        waiting += _rails(below.get(node.id, []), rest)


def _rails(children: list[Node], rail: str) -> list[tuple[str, str, Node]]:
    """What stands before each child, and before what is below it; last one first, as a stack takes them."""
    if len(children) < 2:
        return [(rail, rail, child) for child in children]
    *others, last = children
    return [(f"{rail}└─ ", f"{rail}   ", last), *((f"{rail}├─ ", f"{rail}│  ", child) for child in reversed(others))]


def _line(rail: str, node: Node, known: dict[str, Node], started: str) -> Text:
    line = Text(rail, "dim")
    line.append("● " if node.critical else "○ ", "bold" if node.critical else "dim")
    line.append(f"{node.position} ", "dim")
    line.append_text(cell(node.type, COLOURS.get(node.type, "bold"))).append("  ")
    line.append_text(cell(node.agent_id)).append("  ")
    said = summary(node.type, node.payload)
    if said:
        line.append_text(cell(said, "bold")).append("  ")
    line.append_text(cell(node.scope, "dim"))
    line.append(f"  {_seconds(started, node.timestamp):+.3f} s", "dim")
    others = sorted(known[parent].position for parent in node.parents if parent in known)[:-1]
    elsewhere = sum(parent not in known for parent in node.parents)
    if others or elsewhere:
        also = [str(position) for position in others] + ([f"{elsewhere} not shown"] if elsewhere else [])
        line.append(f"  also after {', '.join(also)}", "dim italic")
    return line


def _seconds(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
