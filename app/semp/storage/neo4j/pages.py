"""Pages of the log in Neo4j: which index leads to the events of a page, and how far a page looks. See docs/decisions/0022."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec

from semp.domain.event_types import EVENT_TYPES
from semp.domain.events import Event
from semp.domain.scopes import Glob
from semp.engine.records import LOOKED_AT, EventFilter, Page
from semp.storage.neo4j import rows
from semp.storage.neo4j.connection import Connection

LAST = 2**62
"""Higher than every position."""
NOWHERE = [0, 0]
"""A span of no positions."""
FIRST_LOOK = 1_000
"""Events that a page looks at first. A page that these do not fill looks at the rest of LOOKED_AT, by the path that is best there."""
SEEKS = 100
"""Values of a field that are sought one by one, at most."""
SCOPES_LOOKED_AT = 1_000
"""Scopes that are compared with a glob, at most. A glob with more under its prefix is compared with the events' scopes instead."""

Values = list[Any]
"""What one access path seeks: texts, or for threads `[trace_id, scope, type]`."""
Span = tuple[int, int]
"""Two positions; what lies between them, without the two."""


class _Asked(msgspec.Struct):
    """A filter, as parameters of the queries."""

    paths: dict[str, Values]
    """The access paths that lead to every event of the filter, each with the values to seek; "position" is the whole log."""
    rest: dict[str, Any]
    """The parameters types, pattern, traces and agents, None for a field that matches everything."""
    exact: bool
    """Whether the only path leads to nothing but events of the filter."""


class Neo4jPages:
    """The part of `semp.engine.ports.EventLog` that reads pages."""

    connection: Connection

    async def page(self, selection: EventFilter) -> Page:
        if not selection.limit:
            return Page([])
        span = (selection.after or 0, await self._end(selection))
        asked = await self._asked(selection)
        if asked is None:
            return Page([])
        if asked.exact:
            [path] = asked.paths
            return Page.of(await self._read(path, asked, selection, span, selection.limit), selection.limit)
        events: list[Event] = []
        edge: int | None = None
        for look in (FIRST_LOOK, LOOKED_AT - FIRST_LOOK):
            path, edge = await self._shortest(asked, selection, span, look)
            within, beyond = _parted(span, edge, newest_first=selection.newest_first)
            events += await self._read(path, asked, selection, within, selection.limit - len(events))
            if edge is None or len(events) == selection.limit:
                break
            span = beyond
        return Page.of(events, selection.limit, edge)

    async def _end(self, selection: EventFilter) -> int:
        """A position above all that the page may hold.

        If the page needs more than one seek, events that are appended meanwhile do not count: one of them could be found by a later seek,
        and one before it missed by an earlier seek, and the next page would begin after both.
        """
        end = LAST if selection.before is None else selection.before
        seeks = len(selection.types) + len(selection.scopes) + len(selection.trace_ids) + len(selection.agent_ids)
        if seeks < 2 and all(scope.exact for scope in selection.scopes):
            return end
        found = await self.connection.run("stream_state")
        return min(end, (found[0][1] or 0) + 1) if found else end

    async def _asked(self, selection: EventFilter) -> _Asked | None:
        """None: no event can match."""
        scopes: Sequence[Glob] = () if any(scope.selects_all for scope in selection.scopes) else selection.scopes
        found = await scopes_of(self.connection, scopes) if scopes else []
        if found is not None and scopes and not found:
            return None
        fields: dict[str, Values | None] = {
            "trace": sorted(set(selection.trace_ids)),
            "agent": sorted(set(selection.agent_ids)),
            "scope": found,
            "type": sorted(set(selection.types)),
        }
        rest = {
            "traces": fields["trace"] or None,
            "agents": fields["agent"] or None,
            "pattern": rows.pattern_of(scopes) if scopes else None,
            "types": fields["type"] or None,
        }
        if fields["trace"] and found and not fields["agent"]:
            threads = [list(one) for one in itertools.product(fields["trace"], found, fields["type"] or EVENT_TYPES)]
            if len(threads) <= SEEKS:
                return _Asked({"thread": threads}, {}, exact=True)
        paths = {path: values for path, values in fields.items() if values and len(values) <= SEEKS}
        given = sum(value is not None for value in rest.values())
        return _Asked(paths or {"position": [""]}, rest, exact=given == len(paths) <= 1)

    async def _shortest(self, asked: _Asked, selection: EventFilter, span: Span, look: int) -> tuple[str, int | None]:
        """The path that comes furthest with `look` events, and how far: the position of the last one, None when it comes to the end."""
        values = {path: asked.paths.get(path, []) for path in ("trace", "agent", "scope", "type", "position")}
        each = {path: -(-look // max(1, len(sought))) for path, sought in values.items()}
        found = await self.connection.run(
            "edges", traces=values["trace"], agents=values["agent"], scopes=values["scope"], types=values["type"], whole=values["position"],
            look=each, **_sides(span, selection),
        )  # fmt: skip
        reached: dict[str, tuple[int, int]] = {}
        """By path: how far it comes, the end of the log being furthest; and minus the number of its events."""
        for path, entries, edge in found:
            distance = LAST if entries < each[path] else span[1] - edge if selection.newest_first else edge - span[0]
            before, fewer = reached.get(path, (LAST, 0))
            reached[path] = (min(before, distance), fewer - entries)
        best = max(reached, key=lambda path: reached[path])
        distance = reached[best][0]
        if distance == LAST:
            return best, None
        return best, span[1] - distance if selection.newest_first else span[0] + distance

    async def _read(self, path: str, asked: _Asked, selection: EventFilter, span: Span, limit: int) -> list[Event]:
        """The first events of the filter in a span."""
        own = _OWN.get(path)
        parameters = {name: value for name, value in asked.rest.items() if name != own}
        if path != "position":
            parameters[f"{path}s"] = asked.paths[path]
        return [
            rows.event(row) for row in await self.connection.run(f"page_by_{path}", **parameters, **_sides(span, selection), limit=limit)
        ]


async def scopes_of(connection: Connection, globs: Sequence[Glob]) -> list[str] | None:
    """The stored scopes that these globs match, None when there are too many to seek each, or to look for."""
    found: set[str] = set()
    for glob in globs:
        if glob.exact:
            found.add(glob.text)
            continue
        [[looked, scopes]] = await connection.run("matching_scopes", **rows.scope_parameters(glob), look=SCOPES_LOOKED_AT)
        found.update(scopes)
        if looked == SCOPES_LOOKED_AT or len(found) > SEEKS:
            return None
    return sorted(found)


_OWN = {"trace": "traces", "agent": "agents", "scope": "pattern", "type": "types"}
"""By access path: the parameter that it does not need, because it leads to events that match it."""


def _sides(span: Span, selection: EventFilter) -> dict[str, list[int]]:
    """A span as the parameters falling and rising: that of the other order holds no positions."""
    falling, rising = (list(span), NOWHERE) if selection.newest_first else (NOWHERE, list(span))
    return {"falling": falling, "rising": rising}


def _parted(span: Span, edge: int | None, *, newest_first: bool) -> tuple[Span, Span]:
    """The part of a span up to and with the edge, and the part beyond it. Without an edge, the whole span and nothing."""
    if edge is None:
        return span, (0, 0)
    return ((edge - 1, span[1]), (span[0], edge)) if newest_first else ((span[0], edge + 1), (edge, span[1]))
