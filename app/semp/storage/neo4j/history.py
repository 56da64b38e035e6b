"""The moves of signals in the past, and snapshots of all signals, in Neo4j."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence

import msgspec

from semp.domain.event_types import LOWERING, RAISING_OR_LOWERING
from semp.domain.signals import Key, Signal
from semp.engine.pace import Pace
from semp.engine.records import Kind, Moved, Snapshot
from semp.storage.neo4j import rows
from semp.storage.neo4j.connection import Connection

ROWS = 500
"""Signals in a line of a snapshot. A line is encoded or decoded in one piece, in about a millisecond."""
_BREAK = b",\n"
_encode = msgspec.json.Encoder().encode


class Neo4jHistory:
    """Implements `semp.engine.ports.SignalHistory`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def count_moves(self, key: Key, upto: int, look: int) -> int:
        [[count]] = await self.connection.run_in_turn("count_moves", signal=rows.key_text(key), upto=upto, look=look)
        return count

    async def moves(self, key: Key, after: int, upto: int, limit: int) -> list[Moved]:
        result = await self.connection.run_in_turn("moves", signal=rows.key_text(key), after=after, upto=upto, limit=limit)
        return [rows.moved_event(row) for row in result]

    async def moves_back(self, key: Key, after: int, upto: int, limit: int, kind: Kind = "any") -> list[Moved]:
        result = await self.connection.run_in_turn(
            "moves_back", signal=rows.key_text(key), after=after, upto=upto, limit=limit, kind=kind,
            lowering=list(LOWERING), making_anew=list(RAISING_OR_LOWERING),
        )  # fmt: skip
        return [rows.moved_event(row) for row in result]

    async def aimed_at(self, positions: Sequence[int]) -> dict[int, list[Key]]:
        result = await self.connection.run("aimed_at", positions=list(positions))
        return {row[0]: [rows.key_of(text) for text in row[1]] for row in result}

    async def timestamps(self, positions: Sequence[int]) -> dict[int, str]:
        return {row[0]: row[1] for row in await self.connection.run("timestamps", positions=list(positions))}

    async def put_snapshot(self, snapshot: Snapshot, epoch: str) -> None:
        field = rows.Blob(await pack(snapshot.signals))
        await self.connection.run(
            "put_snapshot", epoch=epoch, position=snapshot.position, timestamp=snapshot.timestamp, field=field,
            signals=len(snapshot.signals),
        )  # fmt: skip

    async def newest_snapshot(self, upto: int) -> tuple[int, int]:
        result = await self.connection.run("newest_snapshot", upto=upto)
        return (result[0][0], result[0][1]) if result else (0, 0)

    async def snapshot_positions(self, after: int, upto: int) -> list[int]:
        return [row[0] for row in await self.connection.run("snapshot_positions", after=after, upto=upto)]

    async def snapshot(self, upto: int) -> Snapshot | None:
        result = await self.connection.run("snapshot", upto=upto)
        if not result:
            return None
        position, timestamp, field = result[0]
        return Snapshot(position, timestamp, await unpack(field))


async def pack(signals: Sequence[Signal]) -> bytes:
    """Signals as compressed JSON, about 40 bytes each: one list of rows, with a line break after every ROWS rows."""
    parts = Pace().slices(signals, ROWS)
    lines = [_encode([msgspec.structs.astuple(signal) for signal in part])[1:-1] async for part in parts]
    return await asyncio.to_thread(_compressed, lines)


def _compressed(lines: Sequence[bytes]) -> bytes:
    compressor = zlib.compressobj(3)
    pieces = [compressor.compress(b"[")]
    for number, line in enumerate(lines):
        pieces.append(compressor.compress(_BREAK + line if number else line))
    return b"".join([*pieces, compressor.compress(b"]"), compressor.flush()])


async def unpack(field: bytes) -> list[Signal]:
    """The inverse of `pack`. The numbers are the same to the last bit.

    A field without line breaks, as earlier versions wrote them, is decoded in one piece.
    """
    text = await asyncio.to_thread(zlib.decompress, field)
    signals: list[Signal] = []
    pace, begin, end = Pace(), 1, len(text) - 1
    while begin < end:
        line_end = text.find(_BREAK, begin, end)  # a JSON text never has a line break inside a string
        if line_end < 0:
            line_end = end
        signals += [Signal(*row) for row in msgspec.json.decode(b"[%b]" % text[begin:line_end])]
        begin = line_end + len(_BREAK)
        await pace.turn()
    return signals
