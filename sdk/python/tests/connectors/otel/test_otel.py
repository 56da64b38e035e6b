"""Spans of OpenTelemetry's own SDK, told as events."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from conftest import Stored, stored, trace_of
from opentelemetry import context as contexts
from opentelemetry import trace as otel
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer
from semp_sdk.connectors import Recording
from semp_sdk.connectors.otel import SempLogRecordProcessor, SempSpanProcessor, processor
from semp_sdk.identifiers import new_id
from semp_sdk.tracing import trace

AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner", "gen_ai.provider.name": "openai"}
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5", "gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 3}


def tool(name: str) -> dict[str, str]:
    return {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}


def kind(of: str, **more: Any) -> dict[str, Any]:
    """Attributes of a span of OpenInference."""
    return {"openinference.span.kind": of, **more}


@contextmanager
def spans_at(url: str, **options: Any) -> Generator[SempSpanProcessor]:
    given: dict[str, Any] = {"scope": "shop", "trace_id": new_id(), **options}
    spans = SempSpanProcessor(url, **given)
    with spans.recording:
        yield spans


@pytest.fixture
def spans(url: str) -> Iterator[SempSpanProcessor]:
    with spans_at(url) as found:
        yield found


@pytest.fixture
def recording(spans: SempSpanProcessor) -> Recording:
    return spans.recording


def tracer_of(spans: SempSpanProcessor, name: str = "test", **options: Any) -> Tracer:
    provider = TracerProvider(shutdown_on_exit=False, **options)
    provider.add_span_processor(spans)
    return provider.get_tracer(name)


@pytest.fixture
def tracer(spans: SempSpanProcessor) -> Tracer:
    return tracer_of(spans)


def names(found: Stored, event: dict[str, Any]) -> list[tuple[str, str | None]]:
    return sorted(found.parents(event), key=str)


def test_an_agent_its_model_and_its_tools(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("invoke_agent planner", attributes=AGENT):
        with tracer.start_as_current_span("chat gpt-5", attributes=CHAT):
            pass
        with tracer.start_as_current_span("execute_tool search", attributes=tool("search")):
            pass
        with tracer.start_as_current_span("chat gpt-5", attributes=CHAT):
            pass
    found = stored(recording)
    assert [(event["type"], event["payload"]["action"]) for event in found.events] == [
        ("proposal", "planner"), ("proposal", "chat gpt-5"), ("ready", "chat gpt-5"), ("proposal", "search"), ("ready", "search"),
        ("proposal", "chat gpt-5"), ("ready", "chat gpt-5"), ("ready", "planner"),
    ]  # fmt: skip
    for before, after in zip(found.events[:-2], found.events[1:-1], strict=True):
        assert after["parent_ids"] == [before["id"]]
    assert names(found, found.events[-1]) == [("proposal", "planner"), ("ready", "chat gpt-5")]
    assert {event["agent_id"] for event in found.events} == {"planner"}
    assert [event["scope"] for event in found.events] == ["shop", *["shop.planner"] * 6, "shop"]
    chat = found.events[2]["payload"]
    assert chat | {"seconds": 0} == {
        "action": "chat gpt-5", "status": "completed", "operation": "chat", "seconds": 0, "model": "gpt-5", "input_tokens": 7,
        "output_tokens": 3,
    }  # fmt: skip


def test_work_is_proposed_when_it_begins(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("invoke_agent planner", attributes=AGENT):
        assert len(stored(recording).events) == 1
    assert len(stored(recording).events) == 2


def test_steps_side_by_side_follow_from_the_same_and_the_next_from_all_of_them(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("invoke_agent planner", attributes=AGENT):
        with tracer.start_as_current_span("chat", attributes=CHAT):
            pass
        first = tracer.start_span("execute_tool a", attributes=tool("a"))
        second = tracer.start_span("execute_tool b", attributes=tool("b"))
        second.end()
        third = tracer.start_span("execute_tool c", attributes=tool("c"))
        first.end()
        third.end()
        with tracer.start_as_current_span("execute_tool d", attributes=tool("d")):
            pass
    found = stored(recording)
    for name in "abc":
        assert names(found, found.one("proposal", name)) == [("ready", "chat gpt-5")]
    assert names(found, found.one("proposal", "d")) == [("ready", "a"), ("ready", "b"), ("ready", "c")]
    assert names(found, found.one("ready", "planner")) == [("proposal", "planner"), ("ready", "d")]


def test_spans_in_between_are_not_told_and_parentage_passes_through_them(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("GET /orders"), tracer.start_as_current_span("invoke_agent planner", attributes=AGENT):
        for name in "ab":
            with tracer.start_as_current_span("http"), tracer.start_as_current_span("execute_tool", attributes=tool(name)):
                pass
        with tracer.start_as_current_span("nothing inside"):
            pass
    found = stored(recording)
    assert names(found, found.one("proposal", "a")) == [("proposal", "planner")]
    assert names(found, found.one("proposal", "b")) == [("ready", "a")]
    assert names(found, found.one("ready", "planner")) == [("proposal", "planner"), ("ready", "b")]
    assert len(found.events) == 6


def test_agents_one_after_the_other_below_a_span_that_is_not_told(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("GET /orders"):
        for name in ("one", "two"):
            with tracer.start_as_current_span("x", attributes=AGENT | {"gen_ai.agent.name": name}):
                pass
    found = stored(recording)
    assert names(found, found.one("proposal", "two")) == [("ready", "one")]


def test_branches_that_are_not_told_keep_their_steps_apart(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("root"):
        left, right = tracer.start_span("left"), tracer.start_span("right")
        for name in ("1", "2"):
            for branch, word in ((left, "l"), (right, "r")):
                with otel.use_span(branch), tracer.start_as_current_span("execute_tool", attributes=tool(word + name)):
                    pass
        left.end()
        right.end()
        with tracer.start_as_current_span("execute_tool", attributes=tool("join")):
            pass
    found = stored(recording)
    assert found.one("proposal", "r1")["parent_ids"] == []
    assert names(found, found.one("proposal", "l2")) == [("ready", "l1")]
    assert names(found, found.one("proposal", "r2")) == [("ready", "r1")]
    assert names(found, found.one("proposal", "join")) == [("ready", "l2"), ("ready", "r2")]


def test_links_are_causes(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("x", attributes=AGENT | {"gen_ai.agent.name": "before"}) as before:
        pass
    with tracer.start_as_current_span("y", attributes=AGENT | {"gen_ai.agent.name": "after"}, links=[Link(before.get_span_context())]):
        pass
    found = stored(recording)
    assert names(found, found.one("proposal", "after")) == [("ready", "before")]


@pytest.mark.parametrize("known", [True, False])
def test_a_link_that_is_added_later_is_a_cause_of_what_is_told_next(tracer: Tracer, recording: Recording, known: bool) -> None:
    with tracer.start_as_current_span("x", attributes=AGENT | {"gen_ai.agent.name": "before"}) as before:
        pass
    after = AGENT | {"gen_ai.agent.name": "after"}
    with tracer.start_as_current_span("y", attributes=after if known else {}) as span:
        span.add_link(before.get_span_context())
        span.add_link(span.get_span_context())
        span.set_attributes(after)
    found = stored(recording)
    linked = [("ready", "before")]
    assert names(found, found.one("proposal", "after")) == ([] if known else linked)
    assert names(found, found.one("ready", "after")) == [("proposal", "after"), *(linked if known else [])]


def test_an_evaluator_may_link_later_to_what_it_evaluated(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("pipeline", attributes=kind("CHAIN")):
        with tracer.start_as_current_span("first", attributes=tool("first")) as first:
            pass
        with tracer.start_as_current_span("second", attributes=tool("second")):
            pass
        with tracer.start_as_current_span("judge", attributes=kind("EVALUATOR")) as span:
            span.add_link(first.get_span_context())
            span.set_attributes({"evaluations.0.evaluation.name": "tone", "evaluations.0.evaluation.score": 0.5})
    found = stored(recording)
    assert found.one("reward")["payload"]["action"] == "first"
    assert names(found, found.one("ready", "judge")) == [("proposal", "judge"), ("ready", "first")]


def test_a_link_to_a_step_of_the_same_span_says_more_than_the_order(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("x", attributes=AGENT):
        with tracer.start_as_current_span("a", attributes=tool("a")), tracer.start_as_current_span("message.send") as sent:
            pass
        with tracer.start_as_current_span("b", attributes=tool("b")):
            pass
        with tracer.start_as_current_span("c", attributes=tool("c"), links=[Link(sent.get_span_context())]):
            pass
    found = stored(recording)
    assert found.parents(found.one("proposal", "c")) == [("proposal", "a")]  # what was sent from within a
    assert names(found, found.one("ready", "planner"))[-2:] == [("ready", "b"), ("ready", "c")]


def test_what_fails_earns_a_penalty_and_a_retry_follows_from_the_failed_try(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("x", attributes=AGENT):
        with pytest.raises(OSError, match="route"), tracer.start_as_current_span("a", attributes=tool("a")):
            raise OSError("no route")
        with tracer.start_as_current_span("a", attributes=tool("a")):
            pass
    found = stored(recording)
    penalty = found.one("penalty", "a")
    assert (penalty["payload"]["reason"], penalty["payload"]["value"]) == ("OSError: no route", -0.5)
    assert found.of("proposal", "a")[1]["parent_ids"] == [penalty["id"]]


@pytest.mark.parametrize(
    ("status", "attributes", "reason"),
    [
        (Status(StatusCode.ERROR, "quota"), {"error.type": "429"}, "429: quota"),
        (Status(StatusCode.ERROR), {}, "error"),
        (None, {"error.type": "timeout"}, "timeout"),
        (Status(StatusCode.OK), {"error.type": "timeout"}, None),
    ],
)
def test_errors_without_an_exception(
    tracer: Tracer, recording: Recording, status: Status | None, attributes: dict[str, str], reason: str | None
) -> None:
    with tracer.start_as_current_span("chat", attributes=CHAT) as span:
        span.set_attributes(attributes)
        if status is not None:
            span.set_status(status)
    last = stored(recording).events[-1]
    assert (last["type"], last["payload"].get("reason")) == (("penalty", reason) if reason else ("ready", None))


def test_an_exception_that_was_dealt_with_is_none(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("chat", attributes=CHAT) as span:
        span.record_exception(OSError("first try"))
        span.set_status(StatusCode.OK)
    assert stored(recording).events[-1]["type"] == "ready"


@pytest.mark.parametrize("error", [asyncio.CancelledError(), GeneratorExit(), KeyboardInterrupt()])
@pytest.mark.parametrize("on_failure", ["penalty", "test"])
def test_what_is_stopped_from_outside_earns_nothing(url: str, error: BaseException, on_failure: str) -> None:
    with spans_at(url, on_failure=on_failure) as spans:
        tracer = tracer_of(spans)
        with tracer.start_as_current_span("a", attributes=tool("a")) as span:
            span.record_exception(OSError("dealt with"))
            span.record_exception(error)
            span.set_status(StatusCode.ERROR)
        with tracer.start_as_current_span("b", attributes=tool("b")) as span:
            span.set_attribute("error.type", f"{type(error).__module__}.{type(error).__qualname__}")
        found = stored(spans.recording)
    assert [(event["type"], event["payload"]["status"]) for event in found.events[1::2]] == [("ready", "cancelled")] * 2


def test_a_failed_test_instead_of_a_penalty(url: str) -> None:
    with spans_at(url, on_failure="test") as spans:
        tracer = tracer_of(spans)
        with pytest.raises(OSError, match="route"), tracer.start_as_current_span("a", attributes=tool("a")):
            raise OSError("no route")
        assert stored(spans.recording).one("test", "a")["payload"]["status"] == "failed"


def test_openinference(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("pipeline", attributes=kind("CHAIN")):
        with tracer.start_as_current_span("run", attributes=kind("AGENT", **{"agent.name": "planner"})):
            with tracer.start_as_current_span("ChatCompletion", attributes=kind("LLM", **{"llm.model_name": "gpt-5"})) as span:
                span.set_attribute("llm.token_count.prompt", 5)
            with tracer.start_as_current_span("call", attributes=kind("TOOL", **{"tool.name": "search"})):
                pass
        with tracer.start_as_current_span("no_insults", attributes=kind("GUARDRAIL")):
            pass
    found = stored(recording)
    assert [event["payload"]["action"] for event in found.of("proposal")] == [
        "pipeline",
        "planner",
        "ChatCompletion",
        "search",
        "no_insults",
    ]
    llm = found.one("ready", "ChatCompletion")["payload"]
    assert (llm["operation"], llm["model"], llm["input_tokens"]) == ("LLM", "gpt-5", 5)
    guard = found.one("test", "no_insults")
    assert guard["payload"]["status"] == "passed"
    assert names(found, found.one("proposal", "no_insults")) == [("ready", "planner")]
    assert names(found, found.one("ready", "pipeline")) == [("proposal", "pipeline"), ("test", "no_insults")]


def test_a_guardrail_that_objects_is_a_failed_test(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("no_insults", attributes=kind("GUARDRAIL")) as span:
        span.set_attributes({"evaluations.0.evaluation.name": "insults", "evaluations.0.evaluation.label": "fail"})
    assert stored(recording).one("test", "no_insults")["payload"]["status"] == "failed"


def test_an_evaluator_rewards_what_it_evaluated(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("pipeline", attributes=kind("CHAIN")):
        with tracer.start_as_current_span("run", attributes=kind("AGENT", **{"agent.name": "planner"})):
            pass
        for name, score in (("relevance", 0.9), ("tone", -0.25)):
            with tracer.start_as_current_span(f"judge {name}", attributes=kind("EVALUATOR")) as span:
                with tracer.start_as_current_span("chat", attributes=CHAT):
                    pass
                span.set_attributes({"evaluations.0.evaluation.name": name, "evaluations.0.evaluation.score": score})
    found = stored(recording)
    reward, penalty = found.one("reward"), found.one("penalty")
    for event, name, value in ((reward, "relevance", 0.9), (penalty, "tone", -0.25)):
        assert (event["scope"], event["payload"]["action"], event["payload"]["value"]) == ("shop", "planner", value)
        assert event["payload"]["evaluation"] == name
        assert found.parents(event) == [("ready", f"judge {name}")]
    assert found.one("ready", "planner")["id"] in found.causes(reward)
    assert names(found, found.one("proposal", "judge tone")) == [("reward", "planner")]


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"score.value": 0.5}, ("reward", 0.5, "0.5")),
        ({"score.value": 0.5, "score.label": "relevant"}, ("reward", 0.5, "0.5")),
        ({"score.value": 4.0}, None),
        ({"score.value": 4.0, "score.label": "pass"}, ("test", None, "4.0")),
        ({"score.label": "Pass"}, ("test", None, "None")),
        ({"score.value": 0.2, "score.label": "fail"}, ("penalty", -0.5, "0.2")),
        ({}, None),
    ],
)
def test_evaluations_told_as_events_of_the_span(tracer: Tracer, recording: Recording, attributes: Any, told: Any) -> None:
    with tracer.start_as_current_span("chat", attributes=CHAT) as span:
        result = {"name": "Relevance", **attributes}
        span.add_event("gen_ai.evaluation.result", {f"gen_ai.evaluation.{key}": value for key, value in result.items()})
    found = stored(recording)
    verdicts = found.events[2:]
    if told is None:
        assert verdicts == []
    else:
        [verdict] = verdicts
        assert (verdict["type"], verdict["payload"].get("value"), str(verdict["payload"].get("raw_score"))) == told
        assert found.parents(verdict) == [("ready", "chat gpt-5")]


def test_scores_of_another_range_count_as_they_are_told_to(url: str) -> None:
    def of_five_stars(name: str, score: float) -> float | None:
        return (score - 3) / 2 if name == "stars" else None

    with spans_at(url, score=of_five_stars) as spans:
        with tracer_of(spans).start_as_current_span("chat", attributes=CHAT) as span:
            for name in ("stars", "length"):
                span.add_event("gen_ai.evaluation.result", {"gen_ai.evaluation.name": name, "gen_ai.evaluation.score.value": 2})
        assert [event["payload"]["value"] for event in stored(spans.recording).events[2:]] == [-0.5]


@pytest.mark.parametrize("late", [False, True])
def test_evaluations_told_as_log_records(tracer: Tracer, spans: SempSpanProcessor, recording: Recording, late: bool) -> None:
    logs = LoggerProvider(shutdown_on_exit=False)
    logs.add_log_record_processor(SempLogRecordProcessor(spans))

    def judge() -> None:
        found = {"gen_ai.evaluation.name": "Relevance", "gen_ai.evaluation.score.value": 0.8}
        logs.get_logger("judge").emit(LogRecord(event_name="gen_ai.evaluation.result", attributes=found, context=context))
        logs.get_logger("judge").emit(LogRecord(event_name="other", attributes=found, context=context))

    with tracer.start_as_current_span("run", attributes=AGENT), tracer.start_as_current_span("http"):
        context = contexts.get_current()
        if not late:
            judge()
    if late:
        judge()
    found = stored(recording)
    reward = found.one("reward", "planner")
    assert found.parents(reward) == [("ready" if late else "proposal", "planner")]
    assert late or reward["id"] in found.one("ready", "planner")["parent_ids"]


def test_attributes_that_are_set_after_the_start(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("planner.run") as span, tracer.start_as_current_span("http"):
        span.set_attributes(AGENT)
        with tracer.start_as_current_span("step") as inner:
            inner.set_attributes(CHAT)
    found = stored(recording)
    assert [(event["type"], event["payload"]["action"]) for event in found.events] == [
        ("proposal", "planner"), ("proposal", "chat gpt-5"), ("ready", "chat gpt-5"), ("ready", "planner"),
    ]  # fmt: skip
    assert found.events[1]["parent_ids"] == [found.events[0]["id"]]
    assert (found.events[1]["scope"], found.events[1]["agent_id"]) == ("shop.planner", "planner")


@contextmanager
def as_of_langchain(spans: SempSpanProcessor, name: str, of: str) -> Generator[Any]:
    """A span as openinference-instrumentation-langchain makes it: what it is, is set right before it ends."""
    with tracer_of(spans, "openinference.instrumentation.langchain").start_as_current_span(name) as span:
        yield span
        span.set_status(StatusCode.OK)
        span.set_attributes(kind(of))


def test_spans_of_openinference_whose_kind_is_set_when_they_end(spans: SempSpanProcessor, recording: Recording) -> None:
    with as_of_langchain(spans, "react", "CHAIN"):
        with as_of_langchain(spans, "agent", "AGENT"):
            assert [event["payload"]["action"] for event in stored(recording).events] == ["react", "agent"]
            with as_of_langchain(spans, "ChatModel", "LLM"):
                pass
        with as_of_langchain(spans, "tools", "CHAIN"), as_of_langchain(spans, "add", "TOOL") as span:
            span.set_attribute("tool.name", "adds")
        with as_of_langchain(spans, "judge", "EVALUATOR") as span:
            span.set_attributes({"evaluations.0.evaluation.name": "tone", "evaluations.0.evaluation.score": 0.5})
    found = stored(recording)
    assert names(found, found.one("proposal", "agent")) == [("proposal", "react")]
    assert names(found, found.one("proposal", "ChatModel")) == [("proposal", "agent")]
    assert names(found, found.one("ready", "agent")) == [("proposal", "agent"), ("ready", "ChatModel")]
    assert names(found, found.one("proposal", "tools")) == [("ready", "agent")]
    assert names(found, found.one("proposal", "add")) == [("proposal", "tools")]
    assert names(found, found.one("ready", "react")) == [("proposal", "react"), ("reward", "tools")]
    assert [event["payload"]["operation"] for event in found.of("ready")] == ["LLM", "AGENT", "TOOL", "CHAIN", "EVALUATOR", "CHAIN"]
    assert {event["payload"].get("operation") for event in found.of("proposal")} == {None}
    assert {(event["scope"], event["agent_id"]) for event in found.events} == {("shop", "otel")}


def test_what_begins_in_a_span_of_openinference_known_for_an_agent_is_its_own(spans: SempSpanProcessor, recording: Recording) -> None:
    with as_of_langchain(spans, "run", "AGENT") as span:
        with as_of_langchain(spans, "early", "TOOL"):
            pass
        span.set_attributes(kind("AGENT", **{"agent.name": "planner"}))
        with as_of_langchain(spans, "late", "TOOL"):
            pass
    found = stored(recording)
    told = {event["payload"]["action"]: (event["scope"], event["agent_id"]) for event in found.of("proposal")}
    assert told == {"run": ("shop", "otel"), "early": ("shop", "otel"), "late": ("shop.planner", "planner")}
    assert {event["payload"]["action"]: (event["scope"], event["agent_id"]) for event in found.of("ready")} == told


@pytest.mark.parametrize("name", ["invoke_agent", "execute_tool", "gen_ai.evaluation.result"])
def test_one_word_names_a_span_of_openinference_and_no_operation(spans: SempSpanProcessor, recording: Recording, name: str) -> None:
    with as_of_langchain(spans, name, "CHAIN"), as_of_langchain(spans, "inside", "TOOL"):
        pass
    found = stored(recording)
    assert [(event["type"], event["payload"]["action"], event["payload"].get("operation")) for event in found.events] == [
        ("proposal", name, None), ("proposal", "inside", None), ("ready", "inside", "TOOL"), ("ready", name, "CHAIN"),
    ]  # fmt: skip
    assert {(event["scope"], event["agent_id"]) for event in found.events} == {("shop", "otel")}


def test_names_tell_what_attributes_do_not_say_yet(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("invoke_agent planner"), tracer.start_as_current_span("chat gpt-5", kind=SpanKind.CLIENT):
        assert [event["payload"]["action"] for event in stored(recording).events] == ["planner", "chat gpt-5"]
    with tracer.start_as_current_span("chat room"), tracer.start_as_current_span("planner"):
        pass
    assert len(stored(recording).events) == 4


def test_a_remote_parent_is_in_the_same_trace(url: str) -> None:
    number = int(new_id().replace("-", ""), 16)
    remote = SpanContext(number, 0xABC, is_remote=True, trace_flags=TraceFlags(1))
    with spans_at(url, trace_id=None) as spans:
        around = otel.set_span_in_context(NonRecordingSpan(remote))
        with tracer_of(spans).start_as_current_span("run", context=around, attributes=AGENT):
            pass
    found = trace_of(url, f"{number:032x}")  # OpenTelemetry's own id
    assert [(event["type"], event["parent_ids"]) for event in found.events] == [("proposal", []), ("ready", [found.events[0]["id"]])]


def test_a_trace_around_the_outermost_span_is_taken_up(url: str) -> None:
    with spans_at(url, trace_id=None) as spans:
        cause = spans.recording.started("before", trace_id=(own := new_id()))
        with trace(own, (cause,)), tracer_of(spans).start_as_current_span("run", attributes=AGENT):
            pass
    found = trace_of(url, own)
    assert found.parents(found.one("proposal", "planner")) == [("proposal", "before")]


def test_children_that_end_after_their_parents(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("run", attributes=AGENT) as parent:
        child = tracer.start_span("a", attributes=tool("a"))
    later = tracer.start_span("b", attributes=tool("b"), context=otel.set_span_in_context(parent))
    child.end()
    later.end()
    found = stored(recording)
    assert names(found, found.one("ready", "planner")) == [("proposal", "a"), ("proposal", "planner")]
    assert names(found, found.one("ready", "a")) == [("proposal", "a")]
    assert names(found, found.one("proposal", "b")) == [("ready", "planner")]


def test_contents_are_told_on_request_only(url: str) -> None:
    contents = {"gen_ai.input.messages": "secret-1", "gen_ai.output.messages": "secret-2", "gen_ai.system_instructions": "secret-3"}
    for content in (False, True):
        with spans_at(url, content=content) as spans:
            with tracer_of(spans).start_as_current_span("c", attributes=CHAT | contents):
                pass
            told = json.dumps(stored(spans.recording).events)
            assert [word in told for word in ("secret-1", "secret-2", "secret-3")] == [content, content, False]


def test_a_scope_that_is_none_becomes_one(url: str) -> None:
    with spans_at(url, scope="my shop!") as spans:
        with tracer_of(spans).start_as_current_span("run", attributes=AGENT):
            pass
        assert {event["scope"] for event in stored(spans.recording).events} == {"my-shop"}
        assert spans.recording.lost == 0


def test_many_threads_do_not_mix(tracer: Tracer, recording: Recording) -> None:
    def work(number: int) -> None:
        with tracer.start_as_current_span("run", attributes=AGENT | {"gen_ai.agent.name": f"agent-{number}"}):
            for step in range(5):
                with tracer.start_as_current_span("step", attributes=tool(f"{number}-{step}")):
                    pass

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(40)))
    found = stored(recording)
    assert len(found.events) == 40 * 12
    for number in range(40):
        assert found.one("proposal", f"agent-{number}")["parent_ids"] == []
        for step in range(1, 5):
            assert found.parents(found.one("proposal", f"{number}-{step}")) == [("ready", f"{number}-{step - 1}")]


def test_a_span_that_goes_on_in_another_thread(tracer: Tracer, recording: Recording) -> None:
    with tracer.start_as_current_span("run", attributes=AGENT) as parent:

        def work() -> None:
            with tracer.start_as_current_span("a", attributes=tool("a"), context=otel.set_span_in_context(parent)):
                pass

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    found = stored(recording)
    assert names(found, found.one("ready", "planner")) == [("proposal", "planner"), ("ready", "a")]


def test_what_is_known_of_spans_is_bounded(
    tracer: Tracer, spans: SempSpanProcessor, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "KEPT", 10)
    never = [tracer.start_span("never ends", attributes=AGENT) for _ in range(25)]
    for _ in range(25):
        with tracer.start_as_current_span("x", attributes=tool("a")):
            pass
    assert (len(spans._open), len(spans._over)) == (9, 10)
    for span in never:
        span.end()  # the ends of those that were forgotten are not told
    assert len(spans._open) == 0
    assert len(stored(recording).of("ready", "planner")) == 9


def test_a_span_that_has_ended_holds_on_to_nothing(spans: SempSpanProcessor, tracer: Tracer) -> None:
    with tracer.start_as_current_span("run", attributes=AGENT):
        for _ in range(50):
            with tracer.start_as_current_span("x", attributes=tool("a")):
                pass
    for node in spans._over.values():
        assert (node.span, node.base, node.leaves, node._parallel) == (None, {}, {}, {})


def test_spans_that_are_not_sampled_are_not_told(spans: SempSpanProcessor, recording: Recording) -> None:
    with tracer_of(spans, sampler=ALWAYS_OFF).start_as_current_span("run", attributes=AGENT):
        pass
    assert stored(recording).events == []


def test_a_service_that_is_away_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    spans = SempSpanProcessor("http://127.0.0.1:9", capacity=4)
    began = time.perf_counter()
    with tracer_of(spans).start_as_current_span("run", attributes=AGENT):
        pass
    for _ in range(50):
        with tracer_of(spans).start_as_current_span("run", attributes=AGENT):
            pass
    assert time.perf_counter() - began < 1
    assert spans.recording.lost == 98
    assert not spans.force_flush(10)
    spans.shutdown()
    assert spans.recording.lost == 102
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


def test_a_mistake_of_ours_is_logged_and_the_span_goes_on(
    tracer: Tracer, recording: Recording, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> str:
        raise KeyError("ours")

    for name in ("started", "ended"):
        monkeypatch.setattr(recording, name, broken)
        with tracer.start_as_current_span("run", attributes=AGENT):
            pass
        monkeypatch.undo()
    assert any("ours" in str(record.exc_info) for record in caplog.records)


def test_our_own_log_lines_may_come_back_as_log_records(spans: SempSpanProcessor, tracer: Tracer, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = LoggerProvider(shutdown_on_exit=False)
    logs.add_log_record_processor(SempLogRecordProcessor(spans))

    class Back(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found = {"gen_ai.evaluation.name": "x", "gen_ai.evaluation.score.value": 1}
            logs.get_logger("x").emit(LogRecord(event_name="gen_ai.evaluation.result", attributes=found, context=contexts.get_current()))

    def broken(*args: Any, **kwargs: Any) -> str:
        raise KeyError("ours")

    handler = Back()
    logging.getLogger("semp_sdk").addHandler(handler)
    try:
        with tracer.start_as_current_span("run", attributes=AGENT):
            monkeypatch.setattr(spans.recording, "started", broken)
            with tracer.start_as_current_span("step", attributes=tool("a")):
                monkeypatch.undo()
    finally:
        logging.getLogger("semp_sdk").removeHandler(handler)
    assert stored(spans.recording).one("reward", "planner")
