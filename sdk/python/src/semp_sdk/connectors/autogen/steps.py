"""Open steps of a run, and the parents of the next step in each."""

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
    """Where a step belongs in a run."""

    parent: Step | None
    """The step it is part of, if any."""
    parents: tuple[str, ...]
    """Ids of the events it follows from."""
    scope: str
    trace_id: str
    depth: int = 0
    """For a participant's turn: length of the longest chain of turns in this run that ends with it, itself included."""


@dataclass(slots=True, eq=False)
class Step:
    """An open step: a tool call, an agent's turn or a team's run."""

    proposal: str
    """Id of the event it started with."""
    action: str
    agent: str
    place: Place
    began: float = field(default_factory=time.perf_counter)
    _leaves: dict[str, None] = field(default_factory=dict[str, None])

    def happened(self, parents: Iterable[str], event: str) -> None:
        """An event inside it was recorded: it takes the place of its parents."""
        for parent in parents:
            self._leaves.pop(parent, None)
        self._leaves[event] = None

    def last(self) -> tuple[str, ...]:
        """Parents of the next event inside it."""
        return tuple(self._leaves) or (self.proposal,)

    def now(self) -> tuple[str, ...]:
        """Parents of events that code running inside it emits."""
        return self.last()

    def outcome(self) -> tuple[str, ...]:
        """Parents of its end."""
        return self.proposal, *self._leaves

    def where(self) -> dict[str, Any]:
        """Scope, agent and trace of its events."""
        return {"scope": self.place.scope, "agent_id": self.agent, "trace_id": self.place.trace_id}

    def seconds(self) -> float:
        """Seconds since it started, rounded to 0.1 ms."""
        return round(time.perf_counter() - self.began, 4)


@dataclass(slots=True, eq=False)
class Turn(Step):
    """An agent's turn: it answers messages."""

    calls: dict[str, Step] = field(default_factory=dict[str, Step])
    """Open tool calls, by the id of the call."""
    called: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    answer: dict[str, Any] = field(default_factory=dict[str, Any])
    """Payload fields that describe the answer."""
    _seen: set[str] = field(default_factory=set[str])

    def is_new(self, message: Message) -> bool:
        """Whether the message is new, here and in the steps inside. An agent may forward a message of an inner agent with the same name,
        or repeat in its answer what its stream has emitted.
        """
        first = message.id not in self._seen
        step: Step | None = self
        while step is not None:
            if isinstance(step, Turn):
                step._seen.add(message.id)
            step = step.place.parent
        return first

    def within(self, name: str) -> Step:
        """The step that runs an agent or team of this name, when no workbench shows it: its only call, the only call, or the turn."""
        calls = [call for call in self.calls.values() if call.action == name] or list(self.calls.values())
        return calls[0] if len(calls) == 1 else self

    def now(self) -> tuple[str, ...]:
        return tuple(call.proposal for call in self.calls.values()) or self.last()

    def outcome(self) -> tuple[str, ...]:
        events = [self.proposal, *self._leaves, *(event for call in self.calls.values() for event in call.outcome())]
        return tuple(dict.fromkeys(events))


@dataclass(slots=True, eq=False)
class Run(Step):
    """A team's run: it works on a task."""

    inner_scope: str = ""
    """Scope of its participants' turns."""
    manager: str = ""
    """Name of the manager, which decides who speaks next. Some managers send messages too, and have read all messages before."""
    said: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    """By message id and by participant: depth of the turn, and the event it ended with."""
    turns: int = 0
    messages: int = 0
    stop_reason: str | None = None
    graph: DiGraph | None = None
    """The graph of a GraphFlow, else None. All participants read all messages there too, so the edges decide what a turn follows from."""
    waiting: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """In a graph, by participant: ends of the newest turns along edges to it since its own last turn, by speaker."""

    def following(self, speaker: str, messages: Sequence[Message]) -> Place:
        """Place of a participant's turn.

        It follows from the deepest turns among those the speaker has read or taken itself. After a message of a manager, the manager's
        messages count as read, which means all turns. In a graph it follows from the newest turn along each edge to it, since its own last
        turn.
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
        """A participant's turn of this depth ended with this event, after these messages."""
        self.turns += 1
        for key in (speaker, *(message.id for message in said)):
            self.said[key] = depth, end
        node = self.graph.nodes.get(speaker) if self.graph is not None else None
        for edge in node.edges if node is not None else ():
            if any(_may_take(edge, message) for message in said):
                self.waiting.setdefault(edge.target, {})[speaker] = end


def _may_take(edge: DiGraphEdge, message: Message) -> bool:
    """Whether the flow may take the edge after this message. A condition that is a function is not called again, because a second call
    might change what the flow does: it counts as true.
    """
    return edge.condition_function is not None or (isinstance(message, BaseChatMessage) and edge.check_condition(message))
