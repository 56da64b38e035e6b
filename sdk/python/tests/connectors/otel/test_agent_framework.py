"""Microsoft Agent Framework, AutoGen's successor, leaves GenAI spans of its own: they are all that is needed. The model replays answers."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from typing import Any

import pytest
from agent_framework import (
    Agent,
    AgentExecutor,
    AgentExecutorRequest,
    AgentExecutorResponse,
    BaseChatClient,
    ChatMiddlewareLayer,
    ChatResponse,
    Content,
    Executor,
    FunctionInvocationLayer,
    Message,
    UsageDetails,
    WorkflowBuilder,
    WorkflowContext,
    handler,
    observability,
)
from agent_framework.observability import ChatTelemetryLayer
from agent_framework.orchestrations import ConcurrentBuilder, SequentialBuilder
from conftest import Stored, stored
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer
from semp_sdk.connectors import Recording
from semp_sdk.connectors.otel import SempSpanProcessor
from semp_sdk.identifiers import new_id


class Replay(FunctionInvocationLayer, ChatMiddlewareLayer, ChatTelemetryLayer, BaseChatClient):  # type: ignore[misc]
    """Answers with what was written beforehand, and raises the exceptions among it."""

    def __init__(self, *answers: Any) -> None:
        super().__init__()
        self.answers = list(answers)
        self.model = "replay"

    def _inner_get_response(self, **request: Any) -> Awaitable[ChatResponse]:
        async def answer() -> ChatResponse:
            found = self.answers.pop(0)
            if isinstance(found, Exception):
                raise found
            usage = UsageDetails(input_token_count=7, output_token_count=3)
            return ChatResponse(messages=[Message(role="assistant", contents=[found])], model="replay", usage_details=usage)

        return answer()


def call(name: str) -> Content:
    return Content.from_function_call(call_id=f"call-{name}", name=name, arguments={})


@pytest.fixture
def recording(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recording]:
    spans = SempSpanProcessor(url, scope="shop", trace_id=new_id())
    with spans.recording as found:
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(spans)

        def get_tracer(*_: Any, **__: Any) -> Tracer:
            return provider.get_tracer("agent_framework")

        monkeypatch.setattr(observability, "get_tracer", get_tracer)
        yield found


def names(found: Stored, event: dict[str, Any]) -> list[tuple[str, str | None]]:
    return sorted(found.parents(event), key=str)


async def test_an_agent_with_a_tool(recording: Recording) -> None:
    def forecast() -> str:
        """The weather."""
        return "sunny"

    await Agent(client=Replay(call("forecast"), "sunny"), name="weather", tools=[forecast]).run("?")
    found = stored(recording)
    assert [(event["type"], event["payload"]["action"]) for event in found.events] == [
        ("proposal", "weather"), ("proposal", "chat replay"), ("ready", "chat replay"), ("proposal", "forecast"), ("ready", "forecast"),
        ("proposal", "chat replay"), ("ready", "chat replay"), ("ready", "weather"),
    ]  # fmt: skip
    for before, after in zip(found.events[:-1], found.events[1:], strict=True):
        assert before["id"] in after["parent_ids"]
    assert found.one("ready", "weather")["payload"]["input_tokens"] == 14


async def test_agents_in_sequence_follow_each_other(recording: Recording) -> None:
    writer, critic = Agent(client=Replay("a draft"), name="writer"), Agent(client=Replay("fine"), name="critic")
    await SequentialBuilder(participants=[writer, critic]).build().run("write")
    found = stored(recording)
    assert names(found, found.one("proposal", "critic")) == [("ready", "writer")]


async def test_agents_side_by_side_follow_from_the_same(recording: Recording) -> None:
    parts = [Agent(client=Replay("x"), name=name) for name in ("one", "two", "three")]
    await ConcurrentBuilder(participants=parts).build().run("write")
    found = stored(recording)
    assert [found.one("proposal", name)["parent_ids"] for name in ("one", "two", "three")] == [[], [], []]


async def test_a_fan_in_has_all_branches_as_parents(recording: Recording) -> None:
    class Gather(Executor):
        @handler
        async def gather(self, answers: list[AgentExecutorResponse], ctx: WorkflowContext[AgentExecutorRequest]) -> None:
            await ctx.send_message(AgentExecutorRequest(messages=[Message(role="user", contents=["all in"])], should_respond=True))

    first, left, right, last = (AgentExecutor(Agent(client=Replay("x"), name=name), id=name) for name in ("first", "left", "right", "last"))
    gather = Gather(id="gather")
    flow = WorkflowBuilder(start_executor=first).add_fan_out_edges(first, [left, right]).add_fan_in_edges([left, right], gather)
    await flow.add_edge(gather, last).build().run("go")
    found = stored(recording)
    assert names(found, found.one("proposal", "left")) == names(found, found.one("proposal", "right")) == [("ready", "first")]
    assert names(found, found.one("proposal", "last")) == [("ready", "left"), ("ready", "right")]


async def test_a_model_that_raises(recording: Recording) -> None:
    with pytest.raises(Exception, match="quota"):
        await Agent(client=Replay(OSError("quota")), name="writer").run("?")
    found = stored(recording)
    assert names(found, found.one("penalty", "writer")) == [("penalty", "chat replay"), ("proposal", "writer")]
    assert "OSError" in found.one("penalty", "chat replay")["payload"]["reason"]
