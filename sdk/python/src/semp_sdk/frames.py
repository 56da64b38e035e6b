"""Frames that the service sends over a WebSocket, and the WebSocket's URL."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from semp_sdk.events import Event, SignalUpdate
from semp_sdk.transport import query_string

Values = str | Iterable[str] | None


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The first frame: which log this is, and the position after which it delivers."""

    epoch: str
    position: int


class EventFrame(msgspec.Struct, frozen=True, tag="event"):
    data: Event


class EventsFrame(msgspec.Struct, frozen=True, tag="events"):
    data: list[Event]


class SignalFrame(msgspec.Struct, frozen=True, tag="signal"):
    data: SignalUpdate


class Ack(msgspec.Struct, frozen=True, tag="ack"):
    """The answer to a ping: every matching event up to `position` was sent before it."""

    position: int | None = None


class Refusal(msgspec.Struct, frozen=True, tag="error"):
    message: str


Frame = Hello | EventFrame | EventsFrame | SignalFrame | Ack | Refusal
read_frame: Callable[[bytes], Frame] = msgspec.json.Decoder(Frame).decode


class Filter(msgspec.Struct, frozen=True):
    """Which events a stream gives. Values of one field are alternatives; all fields must match; an empty field matches every event."""

    scope: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    trace_id: tuple[str, ...] = ()
    agent_id: tuple[str, ...] = ()

    @classmethod
    def of(cls, scope: Values, type: Values, trace_id: Values, agent_id: Values) -> Filter:
        return cls(_several(scope), _several(type), _several(trace_id), _several(agent_id))

    @property
    def everything(self) -> bool:
        """Whether it matches every event, so that positions have no gaps."""
        return not (self.scope or self.type or self.trace_id or self.agent_id)


def address(base: str, filter: Filter, *, after: int | None, epoch: str | None, signals: bool, batch: bool) -> str:
    """The WebSocket's URL."""
    return f"{base.replace('http', 'ws', 1)}/ws" + query_string(
        {
            "v": 1,
            "batch": 1 if batch else None,
            "signals": 1 if signals else None,
            "after": after,
            "epoch": epoch,
            "scope": filter.scope,
            "type": filter.type,
            "trace_id": filter.trace_id,
            "agent_id": filter.agent_id,
        }
    )


def _several(values: Values) -> tuple[str, ...]:
    return () if values is None else (values,) if isinstance(values, str) else tuple(values)
