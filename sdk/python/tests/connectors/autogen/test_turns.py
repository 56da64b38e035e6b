"""Agents whose two ways to answer, `on_messages` and `on_messages_stream`, are their own: each turn is told, and told once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent, BaseChatAgent, MessageFilterAgent, MessageFilterConfig
from autogen_agentchat.base import Response
from autogen_agentchat.messages import BaseChatMessage, TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken
from conftest import Stored
from replayed import Plain, agent, calls, model, names, recorder_at, told
from semp_sdk.connectors.autogen import TeamRecorder
from semp_sdk.tracing import current_trace


@pytest.fixture
def recorder(url: str) -> Iterator[TeamRecorder]:
    with recorder_at(url, content=True) as found:
        yield found


Given = Sequence[BaseChatMessage]
Streamed = AsyncGenerator[Any, None]


class Apart(Plain):
    """Neither of the two calls the other."""

    async def on_messages(self, messages: Given, cancellation_token: CancellationToken) -> Response:
        return Response(chat_message=TextMessage(content="at once", source=self.name))

    async def on_messages_stream(self, messages: Given, cancellation_token: CancellationToken) -> Streamed:
        yield Response(chat_message=TextMessage(content="bit by bit", source=self.name))


class StreamAsks(Plain):
    """Its stream gives what on_messages answers, and says so."""

    async def on_messages_stream(self, messages: Given, cancellation_token: CancellationToken) -> Streamed:
        response = await self.on_messages(messages, cancellation_token)
        yield Response(chat_message=TextMessage(content=f"{response.chat_message.to_text()}, streamed", source=self.name))


class Polished(AssistantAgent):
    """Changes what its stream, a model's with tools, has answered."""

    async def on_messages(self, messages: Given, cancellation_token: CancellationToken) -> Response:
        response = await super().on_messages(messages, cancellation_token)
        text = f"{response.chat_message.to_text()}, polished"
        return Response(chat_message=TextMessage(content=text, source=self.name), inner_messages=response.inner_messages)


async def run(agent: BaseChatAgent) -> None:
    await agent.run(task="go")


async def stream(agent: BaseChatAgent) -> None:
    async for _ in agent.run_stream(task="go"):
        pass


async def work_in_a_team(agent: BaseChatAgent) -> None:
    await RoundRobinGroupChat([agent], max_turns=1).run(task="go")


def shape(found: Stored) -> list[tuple[str, str]]:
    return [(event["type"], event["payload"]["action"]) for event in found.events]


@pytest.mark.parametrize(
    ("kind", "work", "answer"),
    [
        (Apart, run, "at once"), (Apart, stream, "bit by bit"), (Apart, work_in_a_team, "bit by bit"),
        (StreamAsks, run, "done"), (StreamAsks, stream, "done, streamed"), (StreamAsks, work_in_a_team, "done, streamed"),
    ],
)  # fmt: skip
async def test_an_answer_is_one_turn_in_whichever_way_it_is_given(
    recorder: TeamRecorder, kind: type[Plain], work: Any, answer: str
) -> None:
    await work(recorder.watch(kind("own")))
    found = told(recorder)
    assert shape(found) == [("proposal", "own"), ("ready", "own")]
    assert found.one("ready")["payload"]["output"] == answer


@pytest.mark.parametrize(("work", "answer"), [(run, "a and b, polished"), (stream, "a and b"), (work_in_a_team, "a and b")])
async def test_an_answer_made_of_the_stream_is_one_turn_with_its_tools(recorder: TeamRecorder, work: Any, answer: str) -> None:
    seen: dict[str, Any] = {}

    async def look(word: str) -> str:
        here = current_trace()
        seen[word] = here.parents if here is not None else None
        return word

    asked = calls(("look", {"word": "a"}), ("look", {"word": "b"}))
    own = Polished("own", model_client=model(asked, "a and b"), tools=[look], max_tool_iterations=2)
    await work(recorder.watch(own))
    found = told(recorder)
    assert sorted(shape(found)) == sorted([*[("proposal", "look"), ("ready", "look")] * 2, ("proposal", "own"), ("ready", "own")])
    end = found.one("ready", "own")
    assert (end["payload"]["output"], end["payload"]["tool_calls"]) == (answer, 2)
    assert names(found, end) == [("proposal", "own"), ("ready", "look"), ("ready", "look")]
    assert seen == {call["payload"]["arguments"][-3]: (call["id"],) for call in found.of("proposal", "look")}


@pytest.mark.parametrize("work", [run, stream])
async def test_an_agent_that_fails_alone_fails_once(recorder: TeamRecorder, work: Any) -> None:
    with pytest.raises(ValueError, match="No more mock responses"):
        await work(recorder.watch(agent("own")))
    assert shape(told(recorder)) == [("proposal", "own"), ("penalty", "own")]


async def test_tokens_of_a_lone_agent_count_once(recorder: TeamRecorder) -> None:
    await recorder.watch(agent("own", "one two three")).run(task="go")
    assert told(recorder).one("ready")["payload"]["output_tokens"] == 3


@pytest.mark.parametrize("work", [run, stream, work_in_a_team])
@pytest.mark.parametrize("name", ["inner", "filter"])
async def test_an_agent_behind_a_filter_is_told_inside_the_filter_s_turn_and_once(recorder: TeamRecorder, work: Any, name: str) -> None:
    """Also where both have one name, as in AutoGen's own examples."""

    async def look() -> str:
        return "seen"

    inner = agent(name, calls(("look", {})), "one two three", tools=[look], max_tool_iterations=2)
    await work(recorder.watch(MessageFilterAgent("filter", inner, MessageFilterConfig(per_source=[]))))
    found = told(recorder)
    assert shape(found) == [
        ("proposal", "filter"), ("proposal", name), ("proposal", "look"), ("ready", "look"), ("ready", name), ("ready", "filter"),
    ]  # fmt: skip
    outer, turn, call, result, end, last = found.events
    assert [event["parent_ids"] for event in (turn, call, result)] == [[outer["id"]], [turn["id"]], [call["id"]]]
    assert end["parent_ids"] == [turn["id"], result["id"]]
    assert last["parent_ids"] == [outer["id"], end["id"]]
    assert [event["payload"].get("tool_calls") for event in (end, last)] == [1, None]
    assert [event["payload"].get("output_tokens") for event in (end, last)] == [6, None]
