"""What follows from what among spans, recorded ones and those in between that are not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from semp_sdk.connectors.otel.conventions import Operation

MOST_LEAVES = 1_000
"""Events in a span that no other event follows from yet, at most; beyond it the oldest are forgotten."""


@dataclass(slots=True, eq=False)
class Node:
    """A span, and the state that decides what follows from what."""

    span: ReadableSpan | None
    """None once it has ended."""
    parent: Node | None
    """The span it is part of."""
    trace_id: str
    agent: str
    scope: str
    """Scope of its events."""
    inner_agent: str
    """Agent to whom child spans are attributed."""
    inner_scope: str
    """Scope of the events of child spans."""
    base: dict[str, Node | None] = field(default_factory=dict[str, "Node | None"])
    """Its parents: events, with the span of each where that is known."""
    links: int = 0
    """Number of its links that are already included in `base`."""
    operation: Operation | None = None
    """None for a span that is not recorded."""
    proposal: str | None = None
    end: str | None = None
    leaves: dict[str, Node | None] = field(default_factory=dict[str, "Node | None"])
    """Events in it that no other event follows from yet."""
    _open: int = 0
    _parallel: dict[str, Node | None] = field(default_factory=dict[str, "Node | None"])

    def now(self) -> dict[str, Node | None]:
        """The newest events of the span: its end; else the last events inside it; else its proposal; else its parents."""
        if self.end is not None:
            return {self.end: self}
        return dict(self.leaves or ({self.proposal: self} if self.proposal else self.base))

    def where(self) -> dict[str, Any]:
        """Scope, agent and trace of its events."""
        return {"scope": self.scope, "agent_id": self.agent, "trace_id": self.trace_id}

    def opened(self) -> dict[str, Node | None]:
        """A child starts. Returns its parents: children in parallel have the same ones, and the next child follows from all of those."""
        if self._open == 0 or self.end is not None:
            self._parallel = self.now()
        self._open += 1
        return dict(self._parallel)

    def closed(self) -> None:
        """A child has ended."""
        self._open -= 1

    def happened(self, causes: Iterable[str], event: str, subject: Node) -> None:
        """An event inside it was recorded: it takes the place of its parents, here and in the spans around, up to the next recorded one."""
        node: Node | None = self
        while node is not None:
            for cause in causes:
                node.leaves.pop(cause, None)
            node.leaves[event] = subject
            if len(node.leaves) > MOST_LEAVES:
                del node.leaves[next(iter(node.leaves))]
            node = node.parent if node.proposal is None else None

    def outcome(self) -> list[str]:
        """Parents of its end."""
        return [*([self.proposal] if self.proposal else []), *self.leaves]

    def release(self) -> None:
        """The span has ended, and later spans follow from its end: free all other references."""
        self.base, self.leaves, self._parallel = {}, {}, {}

    def is_inside(self, other: Node) -> bool:
        """Whether it is the other span or inside it."""
        node: Node | None = self
        while node is not None and node is not other:
            node = node.parent
        return node is not None

    def subjects(self) -> list[Node]:
        """The spans that a check is about: those it follows from, each once. The span itself, when it is not a check."""
        if self.operation is None or self.operation.kind != "check":
            return [self]
        found = {id(node): node for node in self.base.values() if node is not None and node.proposal is not None}
        return list(found.values()) or [self]
