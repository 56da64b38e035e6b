"""What a span says of itself: the GenAI semantic conventions of OpenTelemetry, as of 1.41 and before, and those of OpenInference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from semp_sdk.connectors.texts import LONGEST_NAME, REASON, excerpt

Kind = Literal["agent", "tool", "check", "work"]
Attributes = Mapping[str, Any]
RESULT = "gen_ai.evaluation.result"
"""Name of the event that holds what an evaluation found."""

_OPERATIONS = {"invoke_agent", "create_agent", "execute_tool", "invoke_workflow", "generate_content", "text_completion"}
"""First words that tell a GenAI span by its name, before its attributes are set. `chat` is told by the span's kind as well."""
_OPENINFERENCE = "openinference.instrumentation"
"""How the names of tracers begin whose spans are all of OpenInference. Some of these packages set a span's kind only when it ends."""
_KINDS: dict[str, Kind] = {"invoke_agent": "agent", "execute_tool": "tool", "AGENT": "agent", "TOOL": "tool",
                           "EVALUATOR": "check", "GUARDRAIL": "check"}  # fmt: skip
_STOPPED = {"CancelledError", "GeneratorExit", "KeyboardInterrupt", "SystemExit"}
_NAMES = ("gen_ai.agent.name", "gen_ai.tool.name", "gen_ai.workflow.name", "agent.name", "tool.name")
_MODELS = ("gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "embedding.model_name")
_TOLD = {
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
    "model": ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "embedding.model_name"),
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"),
}
_CONTENT = {
    "input": ("gen_ai.input.messages", "gen_ai.tool.call.arguments", "gen_ai.prompt", "input.value"),
    "output": ("gen_ai.output.messages", "gen_ai.tool.call.result", "gen_ai.completion", "output.value"),
}


class Described(NamedTuple):
    """What kind of work a span is."""

    kind: Kind
    operation: str
    """As the conventions call it: `invoke_agent`, `chat`, ..., or `AGENT`, `CHAIN`, ... of OpenInference. Empty: not known yet."""
    name: str
    """Of the agent, tool or workflow; of a model's call, what is done and the model; else the span's own name."""


class Result(NamedTuple):
    """What an evaluation found."""

    name: str
    score: float | None
    label: str | None
    explanation: str | None

    @property
    def passed(self) -> bool | None:
        """What the label says, where it is one that says it."""
        return {"pass": True, "passed": True, "fail": False, "failed": False}.get((self.label or "").lower())


def attributes_of(span: ReadableSpan) -> Attributes:
    """A span's attributes as they are now."""
    return dict(span.attributes or {})


def described(span: ReadableSpan, attributes: Attributes) -> Described | None:
    """What kind of work a span is. None: none of ours, or its attributes are not set yet."""
    operation = str(attributes.get("gen_ai.operation.name") or attributes.get("openinference.span.kind") or "")
    first, _, rest = span.name.partition(" ")
    if not operation:
        scope = span.instrumentation_scope
        openinference = scope is not None and scope.name.startswith(_OPENINFERENCE)
        if openinference and not rest:
            return Described("work", "", span.name)  # one word is the name of something of the user's, such as a node
        if span.name == RESULT:
            return None
        if first not in _OPERATIONS and not (first == "chat" and rest and span.kind is SpanKind.CLIENT):
            return Described("work", "", span.name) if openinference else None
        operation = first
    return Described(_KINDS.get(operation, "work"), operation, _name(operation, attributes, rest if first == operation else "", span.name))


def _name(operation: str, attributes: Attributes, rest: str, name: str) -> str:
    named = _first(attributes, _NAMES)
    if operation.isupper():  # OpenInference
        return str(named or name)
    if operation in ("invoke_agent", "execute_tool", "invoke_workflow"):
        return str(named or rest or operation)
    of = named if operation == "create_agent" else _first(attributes, _MODELS)
    return f"{operation} {of or rest}".strip()


def told(attributes: Attributes, content: bool) -> dict[str, Any]:
    """What is told of a span: names and counts, and contents on request."""
    found = {key: _first(attributes, names) for key, names in _TOLD.items()}
    kept = {key: value[:LONGEST_NAME] if isinstance(value, str) else value for key, value in found.items() if isinstance(value, str | int)}
    if content:
        kept |= {key: excerpt(value) for key, names in _CONTENT.items() if (value := _first(attributes, names)) is not None}
    return kept


def error_of(span: ReadableSpan, attributes: Attributes) -> str | None:
    """Why the span failed, None if it did not: its status, the type of its error, or an exception that nobody says was dealt with."""
    kind, raised = attributes.get("error.type"), _raised(span)
    status = span.status.status_code
    if status is StatusCode.OK or (status is StatusCode.UNSET and kind is None and raised is None):
        return None
    if raised is not None:
        return f"{raised.get('exception.type', 'Exception')}: {raised.get('exception.message', '')}"[:REASON]
    return ": ".join(str(part) for part in (kind, span.status.description) if part)[:REASON] or "error"


def stopped(span: ReadableSpan, attributes: Attributes) -> bool:
    """Whether what it failed with says that it was stopped from outside, which is nobody's mistake."""
    raised = _raised(span)
    kind = attributes.get("error.type") if raised is None else raised.get("exception.type")
    return str(kind).rpartition(".")[2] in _STOPPED


def _raised(span: ReadableSpan) -> Attributes | None:
    """The last exception that is told on it."""
    return next((event.attributes or {} for event in reversed(span.events) if event.name == "exception"), None)


def results_of(span: ReadableSpan, attributes: Attributes) -> list[Result]:
    """What evaluations are told on a span: as its events, and among its attributes."""
    found = [result for event in span.events if event.name == RESULT and (result := result_of(event.attributes or {}))]
    if not any("evaluation" in name or "annotation" in name for name in attributes):
        return found
    own = result_of(attributes)
    return [*found, *([own] if own else []), *_numbered(attributes)]


def result_of(attributes: Attributes, prefix: str = "gen_ai.evaluation.") -> Result | None:
    """What an evaluation found, from the attributes of an event or a span."""
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
