"""How spans are read: by the GenAI semantic conventions of OpenTelemetry, up to 1.41, and by those of OpenInference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from semp_sdk.connectors.texts import LONGEST_NAME, REASON, excerpt

Kind = Literal["agent", "tool", "check", "work"]
Attributes = Mapping[str, Any]
RESULT = "gen_ai.evaluation.result"
"""Name of the event with an evaluation's result."""

_OPERATIONS = {"invoke_agent", "create_agent", "execute_tool", "invoke_workflow", "generate_content", "text_completion"}
"""First words of a span's name that show a GenAI span before its attributes are set. `chat` also needs the span kind client."""
_OPENINFERENCE = "openinference.instrumentation"
"""Prefix of tracer names whose spans all follow OpenInference. Some of these packages set a span's kind only when it ends."""
_KINDS: dict[str, Kind] = {"invoke_agent": "agent", "execute_tool": "tool", "AGENT": "agent", "TOOL": "tool",
                           "EVALUATOR": "check", "GUARDRAIL": "check"}  # fmt: skip
_CANCELLED = {"CancelledError", "GeneratorExit", "KeyboardInterrupt", "SystemExit"}
_NAMES = ("gen_ai.agent.name", "gen_ai.tool.name", "gen_ai.workflow.name", "agent.name", "tool.name")
_MODELS = ("gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "embedding.model_name")
_PAYLOAD = {
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
    "model": ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "embedding.model_name"),
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"),
}
_CONTENT = {
    "input": ("gen_ai.input.messages", "gen_ai.tool.call.arguments", "gen_ai.prompt", "input.value"),
    "output": ("gen_ai.output.messages", "gen_ai.tool.call.result", "gen_ai.completion", "output.value"),
}


class Operation(NamedTuple):
    """What a span does: its kind, operation and name."""

    kind: Kind
    operation_name: str
    """The conventions' term: `invoke_agent`, `chat`, ..., or OpenInference's `AGENT`, `CHAIN`, ... Empty: not known yet."""
    name: str
    """Name of the agent, tool or workflow; for a model's call the operation and the model; else the span's own name."""


class Result(NamedTuple):
    """Result of an evaluation."""

    name: str
    score: float | None
    label: str | None
    explanation: str | None

    @property
    def passed(self) -> bool | None:
        """Whether the label says passed or failed; None when it says neither."""
        return {"pass": True, "passed": True, "fail": False, "failed": False}.get((self.label or "").lower())


def attributes_of(span: ReadableSpan) -> Attributes:
    """A copy of the span's attributes as they are now."""
    return dict(span.attributes or {})


def operation_of(span: ReadableSpan, attributes: Attributes) -> Operation | None:
    """What a span does. None when it is not a span to record, or its attributes are not set yet."""
    operation = str(attributes.get("gen_ai.operation.name") or attributes.get("openinference.span.kind") or "")
    first, _, rest = span.name.partition(" ")
    if not operation:
        scope = span.instrumentation_scope
        openinference = scope is not None and scope.name.startswith(_OPENINFERENCE)
        if openinference and not rest:
            return Operation("work", "", span.name)  # a single word is the user's own name, such as a node's
        if span.name == RESULT:
            return None
        if first not in _OPERATIONS and not (first == "chat" and rest and span.kind is SpanKind.CLIENT):
            return Operation("work", "", span.name) if openinference else None
        operation = first
    return Operation(_KINDS.get(operation, "work"), operation, _name(operation, attributes, rest if first == operation else "", span.name))


def _name(operation: str, attributes: Attributes, rest: str, name: str) -> str:
    named = _first(attributes, _NAMES)
    if operation.isupper():  # OpenInference
        return str(named or name)
    if operation in ("invoke_agent", "execute_tool", "invoke_workflow"):
        return str(named or rest or operation)
    of = named if operation == "create_agent" else _first(attributes, _MODELS)
    return f"{operation} {of or rest}".strip()


def payload_of(attributes: Attributes, content: bool) -> dict[str, Any]:
    """Payload fields of a span: names and counts, and contents on request."""
    found = {key: _first(attributes, names) for key, names in _PAYLOAD.items()}
    kept = {key: value[:LONGEST_NAME] if isinstance(value, str) else value for key, value in found.items() if isinstance(value, str | int)}
    if content:
        kept |= {key: excerpt(value) for key, names in _CONTENT.items() if (value := _first(attributes, names)) is not None}
    return kept


def error_of(span: ReadableSpan, attributes: Attributes) -> str | None:
    """Why the span failed, by its status, its `error.type` or a recorded exception; None when it did not fail. Status OK overrides all."""
    kind, raised = attributes.get("error.type"), _raised(span)
    status = span.status.status_code
    if status is StatusCode.OK or (status is StatusCode.UNSET and kind is None and raised is None):
        return None
    if raised is not None:
        return f"{raised.get('exception.type', 'Exception')}: {raised.get('exception.message', '')}"[:REASON]
    return ": ".join(str(part) for part in (kind, span.status.description) if part)[:REASON] or "error"


def cancelled(span: ReadableSpan, attributes: Attributes) -> bool:
    """Whether the error shows that the span was cancelled from outside, which is not a failure."""
    raised = _raised(span)
    kind = attributes.get("error.type") if raised is None else raised.get("exception.type")
    return str(kind).rpartition(".")[2] in _CANCELLED


def _raised(span: ReadableSpan) -> Attributes | None:
    """Attributes of the last exception recorded on the span."""
    return next((event.attributes or {} for event in reversed(span.events) if event.name == "exception"), None)


def results_of(span: ReadableSpan, attributes: Attributes) -> list[Result]:
    """Results of evaluations on a span: from its events, and from its attributes."""
    found = [result for event in span.events if event.name == RESULT and (result := result_of(event.attributes or {}))]
    if not any("evaluation" in name or "annotation" in name for name in attributes):
        return found
    own = result_of(attributes)
    return [*found, *([own] if own else []), *_numbered(attributes)]


def result_of(attributes: Attributes, prefix: str = "gen_ai.evaluation.") -> Result | None:
    """Result of an evaluation from the attributes of an event or a span; None when there is none."""
    name = attributes.get(f"{prefix}name")
    score = attributes.get(f"{prefix}score.value", attributes.get(f"{prefix}score"))
    label = attributes.get(f"{prefix}score.label", attributes.get(f"{prefix}label"))
    explanation = attributes.get(f"{prefix}explanation")
    if name is None or (score is None and label is None):
        return None
    number = float(score) if isinstance(score, int | float) else None
    return Result(str(name), number, None if label is None else str(label), None if explanation is None else str(explanation))


def _numbered(attributes: Attributes) -> Iterator[Result]:
    for many, one in (("evaluations", "evaluation"), ("annotations", "annotation")):
        number = 0
        while (result := result_of(attributes, f"{many}.{number}.{one}.")) is not None:
            yield result
            number += 1
        if not number and (result := result_of(attributes, f"{one}.")) is not None:
            yield result


def _first(attributes: Attributes, names: tuple[str, ...]) -> Any:
    return next((attributes[name] for name in names if name in attributes), None)
