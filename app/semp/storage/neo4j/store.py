"""The storage in one Neo4j: all its parts on one connection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from semp.domain.errors import FieldError, InvalidInput, NotFound
from semp.engine.records import OfferedQuery, QueryAnswer
from semp.storage import queries
from semp.storage.neo4j.connection import Connection, Target
from semp.storage.neo4j.cursors import Neo4jCursors
from semp.storage.neo4j.history import Neo4jHistory
from semp.storage.neo4j.leases import Neo4jLeases
from semp.storage.neo4j.lineage import Neo4jLineage
from semp.storage.neo4j.log import Neo4jLog
from semp.storage.neo4j.nodes import Neo4jNodes
from semp.storage.neo4j.signals import Neo4jSignals
from semp.storage.neo4j.traces import Neo4jTraces
from semp.storage.offered import arguments, described

USED = (
    "append", "lock_stream", "stream_state", "create_stream", "set_rules", "set_schema", "put_moves", "await_indexes",
    "events_by_id", "read_log", "causes", "newest_proposals", "ancestry",
    "page_by_position", "page_by_scope", "page_by_trace", "page_by_agent", "page_by_type", "page_by_thread", "edges", "matching_scopes",
    "signals", "signals_of", "signals_before", "signals_moved", "put_signals", "sweep_signals",
    "moves", "moves_back", "count_moves", "aimed_at", "timestamps", "put_snapshot", "snapshot", "newest_snapshot", "snapshot_positions",
    "cursor", "cursors", "advance_cursor", "delete_cursor", "lease", "acquire_lease", "renew_lease", "release_lease",
    "put_node", "node", "add_edge", "nodes_of_event",
    "count_provenance", "nearest_provenance", "count_consequences", "nearest_consequences",
    "count_ancestors", "count_ancestors_where", "nearest_ancestors",
    "count_descendants", "count_descendants_where", "nearest_descendants",
    "count_roots", "nearest_roots", "count_impact", "nearest_impact",
    "count_between", "nearest_between", "shortest_path", "common_causes", "common_causes_near",
    "traces", "traces_among", "matching_traces", "trace_events", "count_open", "nearest_open", "newest_in_span",
)  # fmt: skip
"""All queries that the service itself runs. Every other query must be in a subfolder of `cypher/`."""


class Neo4jStore(Neo4jLog, Neo4jSignals, Neo4jHistory, Neo4jCursors, Neo4jLeases, Neo4jLineage, Neo4jTraces, Neo4jNodes):
    """Implements `semp.engine.ports.Storage`.

    Raises:
        InvalidInput: the URI of the target cannot be used, or holds credentials.
        QueryFileError: a file under `cypher/` is missing or unused, or its header does not match its text.
    """

    def __init__(self, target: Target) -> None:
        super().__init__(Connection(target))
        queries.check(self.connection.queries, USED)
        self._offered = {name: described(query) for name, query in self.connection.queries.items() if query.offered}

    async def close(self) -> None:
        await self.connection.close()

    def offered(self) -> list[OfferedQuery]:
        return list(self._offered.values())

    async def ask(self, name: str, given: Mapping[str, str]) -> QueryAnswer:
        query = self._offered.get(name)
        if query is None:
            raise NotFound(f"no query is named {name[:100]}; there are: {', '.join(self._offered)}")
        values, span = await self._spanned(name, arguments(query, given))
        rows, truncated = await self.connection.ask(query.text, values)
        return QueryAnswer(columns=[column.name for column in query.columns], rows=rows, truncated=truncated, **span)

    async def _spanned(self, name: str, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, int]]:
        """The parameters of a query. If it has a span, `after` and `until` are set to the part of the log that it looks at, and also
        returned alone."""
        span = self.connection.queries[name].span
        if span is None:
            return values, {}
        head = (await self.state()).head
        after, until, look = values["after"] or 0, values["until"], span.look(values["after"])
        until = head if until is None else min(until, head)
        if span.type or span.trace or span.signal:
            [[events, first]] = await self.connection.run_in_turn(
                "newest_in_span", types=[span.type] if span.type else [], traces=[values[span.trace]] if span.trace else [],
                signals=[values[span.signal]] if span.signal else [], after=after, until=until, look=look,
            )  # fmt: skip
            after = first - 1 if events == look else after
        else:
            after = max(after, until - look)
        return values | (bounds := {"after": after, "until": until}), bounds

    async def query(self, name: str, parameters: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, int]]:
        """Run any read query of `cypher/` by name, for the command line. Each row is a dictionary by column.

        If the query looks at a part of the log, the second value has the positions `after` and `until` between which it looked; else it
        is empty.

        Raises:
            NotFound: there is no such query.
            InvalidInput: a parameter is missing or unknown, or for an offered query, of another type or out of bounds.
        """
        query = self.connection.queries.get(name)
        if query is None or query.mode != "read":
            names = ", ".join(sorted(name for name, known in self.connection.queries.items() if known.mode == "read"))
            raise NotFound(f"no read query {name!r} under cypher/; there are: {names}")
        if (offered := self._offered.get(name)) is not None:
            texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in parameters.items() if value is not None}
            values, span = await self._spanned(name, arguments(offered, texts))
            return await self.connection.run_text(query.text, values), span
        parameters = query.defaults | parameters
        errors = [FieldError(param, "required parameter is missing") for param in query.params.keys() - parameters.keys()]
        errors += [FieldError(param, "unknown parameter") for param in parameters.keys() - query.params.keys()]
        if errors:
            raise InvalidInput(*errors)
        return await self.connection.run_text(query.text, parameters), {}
