"""Pages of the log by position, answered from compressed blocks in memory.

The log is append-only, so a block of consecutive events never changes, and what was read once can be answered again without a query.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import msgspec
import zstandard

from semp.domain.events import Event
from semp.engine.planning import encode

BLOCK = 128
"""Events of a block. Block 0 has positions 1 to 128."""
CAPACITY = 64 * 1024 * 1024
"""Bytes of the compressed blocks that are kept, at most. Ordinary events shrink to a tenth, so this is some two million events."""
LARGEST = 1024 * 1024
"""Bytes of a block before it is compressed, at most. Of a larger one only that is kept, so that a page of it does not read all of it."""
OVERHEAD = 200
"""Bytes that a block takes besides its contents."""

Reading = dict[int, asyncio.Task[dict[int, list[bytes]]]]
_pack, _unpack = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(list[bytes]).decode


class Blocks:
    """Blocks of one log, the least recently used of which are dropped.

    Args:
        read: the events from one position to another, both included, in order of position.
    """

    def __init__(self, read: Callable[[int, int], Awaitable[list[Event]]]) -> None:
        self._read = read
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self.size = 0
        """Bytes that the kept blocks take."""
        self._reading: Reading = {}
        """Blocks that are read now. Everyone who wants such a block waits for the same query."""
        self._compress = zstandard.ZstdCompressor(level=1).compress
        self._decompress = zstandard.ZstdDecompressor().decompress

    def clear(self) -> None:
        """Forget all blocks, because another log has replaced this one."""
        self._kept.clear()
        self._reading = {}
        self.size = 0

    async def between(self, first: int, last: int) -> list[bytes] | None:
        """The events from one position to another as JSON, both included, in order of position.

        None when the blocks cannot tell: one is too large to be kept, or the log was replaced.

        Args:
            last: at or below the end of the last block that is full.

        Raises:
            StoreUnavailable: the database cannot be reached.
        """
        numbers = range((first - 1) // BLOCK, (last - 1) // BLOCK + 1)
        known = {number: self._get(number) for number in numbers if number in self._kept}
        if missing := [number for number in numbers if number not in known and number not in self._reading]:
            task = asyncio.create_task(self._fill(range(missing[0], missing[-1] + 1), self._reading))
            task.add_done_callback(_retrieve)
            self._reading.update(dict.fromkeys(missing, task))
        pending = {number: self._reading[number] for number in numbers if number not in known}
        texts: list[bytes] = []
        for number in numbers:
            block = known[number] if number in known else (await asyncio.shield(pending[number])).get(number)
            if not block:
                return None
            texts += block
        begin = first - numbers[0] * BLOCK - 1
        return texts[begin : begin + last - first + 1]

    def _get(self, number: int) -> list[bytes]:
        self._kept.move_to_end(number)
        packed = self._kept[number]
        return _unpack(self._decompress(packed)) if packed else []

    async def _fill(self, span: range, reading: Reading) -> dict[int, list[bytes]]:
        """Read the blocks with these numbers and keep them, unless the log was replaced meanwhile."""
        try:
            events = await self._read(span[0] * BLOCK + 1, (span[-1] + 1) * BLOCK)
        finally:
            for number in span:
                if reading.get(number) is asyncio.current_task():
                    del reading[number]
        if len(events) != len(span) * BLOCK or events[0].position != span[0] * BLOCK + 1:
            return {}
        texts = [encode(event) for event in events]
        blocks = {number: texts[index * BLOCK : (index + 1) * BLOCK] for index, number in enumerate(span)}
        if reading is self._reading:
            for number, block in blocks.items():
                self._keep(number, block)
        return blocks

    def _keep(self, number: int, block: list[bytes]) -> None:
        if number in self._kept:
            return
        packed = self._compress(_pack(block)) if sum(map(len, block)) <= LARGEST else b""
        self._kept[number] = packed
        self.size += len(packed) + OVERHEAD
        while self.size > CAPACITY:
            self.size -= len(self._kept.popitem(last=False)[1]) + OVERHEAD


def _retrieve(task: asyncio.Task[dict[int, list[bytes]]]) -> None:
    """Take note of an error for which nobody waits any more."""
    if not task.cancelled():
        task.exception()
