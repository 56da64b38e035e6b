"""`semp explain`: why a signal is as strong as it is."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from cyclopts import Parameter, validators
from rich.table import Table

from semp.cli.client import Client
from semp.cli.event_lines import COLOURS
from semp.cli.options import HERE, Json, Url
from semp.cli.terminal import cell, json_line, plural, show, table, when, write

PAGE = 1_000


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
    """The answer, a page of it."""

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
    url: Url = HERE,
    at: str | None = None,
    limit: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=100_000))] = 50,
    json: Json = False,
) -> None:
    """Show every event that moved a signal: by whom and when, with its strength before and after.

    Args:
        scope: The signal's scope, such as ui.login.
        pattern: The signal's pattern, such as improve_ux.
        url: Where the service is.
        at: As of then: a position of the log, or a time such as 2025-01-15T10:30:00Z.
        limit: Moves to show, at most: the newest.
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
        whole, found = client.decode(first, dict[str, Any]), client.decode(first, Explained)
    moves.reverse()
    if json:
        write(json_line({**whole, "truncated": len(moves) < found.count, "events": moves}) + "\n")
        return
    name = f"{found.scope}:{found.pattern}"
    now = f"at position {found.at.position}, {when(found.at.timestamp)}"
    gone = " (it has faded: below 0.01 a signal is gone)" if found.strength == 0 else ""
    show(cell(name, "bold").append(f" is {found.strength:.3f}", "green").append(f" {now}{gone}"), "")
    if len(moves) < found.count:
        show(cell(f"the newest {len(moves):,} of {plural(found.count, 'move')}; --limit shows more", "dim"))
    show(_table([msgspec.convert(move, Move) for move in moves]))
    show("", cell(f"# is the position in the log; since the last move, time took {abs(found.decay):.3f}", "dim"))


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
