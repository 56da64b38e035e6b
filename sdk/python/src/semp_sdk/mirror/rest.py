"""Reading the log over REST."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from semp_sdk.causality import reader
from semp_sdk.client import Client
from semp_sdk.mirror.selection import Head, Row, Selection
from semp_sdk.transport import segment

_read_head = reader(Head)
_read_row = reader(Row)
_read_rows = reader(list[Row])


class RestSource:
    """Pages of 1,000 events, the service's largest."""

    page_size = 1_000

    def __init__(self, client: Client) -> None:
        self._client = client

    async def head(self) -> Head:
        return _read_head(await self._client.get_bytes("/health/ready"))

    async def timestamp(self, position: int) -> str:
        query = {"after": position - 1, "before": position + 1, "limit": 1, "order": "asc"}
        return _read_rows(await self._client.get_bytes("/api/events", query))[0].timestamp

    async def page(self, selection: Selection, after: int, last: int) -> list[Row]:
        query = {
            "after": after, "before": last + 1, "limit": self.page_size, "order": "asc",
            "trace_id": selection.trace_id, "scope": selection.scope,
        }  # fmt: skip
        return await self._client.read_events(query, self.page_size, _read_rows)

    async def lineage(self, event_id: str, last: int) -> AsyncGenerator[list[Row]]:
        yield [_read_row(await self._client.get_bytes(f"/api/events/{segment(event_id)}"))]
        async for page in self._client.lineage(event_id, payload=True).pages():
            yield [
                Row(one.id, one.type, one.scope, one.trace_id, one.agent_id, one.parent_ids, one.timestamp, one.payload or {}, one.position)
                for one in page.nodes
                if one.position <= last
            ]
