"""What is going on in a run, and what the next step in it follows from."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage
from autogen_agentchat.teams import DiGraph, DiGraphEdge

Message = BaseAgentEvent | BaseChatMessage


@dataclass(slots=True, eq=False)
class Place:
    """Where a step belongs."""

    around: Step | None
    """What it is part of, if anything."""
    parents: tuple[str, ...]
    """What it follows from."""
    scope: str
    trace_id: str
    depth: int = 0
    """Of a participant's turn: how many turns of the run led to it, one after the other, and itself."""


@dataclass(slots=True, eq=False)
class Step:
    """Something that began and did not end yet: a tool call, an agent's turn, a team's run."""

    proposal: str
    """Id of the event it began with."""
    action: str
    agent: str
    place: Place
    began: float = field(default_factory=time.perf_counter)
    _leaves: dict[str, None] = field(default_factory=dict[str, None])

    def happened(self, parents: Iterable[str], event: str) -> None:
        """Something in it was told: it takes the place of its causes."""
        for parent in parents:
            self._leaves.pop(parent, None)
        self._leaves[event] = None

    def last(self) -> tuple[str, ...]:
        """What the next thing in it follows from."""
        return tuple(self._leaves) or (self.proposal,)

    def now(self) -> tuple[str, ...]:
        """What code that runs in it follows from."""
        return self.last()

    def outcome(self) -> tuple[str, ...]:
        """What its end follows from."""
        return self.proposal, *self._leaves

    def where(self) -> dict[str, Any]:
        """Where its events are left."""
        return {"scope": self.place.scope, "agent_id": self.agent, "trace_id": self.place.trace_id}

    def seconds(self) -> float:
        """How long it took so far, to the tenth of a millisecond."""
        return round(time.perf_counter() - self.began, 4)


@dataclass(slots=True, eq=False)
class Turn(Step):
    """An agent answers."""

    calls: dict[str, Step] = field(default_factory=dict[str, Step])
    """Tools that were called and did not answer yet, by the id of the call."""
    called: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    answer: dict[str, Any] = field(default_factory=dict[str, Any])
    """What is told of the answer."""
    _heard: set[str] = field(default_factory=set[str])

    def first_heard(self, message: Message) -> bool:
        """Whether this is heard for the first time, here and in what it sets to work: an agent may pass on what one of its name has said,
        or say again with its answer what its stream has said.
        """
        first = message.id not in self._heard
        step: Step | None = self
        while step is not None:
            if isinstance(step, Turn):
                step._heard.add(message.id)
            step = step.place.around
        return first

    def within(self, name: str) -> Step:
        """What sets an agent or team of this name to work, as far as no workbench tells: its only call, the only call, or the turn."""
        calls = [call for call in self.calls.values() if call.action == name] or list(self.calls.values())
        return calls[0] if len(calls) == 1 else self

    def now(self) -> tuple[str, ...]:
        return tuple(call.proposal for call in self.calls.values()) or self.last()

    def outcome(self) -> tuple[str, ...]:
        events = [self.proposal, *self._leaves, *(event for call in self.calls.values() for event in call.outcome())]
        return tuple(dict.fromkeys(events))


@dataclass(slots=True, eq=False)
class Run(Step):
    """A team works on a task."""

    inner_scope: str = ""
    """Where the turns of its participants are left."""
    manager: str = ""
    """Who decides whose turn it is. Some speak themselves, and have read everything before."""
    said: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    """Of each message, and of each participant that has spoken: the depth of that turn, and the event it ended with."""
    turns: int = 0
    messages: int = 0
    stop_reason: str | None = None
    graph: DiGraph | None = None
    """What it works along, if anything. All participants read everything then too, so what a turn follows from is up to the edges."""
    waiting: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """In a graph, of each participant: the ends of the newest turns along edges to it since its own last one, by speaker."""

    def following(self, speaker: str, messages: Sequence[Message]) -> Place:
        """Where a participant's turn belongs: it follows from the deepest of the turns that the speaker, or a manager whose words it has
        read, has read or taken; in a graph, from the newest along each edge to it that none of its turns has followed yet.
        """
        managed = any(message.source == self.manager for message in messages)
        read = self.said if managed else (speaker, *(message.id for message in messages))
        known = [self.said[key] for key in read if key in self.said]
        deepest = max((depth for depth, _ in known), default=0)
        ends = dict.fromkeys(end for depth, end in known if depth == deepest)
        if self.graph is not None:
            ends = dict.fromkeys(self.waiting.pop(speaker, {}).values())
        return Place(self, tuple(ends) or (self.proposal,), self.inner_scope, self.place.trace_id, deepest + 1)

    def spoken(self, speaker: str, depth: int, end: str, said: Sequence[Message]) -> None:
        """A participant's turn of this depth ended with this event, and this was said in it."""
        self.turns += 1
        for key in (speaker, *(message.id for message in said)):
            self.said[key] = depth, end
        node = self.graph.nodes.get(speaker) if self.graph is not None else None
        for edge in node.edges if node is not None else ():
            if any(_may_take(edge, message) for message in said):
                self.waiting.setdefault(edge.target, {})[speaker] = end


def _may_take(edge: DiGraphEdge, message: Message) -> bool:
    """Whether the flow takes the edge after this message. A function counts as met: asked once more, it might change what the flow does."""
    return edge.condition_function is not None or (isinstance(message, BaseChatMessage) and edge.check_condition(message))
