"""The frames between replicas: a length of 4 bytes, then MessagePack. Both ends have proved before that they know the secret."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from semp.domain.causes import Proposal
from semp.domain.credit import Credited
from semp.domain.errors import (
    FieldError,
    Forbidden,
    IdConflict,
    InvalidInput,
    OutcomeUnknown,
    QueueFull,
    StoreFull,
    StoreUnavailable,
    TooLarge,
    Unavailable,
)
from semp.domain.events import Draft, Event
from semp.engine.following import Answer
from semp.engine.planning import Recorded, Submission
from semp.engine.records import Entry, LogState

MAX_FRAME = 512 * 1024 * 1024
"""Bytes of a frame, at most. A queue holds 64 MB of payloads, and a single submission can be larger."""


class Handed(msgspec.Struct, array_like=True, tag=0):
    """Submissions that a replica hands on to the leader."""

    number: int
    """Different for each frame of a connection; the answers name it."""
    submissions: list[tuple[bool, list[Draft]]]
    """For each submission: whether errors name the index of a draft, and its drafts."""


class Refusal(msgspec.Struct):
    """An error as the sender gets it."""

    kind: str
    message: str
    fields: list[FieldError] = []
    retry_after: int = 1
    event_id: str = ""
    index: int | None = None
    what: str = ""


class Answers(msgspec.Struct, array_like=True, tag=1):
    """What became of the submissions of a frame. See `semp.engine.following.Answer`."""

    number: int
    answers: list[list[int | bytes] | Refusal | None]


class Row(msgspec.Struct, array_like=True):
    """An entry of the log, without its moves: the receiver folds it by the same rules."""

    encoded: bytes
    """The event as JSON."""
    action: str | None
    nearest: tuple[Proposal, ...]
    distance: int
    answers: Proposal | None
    value: float
    alpha: float | None
    credited: tuple[Credited, ...]


class Entries(msgspec.Struct, array_like=True, tag=2):
    """New entries in log order, and the state of the log after them. Without entries: a sign of life."""

    state: LogState | None
    rows: list[Row]


Frame = Handed | Answers | Entries
_encode = msgspec.msgpack.Encoder().encode
_from_follower = msgspec.msgpack.Decoder(Handed).decode
_from_leader = msgspec.msgpack.Decoder(Answers | Entries).decode
_event = msgspec.json.Decoder(Event).decode
SIGN_OF_LIFE = Entries(None, [])


def packed(frame: Frame) -> bytes:
    """The bytes of a frame, with its length before it."""
    data = _encode(frame)
    return len(data).to_bytes(4, "big") + data


async def from_follower(reader: asyncio.StreamReader) -> Handed:
    """Read the next frame of a follower.

    Raises:
        asyncio.IncompleteReadError, ConnectionError: the connection ended.
        msgspec.DecodeError: it is no such frame.
    """
    return _from_follower(await _body(reader))


async def from_leader(reader: asyncio.StreamReader) -> Answers | Entries:
    """Read the next frame of the leader. Raises the same as `from_follower`."""
    return _from_leader(await _body(reader))


async def _body(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(4), "big")
    if length > MAX_FRAME:
        raise msgspec.DecodeError(f"a frame of {length} bytes")
    return await reader.readexactly(length)


def handed(number: int, submissions: Sequence[Submission]) -> Handed:
    """The frame that hands these submissions on."""
    return Handed(number, [(submission.batch, list(submission.drafts)) for submission in submissions])


def entries_frame(state: LogState, entries: Sequence[Entry]) -> Entries:
    """The frame with these entries of the log."""
    rows = [
        Row(one.encoded, one.action, one.nearest, one.distance, one.answers, one.value, one.alpha, one.credited) for one in entries
    ]  # fmt: skip
    return Entries(state, rows)


def entries_of(frame: Entries) -> list[Entry]:
    """The entries of a frame; their `moves` are not filled in."""
    return [
        Entry(
            _event(row.encoded), row.action, row.nearest, row.distance, row.answers, row.value, row.alpha, row.encoded,
            credited=row.credited,
        )
        for row in frame.rows
    ]  # fmt: skip


def answered(recorded: Sequence[Recorded]) -> list[int | bytes]:
    """The answer for a submission that was appended, or that repeats what is stored."""
    return [one.event.position if one.created else one.encoded for one in recorded]


def refusal(error: Exception) -> Refusal:
    """An error for the wire. The kind of an error that no one expects is empty."""
    refused = Refusal(type(error).__name__ if type(error) in _KINDS else "", str(error))
    if isinstance(error, InvalidInput | Forbidden):
        refused.fields = list(error.fields)
    elif isinstance(error, IdConflict):
        refused.event_id, refused.index, refused.what = error.event_id, error.index, error.what
    elif isinstance(error, Unavailable):
        refused.retry_after = error.retry_after
    return refused


_KINDS: dict[type[Exception], Callable[[Refusal], Exception]] = {
    InvalidInput: lambda one: InvalidInput(*one.fields),
    TooLarge: lambda one: TooLarge(*one.fields),
    Forbidden: lambda one: Forbidden(one.message, *one.fields),
    IdConflict: lambda one: IdConflict(one.event_id, one.index, one.what),
    QueueFull: lambda one: QueueFull(one.message, one.retry_after),
    StoreUnavailable: lambda one: StoreUnavailable(one.message, one.retry_after),
    StoreFull: lambda one: StoreFull(one.message, one.retry_after),
    OutcomeUnknown: lambda one: OutcomeUnknown(one.message, one.retry_after),
}
_BY_NAME = {kind.__name__: make for kind, make in _KINDS.items()}


def answer_of(received: list[int | bytes] | Refusal | None) -> Answer:
    """An answer from the wire, with an error of the kind that the leader had."""
    if not isinstance(received, Refusal):
        return received
    make = _BY_NAME.get(received.kind)
    return make(received) if make is not None else RuntimeError(f"the replica that appends failed: {received.message}")
