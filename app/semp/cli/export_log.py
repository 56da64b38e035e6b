"""`semp export`: writes the log as NDJSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from semp.cli.client import Client, Ready
from semp.cli.compression import compressed
from semp.cli.options import DEFAULT_URL, PATIENCE, Patience, Position, Url
from semp.cli.output_file import is_replaced, output_stream
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
    """Write the log as NDJSON, oldest event first. An existing file is replaced only after everything is written.

    Args:
        output: File to write, compressed if its name ends in .zst; - for standard output.
        url: URL of the service.
        after: Begin after this position.
        patience: Maximum seconds to wait while the service is not available, at the start or during the export.
    """
    with Client(url, patience) as client:
        start = client.wait_ready()
        if start.position <= after:
            _write_nothing(client, start, after, output)
            return
        with output_stream(output) as file, compressed(file, output) as stream, bar() as progress:
            escaped = str(output) == "-" and out.is_terminal
            task = progress.add_task("exporting", total=start.position - after)
            at = after
            while at < start.position:
                page = _page(client, at, start)
                text = b"".join(bytes(event) + b"\n" for event in page)
                stream.write("\n".join(map(visible_json, text.split(b"\n"))).encode() if escaped else text)
                at += len(page)
                progress.update(task, completed=at - after)
            if client.wait_ready().epoch != start.epoch:
                raise SempError("the log was replaced during the export; do not use what was written, export again")
    say(f"{plural(start.position - after, 'event')} written")


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
    """Write an empty file; a file that is not empty is kept."""
    reason = "the log is empty" if start.position == 0 else f"no event after position {after}; the newest is {start.position}"
    if is_replaced(output) and output.exists() and output.stat().st_size:
        say(f"{reason}: 0 events written, {output} is not changed")
        return
    with output_stream(output) as file, compressed(file, output):
        pass
    say(f"{reason}: 0 events written ({client.url})")
