"""Files compressed with zstd (RFC 8878): written where the name ends in `.zst`, and recognised by their first bytes when they are read."""

from __future__ import annotations

import io
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import zstandard

from semp.domain.errors import SempError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_MAGIC = b"\x28\xb5\x2f\xfd"
"""The first bytes of a frame. No line of JSON begins with the first of them."""
LEVEL = 6
"""Writes as fast as the service answers pages."""
CHUNK = 1024
"""Compressed bytes that are unpacked at once. The worst case, a file of zeros, makes 32 MB of them."""


@contextmanager
def compressed(stream: BinaryIO, path: Path) -> Generator[BinaryIO]:
    """The stream, compressed if the path ends in `.zst`. The compressed data has a checksum, and is complete when the block ends."""
    if path.suffix != ".zst":
        yield stream
        return
    packer = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    with packer.stream_writer(stream, closefd=False) as writer:
        yield cast("BinaryIO", writer)


def decompressed(stream: io.BufferedReader) -> BinaryIO:
    """The contents of the stream, unpacked if it is compressed; the stream itself if it is not."""
    first = stream.peek(len(_MAGIC))[: len(_MAGIC)]
    return io.BufferedReader(_Unpacked(stream)) if first and _MAGIC.startswith(first) else stream


class _Unpacked(io.RawIOBase):
    """Reading raises SempError where the data is damaged or incomplete."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._frame: zstandard.ZstdDecompressionObj | None = None
        """The frame that is read now, None between two frames."""
        self._text = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._text:
            chunk = self._source.read(CHUNK)
            if not chunk and self._frame is not None:
                raise SempError("the file is incomplete: it ends within its compressed data")
            if not chunk:
                return 0
            self._text = memoryview(b"".join(self._unpack(chunk)))
        view = memoryview(buffer).cast("B")
        size = min(len(view), len(self._text))
        view[:size] = self._text[:size]
        self._text = self._text[size:]
        return size

    def _unpack(self, chunk: bytes) -> Generator[bytes]:
        while chunk:
            self._frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
            try:
                yield self._frame.decompress(chunk)
            except zstandard.ZstdError:
                raise SempError("the file is damaged: its compressed data is not valid") from None
            if not self._frame.eof:
                return
            chunk, self._frame = self._frame.unused_data, None
