"""Spans as bytes: WebSocket frames and server-sent events, made once for all who are at the same place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from semp.engine.live.changes import MovedSignal, SignalChanges
from semp.engine.live.hub import Span

_encode = msgspec.json.Encoder().encode


def text_frame(payload: bytes) -> bytes:
    """One unmasked text frame, as a server sends it (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    if size < 65_536:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), payload)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), payload)


def message(kind: str, **fields: Any) -> bytes:
    """A frame that is for one connection only: hello, ack, error."""
    return text_frame(_encode({"type": kind, **fields}))


class Renderer:
    """Makes what is written for a span. It keeps nothing: what one makes serves every reader of the same form at the same place."""

    def __init__(self, changes: SignalChanges, epoch: str) -> None:
        self._changes = changes
        self._epoch = epoch.encode()

    def plain(self, span: Span) -> bytes:
        """One frame an event, each followed by those of the signals it moved."""
        return b"".join([text_frame(text) for text, _ in self._messages(span)])

    def batched(self, span: Span) -> bytes:
        """Events together in one frame; where one moved signals, the frame ends with it and theirs follow.

        A client resumes after the last event it has seen, so nothing that belongs to an earlier one may still be to come.
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
        """Server-sent events: the same messages; `id` is where to resume after each."""
        return b"".join([self.sent_event(text, position) for text, position in self._messages(span)])

    def sent_event(self, text: bytes, position: int) -> bytes:
        """One server-sent event; JSON has no line breaks."""
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
