"""`semp export`: writes the log as NDJSON or as Parquet."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
from cyclopts import Parameter

from semp.cli.client import Client, Ready
from semp.cli.compression import compressed
from semp.cli.options import DEFAULT_URL, PATIENCE, Patience, Position, Url
from semp.cli.output_file import is_replaced, output_stream
from semp.cli.parquet import library, parquet_writer
from semp.cli.progress import bar
from semp.cli.terminal import out, plural, say, visible_json
from semp.domain.errors import SempError

PAGE = 1_000


class _WithPosition(msgspec.Struct):
    position: int


def export(
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], allow_leading_hyphen=True)] = Path("-"),
    url: Url = DEFAULT_URL,
    after: Position = 0,
    patience: Patience = PATIENCE,
) -> None:
    """Write the log as NDJSON or Parquet, oldest event first. An existing file is replaced only after everything is written.

    Args:
        output: File to write. A name that ends in .zst is compressed NDJSON, one in .parquet is Parquet; - for standard output.
        url: URL of the service.
        after: Begin after this position.
        patience: Maximum seconds to wait while the service is not available, at the start or during the export.
    """
    if _is_parquet(output):
        library()
        if not is_replaced(output):
            raise SempError(f"{output}: Parquet is written to a regular file only")
    with Client(url, patience) as client:
        start = client.wait_ready()
        if start.position <= after:
            _write_nothing(client, start, after, output)
            return
        with output_stream(output) as file, _writer(file, output) as write, bar() as progress:
            task = progress.add_task("exporting", total=start.position - after)
            at = after
            while at < start.position:
                page = _page(client, at, start)
                write(page)
                at += len(page)
                progress.update(task, completed=at - after)
            if client.wait_ready().epoch != start.epoch:
                raise SempError("the log was replaced during the export; do not use what was written, export again")
    say(f"{plural(start.position - after, 'event')} written")


def _is_parquet(output: Path) -> bool:
    return output.suffix == ".parquet"


@contextmanager
def _writer(file: BinaryIO, output: Path) -> Generator[Callable[[Sequence[msgspec.Raw]], None]]:
    """A function that writes events, given as JSON, in the format that the name of the file says."""
    if _is_parquet(output):
        with parquet_writer(file) as write:
            yield write
        return
    escaped = str(output) == "-" and out.is_terminal

    def write_lines(events: Sequence[msgspec.Raw]) -> None:
        text = b"".join(bytes(event) + b"\n" for event in events)
        stream.write("\n".join(map(visible_json, text.split(b"\n"))).encode() if escaped else text)

    with compressed(file, output) as stream:
        yield write_lines


def _page(client: Client, after: int, start: Ready) -> list[msgspec.Raw]:
    """The next events after a position, up to PAGE of them. `after` must be less than `start.position`.

    Raises:
        SempError: the answer does not hold exactly the events at the next positions.
    """
    query = {"order": "asc", "after": after, "before": start.position + 1, "limit": PAGE}
    reply = client.patiently(lambda _: client.get("/api/events", query))
    page, events = client.decode(reply, list[msgspec.Raw]), client.decode(reply, list[_WithPosition])
    expected = range(after + 1, min(after + PAGE, start.position) + 1)
    if [event.position for event in events] != list(expected):
        raise SempError(f"the service left out events between positions {expected[0]} and {expected[-1]}")
    return page


def _write_nothing(client: Client, start: Ready, after: int, output: Path) -> None:
    """Write a file without events; a file that is not empty is kept."""
    reason = "the log is empty" if start.position == 0 else f"no event after position {after}; the newest is {start.position}"
    if is_replaced(output) and output.exists() and output.stat().st_size:
        say(f"{reason}: 0 events written, {output} is not changed")
        return
    with output_stream(output) as file, _writer(file, output):
        pass
    say(f"{reason}: 0 events written ({client.url})")
