"""Calls of models and tools, as work inside their node."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from graphs import recorder_at, told
from langchain_core.documents import Document
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import ToolException, tool
from langgraph import prebuilt
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from semp_sdk.connectors.langgraph import GraphRecorder
from semp_sdk.identifiers import new_id


class Scripted(FakeMessagesListChatModel):
    """Answers as it was told, whatever tools it is given."""

    def bind_tools(self, tools: Sequence[Any], *, tool_choice: Any = None, **more: Any) -> Runnable[Any, AIMessage]:
        return self  # pyright: ignore[reportReturnType]


@tool
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@tool
async def divide(a: int, b: int) -> float:
    """Divides a number by another one."""
    await asyncio.sleep(0)
    return a / b


def asks(name: str, number: int, **arguments: Any) -> Any:
    return {"name": name, "args": arguments, "id": f"call{number}"}


def team_of(answers: list[AIMessage], tools: Sequence[Any]) -> Any:
    """An agent with tools, as LangGraph's own pages build it."""
    model = Scripted(responses=[*answers]).bind_tools(tools)

    async def agent(state: MessagesState) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("agent", agent)
    graph.add_node("tools", ToolNode(tools, handle_tool_errors=True))
    graph.add_edge(START, "agent")
    graph.add_conditional_edges("agent", tools_condition)
    graph.add_edge("tools", "agent")
    return graph.compile(name="team")


@pytest.fixture
def recorder(url: str) -> GraphRecorder:
    return recorder_at(url, scope="calls", trace_id=new_id())


async def test_an_agent_that_calls_tools(recorder: GraphRecorder) -> None:
    usage: Any = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
    answers = [
        AIMessage("", tool_calls=[asks("add", 1, a=1, b=2), asks("divide", 2, a=1, b=0)], usage_metadata=usage),
        AIMessage("three, and no number"),
    ]
    app = recorder.watch(team_of(answers, [add, divide]))
    await app.ainvoke({"messages": ["what is 1 + 2, and 1 / 0?"]})
    events = await asyncio.to_thread(told, recorder)
    first, second = events.of("proposal", "Scripted")
    assert (first["scope"], first["agent_id"], first["payload"]["messages"]) == ("calls.agent", "agent", 1)
    assert events.parents(first) == [("proposal", "agent")]
    answered = events.of("ready", "Scripted")[0]
    assert {key: answered["payload"][key] for key in ("input_tokens", "output_tokens", "tool_calls")} == {
        "input_tokens": 7, "output_tokens": 3, "tool_calls": 2,
    }  # fmt: skip
    assert events.parents(events.of("ready", "agent")[0]) == [("proposal", "agent"), ("ready", "Scripted")]
    assert events.of("ready", "agent")[0]["payload"]["next"] == ["tools"]
    assert events.parents(events.one("proposal", "tools")) == [("ready", "agent")]
    for name in ("add", "divide"):
        call = events.one("proposal", name)
        assert (call["scope"], call["agent_id"]) == ("calls.tools", "tools")
        assert events.parents(call) == [("proposal", "tools")]
    assert events.one("penalty", "divide")["payload"]["reason"] == "ZeroDivisionError: division by zero"
    done = events.one("ready", "tools")
    assert sorted(events.parents(done)) == [("penalty", "divide"), ("proposal", "tools"), ("ready", "add")]
    assert events.parents(events.of("proposal", "agent")[1]) == [("ready", "tools")]
    assert len(second["parent_ids"]) == 1
    assert recorder.reporter.frames == {}


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_the_prebuilt_agent(recorder: GraphRecorder, version: Any) -> None:
    """In its second version each tool call is a task of its own, sent by the agent."""
    model = Scripted(responses=[AIMessage("", tool_calls=[asks("add", 1, a=1, b=2), asks("divide", 2, a=3, b=4)]), AIMessage("done")])
    create: Any = prebuilt.create_react_agent  # pyright: ignore[reportDeprecated, reportUnknownMemberType, reportUnknownVariableType]
    app: Any = recorder.watch(create(model, [add, divide], name="team", version=version))
    assert (await app.ainvoke({"messages": ["go"]}))["messages"][-1].text == "done"
    events = await asyncio.to_thread(told, recorder)
    first, second = events.of("proposal", "agent")
    asked, answered = events.of("ready", "agent")
    assert events.parents(first) == [("proposal", "team")]
    assert events.parents(asked) == [("proposal", "agent"), ("ready", "Scripted")]
    assert asked["payload"]["next"] == ["tools"]
    tools = events.of("proposal", "tools")
    assert [event["parent_ids"] for event in tools] == [[asked["id"]]] * (1 if version == "v1" else 2)
    calls = [events.one("proposal", name) for name in ("add", "divide")]
    assert sorted(call["parent_ids"] for call in calls) == sorted([event["id"]] for event in (tools if version == "v2" else tools * 2))
    assert sorted(second["parent_ids"]) == sorted(event["id"] for event in events.of("ready", "tools"))
    assert events.one("ready", "team")["parent_ids"] == [events.one("proposal", "team")["id"], answered["id"]]
    assert recorder.reporter.frames == {}


async def test_tools_see_what_is_known_of_them_only_where_asked(url: str) -> None:
    answers = [AIMessage("", tool_calls=[asks("add", 1, a=41, b=1)]), AIMessage("forty-two")]
    for content in (False, True):
        recorder = recorder_at(url, scope="calls", trace_id=new_id(), content=content)
        await recorder.watch(team_of(answers, [add])).ainvoke({"messages": ["what is it?"]})
        events = await asyncio.to_thread(told, recorder)
        assert ("41" in str(events.one("proposal", "add")["payload"])) is content
        assert ("forty-two" in str([event["payload"] for event in events.events])) is content
        if content:
            assert events.of("proposal", "Scripted")[0]["payload"]["input"] == "what is it?"


def test_calls_in_a_row_follow_one_another_and_calls_at_once_do_not(recorder: GraphRecorder) -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage("one"), AIMessage("two")]))
    both_began = threading.Barrier(2, timeout=30)

    @tool
    def meet(a: int) -> int:
        """Waits for the other one."""
        both_began.wait()
        return a

    def work(state: MessagesState) -> Any:
        model.invoke("first")

        def met(a: int) -> RunnableLambda[Any, Any]:
            return RunnableLambda(lambda _: meet.invoke({"a": a}))

        first: RunnableLambda[Any, Any] = RunnableLambda(lambda _: {"x": 1})
        both = first | {"p": met(1), "q": met(2)}
        both.invoke(None)
        return {"messages": [model.invoke("last")]}

    graph = StateGraph(MessagesState)
    graph.add_node("work", work)
    graph.add_edge(START, "work")
    recorder.watch(graph.compile()).invoke({"messages": []})
    events = told(recorder)
    first, last = events.of("proposal", "GenericFakeChatModel")
    ended = events.of("ready", "GenericFakeChatModel")
    assert [event["parent_ids"] for event in events.of("proposal", "meet")] == [[ended[0]["id"]]] * 2
    assert set(last["parent_ids"]) == {event["id"] for event in events.of("ready", "meet")}
    assert events.one("ready", "work")["parent_ids"] == [events.one("proposal", "work")["id"], ended[1]["id"]]
    assert events.parents(first) == [("proposal", "work")]


async def test_tools_called_where_the_model_was_asked_follow_from_its_answer(recorder: GraphRecorder) -> None:
    model = Scripted(responses=[AIMessage("", tool_calls=[asks("add", 1, a=1, b=2), asks("add", 2, a=3, b=4)]), AIMessage("done")])

    def work(state: MessagesState) -> Any:
        calls = model.invoke(state["messages"]).tool_calls
        results = [add.invoke(dict(call, type="tool_call")) for call in calls]
        return {"messages": [*results, model.invoke(results)]}

    graph = StateGraph(MessagesState)
    graph.add_node("work", work)
    graph.add_edge(START, "work")
    given: Any = {"messages": ["go"]}
    await recorder.watch(graph.compile()).ainvoke(given)
    events = await asyncio.to_thread(told, recorder)
    answered = events.of("ready", "Scripted")[0]["id"]
    assert [event["parent_ids"] for event in events.of("proposal", "add")] == [[answered], [answered]]
    assert events.parents(events.of("proposal", "Scripted")[1]) == [("ready", "add")] * 2


@pytest.mark.parametrize("way", ["ToolNode", "by hand"])
def test_a_tool_s_retry_follows_its_failed_try(recorder: GraphRecorder, way: str) -> None:
    tries: list[int] = []

    @tool
    def shaky(a: int) -> int:
        """Answers at the third try."""
        tries.append(a)
        if len(tries) < 3:
            raise ValueError(f"try {len(tries)}")
        return a

    def until_done(call: Any) -> Any:
        while True:
            try:
                return call()
            except ValueError:
                pass

    def by_hand(state: MessagesState) -> Any:
        [call] = Scripted(responses=[AIMessage("", tool_calls=[asks("shaky", 1, a=1)])]).invoke("x").tool_calls
        return {"messages": [until_done(lambda: shaky.invoke(dict(call, type="tool_call")))]}

    def retried(request: Any, execute: Any) -> Any:
        return until_done(lambda: execute(request))

    graph = StateGraph(MessagesState)
    graph.add_node("work", by_hand if way == "by hand" else ToolNode([shaky], handle_tool_errors=False, wrap_tool_call=retried))
    graph.add_edge(START, "work")
    recorder.watch(graph.compile()).invoke({"messages": [AIMessage("", tool_calls=[asks("shaky", 1, a=1)])]})
    events = told(recorder)
    first, second, third = events.of("proposal", "shaky")
    one, two = events.of("penalty", "shaky")
    asked = ("ready", "Scripted") if way == "by hand" else ("proposal", "work")
    assert events.parents(first) == [asked]
    assert (second["parent_ids"], third["parent_ids"]) == ([one["id"]], [two["id"]])
    assert events.parents(events.one("ready", "work")) == [("proposal", "work"), ("ready", "shaky")]


def test_streamed_answers_and_failing_models(recorder: GraphRecorder) -> None:
    class Broken(FakeMessagesListChatModel):
        def _generate(self, *args: Any, **more: Any) -> Any:
            raise ConnectionError("the model is away")

    model = GenericFakeChatModel(messages=iter([AIMessage("a few words")]))
    graph = StateGraph(MessagesState)

    def talk(state: MessagesState) -> Any:
        return {"messages": [model.invoke(state["messages"])]}

    graph.add_node("talk", talk)
    graph.add_node("fail", lambda state: {"messages": [Broken(responses=[]).invoke("x")]})
    graph.add_edge(START, "talk")
    graph.add_edge("talk", "fail")
    app = recorder.watch(graph.compile(name="team"))
    given: Any = {"messages": ["hi"]}
    with pytest.raises(ConnectionError):
        list(app.stream(given, stream_mode="messages"))
    events = told(recorder)
    assert events.parents(events.one("ready", "GenericFakeChatModel")) == [("proposal", "GenericFakeChatModel")]
    assert [event["payload"]["action"] for event in events.of("penalty")] == ["Broken", "fail", "team"]
    assert events.parents(events.one("penalty", "fail")) == [("proposal", "fail"), ("penalty", "Broken")]


def test_a_tool_that_answers_with_its_error_has_failed(recorder: GraphRecorder) -> None:
    @tool
    def refuse(reason: str) -> str:
        """Refuses."""
        raise ToolException(reason)

    refuse.handle_tool_error = True
    graph = StateGraph(MessagesState)
    graph.add_node("tools", ToolNode([refuse]))
    graph.add_edge(START, "tools")
    answer = recorder.watch(graph.compile()).invoke({"messages": [AIMessage("", tool_calls=[asks("refuse", 1, reason="too late")])]})
    assert answer["messages"][-1].status == "error"
    assert told(recorder).one("penalty", "refuse")["payload"]["reason"] == "too late"


def test_retrievers_are_calls_too(recorder: GraphRecorder) -> None:
    class Library(BaseRetriever):
        def _get_relevant_documents(self, query: str, **more: Any) -> list[Document]:
            return [Document("a"), Document("b")]

    graph = StateGraph(MessagesState)
    graph.add_node("look", lambda state: {"messages": [Library().invoke("q")[0].page_content]})
    graph.add_edge(START, "look")
    recorder.watch(graph.compile()).invoke({"messages": []})
    found = told(recorder).one("ready", "Library")
    assert (found["scope"], found["payload"]["documents"]) == ("calls.look", 2)
