"""The span processor: a span's start and end, as events."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanContext, format_trace_id

from semp_sdk.connectors.otel.conventions import (
    Attributes,
    Described,
    Result,
    attributes_of,
    described,
    error_of,
    result_of,
    results_of,
    stopped,
    told,
)
from semp_sdk.connectors.otel.nodes import Node
from semp_sdk.connectors.recording import OnFailure, Recording
from semp_sdk.connectors.texts import excerpt, scope_of
from semp_sdk.tracing import current_trace

log = logging.getLogger("semp_sdk")

KEPT = 10_000
"""Spans that are under way, and as many that have ended, of which is known what follows from them."""


class SempSpanProcessor(SpanProcessor):
    """Tells a recording of GenAI spans: what starts is proposed, what ends is ready, what fails earns a penalty, what is evaluated a
    reward, a penalty or a test. Spans of any other kind are not told; what is part of them counts as part of what they are part of.

    Parents follow from the spans: a step follows from the step before it in the same span, from steps that ran side by side together, and
    from what the span links to. The trace is the one given, else that of the code that starts the outermost span, see
    `semp_sdk.tracing.trace`, else OpenTelemetry's own id in hexadecimal, which other processes share.

    Needs no exporter. Spans that are not sampled are not seen. Of at most 10,000 spans under way, and of the newest 10,000 that ended, it
    knows what follows from them. Safe to use from any thread; returns at once and raises nothing.
    """

    def __init__(
        self,
        url: str = "http://localhost:5000",
        *,
        scope: str = "otel",
        agent_id: str = "otel",
        trace_id: str | None = None,
        parents: Sequence[str] = (),
        score: Callable[[str, float], float | None] | None = None,
        content: bool = False,
        capacity: int = 10_000,
        penalty: float = 0.5,
        on_failure: OnFailure = "penalty",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """
        Args:
            url: the service.
            scope: of outermost spans; of what is part of an agent's, with the agent's name below it.
            agent_id: who acts where no span names an agent.
            trace_id: of all events. None: see above.
            parents: what outermost spans in the trace `trace_id` follow from.
            score: of an evaluation's name and score, the reward or penalty, -1..1, or None for neither. Without it scores of -1..1 count
                as they are, and others for nothing.
            content: whether payloads tell what went in and came out, cut to a readable length, where spans hold it.
            capacity, penalty, on_failure, headers: see `Recording`.

        Raises:
            ValueError: the URL is none.
        """
        self.recording = Recording(
            url, agent_id=agent_id, scope=scope, trace_id=trace_id, parents=parents, content=content, capacity=capacity,
            penalty=penalty, on_failure=on_failure, headers=headers,
        )  # fmt: skip
        self._trace_id = trace_id
        self._score = score or as_it_is
        self._lock = threading.RLock()  # a log line of ours may come back as a log record
        self._open: OrderedDict[tuple[int, int], Node] = OrderedDict()
        self._over: OrderedDict[tuple[int, int], Node] = OrderedDict()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002
        """A span starts."""
        with self._lock:
            try:
                self._start(span)
            except Exception:
                log.exception("a span is not told")

    def on_end(self, span: ReadableSpan) -> None:
        """A span has ended."""
        with self._lock:
            try:
                self._end(span)
            except Exception:
                log.exception("the end of a span is not told")

    def shutdown(self) -> None:
        """Send what waits, for 5 s at most, or 0.5 s in an outage; what comes now is not told."""
        self.recording.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until all that was told is answered. False: the time was not enough."""
        return self.recording.flush(timeout_millis / 1_000)

    def evaluated(self, trace_id: int, span_id: int, attributes: Attributes) -> None:
        """What an evaluation found of a span, told beside it."""
        with self._lock:
            try:
                node, result = self._found(trace_id, span_id), result_of(attributes)
                while node is not None and self._proposed(node) is None:
                    node = node.up
                if node is not None and result is not None:
                    self._judge(node, result, node, list(node.now()))
            except Exception:
                log.exception("an evaluation is not told")

    # Under the lock

    def _found(self, trace_id: int, span_id: int) -> Node | None:
        return self._open.get((trace_id, span_id)) or self._over.get((trace_id, span_id))

    def _start(self, span: Span) -> None:
        parent, context = span.parent, span.get_span_context()
        up = None if parent is None else self._found(parent.trace_id, parent.span_id)
        if up is not None:
            self._proposed(up)
            node = Node(span, up, up.trace_id, up.inner_agent, up.inner_scope, up.inner_agent, up.inner_scope, up.opened())
        else:
            node = self._outermost(span, context)
        keep(self._open, (context.trace_id, context.span_id), node)
        self._proposed(node)

    def _outermost(self, span: Span, context: SpanContext) -> Node:
        recording, here = self.recording, current_trace()
        trace_id = self._trace_id or (here.id if here is not None else format_trace_id(context.trace_id))
        parents = here.parents if here is not None and here.id == trace_id else recording.parents
        agent, scope = recording.agent_id, recording.scope
        return Node(span, None, trace_id, agent, scope, agent, scope, dict.fromkeys(parents))

    def _proposed(self, node: Node) -> str | None:
        """The event a span began with, told now if the span is known for what it is only now. None: it is not told."""
        if node.span is None:
            return node.proposal
        if node.proposal is not None:
            self._known_better(node, node.span)
            return node.proposal
        up = node.up
        if up is not None:
            began = self._proposed(up)
            if began is not None and node.base.keys() == up.base.keys():
                node.base = {began: up}  # this began before it was known what the span around it is
            node.agent, node.scope = node.inner_agent, node.inner_scope = up.inner_agent, up.inner_scope
        self._linked(node, node.span)
        found = described(node.span, attributes_of(node.span))
        if found is None:
            return None
        if found.kind == "agent":
            node.agent = node.inner_agent = found.name
            node.inner_scope = scope_of(node.scope, found.name)
        node.described = found
        causes = list(node.base)
        operation = {"operation": found.operation} if found.operation else {}
        node.proposal = self.recording.started(found.name, parents=causes, **node.where(), **operation)
        if up is not None:
            up.took_place(causes, node.proposal, node.judged()[0])
        return node.proposal

    def _linked(self, node: Node, span: ReadableSpan) -> list[str]:
        """Events of what it links to since this was asked last; it follows from them."""
        links = list(span.links)[node.links :]
        node.links += len(links)
        found = [self._found(link.context.trace_id, link.context.span_id) for link in links]
        others = [other for other in found if other is not None and not node.within(other)]
        if node.up is not None and any(other.within(node.up) for other in others):
            node.base = {}  # told exactly, and not by the order of things
        events: dict[str, Node | None] = {}
        for other in others:
            events |= other.now()
        node.base |= events
        return list(events)

    def _known_better(self, node: Node, span: ReadableSpan) -> None:
        """What it was proposed as stays, so that its end moves the same signal; what begins in it from now on is the agent's."""
        if node.described is None or node.described.operation:
            return
        found = described(span, attributes_of(span))
        if found is None or not found.operation:
            return
        node.described = found._replace(name=node.described.name)
        if found.kind == "agent":
            node.inner_agent, node.inner_scope = found.name, scope_of(node.scope, found.name)

    def _end(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        key = (0, 0) if context is None else (context.trace_id, context.span_id)
        node = self._open.pop(key, None)
        if node is None:
            return
        keep(self._over, key, node)
        node.span = span
        self._proposed(node)
        node.span = None
        if node.up is not None:
            node.up.closed()
        if node.described is None or node.proposal is None:
            return
        attributes = attributes_of(span)
        results = results_of(span, attributes)
        causes = [*node.outcome(), *self._linked(node, span)]
        node.end = self._ended(node, node.described, causes, span, attributes, results)
        if node.up is not None:
            node.up.took_place(causes, node.end, node.judged()[0])
        for result in results:
            for about in node.judged():
                self._judge(node, result, about, [node.end])
        node.over()

    def _ended(
        self, node: Node, found: Described, causes: list[str], span: ReadableSpan, attributes: Attributes, results: list[Result]
    ) -> str:
        payload: dict[str, Any] = {"seconds": seconds(span), **told(attributes, self.recording.content)}
        if found.operation:
            payload["operation"] = found.operation
        error, where = error_of(span, attributes), node.where()
        if error is not None and stopped(span, attributes):
            return self.recording.ended(found.name, causes, status="cancelled", **where, **payload)
        if error is not None:
            return self.recording.failed(found.name, causes, error, **where, **payload)
        if found.operation == "GUARDRAIL":
            passed = all(result.passed is not False for result in results)
            return self.recording.checked(found.name, causes, passed, **where, **payload)
        return self.recording.ended(found.name, causes, **where, **payload)

    def _judge(self, node: Node, result: Result, about: Node, causes: list[str]) -> None:
        action = about.described.name if about.described is not None else node.agent
        where: dict[str, Any] = {"scope": about.scope, "agent_id": node.agent, "trace_id": node.trace_id}
        found = {"evaluation": result.name, "label": result.label, "raw_score": result.score}
        payload: dict[str, Any] = {key: value for key, value in found.items() if value is not None}
        if self.recording.content and result.explanation:
            payload["explanation"] = excerpt(result.explanation)
        value = None if result.score is None else self._score(result.name, result.score)
        if result.passed is False:
            event = self.recording.failed(action, causes, f"{result.name}: {result.label}", **where, **payload)
        elif value is not None:
            event = self.recording.scored(value, causes, action=action, **where, **payload)
        elif result.passed:
            event = self.recording.checked(action, causes, True, **where, **payload)
        else:
            return
        container = node if node.end is None else node.up
        if container is not None:
            container.took_place(causes, event, about)


def keep(nodes: OrderedDict[tuple[int, int], Node], key: tuple[int, int], node: Node) -> None:
    """Keep it among the newest."""
    nodes[key] = node
    if len(nodes) > KEPT:
        nodes.popitem(last=False)


def as_it_is(_: str, score: float) -> float | None:
    """A score that can be a reward or a penalty."""
    return score if -1 <= score <= 1 else None


def seconds(span: ReadableSpan) -> float:
    """How long it took, to the tenth of a millisecond."""
    return round(((span.end_time or 0) - (span.start_time or 0)) / 1e9, 4)
