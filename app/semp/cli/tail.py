"""`semp tail`: shows the newest events, then each new event."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import islice
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter, validators

from semp.cli.client import Client, Query, Ready
from semp.cli.event_lines import EventLine, event_line
from semp.cli.options import DEFAULT_URL, PATIENCE, Json, Position, Url
from semp.cli.sse import follow
from semp.cli.terminal import cell, json_line, out, say, show, until_interrupted, write
from semp.domain.errors import SempError

PAGE = 1_000
LAST = 10
"""Default number of events to begin with."""


def tail(
    *,
    url: Url = DEFAULT_URL,
    scope: str | None = None,
    type_: Annotated[list[str] | None, Parameter(name="--type", negative="")] = None,
    trace: str | None = None,
    agent: str | None = None,
    last: Annotated[int | None, Parameter(name=["--last", "-n"], validator=validators.Number(gte=0, lte=PAGE))] = None,
    after: Position | None = None,
    follow_: Annotated[bool, Parameter(name="--follow")] = True,
    json: Json = False,
) -> None:
    """Show the newest events, then each new event as it is committed. Ctrl-C stops it. After a lost connection no event is missed.

    Args:
        url: URL of the service.
        scope: Only this scope, or the scopes that match a glob such as ui.**.
        type_: Only this type; may be repeated.
        trace: Only this trace.
        agent: Only this agent.
        last: Begin with this many existing events. Default: 10.
        after: Begin with the events after this position instead.
        follow_: Wait for new events; with --no-follow, stop after the existing ones.
        json: Print events as NDJSON.
    """
    if last is not None and after is not None:
        raise SempError("--last and --after both say where to begin; give only one of them")
    printer = _Printer(json)
    query = {"scope": scope, "type": type_, "trace_id": trace, "agent_id": agent}
    with Client(url, PATIENCE) as client, until_interrupted() if follow_ else nullcontext():
        place = client.wait_ready()
        if after is None:
            existing = _newest(client, query, place, LAST if last is None else last)
        else:
            existing = _after(client, query, after, place) if after < place.position or not follow_ else iter(())
        shown = 0
        for shown, event in enumerate(existing, 1):  # noqa: B007 - used after the loop
            printer.print(event)
        if not shown and last != 0:
            selected = "that fits " if any(query.values()) else ""
            say(f"no event {selected}yet{'; waiting for one, Ctrl-C to stop' if follow_ else ''}")
        if follow_:
            begin = place if after is None else Ready(place.epoch, max(after, place.position))
            for message in follow(client, query, begin):
                if message.kind == "event":
                    printer.print(message.data)


def _newest(client: Client, query: Query, place: Ready, count: int) -> Iterator[dict[str, Any]]:
    """The newest `count` events up to a place in the log, oldest first."""
    if count:
        newest = {**query, "order": "desc", "before": place.position + 1, "limit": count}
        yield from reversed(list(islice(_pages(client, newest), count)))


def _after(client: Client, query: Query, after: int, place: Ready) -> Iterator[dict[str, Any]]:
    """The events after a position, up to a place in the log."""
    yield from _pages(client, {**query, "order": "asc", "after": after, "before": place.position + 1, "limit": PAGE})


def _pages(client: Client, query: Query) -> Iterator[dict[str, Any]]:
    """The events of all pages, read one page at a time. A page may be short, or empty, although more follow."""
    place: Query = {}
    while True:
        reply = client.patiently(lambda _, place=place: client.get("/api/events", {**query, **place}))
        yield from client.decode(reply, list[dict[str, Any]])
        if not reply.following:
            return
        place = {name: reply.following[name] for name in ("before", "after") if name in reply.following}


class _Printer:
    """Prints events. On a terminal, a line with the date precedes the events of each day."""

    def __init__(self, json: bool) -> None:
        self._json = json
        self._day = ""

    def print(self, event: dict[str, Any]) -> None:
        if self._json:
            write(json_line(event) + "\n")
            return
        shown = msgspec.convert(event, EventLine)
        if not out.is_terminal:
            write(event_line(shown, short=False).plain.rstrip() + "\n")
            return
        if shown.timestamp[:10] != self._day:
            self._day = shown.timestamp[:10]
            show(cell(self._day, "dim"))
        show(event_line(shown, short=True))
