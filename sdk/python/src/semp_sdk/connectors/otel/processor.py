"""The span processor, which records the start and end of spans as events."""

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
    Operation,
    Result,
    attributes_of,
    cancelled,
    error_of,
    operation_of,
    payload_of,
    result_of,
    results_of,
)
from semp_sdk.connectors.otel.nodes import Node
from semp_sdk.connectors.recording import OnFailure, Recording
from semp_sdk.connectors.texts import excerpt, scope_of
from semp_sdk.tracing import current_trace

log = logging.getLogger("semp_sdk")

KEPT = 10_000
"""Open spans that are remembered at most, and as many ended ones. The oldest are forgotten first; nothing can follow from those."""


class SempSpanProcessor(SpanProcessor):
    """Records GenAI spans: a start is a proposal, an end is ready, a failure is a penalty, an evaluation is a reward, a penalty or a test.
    Spans of any other kind are not recorded; their children count as children of the nearest recorded span.

    Parents come from the spans: a step follows from the step before it in the same span (from all of them, when they ran in parallel), and
    from the spans it links to. The trace is the configured one, else that of the code that starts the outermost span, see
    `semp_sdk.tracing.trace`, else OpenTelemetry's trace id in hexadecimal, which other processes share.

    Needs no exporter. Does not see spans that are not sampled. Remembers at most 10,000 open spans and the newest 10,000 ended ones.
    Safe to use from any thread; returns at once and raises nothing.
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
            scope: scope of outermost spans. Children of an agent's span get the agent's name below it.
            agent_id: agent of spans that name none.
            trace_id: trace of all events. None: see above.
            parents: parents of outermost spans in the trace `trace_id`.
            score: maps an evaluation's name and score to a reward or penalty, -1..1, or to None for neither. By default scores of -1..1 are
                used as they are, and other scores are ignored.
            content: whether payloads contain inputs and outputs, cut to a readable length, when spans have them.
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
        self._lock = threading.RLock()  # a log line of this module may come back as a log record
        self._open: OrderedDict[tuple[int, int], Node] = OrderedDict()
        self._over: OrderedDict[tuple[int, int], Node] = OrderedDict()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002
        """A span starts."""
        with self._lock:
            try:
                self._start(span)
            except Exception:
                log.exception("a span could not be recorded")

    def on_end(self, span: ReadableSpan) -> None:
        """A span has ended."""
        with self._lock:
            try:
                self._end(span)
            except Exception:
                log.exception("the end of a span could not be recorded")

    def shutdown(self) -> None:
        """Send pending events, for 5 s at most, or 0.5 s in an outage. Later spans are not recorded."""
        self.recording.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until the service has answered every event so far. Returns False when that takes longer than `timeout_millis`."""
        return self.recording.flush(timeout_millis / 1_000)

    def evaluated(self, trace_id: int, span_id: int, attributes: Attributes) -> None:
        """Record the result of an evaluation that refers to a span by its ids."""
        with self._lock:
            try:
                node, result = self._found(trace_id, span_id), result_of(attributes)
                while node is not None and self._proposed(node) is None:
                    node = node.parent
                if node is not None and result is not None:
                    self._judge(node, result, node, list(node.now()))
            except Exception:
                log.exception("an evaluation could not be recorded")

    # Under the lock

    def _found(self, trace_id: int, span_id: int) -> Node | None:
        return self._open.get((trace_id, span_id)) or self._over.get((trace_id, span_id))

    def _start(self, span: Span) -> None:
        parent, context = span.parent, span.get_span_context()
        parent_node = None if parent is None else self._found(parent.trace_id, parent.span_id)
        if parent_node is not None:
            self._proposed(parent_node)
            agent, scope = parent_node.inner_agent, parent_node.inner_scope
            node = Node(span, parent_node, parent_node.trace_id, agent, scope, agent, scope, parent_node.opened())
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
        """The span's proposal, recorded now unless it was before. None when the span is of another kind, or its kind is not known yet."""
        if node.span is None:
            return node.proposal
        if node.proposal is not None:
            self._reclassify(node, node.span)
            return node.proposal
        parent_node = node.parent
        if parent_node is not None:
            began = self._proposed(parent_node)
            if began is not None and node.base.keys() == parent_node.base.keys():
                node.base = {began: parent_node}  # it started before the kind of the span around it was known
            node.agent, node.scope = node.inner_agent, node.inner_scope = parent_node.inner_agent, parent_node.inner_scope
        self._follow_links(node, node.span)
        found = operation_of(node.span, attributes_of(node.span))
        if found is None:
            return None
        if found.kind == "agent":
            node.agent = node.inner_agent = found.name
            node.inner_scope = scope_of(node.scope, found.name)
        node.operation = found
        causes = list(node.base)
        operation = {"operation": found.operation_name} if found.operation_name else {}
        node.proposal = self.recording.started(found.name, parents=causes, **node.where(), **operation)
        if parent_node is not None:
            parent_node.happened(causes, node.proposal, node.subjects()[0])
        return node.proposal

    def _follow_links(self, node: Node, span: ReadableSpan) -> list[str]:
        """Events of the spans it links to, by links added since the last call; the node follows from them."""
        links = list(span.links)[node.links :]
        node.links += len(links)
        found = [self._found(link.context.trace_id, link.context.span_id) for link in links]
        others = [other for other in found if other is not None and not node.is_inside(other)]
        if node.parent is not None and any(other.is_inside(node.parent) for other in others):
            node.base = {}  # links are exact, so the order in time does not count
        events: dict[str, Node | None] = {}
        for other in others:
            events |= other.now()
        node.base |= events
        return list(events)

    def _reclassify(self, node: Node, span: ReadableSpan) -> None:
        """The kind of a span became known after its proposal. Its name stays, so that its end moves the same signal; children that start
        from now on belong to its agent.
        """
        if node.operation is None or node.operation.operation_name:
            return
        found = operation_of(span, attributes_of(span))
        if found is None or not found.operation_name:
            return
        node.operation = found._replace(name=node.operation.name)
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
        if node.parent is not None:
            node.parent.closed()
        if node.operation is None or node.proposal is None:
            return
        attributes = attributes_of(span)
        results = results_of(span, attributes)
        causes = [*node.outcome(), *self._follow_links(node, span)]
        node.end = self._ended(node, node.operation, causes, span, attributes, results)
        if node.parent is not None:
            node.parent.happened(causes, node.end, node.subjects()[0])
        for result in results:
            for about in node.subjects():
                self._judge(node, result, about, [node.end])
        node.release()

    def _ended(
        self, node: Node, found: Operation, causes: list[str], span: ReadableSpan, attributes: Attributes, results: list[Result]
    ) -> str:
        payload: dict[str, Any] = {"seconds": seconds(span), **payload_of(attributes, self.recording.content)}
        if found.operation_name:
            payload["operation"] = found.operation_name
        error, where = error_of(span, attributes), node.where()
        if error is not None and cancelled(span, attributes):
            return self.recording.ended(found.name, causes, status="cancelled", **where, **payload)
        if error is not None:
            return self.recording.failed(found.name, causes, error, **where, **payload)
        if found.operation_name == "GUARDRAIL":
            passed = all(result.passed is not False for result in results)
            return self.recording.checked(found.name, causes, passed, **where, **payload)
        return self.recording.ended(found.name, causes, **where, **payload)

    def _judge(self, node: Node, result: Result, about: Node, causes: list[str]) -> None:
        action = about.operation.name if about.operation is not None else node.agent
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
        container = node if node.end is None else node.parent
        if container is not None:
            container.happened(causes, event, about)


def keep(nodes: OrderedDict[tuple[int, int], Node], key: tuple[int, int], node: Node) -> None:
    """Add the node, and forget the oldest beyond `KEPT`."""
    nodes[key] = node
    if len(nodes) > KEPT:
        nodes.popitem(last=False)


def as_it_is(_: str, score: float) -> float | None:
    """The score itself when it is within -1..1, else None."""
    return score if -1 <= score <= 1 else None


def seconds(span: ReadableSpan) -> float:
    """The span's duration in seconds, rounded to 0.1 ms."""
    return round(((span.end_time or 0) - (span.start_time or 0)) / 1e9, 4)
