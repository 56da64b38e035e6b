"""`semp import`: appends the events of an NDJSON file. Each event is stored once, even if the import is repeated."""

from __future__ import annotations

import hashlib
import re
import stat
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from io import BufferedReader
from pathlib import Path
from typing import Annotated, Any, BinaryIO, cast

import msgspec
from cyclopts import Parameter, validators

from semp.cli.client import Client, NotTheService, Refused
from semp.cli.compression import decompressed
from semp.cli.ndjson import Line, read_lines
from semp.cli.options import DEFAULT_URL, PATIENCE, Patience, Url
from semp.cli.progress import bar
from semp.cli.terminal import plural, say
from semp.domain.errors import SempError

_NAMESPACE = uuid.UUID("0f6c1f52-63c5-4a0b-9d3c-7f0f6d1f0a57")
NDJSON = "application/x-ndjson"
BATCH_BYTES = 8 * 1024 * 1024
"""Approximate maximum size of a request in bytes. The service takes 32 MiB, but a smaller request is faster to repeat."""
LONGEST_LINE = 32 * 1024 * 1024 - 1024
"""Maximum size of one event in bytes: what fits into a request, with room for an id."""


class Imported(msgspec.Struct):
    """The result of an import so far, as numbers of events."""

    appended: int = 0
    known: int = 0
    """Events that were already in the log."""

    def __str__(self) -> str:
        return f"{plural(self.appended, 'event')} appended, {self.known:,} {'was' if self.known == 1 else 'were'} there already"


class _Summary(msgspec.Struct):
    count: int
    created: int


class _WithPosition(msgspec.Struct):
    position: int


def import_(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    url: Url = DEFAULT_URL,
    batch: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=10_000))] = 1_000,
    patience: Patience = PATIENCE,
) -> None:
    """Append the events of an NDJSON file, in order. You can stop and repeat an import: no event is stored twice.

    Args:
        file: One event per line, as `semp export` writes them, also compressed with zstd; - for standard input. A line without an id gets
            one made from its content.
        url: URL of the service.
        batch: Maximum number of events in a request. Large events go in smaller batches.
        patience: Maximum seconds to wait while the service is not available, at the start or during the import.
    """
    result = Imported()
    try:
        with Client(url, patience) as client:
            _import(file, client, batch, result)
    except SempError as error:
        raise SempError(f"{error} ({result} before that)" if result.appended or result.known else str(error)) from error
    except KeyboardInterrupt:
        say(f"stopped: {result}; run the same import again to continue")
        raise
    say(str(result) if result.appended or result.known else f"{'standard input' if str(file) == '-' else file} has no events: {result}")


def _import(file: Path, client: Client, size: int, result: Imported) -> None:
    from_stdin = str(file) == "-"
    standard_input = cast("BufferedReader", sys.stdin.buffer)
    with nullcontext(standard_input) if from_stdin else file.open("rb") as stream, bar(in_bytes=True) as progress:
        status = None if from_stdin else file.stat()
        total = status.st_size if status is not None and stat.S_ISREG(status.st_mode) else None
        task = progress.add_task("importing", total=total)
        client.wait_ready()  # fail before the file is read when there is no service
        unpacked = decompressed(stream)
        for lines in _batches(unpacked, size):
            _send(client, lines, result)
            progress.update(task, completed=lines[-1].end if total is None or unpacked is stream else stream.tell())


def _batches(stream: BinaryIO, size: int) -> Iterator[list[Line]]:
    seen: Counter[bytes] = Counter()
    batch: list[Line] = []
    batch_bytes = 0
    for line in read_lines(stream, LONGEST_LINE):
        text = _with_id(line.text, line.number, seen)
        if batch and batch_bytes + len(text) > BATCH_BYTES:
            yield batch
            batch, batch_bytes = [], 0
        batch.append(line._replace(text=text))
        batch_bytes += len(text) + 1
        if len(batch) == size:
            yield batch
            batch, batch_bytes = [], 0
    if batch:
        yield batch


def _with_id(line: bytes, number: int, seen: Counter[bytes]) -> bytes:
    """The line with an id: its own, or one made from its content and the number of equal lines before it."""
    try:
        event: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SempError(f"line {number}: not valid JSON: {error}") from None
    if not isinstance(event, dict):
        raise SempError(f"line {number}: expected a JSON object")
    if event.get("id"):  # pyright: ignore[reportUnknownMemberType]
        return line
    digest = hashlib.sha256(line).digest()
    seen[digest] += 1
    event["id"] = str(uuid.uuid5(_NAMESPACE, f"{digest.hex()}:{seen[digest]}"))
    return msgspec.json.encode(event)


def _send(client: Client, lines: list[Line], result: Imported) -> None:
    """Append the lines. A batch that the service or a gateway refuses as too large (413) is sent in two halves.

    Raises:
        SempError: the service refused the batch; names the line.
    """
    try:
        appended = _append(client, b"\n".join(line.text for line in lines))
    except (Refused, NotTheService) as error:
        item = re.match(r"\[(\d+)\]", error.field) if isinstance(error, Refused) else None
        if error.status == 413 and item is None and len(lines) > 1:
            half = len(lines) // 2
            _send(client, lines[:half], result)
            _send(client, lines[half:], result)
            return
        if isinstance(error, NotTheService):
            raise
        raise SempError(f"line {lines[int(item[1]) if item else 0].number}: {error}") from None
    result.appended += appended
    result.known += len(lines) - appended


def _append(client: Client, body: bytes) -> int:
    """Send the batch until it is answered, and return how many events this import appended.

    The answer to the first attempt says so. If that answer was lost, the events with positions after the old head are counted: they were
    appended by the lost attempt or by this one.
    """
    old_head = client.wait_ready().position

    def ask(repeated: bool) -> int:
        reply = client.post("/api/events/batch", body, NDJSON, {"return": "full" if repeated else "minimal"})
        if not repeated:
            return client.decode(reply, _Summary).created
        return len({event.position for event in client.decode(reply, list[_WithPosition]) if event.position > old_head})

    return client.patiently(ask)
