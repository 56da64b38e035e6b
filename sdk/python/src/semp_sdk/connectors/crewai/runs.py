"""What is going on in a run, and what the next step in it follows from."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from crewai.events.base_events import BaseEvent

Kind = Literal["crew", "trial", "task", "agent", "tool", "flow", "method", "question"]


@dataclass(slots=True, eq=False)
class Work:
    """A piece of work that began and did not end yet."""

    id: str
    """Of the CrewAI event it began with."""
    kind: Kind
    action: str
    scope: str
    agent: str
    within: Work | None
    began: datetime
    first: tuple[str, ...]
    """What the first step in it follows from: its proposal; of a flow that was not told, what led to it."""
    proposal: str | None = None
    subject: str = ""
    """Id of the crew, task, agent or flow that works."""
    source: Any = None
    leaves: dict[str, None] = field(default_factory=dict[str, None])
    """Events in it that led on to nothing else so far."""
    ends: dict[str, str] = field(default_factory=dict[str, str])
    """What ended in it: of a crew by task, of a flow by CrewAI's event, method and route."""
    before: tuple[str, ...] = ()
    """Of a crew: what tasks that run beside others follow from."""
    tally: Counter[str] = field(default_factory=Counter[str])
    _open: int = 0
    _base: tuple[str, ...] = ()

    def following(self) -> tuple[str, ...]:
        """What a step that begins now follows from. Steps side by side follow from the same; the next one follows from all of them."""
        if self._open == 0:
            self._base = self.last()
        return self._base

    def last(self) -> tuple[str, ...]:
        """Everything in it that led on to nothing else."""
        return tuple(self.leaves) or self.first

    def outcome(self) -> list[str]:
        """What its end follows from."""
        return [*self.first, *self.leaves]

    def opened(self, parents: Iterable[str], proposal: str) -> None:
        """A step in it began."""
        self.happened(parents, proposal)
        self._open += 1

    def closed(self, proposal: str, end: str) -> None:
        """A step in it ended."""
        self.happened((proposal,), end)
        self._open -= 1

    def happened(self, parents: Iterable[str], event: str) -> None:
        """Something in it was told."""
        for parent in parents:
            self.leaves.pop(parent, None)
        self.leaves[event] = None


@dataclass(slots=True, eq=False)
class Run:
    """A crew, flow, task or agent that was set going by nothing CrewAI knows of, and everything in it."""

    root: str
    """Id of the CrewAI event it began with."""
    trace_id: str = ""
    """Empty until an event of the run is heard where it happened."""
    parents: tuple[str, ...] = ()
    queue: deque[BaseEvent] = field(default_factory=deque[BaseEvent])
    works: dict[str, Work] = field(default_factory=dict[str, Work])
    """By the CrewAI event they began with; what is not told by itself stands for what it happens in."""
    starts: set[str] = field(default_factory=set[str])


class Ended(NamedTuple):
    """What feedback on something that is over needs of it."""

    event: str
    trace_id: str
    scope: str
    action: str
    paused: bool
