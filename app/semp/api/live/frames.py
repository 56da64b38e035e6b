"""Spans as bytes: WebSocket frames and server-sent events, made once for all who are at the same place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from semp.domain.clock import to_text
from semp.domain.interests import Interest
from semp.domain.signals import Signal
from semp.engine.environment import Environment
from semp.engine.field import SignalView
from semp.engine.live.hub import Span
from semp.engine.records import Entry

_encode = msgspec.json.Encoder().encode


class MovedSignal(SignalView, frozen=True):
    """A signal right after the event at `position` moved it."""

    position: int


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
    """Makes what is written for a span."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

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
            moved = self._moved(entry, span) if span.signals else ()
            if moved:
                frames += [_together(events), *[text_frame(text) for text in moved]]
                events = []
        return b"".join([*frames, _together(events)])

    def streamed(self, span: Span) -> bytes:
        """Server-sent events: the same messages; `id` is where to resume after each."""
        return b"".join([self.sent_event(text, position) for text, position in self._messages(span)])

    def sent_event(self, text: bytes, position: int) -> bytes:
        """One server-sent event; JSON has no line breaks."""
        return b"id: %b:%d\ndata: %b\n\n" % (self.environment.ledger.state.epoch.encode(), position, text)

    def _messages(self, span: Span) -> Iterator[tuple[bytes, int]]:
        for entry in span.entries:
            if span.interest.covers(entry.event):
                yield b'{"type":"event","data":%b}' % entry.encoded, entry.event.position
            if span.signals:
                for text in self._moved(entry, span):
                    yield text, entry.event.position

    def _moved(self, entry: Entry, span: Span) -> list[bytes]:
        signals = self.environment.ledger.signals
        rules = self.environment.ledger.rules
        found: list[bytes] = []
        for move in entry.moves:
            if span.interest.covers_scope(move.scope):
                rates = signals.get((move.scope, move.pattern)) or rules
                signal = Signal(move.scope, move.pattern, move.after, rates.alpha, rates.lambda_, 0, 0, entry.event.position)
                found.append(signal_text(signal, move.after, entry.event.timestamp))
        return found

    def moved_since(self, interest: Interest, first: int, last: int) -> list[bytes]:
        """Signals whose last change is at one of these positions, both included, each as that change left it, in their order."""
        found = [
            signal
            for signal in self.environment.ledger.signals.values()
            if first <= signal.position <= last and interest.covers_scope(signal.scope)
        ]
        found.sort(key=lambda signal: signal.position)
        return [signal_text(signal, signal.strength_at(signal.last_updated), to_text(signal.last_updated)) for signal in found]


def _together(events: list[bytes]) -> bytes:
    return text_frame(b'{"type":"events","data":[%b]}' % b",".join(events)) if events else b""


def signal_text(signal: Signal, strength: float, last_updated: str) -> bytes:
    """The message about a signal: its state right after the event at its position."""
    view = MovedSignal(
        signal.id, signal.scope, signal.pattern, strength, last_updated, signal.alpha, signal.lambda_, signal.position
    )  # fmt: skip
    return b'{"type":"signal","data":%b}' % _encode(view)
