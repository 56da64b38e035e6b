"""Following `/api/stream`: messages one by one, and after a lost connection on from the last one seen."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from semp.cli.client import Away, Client, Query, Ready, Refused
from semp.cli.terminal import say
from semp.domain.errors import SempError

SILENCE_SECONDS = 45.0
"""The service sends a comment every 15 s; a connection that is silent for three of them is dead."""
LONGEST_PAUSE = 30.0
REPLACED = 4009
"""Close code: the position belongs to another log."""
AT_ONCE = 4008
"""Close code: too slow. What was missed is in the log, so there is nothing to wait for."""


class Message(NamedTuple):
    """One message of the stream."""

    kind: str
    """`event`, `signal`, or a kind of later."""
    data: dict[str, Any]


class _Block(NamedTuple):
    """A server-sent event."""

    name: str
    data: str
    id: str | None


def follow(client: Client, query: Query, place: Ready) -> Iterator[Message]:
    """Messages after a place in the log, without end: lost connections are taken up again, without gap or repeat.

    Raises:
        SempError: the log was replaced, the query was refused, or there was no service to begin with.
    """
    last_id, pause, lost = f"{place.epoch}:{place.position}", 1.0, False
    while True:
        try:
            with client.stream("/api/stream", query, {"last-event-id": last_id}, SILENCE_SECONDS) as response:
                if lost:
                    say("connected again, nothing was missed", style="green")
                    lost = False
                for block in blocks(lines_of(response.iter_bytes())):
                    last_id, pause = block.id or last_id, 1.0
                    if block.name == "close":
                        pause = _closed(client, block.data)
                        break
                    if block.data:
                        yield _message(block.data)
                why = f"no answer from the service at {client.url}: the connection was closed"
        except Away as away:
            why, pause = str(away), max(pause, away.pause)
        except Refused as refused:
            if refused.status == 409:
                raise SempError(f"the log at {client.url} is another one than before, or ends earlier: {refused}") from None
            raise
        if pause and not lost:
            say(f"{why}; trying again until it is back", style="yellow")
            lost = True
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE) or 1.0


def _closed(client: Client, data: str) -> float:
    """Seconds to wait after the service ended the stream."""
    code = msgspec.json.decode(data, type=dict[str, Any]).get("code")
    if code == REPLACED:
        raise SempError(f"the log at {client.url} was replaced by another; begin again")
    return 0.0 if code == AT_ONCE else 1.0


def _message(data: str) -> Message:
    try:
        found = msgspec.json.decode(data, type=dict[str, Any])
        return Message(str(found["type"]), dict(found["data"]))
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        raise SempError(f"the stream sent a message that cannot be read: {error}") from None


def blocks(lines: Iterable[str]) -> Iterator[_Block]:
    """Server-sent events from the lines of a stream; comments are left out."""
    name, data, last_id = "", list[str](), None
    for line in lines:
        if not line:
            if name or data or last_id is not None:
                yield _Block(name, "\n".join(data), last_id)
            name, data, last_id = "", list[str](), None
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id":
            last_id = value


def lines_of(chunks: Iterable[bytes]) -> Iterator[str]:
    """Lines as the format has them. Characters such as U+2028, which Python takes for line ends too, can stand in data."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")
