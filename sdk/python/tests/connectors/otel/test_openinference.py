"""LangChain and LangGraph, instrumented by OpenInference alone. The model replays answers."""

from __future__ import annotations

import asyncio
import json
import operator
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypedDict

import pytest
from conftest import Stored, stored, trace_of
from langchain import agents
from langchain.agents.middleware import ToolCallRequest, wrap_tool_call
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, RetryPolicy, interrupt
from openinference.instrumentation import TraceConfig
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import format_trace_id
from semp_sdk.connectors import Recording
from semp_sdk.connectors.otel import SempSpanProcessor
from semp_sdk.identifiers import new_id
from semp_sdk.tracing import trace

TOKENS = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}


class Replay(GenericFakeChatModel):
    """Answers with what was written beforehand."""

    model: str = "replay-1"

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        return self


def answers(*found: AIMessage) -> Replay:
    return Replay(messages=iter(found))


def agent_of(model: Replay, tools: list[Any], **options: Any) -> Any:
    """An agent; what LangChain declares of it is only partly known."""
    create: Any = agents.create_agent  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return create(model, tools=tools, **options)


def calls(*names: str) -> AIMessage:
    wanted = [{"name": name, "args": {"city": "Bern"}, "id": f"call-{number}"} for number, name in enumerate(names)]
    return AIMessage("", tool_calls=wanted, usage_metadata=TOKENS)


class State(TypedDict):
    notes: Annotated[list[str], operator.add]


def note(text: str) -> Callable[[State], dict[str, list[str]]]:
    return lambda _: {"notes": [text]}


def graph(*edges: tuple[Any, str], **nodes: Any) -> StateGraph[State]:
    """A graph of these nodes; it starts at the first one."""
    found = StateGraph(State)
    for name, does in nodes.items():
        found.add_node(name, does)
    found.add_edge(START, next(iter(nodes)))
    for before, after in edges:
        found.add_edge(before, after)
    return found


class Seen(SpanProcessor):
    """The spans there are."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


@contextmanager
def instrumented(url: str, config: TraceConfig | None = None, **options: Any) -> Generator[tuple[Recording, Seen]]:
    given: dict[str, Any] = {"scope": "shop", "trace_id": new_id(), **options}
    spans, seen = SempSpanProcessor(url, **given), Seen()
    provider, instrumentor = TracerProvider(shutdown_on_exit=False), LangChainInstrumentor()
    provider.add_span_processor(seen)
    provider.add_span_processor(spans)
    instrumentor.instrument(tracer_provider=provider, config=config)
    try:
        with spans.recording as recording:
            yield recording, seen
    finally:
        instrumentor.uninstrument()


@pytest.fixture
def recording(url: str) -> Iterator[Recording]:
    with instrumented(url) as (found, _):
        yield found


def names(found: Stored, event: dict[str, Any]) -> list[tuple[str, str | None]]:
    return sorted(found.parents(event), key=str)


def told(found: Stored) -> list[tuple[str, str]]:
    return [(event["type"], event["payload"]["action"]) for event in found.events]


def operations(found: Stored) -> dict[str, str]:
    return {event["payload"]["action"]: event["payload"]["operation"] for event in found.events if event["type"] != "proposal"}


def test_an_agent_with_a_tool(recording: Recording) -> None:
    during: list[list[tuple[str, str]]] = []

    @tool
    def forecast(city: str) -> str:
        """The weather."""
        during.append(told(stored(recording)))
        return f"sunny in {city}"

    agent_of(answers(calls("forecast"), AIMessage("sunny")), [forecast], name="weather").invoke({"messages": [("user", "secret-1")]})
    found = stored(recording)
    assert told(found) == [
        ("proposal", "weather"), ("proposal", "model"), ("proposal", "Replay"), ("ready", "Replay"), ("ready", "model"),
        ("proposal", "tools"), ("proposal", "forecast"), ("ready", "forecast"), ("ready", "tools"),
        ("proposal", "model"), ("proposal", "Replay"), ("ready", "Replay"), ("ready", "model"), ("ready", "weather"),
    ]  # fmt: skip
    assert during == [told(found)[:7]]  # what begins is told when it begins, though its kind is not known yet
    for before, after in zip(found.events[:-1], found.events[1:], strict=True):
        assert before["id"] in after["parent_ids"]
    assert names(found, found.one("proposal", "tools")) == [("ready", "model")]
    assert names(found, found.one("ready", "tools")) == [("proposal", "tools"), ("ready", "forecast")]
    assert names(found, found.events[-1]) == [("proposal", "weather"), ("ready", "model")]
    assert {(event["scope"], event["agent_id"], event["trace_id"]) for event in found.events} == {("shop", "otel", recording.trace_id)}
    assert found.of("ready", "Replay")[0]["payload"] | {"seconds": 0} == {
        "action": "Replay", "status": "completed", "operation": "LLM", "seconds": 0, "model": "replay-1", "provider": "replay",
        "input_tokens": 7, "output_tokens": 3,
    }  # fmt: skip
    assert operations(found) == {"weather": "CHAIN", "model": "CHAIN", "tools": "CHAIN", "Replay": "LLM", "forecast": "TOOL"}
    assert all(event["payload"]["seconds"] >= 0 for event in found.of("ready"))
    assert "secret-1" not in json.dumps(found.events)
    assert "Bern" not in json.dumps(found.events)


def test_tools_side_by_side_of_which_one_fails_and_the_agent_goes_on(recording: Recording) -> None:
    together = threading.Barrier(2)

    @tool
    def forecast(city: str) -> str:
        """The weather."""
        together.wait(30)
        return f"sunny in {city}"

    @tool
    def traffic(city: str) -> str:
        """The roads."""
        together.wait(30)
        raise OSError(f"no route to {city}")

    @wrap_tool_call
    def forgiving(request: ToolCallRequest, call: Callable[[ToolCallRequest], ToolMessage | Command[Any]]) -> ToolMessage | Command[Any]:
        try:
            return call(request)
        except OSError as error:
            return ToolMessage(str(error), tool_call_id=request.tool_call["id"])

    model = answers(calls("forecast", "traffic"), AIMessage("stay"))
    agent = agent_of(model, [forecast, traffic], middleware=[forgiving], name="guide")
    assert agent.invoke({"messages": [("user", "?")]})["messages"][-1].text == "stay"
    found = stored(recording)
    first, second = found.of("ready", "model")
    for step in found.of("proposal", "tools"):
        assert step["parent_ids"] == [first["id"]]
    for name in ("forecast", "traffic"):
        assert names(found, found.one("proposal", name)) == [("proposal", "tools")]
    assert found.one("proposal", "forecast")["parent_ids"] != found.one("proposal", "traffic")["parent_ids"]
    penalty = found.one("penalty")
    assert (penalty["payload"]["action"], penalty["payload"]["reason"]) == ("traffic", "OSError: no route to Bern")
    assert (penalty["payload"]["value"], penalty["payload"]["operation"]) == (-0.5, "TOOL")
    assert names(found, penalty) == [("proposal", "traffic")]
    ends = found.of("ready", "tools")
    assert sorted(names(found, end)[0] for end in ends) == [("penalty", "traffic"), ("proposal", "tools")]
    assert set(found.of("proposal", "model")[1]["parent_ids"]) == {end["id"] for end in ends}
    assert names(found, found.one("ready", "guide")) == [("proposal", "guide"), ("ready", "model")]
    assert second["id"] in found.one("ready", "guide")["parent_ids"]


def test_branches_that_overlap_are_joined(recording: Recording) -> None:
    together = threading.Barrier(2)

    def branch(_: State) -> dict[str, list[str]]:
        together.wait(30)
        return {"notes": ["x"]}

    edges = [("plan", "search"), ("plan", "ask"), (["search", "ask"], "write")]
    graph(*edges, plan=note("planned"), search=branch, ask=branch, write=note("written")).compile(name="desk").invoke({"notes": []})
    found = stored(recording)
    for name in ("search", "ask"):
        assert names(found, found.one("proposal", name)) == [("ready", "plan")]
    assert names(found, found.one("proposal", "write")) == [("ready", "ask"), ("ready", "search")]
    assert names(found, found.one("ready", "desk")) == [("proposal", "desk"), ("ready", "write")]


def test_a_model_that_raises(recording: Recording) -> None:
    def failing() -> Generator[AIMessage]:
        raise OSError("quota")
        yield

    with pytest.raises(OSError, match="quota"):
        agent_of(Replay(messages=failing()), [], name="writer").invoke({"messages": [("user", "?")]})
    found = stored(recording)
    assert [(event["payload"]["action"], event["payload"]["reason"]) for event in found.of("penalty")] == [
        ("Replay", "OSError: quota"), ("model", "OSError: quota"), ("writer", "OSError: quota"),
    ]  # fmt: skip
    assert names(found, found.one("penalty", "writer")) == [("penalty", "model"), ("proposal", "writer")]


def test_a_node_that_is_tried_again_follows_from_its_failed_try(recording: Recording) -> None:
    tries: list[int] = []

    def flaky(state: State) -> dict[str, list[str]]:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("route")
        return {"notes": ["there"]}

    again = RetryPolicy(initial_interval=0.001, jitter=False, retry_on=OSError)
    found_graph = StateGraph(State)
    found_graph.add_node("flaky", flaky, retry_policy=again)
    found_graph.add_edge(START, "flaky")
    found_graph.compile(name="desk").invoke({"notes": []})
    found = stored(recording)
    penalty = found.one("penalty", "flaky")
    assert found.of("proposal", "flaky")[1]["parent_ids"] == [penalty["id"]]
    assert found.one("ready", "desk")["payload"]["status"] == "completed"


def test_an_interrupt_is_no_failure(recording: Recording) -> None:
    def ask(_: State) -> dict[str, list[str]]:
        return {"notes": [interrupt("may I?")]}

    desk = graph(ask=ask).compile(name="desk", checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "1"}}
    desk.invoke({"notes": []}, thread)
    desk.invoke(Command(resume="yes"), thread)
    assert told(stored(recording)) == [("proposal", "desk"), ("proposal", "ask"), ("ready", "ask"), ("ready", "desk")] * 2


class Slow:
    """A node that takes a minute, and says when it has begun."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()

    async def __call__(self, _: State) -> dict[str, list[str]]:
        self.begun.set()
        await asyncio.sleep(60)
        return {"notes": ["slow"]}


async def test_a_run_that_is_cancelled_earns_no_penalty(recording: Recording) -> None:
    slow = Slow()
    work = asyncio.create_task(graph(slow=slow).compile(name="desk").ainvoke({"notes": []}))
    await slow.begun.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    found = stored(recording)
    assert told(found) == [("proposal", "desk"), ("proposal", "slow"), ("ready", "slow"), ("ready", "desk")]
    assert {event["payload"]["status"] for event in found.of("ready")} == {"cancelled"}


def test_a_run_whose_stream_nobody_reads_on_earns_no_penalty(recording: Recording) -> None:
    stream: Any = graph(("a", "b"), a=note("x"), b=note("y")).compile(name="desk").stream({"notes": []})
    next(stream)
    stream.close()
    found = stored(recording)
    assert found.of("penalty") == []
    assert found.one("ready", "desk")["payload"]["status"] == "cancelled"


async def test_a_branch_that_is_stopped_since_another_failed_earns_no_penalty(recording: Recording) -> None:
    slow = Slow()

    async def bad(_: State) -> None:
        await slow.begun.wait()
        raise OSError("route")

    branches = graph(("plan", "slow"), ("plan", "bad"), plan=note("x"), slow=slow, bad=bad)
    with pytest.raises(OSError, match="route"):
        await branches.compile(name="desk").ainvoke({"notes": []})
    found = stored(recording)
    assert sorted(event["payload"]["action"] for event in found.of("penalty")) == ["bad", "desk"]
    assert found.one("ready", "slow")["payload"]["status"] == "cancelled"
    assert names(found, found.one("penalty", "desk")) == [("penalty", "bad"), ("proposal", "desk"), ("ready", "slow")]


@pytest.mark.parametrize("name", ["execute_tool", "generate_content"])
def test_a_node_that_is_named_like_an_operation_is_none(recording: Recording, name: str) -> None:
    graph(**{name: graph(inside=note("x")).compile(name="sub")}).compile(name="desk").invoke({"notes": []})
    found = stored(recording)
    assert {event["payload"]["action"] for event in found.events} == {"desk", name, "sub", "inside"}
    assert set(operations(found).values()) == {"CHAIN"}
    assert {event["payload"].get("operation") for event in found.of("proposal")} == {None}
    assert {(event["scope"], event["agent_id"]) for event in found.events} == {("shop", "otel")}


def test_an_agent_is_known_by_its_end(recording: Recording) -> None:
    agent_of(answers(AIMessage("yes")), [], name="travel agent").invoke({"messages": [("user", "?")]})
    found = stored(recording)
    assert operations(found) == {"travel agent": "AGENT", "model": "CHAIN", "Replay": "LLM"}
    assert {(event["scope"], event["agent_id"]) for event in found.events} == {("shop", "otel")}


def test_spans_that_tell_the_conventions_of_opentelemetry_as_well(url: str) -> None:
    @tool
    def forecast(city: str) -> str:
        """The weather."""
        return f"sunny in {city}"

    with instrumented(url, TraceConfig(enable_genai_semconv=True)) as (recording, _):
        agent_of(answers(calls("forecast"), AIMessage("sunny")), [forecast], name="weather").invoke({"messages": [("user", "?")]})
        found = stored(recording)
    assert operations(found) == {"weather": "CHAIN", "model": "CHAIN", "tools": "CHAIN", "Replay": "chat", "forecast": "execute_tool"}
    model = found.of("ready", "Replay")[0]["payload"]
    assert (model["model"], model["provider"], model["input_tokens"], model["output_tokens"]) == ("replay-1", "replay", 7, 3)


def test_contents_are_told_on_request(url: str) -> None:
    @tool
    def forecast(city: str) -> str:
        """The weather."""
        return f"sunny in {city}"

    with instrumented(url, content=True) as (recording, _):
        agent_of(answers(calls("forecast"), AIMessage("fine")), [forecast], name="weather").invoke({"messages": [("user", "secret-1")]})
        found = stored(recording)
    used = found.one("ready", "forecast")["payload"]
    assert "Bern" in used["input"]
    assert "sunny in Bern" in used["output"]
    assert "secret-1" in found.of("ready", "Replay")[0]["payload"]["input"]
    assert "fine" in found.one("ready", "weather")["payload"]["output"]


def test_a_run_is_a_trace_which_is_opentelemetrys_own(url: str) -> None:
    with instrumented(url, trace_id=None) as (recording, seen):
        graph(("a", "b"), a=note("x"), b=note("y")).compile(name="desk").invoke({"notes": []})
        assert recording.flush(30)
    [number] = {span.context.trace_id for span in seen.spans if span.context is not None}
    assert len(trace_of(url, format_trace_id(number)).events) == 2 * len(seen.spans) == 6


def test_a_run_takes_up_the_trace_around_it(url: str) -> None:
    async def run() -> None:
        await graph(a=note("x")).compile(name="desk").ainvoke({"notes": []})

    with instrumented(url, trace_id=None) as (recording, _):
        cause = recording.started("before", trace_id=(own := new_id()))
        with trace(own, (cause,)):
            asyncio.run(run())
        assert recording.flush(30)
    found = trace_of(url, own)
    assert told(found) == [("proposal", "before"), ("proposal", "desk"), ("proposal", "a"), ("ready", "a"), ("ready", "desk")]
    assert names(found, found.one("proposal", "desk")) == [("proposal", "before")]
