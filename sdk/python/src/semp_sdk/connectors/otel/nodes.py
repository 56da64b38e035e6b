"""What follows from what among spans: those that are told, and those in between that are not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from semp_sdk.connectors.otel.conventions import Described

MOST_LEAVES = 1_000
"""Events in a span that led on to nothing else, of which is known what comes next; beyond that the oldest are forgotten."""


@dataclass(slots=True, eq=False)
class Node:
    """A span."""

    span: ReadableSpan | None
    """None once it has ended."""
    up: Node | None
    """The span it is part of."""
    trace_id: str
    agent: str
    scope: str
    """Where its events are left."""
    inner_agent: str
    """Whose what is part of it is."""
    inner_scope: str
    """Where the events of what is part of it are left."""
    base: dict[str, Node | None] = field(default_factory=dict[str, "Node | None"])
    """What it follows from: events, and whose they are where that is known."""
    links: int = 0
    """How many of its links are among that."""
    described: Described | None = None
    """None for a span that is not told."""
    proposal: str | None = None
    end: str | None = None
    leaves: dict[str, Node | None] = field(default_factory=dict[str, "Node | None"])
    """Events in it that led on to nothing else so far."""
    _open: int = 0
    _beside: dict[str, Node | None] = field(default_factory=dict[str, "Node | None"])

    def now(self) -> dict[str, Node | None]:
        """The events that stand for it: its end; else what happened in it last, where nothing did what it began with."""
        if self.end is not None:
            return {self.end: self}
        return dict(self.leaves or ({self.proposal: self} if self.proposal else self.base))

    def where(self) -> dict[str, Any]:
        """Where its events are left."""
        return {"scope": self.scope, "agent_id": self.agent, "trace_id": self.trace_id}

    def opened(self) -> dict[str, Node | None]:
        """Something begins in it, and follows from these events. What is side by side follows from the same; the next from all of that."""
        if self._open == 0 or self.end is not None:
            self._beside = self.now()
        self._open += 1
        return dict(self._beside)

    def closed(self) -> None:
        """Something in it is over."""
        self._open -= 1

    def took_place(self, causes: Iterable[str], event: str, whose: Node) -> None:
        """Something in it was told: also to what it is part of, up to the next span that is told itself."""
        node: Node | None = self
        while node is not None:
            for cause in causes:
                node.leaves.pop(cause, None)
            node.leaves[event] = whose
            if len(node.leaves) > MOST_LEAVES:
                del node.leaves[next(iter(node.leaves))]
            node = node.up if node.proposal is None else None

    def outcome(self) -> list[str]:
        """What its end follows from."""
        return [*([self.proposal] if self.proposal else []), *self.leaves]

    def over(self) -> None:
        """It has ended, and its end stands for it: let go of what led to it."""
        self.base, self.leaves, self._beside = {}, {}, {}

    def within(self, other: Node) -> bool:
        """Whether it is part of the other one."""
        node: Node | None = self
        while node is not None and node is not other:
            node = node.up
        return node is not None

    def judged(self) -> list[Node]:
        """The works that a check is about: those it follows from, each once. The work itself, if it is no check."""
        if self.described is None or self.described.kind != "check":
            return [self]
        found = {id(node): node for node in self.base.values() if node is not None and node.proposal is not None}
        return list(found.values()) or [self]
