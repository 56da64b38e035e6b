"""Open spans of a run, and the parents of the next step in each."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from crewai.events.base_events import BaseEvent

Kind = Literal["crew", "trial", "task", "agent", "tool", "flow", "method", "question"]


@dataclass(slots=True, eq=False)
class Span:
    """An open span: it started and has not ended yet."""

    id: str
    """Id of the CrewAI event it started with."""
    kind: Kind
    action: str
    scope: str
    agent: str
    parent: Span | None
    began: datetime
    first: tuple[str, ...]
    """Parents of the first step in it: its proposal; for a flow that was not reported, the flow's own parents."""
    proposal: str | None = None
    subject: str = ""
    """Id of the crew, task, agent or flow that runs."""
    source: Any = None
    leaves: dict[str, None] = field(default_factory=dict[str, None])
    """Events in it that no other event follows from yet."""
    ends: dict[str, str] = field(default_factory=dict[str, str])
    """Last events of its children: in a crew by task id, in a flow by CrewAI's event id, method and route."""
    before: tuple[str, ...] = ()
    """In a crew: parents of tasks that run in parallel."""
    tally: Counter[str] = field(default_factory=Counter[str])
    _open: int = 0
    _base: tuple[str, ...] = ()

    def following(self) -> tuple[str, ...]:
        """Parents of a step that starts now. Steps in parallel have the same parents; the step after them follows from all of them."""
        if self._open == 0:
            self._base = self.last()
        return self._base

    def last(self) -> tuple[str, ...]:
        """Events in it that no other event follows from yet; before there are any, the parents of its first step."""
        return tuple(self.leaves) or self.first

    def outcome(self) -> list[str]:
        """Parents of its end."""
        return [*self.first, *self.leaves]

    def opened(self, parents: Iterable[str], proposal: str) -> None:
        """A step in it started."""
        self.happened(parents, proposal)
        self._open += 1

    def closed(self, proposal: str, end: str) -> None:
        """A step in it ended."""
        self.happened((proposal,), end)
        self._open -= 1

    def happened(self, parents: Iterable[str], event: str) -> None:
        """An event inside it was recorded: it takes the place of its parents."""
        for parent in parents:
            self.leaves.pop(parent, None)
        self.leaves[event] = None


@dataclass(slots=True, eq=False)
class Run:
    """An outermost crew, flow, task or agent, and everything inside it."""

    root: str
    """Id of the CrewAI event it started with."""
    trace_id: str = ""
    """Empty until an event of the run arrives in the thread it happened in."""
    parents: tuple[str, ...] = ()
    queue: deque[BaseEvent] = field(default_factory=deque[BaseEvent])
    spans: dict[str, Span] = field(default_factory=dict[str, Span])
    """By the CrewAI event they started with. A span that is not reported itself maps to the span around it."""
    starts: set[str] = field(default_factory=set[str])


class Ended(NamedTuple):
    """What feedback on an ended span needs."""

    event: str
    trace_id: str
    scope: str
    action: str
    paused: bool
