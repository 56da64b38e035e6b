"""Streams of agents and teams: forwarded unchanged, and recorded message by message."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager, aclosing, contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from semp_sdk.connectors.autogen.reporter import Reporter
from semp_sdk.connectors.autogen.steps import Place, Run, Step, Turn
from semp_sdk.connectors.texts import scope_of
from semp_sdk.identifiers import new_id
from semp_sdk.tracing import current_trace, follow, trace

log = logging.getLogger("semp_sdk")

_current_step: ContextVar[Step | None] = ContextVar("semp_autogen_step", default=None)
"""The innermost run, turn or tool call around the running code. Known only if AutoGen's runtime was started inside it."""


def current_step() -> Step | None:
    """The innermost run, turn or tool call around the running code; None when it is not known."""
    return _current_step.get()


@contextmanager
def running_in(step: Step | None) -> Generator[None]:
    """Code inside the block is part of the step, and events it emits follow from the step. None changes nothing."""
    if step is None:
        yield
        return
    with trace(step.place.trace_id, step.now()):
        token = _current_step.set(step)
        try:
            yield
        finally:
            _current_step.reset(token)


class Ended(NamedTuple):
    """What feedback on an ended run or turn needs."""

    event: str
    scope: str
    trace_id: str


class Wrapper:
    """Stands in front of the methods of one agent or team, and keeps what is known of it from run to run."""

    reporter: Reporter

    def __init__(self, runner: Any) -> None:
        self.runner = runner
        self.ended: Ended | None = None
        """End of its newest run or turn."""

    def begin(self, given: Any) -> Run | Turn:
        """A run or turn starts with this input."""
        raise NotImplementedError

    def on_message(self, step: Any, message: Any) -> bool:
        """The agent or team emits a message. Returns True when it was the last one."""
        raise NotImplementedError

    def end(self, step: Any, last: Any, error: BaseException | None) -> None:
        """The run or turn ends: with its last message, or with an error."""
        raise NotImplementedError

    def place(self) -> Place:
        """Place of a step that starts now outside of a team: its parent step, parents, scope and trace."""
        here = current_step()
        if isinstance(here, Turn):
            within = here.within(self.runner.name)
            return Place(within, within.last(), scope_of(here.place.scope, here.agent), here.place.trace_id)
        if here is not None and not isinstance(here, Run):
            return Place(here, here.last(), here.place.scope, here.place.trace_id)
        recording, current, ended = self.reporter.recording, current_trace(), self.ended
        trace_id = self.reporter.trace_id or (current.id if current is not None else ended.trace_id if ended is not None else new_id())
        parents = current.parents if current is not None and current.id == trace_id else ()
        if not parents and ended is not None and ended.trace_id == trace_id:
            parents = (ended.event,)
        return Place(None, parents or recording.parents, recording.scope, trace_id)

    def closed(self, step: Run | Turn, end: str) -> None:
        """The step ended with this event; the next step follows from it."""
        place = step.place
        self.ended = Ended(end, place.scope, place.trace_id)
        if place.parent is not None:
            place.parent.happened(place.parents, end)
            return
        here = current_trace()
        if here is not None and here.id == place.trace_id:
            follow(end)


class ReportedStep:
    """A run or turn that is reported. Raises nothing: what cannot be recorded is logged."""

    def __init__(self, wrapper: Wrapper, given: Any, begun: Run | Turn | None = None) -> None:
        """`begun`: the step, if it has started already."""
        self._wrapper = wrapper
        self._step = begun
        try:
            self._step = begun or wrapper.begin(given)
        except Exception:
            log.exception("a step of %s could not be recorded", wrapper.runner.name)

    def inside(self) -> AbstractContextManager[None]:
        """Code inside the block is part of the step."""
        return running_in(self._step)

    def on_message(self, message: Any) -> None:
        """The agent or team emitted a message."""
        if self._step is None:
            return
        try:
            if self._wrapper.on_message(self._step, message):
                self.over(None, message)
        except Exception:
            log.exception("a message of %s could not be recorded", self._wrapper.runner.name)

    def over(self, error: BaseException | None, last: Any = None) -> None:
        """The step has ended. Only the first call counts."""
        step, self._step = self._step, None
        if step is None:
            return
        try:
            self._wrapper.end(step, last, error)
        except Exception:
            log.exception("the end of a step of %s could not be recorded", self._wrapper.runner.name)


async def forwarded(stream: AsyncGenerator[Any, None], inside: Callable[[], AbstractContextManager[None]]) -> AsyncGenerator[Any, None]:
    """The items of a stream. Its code runs inside the context; the consumer's code does not."""
    async with aclosing(stream):
        while True:
            with inside():
                try:
                    message = await anext(stream)
                except StopAsyncIteration:
                    return
            yield message


async def reported(stream: AsyncGenerator[Any, None], wrapper: Wrapper, given: Any) -> AsyncGenerator[Any, None]:
    """Forward the messages of a step, and report it. The step starts when the first message is requested."""
    step = ReportedStep(wrapper, given)
    try:
        async with aclosing(forwarded(stream, step.inside)) as messages:
            async for message in messages:
                step.on_message(message)
                yield message
    except BaseException as error:
        step.over(error)
        raise
    step.over(None)
