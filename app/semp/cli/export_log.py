"""`semp export`: the log as NDJSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from semp.cli.client import Client, Ready
from semp.cli.options import HERE, PATIENCE, Patience, Position, Url
from semp.cli.output_file import is_kept_apart, output_stream
from semp.cli.progress import bar
from semp.cli.terminal import out, plural, say, visible_json
from semp.domain.errors import SempError

PAGE = 1_000


class _Placed(msgspec.Struct):
    position: int


def export(
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], allow_leading_hyphen=True)] = Path("-"),
    url: Url = HERE,
    after: Position = 0,
    patience: Patience = PATIENCE,
) -> None:
    """Write the log as NDJSON, oldest first. A file is replaced when all is written, or left as it was.

    Args:
        output: File to write; - for standard output.
        url: Where the service is.
        after: Begin after this position.
        patience: Seconds to wait for a service that is away, at the beginning or in between.
    """
    with Client(url, patience) as client:
        start = client.wait_ready()
        if start.position <= after:
            _write_nothing(client, start, after, output)
            return
        with output_stream(output) as stream, bar() as progress:
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
                raise SempError("the log was replaced during the export; nothing of it can be used, export again")
    say(f"{plural(start.position - after, 'event')} written")


def _page(client: Client, after: int, start: Ready) -> list[msgspec.Raw]:
    """The events right after a position, of which there are some; their positions are the next ones without a gap.

    Raises:
        SempError: the log does not hold them.
    """
    asked = {"order": "asc", "after": after, "before": start.position + 1, "limit": PAGE}
    reply = client.patiently(lambda _: client.get("/api/events", asked))
    page, places = client.decode(reply, list[msgspec.Raw]), client.decode(reply, list[_Placed])
    expected = range(after + 1, min(after + PAGE, start.position) + 1)
    if [place.position for place in places] != list(expected):
        raise SempError(f"the service left out events between positions {expected[0]} and {expected[-1]}")
    return page


def _write_nothing(client: Client, start: Ready, after: int, output: Path) -> None:
    """An empty file where there is none; one that holds something is not given up for nothing."""
    what = "the log is empty" if start.position == 0 else f"no event after position {after}; the newest is {start.position}"
    if is_kept_apart(output) and output.exists() and output.stat().st_size:
        say(f"{what}: 0 events written, {output} is left as it was")
        return
    with output_stream(output):
        pass
    say(f"{what}: 0 events written ({client.url})")
