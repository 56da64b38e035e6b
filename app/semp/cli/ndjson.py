"""Reads the lines of an NDJSON file: UTF-8 or UTF-16, with or without a byte order mark, with LF or CRLF line endings."""

from __future__ import annotations

import codecs
from collections.abc import Generator, Iterator
from typing import BinaryIO, NamedTuple

from semp.domain.errors import SempError

CHUNK = 256 * 1024
"""Bytes of a UTF-16 file that are decoded at once."""
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", b"{\x00": "utf-16-le", b"\x00{": "utf-16-be"}


class Line(NamedTuple):
    """A line that is not blank."""

    number: int
    """Line number in the file, from 1."""
    text: bytes
    """UTF-8, without the line ending and without leading and trailing whitespace."""
    end: int
    """Bytes of the file up to the end of this line; approximate for UTF-16."""


def read_lines(stream: BinaryIO, longest: int) -> Iterator[Line]:
    """The lines of a stream that are not blank. Only one line, or one chunk of a UTF-16 file, is held in memory.

    Args:
        longest: maximum size of a line in bytes.

    Raises:
        SempError: a line is too long, or the file is compressed or in an encoding that is not supported; names the line.
    """
    end = 0
    for number, raw in enumerate(_raw_lines(stream, longest), 1):
        end += len(raw.text) * raw.width
        if len(raw.text) > longest:
            raise SempError(f"line {number}: longer than {longest} bytes")
        text = raw.text.removeprefix(codecs.BOM_UTF8).strip()
        if text:
            yield Line(number, text, end)


class _Raw(NamedTuple):
    text: bytes
    width: int = 1
    """Approximate number of bytes in the file for each byte of `text`."""


def _raw_lines(stream: BinaryIO, longest: int) -> Iterator[_Raw]:
    first = stream.readline(longest + 1)
    encoding = next((name for start, name in _UTF_16.items() if first.startswith(start)), None)
    if first.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, b"\x1f\x8b")):
        kind = "compressed by gzip: gunzip -c FILE | semp import -" if first.startswith(b"\x1f\x8b") else "UTF-32: write it as UTF-8"
        raise SempError(f"line 1: the file is {kind}")
    if encoding is not None:
        yield from (_Raw(line, 2) for line in _decoded(first, stream, encoding, longest))
        return
    while first:
        yield _Raw(first)
        first = stream.readline(longest + 1)


def _decoded(first: bytes, stream: BinaryIO, encoding: str, longest: int) -> Generator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    rest, chunk, number = "", first, 1
    while True:
        try:
            rest += decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise SempError(f"line {number} or after: not valid UTF-16: {error.reason}") from None
        *whole, rest = rest.split("\n")
        number += len(whole)
        yield from (line.encode() + b"\n" for line in whole)
        if not chunk:
            break
        if len(rest) > longest:
            raise SempError(f"line {number}: longer than {longest} bytes")
        chunk = stream.read(CHUNK)
    if rest:
        yield rest.encode()
