"""The current trace and parents, so that code need not pass them as arguments."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import ParamSpec, Protocol, TypeVar

import msgspec

from semp_sdk.identifiers import new_id

P = ParamSpec("P")
R = TypeVar("R")


class Caused(Protocol):
    """Anything that has an event's id and trace."""

    @property
    def id(self) -> str: ...
    @property
    def trace_id(self) -> str: ...


class Trace(msgspec.Struct, frozen=True):
    """The trace of the running code, and the parents of its next event."""

    id: str
    parents: tuple[str, ...] = ()


_current: contextvars.ContextVar[Trace | None] = contextvars.ContextVar("semp_trace", default=None)


def current_trace() -> Trace | None:
    """The trace of the running code, None outside of all."""
    return _current.get()


@contextmanager
def trace(trace_id: str | None = None, parents: tuple[str, ...] = ()) -> Generator[Trace]:
    """Everything emitted inside belongs to this trace; each event is caused by the one emitted before it.

    Tasks started inside, and `asyncio.to_thread`, inherit the trace and its newest event at that time. Events that they emit are not
    parents of later events here, because this code does not wait for them. For threads see `carry`.

    `trace_id`: None makes a new one.
    """
    found = Trace(trace_id or new_id(), parents)
    token = _current.set(found)
    try:
        yield found
    finally:
        _current.reset(token)


@contextmanager
def caused_by(*causes: Caused) -> Generator[Trace]:
    """Everything emitted inside follows from these events, and belongs to the trace of the first: how an agent answers an event.

    Raises:
        ValueError: no event was given.
    """
    if not causes:
        raise ValueError("name the events that caused what follows")
    with trace(causes[0].trace_id, tuple(dict.fromkeys(cause.id for cause in causes))) as found:
        yield found


def follow(event_id: str) -> None:
    """Make this event the parent of the next one, if there is a trace."""
    found = _current.get()
    if found is not None:
        _current.set(Trace(found.id, (event_id,)))


def carry(function: Callable[P, R]) -> Callable[P, R]:
    """The function, bound to the current trace: for `threading.Thread`, executors and callbacks, which start without a trace.

    `Thread(target=carry(work))`, `executor.map(carry(work), items)`. Each call has its own copy, so calls may run at the same time.
    """
    context = contextvars.copy_context()

    def carried(*args: P.args, **kwargs: P.kwargs) -> R:
        return context.copy().run(function, *args, **kwargs)

    return carried
