"""Moving logs in and out of a service, and checking one, with progress shown."""

from __future__ import annotations

import hashlib
import re
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from semp.domain.errors import SempError
from semp.engine.replay import Difference, verify
from semp.storage.neo4j.store import Neo4jStore

_NAMESPACE = uuid.UUID("0f6c1f52-63c5-4a0b-9d3c-7f0f6d1f0a57")
RETRIES = 60
"""Times a request is repeated while the service answers 503 or cannot be reached, before giving up."""


class Imported(msgspec.Struct):
    """What an import did."""

    appended: int = 0
    known: int = 0


def bar(console: Console) -> Progress:
    """A progress bar for long transfers."""
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console)


def import_file(file: Path, url: str, batch: int, console: Console) -> Imported:
    """Append the events of an NDJSON file through the API, in order.

    Raises:
        SempError: a line is no JSON object, or the service refused it; names the line.
    """
    done = Imported()
    with bar(console) as progress, httpx.Client(base_url=url, timeout=120) as client:
        size = file.stat().st_size if file != Path("-") else None
        task = progress.add_task("importing (bytes)", total=size)
        with nullcontext(sys.stdin.buffer) if size is None else file.open("rb") as stream:
            for wanted in _batches(stream, batch):
                _send(client, wanted, done)
                progress.update(task, completed=wanted.read)
    return done


class _Batch(msgspec.Struct):
    """Events that are sent together."""

    lines: list[bytes] = msgspec.field(default_factory=list[bytes])
    """JSON, each with an id."""
    numbers: list[int] = msgspec.field(default_factory=list[int])
    """Where each stands in the file, from 1."""
    read: int = 0
    """Bytes of the file up to the end of the batch."""


def _batches(stream: BinaryIO, size: int) -> Iterator[_Batch]:
    seen: Counter[bytes] = Counter()
    batch = _Batch()
    read = 0
    for number, line in enumerate(stream, 1):
        read += len(line)
        if line.strip():
            batch.lines.append(_with_id(line.strip(), number, seen))
            batch.numbers.append(number)
            batch.read = read
        if len(batch.lines) == size:
            yield batch
            batch = _Batch()
    if batch.lines:
        yield batch


def _with_id(line: bytes, number: int, seen: Counter[bytes]) -> bytes:
    """The line with an id: its own, or one made from its content and how often it came before."""
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


def _send(client: httpx.Client, batch: _Batch, done: Imported) -> None:
    before = _head(client)
    response = _patiently(client, b"\n".join(batch.lines))
    if not response.is_success:
        message = response.json().get("message", response.text)
        item = re.search(r"\[(\d+)\]", message)
        raise SempError(f"line {batch.numbers[int(item[1]) if item else 0]}: {message}")
    answer = response.json()
    new = len(batch.lines) if answer["first"] > before else max(0, answer["last"] - before)
    done.appended += min(new, len(batch.lines))
    done.known += len(batch.lines) - min(new, len(batch.lines))


def _head(client: httpx.Client) -> int:
    answer = client.get("/health/ready")
    if answer.status_code not in (200, 503):
        raise SempError(f"{client.base_url} is no SEL/SEMP service: it answered {answer.status_code}")
    return answer.json().get("position", 0)


def _patiently(client: httpx.Client, body: bytes) -> httpx.Response:
    """POST until the service takes it; repeating is safe, since every event has its id."""
    for attempt in range(RETRIES):
        try:
            response = client.post(
                "/api/events/batch", params={"return": "minimal"}, content=body, headers={"content-type": "application/x-ndjson"}
            )
            if response.status_code != 503:
                return response
            time.sleep(float(response.headers.get("retry-after", 1)))
        except httpx.TransportError:
            if attempt == RETRIES - 1:
                raise
            time.sleep(1.0)
    raise SempError("the service stayed unavailable; run the import again later, it goes on where it stopped")


def export_log(output: Path | None, url: str, after: int, console: Console) -> int:
    """Write the log as NDJSON, oldest first, up to where it stood when the export began; the number of events written."""
    written = 0
    with bar(console) as progress, httpx.Client(base_url=url, timeout=120) as client:
        head = _head(client)
        task: TaskID = progress.add_task("exporting", total=max(0, head - after))
        with nullcontext(sys.stdout.buffer) if output is None else output.open("wb") as stream:
            while after < head:
                answer = client.get("/api/events", params={"order": "asc", "after": after, "before": head + 1, "limit": 1000})
                answer.raise_for_status()
                page = msgspec.json.decode(answer.content, type=list[msgspec.Raw])
                stream.write(b"".join(bytes(event) + b"\n" for event in page))
                after += len(page)
                written += len(page)
                progress.update(task, completed=written)
    return written


async def verify_store(store: Neo4jStore, repair: bool, console: Console) -> list[Difference]:
    """Compare the stored signals with a replay of the log, and overwrite them with it if asked to."""
    with bar(console) as progress:
        task = progress.add_task("replaying", total=(await store.state()).head)
        differences = await verify(store, lambda position: progress.update(task, completed=position))
    if repair and differences:
        await store.put_signals([found.replayed for found in differences if found.replayed is not None])
        await store.sweep([found.stored for found in differences if found.replayed is None and found.stored is not None])
    return differences
