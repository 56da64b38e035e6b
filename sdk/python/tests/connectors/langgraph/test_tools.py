"""Tools with which a model reads signals and leaves events."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from conftest import get, trace_of
from graphs import recorder_at, told
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from semp_sdk.connectors.langgraph import semp_tools
from semp_sdk.identifiers import new_id
from semp_sdk.tracing import trace


def call(tool: Any, **arguments: Any) -> ToolMessage:
    """As a model calls it."""
    return tool.invoke({"name": tool.name, "args": arguments, "id": "1", "type": "tool_call"})


def test_what_one_call_leaves_another_reads(url: str) -> None:
    scope = f"tools.s{new_id()}"
    read, leave = semp_tools(url, scope=scope, agent_id="model", trace_id=scope)
    assert json.loads(read.invoke({})) == []
    answer = call(leave, type="proposal", action="add a cache")
    assert f"{scope}:add a cache 0.00 -> 0.30" in answer.content
    assert "0.30 -> 0.90" in call(leave, type="reward", action="add a cache", value=0.5, reason="faster").content
    call(leave, type="proposal", action="shard", scope=f"{scope}.below")
    [signal] = json.loads(read.invoke({}))
    assert (signal["scope"], signal["pattern"], round(signal["strength"], 1)) == (scope, "add a cache", 0.9)
    assert len(json.loads(read.invoke({"scope": "tools.**", "min_strength": 0.29, "limit": 1}))) == 1
    events = trace_of(url, scope)
    assert {event["agent_id"] for event in events.events} == {"model"}
    assert events.one("reward")["payload"] == {"action": "add a cache", "value": 0.5, "reason": "faster"}


def test_bad_arguments_come_back_as_something_to_act_on(url: str) -> None:
    read, leave = semp_tools(url, scope="tools", agent_id="model")
    for tool, arguments, text in (
        (leave, {"type": "proposal"}, "action"),
        (leave, {"type": "praise", "action": "x"}, "type: Input should be 'proposal'"),
        (leave, {"type": "reward", "action": "x", "value": 7}, "value: Input should be less than or equal to 1"),
        (leave, {"type": "test", "status": "green"}, "green"),
        (leave, {"type": "proposal", "action": "x", "scope": "no scope"}, "scope"),
        (read, {"limit": 0}, "limit: Input should be greater than or equal to 1"),
        (read, {"scope": "a..b"}, "scope"),
    ):
        answer = call(tool, **arguments)
        assert (answer.status, text in str(answer.content)) == ("error", True), answer


def test_a_service_that_is_away_is_said_to_be() -> None:
    read, leave = semp_tools("http://127.0.0.1:9", timeout=0.2)
    for answer in (call(read), call(leave, type="ready", status="done")):
        assert (answer.status, bool(answer.content)) == ("error", True)


async def test_events_of_a_recorded_graph_are_part_of_its_run(url: str) -> None:
    recorder = recorder_at(url, scope=f"tools.s{new_id()}", trace_id=new_id())
    scope = recorder.recording.scope
    tools = semp_tools(url, scope=scope)
    asked = [
        {"name": "leave_event", "args": {"type": "reward", "action": "search", "value": 0.5}, "id": "1"},
        {"name": "read_signals", "args": {"scope": scope}, "id": "2"},
    ]
    graph = StateGraph(MessagesState)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "tools")
    app: Any = recorder.watch(graph.compile(name="team"))
    for way in ("sync", "async"):
        given: Any = {"messages": [AIMessage("", tool_calls=asked)]}
        answer = await app.ainvoke(given) if way == "async" else await asyncio.to_thread(app.invoke, given)
        assert answer["messages"][-2].content.startswith("Left reward")
    events = await asyncio.to_thread(told, recorder)
    for reward, done in zip(events.of("reward"), events.of("ready", "leave_event"), strict=True):
        assert reward["agent_id"] == "tools"
        assert events.parents(reward) == [("proposal", "leave_event")]
        assert events.parents(done) == [("proposal", "leave_event"), ("reward", "search")]
    assert (await asyncio.to_thread(get, url, f"/api/signals/{scope}/search"))["strength"] > 0.99


async def test_outside_of_a_graph_the_running_code_s_trace_is_taken(url: str) -> None:
    _, leave = semp_tools(url, scope="tools")
    with trace(new_id()) as block:
        first = await leave.ainvoke({"type": "proposal", "action": "x"})
        with trace(block.id, (first.split()[2].rstrip("."),)):
            await asyncio.to_thread(leave.invoke, {"type": "ready", "status": "done"})
    events = await asyncio.to_thread(trace_of, url, block.id)
    assert [event["agent_id"] for event in events.events] == ["langgraph"] * 2
    assert events.parents(events.one("ready")) == [("proposal", "x")]


def test_their_descriptions_are_what_a_model_is_given(url: str) -> None:
    for tool in semp_tools(url, scope="team.api"):
        assert "The team's own scope is team.api." in tool.description
        schema: Any = tool.tool_call_schema
        assert all("description" in field for name, field in schema.model_json_schema()["properties"].items() if name != "type")
