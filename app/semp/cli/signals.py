"""`semp signals`: what is strong now, or was; once, or again and again."""

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
from semp.cli.options import HERE, PATIENCE, Json, Url
from semp.cli.sse import follow
from semp.cli.status import SignalLine
from semp.cli.terminal import cell, json_line, out, plural, say, show, table, until_interrupted, when, write
from semp.domain.errors import SempError

EVERY_SECONDS = 1.0
BAR = 12


class Change(msgspec.Struct):
    """A signal as an event has just left it."""

    scope: str
    pattern: str
    strength: float
    position: int
    last_updated: str = ""


def signals(
    *,
    url: Url = HERE,
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
        url: Where the service is.
        scope: Only this scope, or the scopes of a glob such as ui.**.
        pattern: Only this pattern, exactly.
        min_strength: Only those at least this strong, 0 to 1.
        limit: How many, at most.
        at: As of then: a position of the log, or a time such as 2025-01-15T10:30:00Z.
        watch: Keep showing them until Ctrl-C. In a pipe or with --json: one line for each change, from now on.
        json: Print signals as NDJSON.
    """
    query = {"scope": scope, "pattern": pattern, "min_strength": min_strength or None, "limit": limit, "at": at}
    with Client(url, PATIENCE) as client, until_interrupted() if watch else nullcontext():
        if not watch:
            found = _read(client, query)
            _print(
                found, limit, json, f"no signal{' that fits' if scope or pattern or min_strength else ''} is alive{' then' if at else ''}"
            )
        elif at is not None:
            raise SempError("--watch shows the present and --at the past; give one")
        elif json or not out.is_terminal:
            _print_changes(client, scope, pattern, min_strength, json)
        else:
            _watch(client, query)


def _read(client: Client, query: Query) -> list[dict[str, Any]]:
    return client.decode(client.get("/api/signals", query), list[dict[str, Any]])


def _print(found: list[dict[str, Any]], limit: int, json: bool, empty: str) -> None:
    if json:
        write("".join(json_line(signal) + "\n" for signal in found))
    elif found:
        show(_table(found))
    if not found:
        say(empty)
    elif len(found) == limit and not json:
        say(f"the {plural(limit, 'strongest signal')}; --limit shows more", style="dim")


def _table(found: list[dict[str, Any]]) -> Table:
    rows = table("STRENGTH", "", "SCOPE", "PATTERN", "LAST MOVED", right=["STRENGTH"], cut=["SCOPE", "PATTERN"])
    for signal in found:
        one = msgspec.convert(signal, SignalLine)
        filled = round(max(0.0, min(1.0, one.strength)) * BAR)
        strength = Text("█" * filled, "green").append("·" * (BAR - filled), "dim")
        rows.add_row(f"{one.strength:.3f}", strength, cell(one.scope), cell(one.pattern, "bold"), cell(when(one.last_updated), "dim"))
    return rows


def _watch(client: Client, query: Query) -> None:
    """A table that is drawn anew each second, as high as the terminal."""
    client.wait_ready()
    with Live(console=out, auto_refresh=False, vertical_overflow="crop") as live:
        last: RenderableType = Text()
        while True:
            room = max(1, out.height - 3)
            try:
                found = _read(client, query)
                clock = time.strftime("%H:%M:%SZ", time.gmtime())
                note = cell(f"{plural(len(found), 'signal')} at {clock}, strongest first; Ctrl-C ends", "dim")
                last = Group(_table(found[:room]) if found else Text("no signal is alive"), note)
                live.update(last, refresh=True)
            except Away as away:
                live.update(Group(last, cell(f"trying again: {away}", "yellow")), refresh=True)
            time.sleep(EVERY_SECONDS)


def _print_changes(client: Client, scope: str | None, pattern: str | None, min_strength: float, json: bool) -> None:
    """Each change as a line: what a program or a pipe can read."""
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
