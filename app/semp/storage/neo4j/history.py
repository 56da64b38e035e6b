"""The moves of signals in the past, and snapshots of all signals, in Neo4j."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence

import msgspec

from semp.domain.event_types import LOWERING, RAISING_OR_LOWERING
from semp.domain.signals import Key, Signal
from semp.engine.records import Kind, Moved, Snapshot
from semp.storage.neo4j import rows
from semp.storage.neo4j.connection import Connection


class Neo4jHistory:
    """Implements `semp.engine.ports.SignalHistory`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def count_moves(self, key: Key, upto: int) -> int:
        [[count]] = await self.connection.run_in_turn("count_moves", signal=rows.key_text(key), upto=upto)
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
        field = await asyncio.to_thread(pack, snapshot.signals)
        await self.connection.run(
            "put_snapshot", epoch=epoch, position=snapshot.position, timestamp=snapshot.timestamp, field=field,
            signals=len(snapshot.signals),
        )  # fmt: skip

    async def newest_snapshot(self, upto: int) -> int:
        result = await self.connection.run("newest_snapshot", upto=upto)
        return result[0][0] if result else 0

    async def snapshot(self, upto: int) -> Snapshot | None:
        result = await self.connection.run("snapshot", upto=upto)
        if not result:
            return None
        position, timestamp, field = result[0]
        return Snapshot(position, timestamp, await asyncio.to_thread(unpack, field))


def pack(signals: Sequence[Signal]) -> bytes:
    """Signals as compressed JSON, about 40 bytes each."""
    return zlib.compress(msgspec.json.encode([msgspec.structs.astuple(signal) for signal in signals]), 3)


def unpack(field: bytes) -> list[Signal]:
    """The inverse of `pack`. The numbers are the same to the last bit."""
    return [Signal(*row) for row in msgspec.json.decode(zlib.decompress(field))]
