"""`semp signals`: shows the live signals, now or at an earlier time, once or continuously."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter, validators
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from semp.cli.client import Away, Client, Query
from semp.cli.options import DEFAULT_URL, PATIENCE, Json, Url
from semp.cli.sse import follow
from semp.cli.status import SignalLine
from semp.cli.terminal import cell, json_line, out, plural, say, show, table, until_interrupted, when, write
from semp.domain.errors import SempError

EVERY_SECONDS = 1.0
"""Seconds between two readings of the signals with --watch."""
BAR = 12
"""Width of the strength bar in characters."""


class Change(msgspec.Struct):
    """A signal right after an event moved it."""

    scope: str
    pattern: str
    strength: float
    position: int
    last_updated: str = ""


def signals(
    *,
    url: Url = DEFAULT_URL,
    scope: str | None = None,
    pattern: str | None = None,
    min_strength: Annotated[float, Parameter(validator=validators.Number(gte=0, lte=1))] = 0.0,
    limit: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=100_000))] = 100,
    at: str | None = None,
    watch: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
) -> None:
    """Show the live signals, strongest first.

    Args:
        url: URL of the service.
        scope: Only this scope, or the scopes that match a glob such as ui.**.
        pattern: Only this exact pattern.
        min_strength: Only signals at least this strong, 0 to 1.
        limit: Maximum number of signals.
        at: Show the signals as they were at a log position, or at a time such as 2025-01-15T10:30:00Z.
        watch: Keep showing the signals until Ctrl-C. In a pipe or with --json: print one line for each change from now on.
        json: Print signals as NDJSON.
    """
    query = {"scope": scope, "pattern": pattern, "min_strength": min_strength or None, "limit": limit, "at": at}
    with Client(url, PATIENCE) as client, until_interrupted() if watch else nullcontext():
        if not watch:
            selected = " that fits" if scope or pattern or min_strength else ""
            empty = f"no signal{selected} {'was alive then' if at else 'is alive'}"
            _print(_read(client, query), limit, json, empty)
        elif at is not None:
            raise SempError("--watch shows the present and --at shows the past; give only one of them")
        elif json or not out.is_terminal:
            _print_changes(client, scope, pattern, min_strength, json)
        else:
            _watch(client, query)


def _read(client: Client, query: Query) -> list[dict[str, Any]]:
    return client.decode(client.get("/api/signals", query), list[dict[str, Any]])


def _print(signals: list[dict[str, Any]], limit: int, json: bool, empty: str) -> None:
    if json:
        write("".join(json_line(signal) + "\n" for signal in signals))
    elif signals:
        show(_table(signals))
    if not signals:
        say(empty)
    elif len(signals) == limit and not json:
        say(f"the {plural(limit, 'strongest signal')}; --limit shows more", style="dim")


def _table(signals: list[dict[str, Any]]) -> Table:
    rows = table("STRENGTH", "", "SCOPE", "PATTERN", "LAST MOVED", right=["STRENGTH"], cut=["SCOPE", "PATTERN"])
    for signal in signals:
        one = msgspec.convert(signal, SignalLine)
        filled = round(max(0.0, min(1.0, one.strength)) * BAR)
        strength = Text("█" * filled, "green").append("·" * (BAR - filled), "dim")
        rows.add_row(f"{one.strength:.3f}", strength, cell(one.scope), cell(one.pattern, "bold"), cell(when(one.last_updated), "dim"))
    return rows


def _watch(client: Client, query: Query) -> None:
    """Show a table on the terminal and update it every second. It is cut to the height of the terminal."""
    client.wait_ready()
    with Live(console=out, auto_refresh=False, vertical_overflow="crop") as live:
        last: RenderableType = Text()
        while True:
            room = max(1, out.height - 3)
            try:
                signals = _read(client, query)
                clock = time.strftime("%H:%M:%SZ", time.gmtime())
                note = cell(f"{plural(len(signals), 'signal')} at {clock}, strongest first; Ctrl-C to stop", "dim")
                last = Group(_table(signals[:room]) if signals else Text("no signal is alive"), note)
                live.update(last, refresh=True)
            except Away as away:
                live.update(Group(last, cell(f"trying again: {away}", "yellow")), refresh=True)
            time.sleep(EVERY_SECONDS)


def _print_changes(client: Client, scope: str | None, pattern: str | None, min_strength: float, json: bool) -> None:
    """Print each change of a signal as one line, for a pipe or a program."""
    for message in follow(client, {"scope": scope, "signals": 1}, client.wait_ready()):
        if message.kind != "signal":
            continue
        change = msgspec.convert(message.data, Change)
        if change.strength < min_strength or pattern not in (None, change.pattern):
            continue
        if json:
            write(json_line(message.data) + "\n")
        else:
            name = cell(f"{change.scope}:{change.pattern}").plain
            write(f"{when(change.last_updated)} {change.position:>6}  {change.strength:.3f}  {name}\n")
