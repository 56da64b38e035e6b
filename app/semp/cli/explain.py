"""`semp explain`: shows the events that moved a signal."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from cyclopts import Parameter, validators
from rich.table import Table

from semp.cli.client import Client
from semp.cli.event_lines import COLOURS
from semp.cli.options import DEFAULT_URL, Json, Url
from semp.cli.terminal import cell, json_line, plural, show, table, when, write

PAGE = 1_000
COUNTED = 10_000
"""Moves that the service counts, at most."""


class _Moment(msgspec.Struct):
    position: int
    timestamp: str


class Move(msgspec.Struct):
    """An event that moved the signal."""

    position: int
    timestamp: str
    type: str
    agent_id: str
    trace_id: str
    before: float
    change: float
    after: float
    share: float = 1.0


class Explained(msgspec.Struct):
    """One page of the service's answer. `count` is at most 10,000."""

    scope: str
    pattern: str
    strength: float
    at: _Moment
    decay: float
    count: int
    events: list[dict[str, Any]]


def explain(
    scope: str,
    pattern: str,
    /,
    *,
    url: Url = DEFAULT_URL,
    at: str | None = None,
    limit: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=100_000))] = 50,
    json: Json = False,
) -> None:
    """Show every event that moved a signal: by whom and when, with its strength before and after.

    Args:
        scope: The signal's scope, such as ui.login.
        pattern: The signal's pattern, such as improve_ux.
        url: URL of the service.
        at: Show the signal as it was at a log position, or at a time such as 2025-01-15T10:30:00Z.
        limit: Maximum number of moves to show; the newest are shown.
        json: Print the service's answer as JSON.
    """
    path = f"/api/signals/{quote(scope, safe='')}/{quote(pattern, safe='')}/explain"
    moves: list[dict[str, Any]] = []
    with Client(url) as client:
        first = reply = client.get(path, {"order": "desc", "limit": min(limit, PAGE), "at": at})
        while True:
            moves += client.decode(reply, Explained).events
            if len(moves) >= limit or not reply.following:
                break
            reply = client.get(path, {**reply.following, "limit": min(limit - len(moves), PAGE)})
        more = bool(reply.following)
        answer, signal = client.decode(first, dict[str, Any]), client.decode(first, Explained)
    moves.reverse()
    if json:
        write(json_line({**answer, "truncated": more, "events": moves}) + "\n")
        return
    name = f"{signal.scope}:{signal.pattern}"
    moment = f"at position {signal.at.position}, {when(signal.at.timestamp)}"
    faded = " (it has faded: a signal below 0.01 is removed)" if signal.strength == 0 else ""
    show(cell(name, "bold").append(f" is {signal.strength:.3f}", "green").append(f" {moment}{faded}"), "")
    if more:
        of = f" of {plural(signal.count, 'move')}" if len(moves) < signal.count < COUNTED else ""
        show(cell(f"the newest {len(moves):,}{of}; --limit shows more", "dim"))
    show(_table([msgspec.convert(move, Move) for move in moves]))
    show("", cell(f"# is the position in the log; the decay since the last move is {abs(signal.decay):.3f}", "dim"))


def _table(moves: list[Move]) -> Table:
    numbers = ["#", "BEFORE", "CHANGE", "AFTER"]
    rows = table("#", "WHEN", "TYPE", "BEFORE", "CHANGE", "AFTER", "AGENT", "TRACE", right=numbers, cut=["TYPE", "AGENT", "TRACE"])
    for move in moves:
        change = (f"{move.change:+.3f}" if move.change else "0") + ("" if move.share == 1 else f" (share {move.share:g})")
        style = "green" if move.change > 0 else "red" if move.change < 0 else "dim"
        rows.add_row(
            str(move.position), cell(when(move.timestamp), "dim"), cell(move.type, COLOURS.get(move.type, "")),
            f"{move.before:.3f}", cell(change, style), f"{move.after:.3f}", cell(move.agent_id), cell(move.trace_id, "dim"),
        )  # fmt: skip
    return rows
