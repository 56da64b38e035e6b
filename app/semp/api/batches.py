"""Reads the body of a batch, a part at a time, so that a large one holds the event loop for a few milliseconds at most."""

from __future__ import annotations

import msgspec

from semp.api.direct import decode
from semp.domain.errors import FieldError, InvalidInput
from semp.domain.events import Draft, NewEvent, draft
from semp.engine.footprint import Footprint
from semp.engine.pace import Pace

MAX_BATCH_EVENTS = 10_000
MAX_BATCH_BODY = 32 * 1024 * 1024
"""Maximum size of a batch in bytes. 10,000 events of ordinary size fit."""
PART = 64 * 1024
"""Bytes of JSON, at least, after which others have a turn of the event loop: one or two milliseconds of work."""

_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_lines = msgspec.json.Decoder(msgspec.Raw).decode_lines
_event = msgspec.json.Decoder(NewEvent).decode


async def drafts_of(body: bytes, lines: bool, pace: Pace) -> list[Draft]:
    """The checked events of a batch. Reading stops at the first event that is invalid, or that no transaction has room for.

    Args:
        lines: whether the body is NDJSON, not an array.

    Raises:
        InvalidInput: the body is not valid JSON, an event is not valid, or there are none or more than MAX_BATCH_EVENTS.
        TooLarge: a payload is too large, or all events together are, see `semp.engine.footprint`.
    """
    texts = decode(_lines if lines else _array, body)
    if not 1 <= len(texts) <= MAX_BATCH_EVENTS:
        raise InvalidInput(FieldError("body", f"a batch holds 1 to {MAX_BATCH_EVENTS} events, this one has {len(texts)}"))
    drafts: list[Draft] = []
    footprint = Footprint(())
    size = 0
    for index, text in enumerate(texts):
        one = draft(decode(_event, text, f"[{index}]"), f"[{index}].")
        footprint.add_draft(one)
        footprint.require_room(len(texts))
        drafts.append(one)
        size += len(memoryview(text))
        if size >= PART:
            size = 0
            await pace.turn()
    return drafts
