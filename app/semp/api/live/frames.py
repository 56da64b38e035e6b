"""Renders spans of the log as bytes: WebSocket frames and server-sent events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from semp.engine.live.changes import MovedSignal, SignalChanges
from semp.engine.live.hub import Span

_encode = msgspec.json.Encoder().encode


def text_frame(payload: bytes) -> bytes:
    """One unmasked, final text frame, as a server sends it (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    if size < 65_536:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), payload)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), payload)


def message(kind: str, **fields: Any) -> bytes:
    """The frame of a message to one connection: `hello`, `ack` or `error`."""
    return text_frame(_encode({"type": kind, **fields}))


class Renderer:
    """Renders spans. It has no state of its own, so one result serves every reader of the same span in the same form."""

    def __init__(self, changes: SignalChanges, epoch: str) -> None:
        self._changes = changes
        self._epoch = epoch.encode()

    def plain(self, span: Span) -> bytes:
        """One frame for each event, followed by a frame for each signal that it moved."""
        return b"".join([text_frame(text) for text, _ in self._messages(span)])

    def batched(self, span: Span) -> bytes:
        """Several events in one frame. A frame ends at an event that moved signals; a frame for each of these signals follows.

        A client resumes after the last event it has seen, so the signals of an event must come before the next event.
        """
        frames: list[bytes] = []
        events: list[bytes] = []
        for entry in span.entries:
            if span.interest.covers(entry.event):
                events.append(entry.encoded)
            moved = self._changes.made_by(entry, span.interest) if span.signals else ()
            if moved:
                frames += [_together(events), *[text_frame(signal_text(signal)) for signal in moved]]
                events = []
        return b"".join([*frames, _together(events)])

    def streamed(self, span: Span) -> bytes:
        """Server-sent events with the same messages as `plain`. `id` is the place to resume after."""
        return b"".join([self.sent_event(text, position) for text, position in self._messages(span)])

    def sent_event(self, text: bytes, position: int) -> bytes:
        """One server-sent event. `text` is JSON without line breaks, so it fits into one `data` line."""
        return b"id: %b:%d\ndata: %b\n\n" % (self._epoch, position, text)

    def _messages(self, span: Span) -> Iterator[tuple[bytes, int]]:
        for entry in span.entries:
            if span.interest.covers(entry.event):
                yield b'{"type":"event","data":%b}' % entry.encoded, entry.event.position
            if span.signals:
                for signal in self._changes.made_by(entry, span.interest):
                    yield signal_text(signal), entry.event.position


def _together(events: list[bytes]) -> bytes:
    return text_frame(b'{"type":"events","data":[%b]}' % b",".join(events)) if events else b""


def signal_text(signal: MovedSignal) -> bytes:
    """The message about a signal that moved."""
    return b'{"type":"signal","data":%b}' % _encode(signal)
