"""Follows `/api/stream`. After a lost connection it reconnects and resumes after the last message."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from semp.cli.client import Away, Client, Query, Ready, Refused
from semp.cli.terminal import say
from semp.domain.errors import SempError

SILENCE_SECONDS = 45.0
"""Seconds of silence after which a connection counts as lost. The service sends a comment every 15 s, so three are missing."""
LONGEST_PAUSE = 30.0
"""Maximum seconds between two attempts to reconnect."""
LOG_REPLACED = 4009
"""Close code: the position belongs to another log."""
TOO_SLOW = 4008
"""Close code: this client was too slow. The missed events are in the log, so it can reconnect at once."""


class Message(NamedTuple):
    """One message of the stream."""

    kind: str
    """`event`, `signal`, or a kind that later versions may add."""
    data: dict[str, Any]


class _ServerSentEvent(NamedTuple):
    name: str
    data: str
    id: str | None


def follow(client: Client, query: Query, place: Ready) -> Iterator[Message]:
    """Messages after a place in the log, without end. Reconnects after lost connections, without a missed or repeated event.

    Args:
        place: the log's epoch, and the position to begin after.

    Raises:
        SempError: the log was replaced, the query was refused, or the service was not reachable at the start.
    """
    last_id, pause, lost = f"{place.epoch}:{place.position}", 1.0, False
    while True:
        try:
            with client.stream("/api/stream", query, {"last-event-id": last_id}, SILENCE_SECONDS) as response:
                if lost:
                    say("connected again, nothing was missed", style="green")
                    lost = False
                for event in server_sent_events(lines_of(response.iter_bytes())):
                    last_id, pause = event.id or last_id, 1.0
                    if event.name == "close":
                        pause = _closed(client, event.data)
                        break
                    if event.data:
                        yield _message(event.data)
                why = f"no answer from the service at {client.url}: the connection was closed"
        except Away as away:
            why, pause = str(away), max(pause, away.pause)
        except Refused as refused:
            if refused.status == 409:
                raise SempError(f"the log at {client.url} is another one than before, or ends before this position: {refused}") from None
            raise
        if pause and not lost:
            say(f"{why}; trying again until it is back", style="yellow")
            lost = True
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE) or 1.0


def _closed(client: Client, data: str) -> float:
    """Seconds to wait before reconnecting, after the service ended the stream."""
    code = msgspec.json.decode(data, type=dict[str, Any]).get("code")
    if code == LOG_REPLACED:
        raise SempError(f"the log at {client.url} was replaced by another; start the command again")
    return 0.0 if code == TOO_SLOW else 1.0


def _message(data: str) -> Message:
    try:
        message = msgspec.json.decode(data, type=dict[str, Any])
        return Message(str(message["type"]), dict(message["data"]))
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        raise SempError(f"the stream sent a message that cannot be read: {error}") from None


def server_sent_events(lines: Iterable[str]) -> Iterator[_ServerSentEvent]:
    """The server-sent events in the lines of a stream, without comments."""
    name, data, last_id = "", list[str](), None
    for line in lines:
        if not line:
            if name or data or last_id is not None:
                yield _ServerSentEvent(name, "\n".join(data), last_id)
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
    """The lines of a stream, which end with LF or CRLF. `str.splitlines` would also split at characters such as U+2028, which data may
    contain."""
    rest = b""
    for chunk in chunks:
        *complete, rest = (rest + chunk).split(b"\n")
        for line in complete:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")
