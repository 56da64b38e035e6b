"""Streams passed on, with an ear on them."""

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

_around: ContextVar[Step | None] = ContextVar("semp_autogen_around", default=None)
"""What the running code is part of, where AutoGen's runtime was started in it: the innermost run, turn or tool call."""


def around() -> Step | None:
    """The innermost run, turn or tool call that the running code is part of, as far as that is known."""
    return _around.get()


@contextmanager
def inside(step: Step | None) -> Generator[None]:
    """What runs here is part of the step, if there is one, and what it emits follows from the step."""
    if step is None:
        yield
        return
    with trace(step.place.trace_id, step.now()):
        token = _around.set(step)
        try:
            yield
        finally:
            _around.reset(token)


class Ended(NamedTuple):
    """What feedback on something that is over needs of it."""

    event: str
    scope: str
    trace_id: str


class Watch:
    """What is known of one agent or team from run to run."""

    reporter: Reporter

    def __init__(self, runner: Any) -> None:
        self.runner = runner
        self.ended: Ended | None = None
        """How its newest run ended."""

    def begin(self, given: Any) -> Run | Turn:
        """It begins to work on what it was given."""
        raise NotImplementedError

    def hear(self, step: Any, message: Any) -> bool:
        """It says something. Whether that is all it has to say."""
        raise NotImplementedError

    def end(self, step: Any, last: Any, error: BaseException | None) -> None:
        """It is done, and this was the last it said; or it could not go on."""
        raise NotImplementedError

    def place(self) -> Place:
        """Where a step that begins now belongs outside of a team, and what it follows from."""
        here = around()
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
        """The step ended with this event, which the next one follows from."""
        place = step.place
        self.ended = Ended(end, place.scope, place.trace_id)
        if place.around is not None:
            place.around.happened(place.parents, end)
            return
        here = current_trace()
        if here is not None and here.id == place.trace_id:
            follow(end)


class Told:
    """A step of what is watched. Raises nothing: what cannot be told is logged."""

    def __init__(self, watch: Watch, given: Any, begun: Run | Turn | None = None) -> None:
        """`begun`: the step, where it has begun already."""
        self._watch = watch
        self._step = begun
        try:
            self._step = begun or watch.begin(given)
        except Exception:
            log.exception("a step of %s is not told", watch.runner.name)

    def inside(self) -> AbstractContextManager[None]:
        """What runs here is part of the step."""
        return inside(self._step)

    def heard(self, message: Any) -> None:
        """Something was said."""
        if self._step is None:
            return
        try:
            if self._watch.hear(self._step, message):
                self.over(None, message)
        except Exception:
            log.exception("a message of %s is not told", self._watch.runner.name)

    def over(self, error: BaseException | None, last: Any = None) -> None:
        """The step is done. Counts once."""
        step, self._step = self._step, None
        if step is None:
            return
        try:
            self._watch.end(step, last, error)
        except Exception:
            log.exception("the end of a step of %s is not told", self._watch.runner.name)


async def passed_on(stream: AsyncGenerator[Any, None], inside: Callable[[], AbstractContextManager[None]]) -> AsyncGenerator[Any, None]:
    """What a stream gives, made inside of a context that is left whenever something is passed on."""
    async with aclosing(stream):
        while True:
            with inside():
                try:
                    message = await anext(stream)
                except StopAsyncIteration:
                    return
            yield message


async def told(stream: AsyncGenerator[Any, None], watch: Watch, given: Any) -> AsyncGenerator[Any, None]:
    """Pass on what a step says, and tell of it. The step begins when the first message is asked for."""
    step = Told(watch, given)
    try:
        async with aclosing(passed_on(stream, step.inside)) as messages:
            async for message in messages:
                step.heard(message)
                yield message
    except BaseException as error:
        step.over(error)
        raise
    step.over(None)
