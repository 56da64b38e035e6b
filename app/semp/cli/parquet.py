"""Writes events as a Parquet file, for analysis with pandas, DuckDB, Polars or Spark."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, BinaryIO

import msgspec

from semp.domain.clock import from_text
from semp.domain.errors import SempError

GROUP_EVENTS = 50_000
"""Events of a row group, at most. A reader that filters by position skips whole groups."""
GROUP_BYTES = 32 * 1024 * 1024
"""Bytes of JSON after which a row group is written earlier. Memory while writing is a few times this, however long the log is."""


class _Event(msgspec.Struct, gc=False):
    """The columns, in their order."""

    position: int
    timestamp: str
    type: str
    scope: str
    agent_id: str
    trace_id: str
    id: str
    parent_ids: list[str]
    payload: msgspec.Raw


def library() -> tuple[Any, Any]:
    """The modules `pyarrow` and `pyarrow.parquet`.

    Raises:
        SempError: pyarrow is not installed; the message names the extra.
    """
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise SempError(f"Parquet needs pyarrow; install it with the extra `parquet`: pip install 'sel-semp[parquet]' ({error})") from None


def schema() -> Any:
    """The types of the columns: `timestamp` has the milliseconds of the log, `payload` is JSON text, and nothing is null."""
    arrow, _ = library()
    text = arrow.string()
    parents = arrow.list_(arrow.field("element", text, nullable=False))
    types = {"position": arrow.int64(), "timestamp": arrow.timestamp("ms", tz="UTC"), "parent_ids": parents}
    return arrow.schema([arrow.field(name, types.get(name, text), nullable=False) for name in _Event.__struct_fields__])


@contextmanager
def parquet_writer(stream: BinaryIO) -> Generator[Callable[[Sequence[msgspec.Raw]], None]]:
    """A function that adds events, given as JSON, to a Parquet file. The file is complete when the block ends without an error.

    Raises:
        SempError: pyarrow is not installed.
    """
    arrow, parquet = library()
    decoder = msgspec.json.Decoder(_Event)
    columns = schema()
    held: list[_Event] = []
    size = 0

    def write_group() -> None:
        nonlocal size
        values: dict[str, list[Any]] = {name: [getattr(event, name) for event in held] for name in columns.names}
        values["timestamp"] = [from_text(text) for text in values["timestamp"]]
        values["payload"] = [bytes(payload) for payload in values["payload"]]
        writer.write_table(arrow.table(values, columns), row_group_size=len(held))
        held.clear()
        size = 0

    def write(events: Sequence[msgspec.Raw]) -> None:
        nonlocal size
        for event in events:
            held.append(decoder.decode(event))
            size += len(memoryview(event))
            if len(held) == GROUP_EVENTS or size >= GROUP_BYTES:
                write_group()

    with parquet.ParquetWriter(stream, columns, compression="zstd") as writer:
        yield write
        if held:
            write_group()
