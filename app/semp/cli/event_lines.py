"""An event as one line for a person."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.text import Text

from semp.cli.terminal import cell, when

COLOURS = {"proposal": "cyan", "ready": "blue", "test": "yellow", "reward": "green", "penalty": "red", "cancel": "magenta"}


class EventLine(msgspec.Struct):
    """The fields of an event that are shown."""

    position: int
    timestamp: str
    type: str
    scope: str
    agent_id: str
    trace_id: str = ""
    payload: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])


def event_line(event: EventLine, *, short: bool) -> Text:
    """An event as a line: time, position, agent, type, scope, summary, trace. A narrow terminal cuts the end first.

    Args:
        short: for a terminal: show the time without the date, and cut long names.
    """
    line = Text()
    line.append_text(cell(when(event.timestamp)[11:] if short else when(event.timestamp), "dim"))
    line.append(f" {event.position:>6}  ")
    line.append_text(_padded(event.agent_id, 10, 16 if short else None))
    line.append_text(_padded(event.type, 8, None, COLOURS.get(event.type, "bold")))
    line.append_text(_padded(event.scope, 12, 20 if short else None))
    line.append_text(_padded(summary(event.type, event.payload), 16, 60 if short else None, "bold"))
    line.append_text(cell(event.trace_id, "dim"))
    return line


def _padded(text: str, width: int, longest: int | None, style: str = "") -> Text:
    padded = cell(text, style)
    if longest is not None:
        padded.truncate(longest, overflow="ellipsis")
    padded.append(" " * max(0, width - padded.cell_len) + "  ")
    return padded


def summary(kind: str, payload: dict[str, Any]) -> str:
    """The payload in short: value, action, status, suite and reason, as far as it has them. Also works for unknown event types."""
    parts: list[str] = []
    value = payload.get("value")
    if isinstance(value, int | float):
        parts.append(f"-{abs(value):g}" if kind == "penalty" else f"{value:+g}")
    parts += [str(payload[name]) for name in ("action", "status", "suite") if payload.get(name) is not None]
    if payload.get("reason") is not None:
        parts.append(f'"{payload["reason"]}"')
    return " ".join(parts)
