"""Converts values of Neo4j to values that JSON can represent, and bounds results."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from neo4j import AsyncResult
from neo4j.graph import Node, Path, Relationship
from neo4j.spatial import Point
from neo4j.time import Date, DateTime, Duration, Time

from semp.engine.records import QUERY_BYTES, QUERY_ROWS


async def bounded(result: AsyncResult) -> tuple[list[list[Any]], bool]:
    """The first rows of a result, at most QUERY_ROWS rows and QUERY_BYTES bytes of JSON, and whether there were more.

    Rows beyond that are not fetched, except those that the driver has fetched already.
    """
    rows: list[list[Any]] = []
    size = 0
    async for record in result:
        row = [plain(value) for value in record.values()]
        size += len(msgspec.json.encode(row))
        if len(rows) == QUERY_ROWS or size > QUERY_BYTES:
            return rows, True
        rows.append(row)
    return rows, False


def plain(value: Any) -> Any:
    """A value that JSON can represent: times and durations as ISO 8601, nodes and relationships as objects, a point as its coordinates."""
    match value:
        case Node():
            return {"labels": sorted(value.labels), "properties": plain(dict(value))}
        case Relationship():
            return {"type": value.type, "properties": plain(dict(value))}
        case Path():
            return {"nodes": [plain(node) for node in value.nodes], "relationships": [plain(edge) for edge in value.relationships]}
        case DateTime() | Date() | Time() | Duration():
            return value.iso_format()
        case Point():
            return list(value)
        case list():
            return [plain(item) for item in cast("list[Any]", value)]
        case dict():
            return {key: plain(item) for key, item in cast("dict[str, Any]", value).items()}
        case _:
            return value
