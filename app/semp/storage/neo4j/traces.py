"""Traces in Neo4j: the list of the latest, and the events of one. See docs/decisions/0022."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from semp.domain.event_types import EVENT_TYPES, RAISING_OR_LOWERING, effect_of
from semp.domain.scopes import Glob
from semp.domain.traces import TraceEvent
from semp.engine.records import TraceFilter, TracePage, TraceSpan
from semp.storage.neo4j import rows
from semp.storage.neo4j.connection import Connection
from semp.storage.neo4j.pages import scopes_of

MATCHES = 2_000
"""Events of a scope or type that are looked at to find all traces that have one. With more, the log is searched by position instead."""
WINDOW = 10_000
"""Positions that one query searches for traces."""
WINDOWS = 2
"""Such queries for one page, at most."""
LAST_SCOPE = "~"
"""Follows every character of a scope."""


class Neo4jTraces:
    """Implements `semp.engine.ports.TraceReader`."""

    connection: Connection

    async def traces(self, selection: TraceFilter) -> TracePage:
        scopes: Sequence[Glob] = () if any(scope.selects_all for scope in selection.scopes) else selection.scopes
        found = await scopes_of(self.connection, scopes) if scopes else []
        if found == [] and scopes:
            return TracePage([])
        filtered = bool(scopes or selection.types)
        pattern = rows.pattern_of(scopes) if scopes else None
        if filtered:
            ids = await self._all_matching(selection, found or [], pattern)
            if ids is not None:
                result = await self.connection.run(
                    "traces_among", ids=ids, before=selection.before, until=selection.until, limit=selection.limit
                )
                traces = [TraceSpan(*row) for row in result]
                return TracePage(traces, traces[-1].last if traces and len(traces) == selection.limit else None)
        spans = [(scope, scope) for scope in found] if found else [(_prefix(scopes), _prefix(scopes) + LAST_SCOPE)]
        kinds = [[kind, *span] for kind in selection.types or EVENT_TYPES for span in spans] if filtered else None
        return await self._searched(selection, kinds, pattern)

    async def _all_matching(self, selection: TraceFilter, scopes: list[str], pattern: str | None) -> list[str] | None:
        """The traces with an event of the filter, None when so many events match in part that not all were looked at."""
        look = -(-MATCHES // max(1, len(scopes), len(selection.types)))
        result = await self.connection.run(
            "matching_traces", scopes=scopes, types=list(selection.types), only=list(selection.types) or None, pattern=pattern,
            until=selection.until, look=look,
        )  # fmt: skip
        for path in ("scope", "type"):
            found = [row for row in result if row[0] == path]
            if found and all(looked < look for _, looked, _ in found):
                return sorted({trace for _, _, traces in found for trace in traces})
        return None

    async def _searched(self, selection: TraceFilter, kinds: list[list[str]] | None, pattern: str | None) -> TracePage:
        """The page, searched from the newest position back, within WINDOWS."""
        traces: list[TraceSpan] = []
        edge = selection.before
        for _ in range(WINDOWS):
            first = max(1, edge - WINDOW)
            result = await self.connection.run(
                "traces", first=first, before=edge, until=selection.until, kinds=kinds, pattern=pattern, limit=selection.limit - len(traces)
            )
            traces += [TraceSpan(*row) for row in result]
            full = len(traces) == selection.limit
            edge = traces[-1].last if full else first
            if edge <= 1 or full:
                break
        return TracePage(traces, edge if edge > 1 else None)

    async def trace_events(self, trace_id: str, after: int, limit: int) -> list[TraceEvent]:
        result = await self.connection.run_in_turn(
            "trace_events", trace_id=trace_id, after=after, limit=limit, valued=list(RAISING_OR_LOWERING)
        )
        return [_trace_event(row) for row in result]


def _prefix(globs: Sequence[Glob]) -> str:
    """The literal text that all matches start with, as far as the globs begin alike."""
    first, last = min((glob.prefix for glob in globs), default=""), max((glob.prefix for glob in globs), default="")
    same = next((index for index, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]


def _trace_event(row: list[Any]) -> TraceEvent:
    value = effect_of(row[1], row[7].encode())[0] if row[7] else 0.0
    return TraceEvent(row[0], row[1], row[2], row[3], row[4] or [], row[5], row[6], value)
