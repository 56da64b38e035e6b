"""Renders the events of a trace as a tree of lines. Each event is below its latest cause, because only then could it happen."""

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
    """One line for each event, causes before their effects. An only child is not indented; where a chain forks, the children are.

    Args:
        nodes: in order of position.
        started: RFC 3339 time from which the time of each event is counted.
    """
    known = {node.id: node for node in nodes}
    children: dict[str | None, list[Node]] = {}
    for node in nodes:
        causes = [known[parent] for parent in node.parents if parent in known]
        latest = max(causes, key=lambda cause: cause.position, default=None)
        children.setdefault(latest.id if latest else None, []).append(node)
    stack = _rails(children.get(None, []), "")
    while stack:
        first, rest, node = stack.pop()
        yield _line(first, node, known, started)
        stack += _rails(children.get(node.id, []), rest)


def _rails(children: list[Node], rail: str) -> list[tuple[str, str, Node]]:
    """For each child: the prefix of its own line, the prefix of the lines below it, and the child. In reverse order, for a stack."""
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
    text = summary(node.type, node.payload)
    if text:
        line.append_text(cell(text, "bold")).append("  ")
    line.append_text(cell(node.scope, "dim"))
    line.append(f"  {_seconds(started, node.timestamp):+.3f} s", "dim")
    others = sorted(known[parent].position for parent in node.parents if parent in known)[:-1]
    not_shown = sum(parent not in known for parent in node.parents)
    if others or not_shown:
        also = [str(position) for position in others] + ([f"{not_shown} not shown"] if not_shown else [])
        line.append(f"  also after {', '.join(also)}", "dim italic")
    return line


def _seconds(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
