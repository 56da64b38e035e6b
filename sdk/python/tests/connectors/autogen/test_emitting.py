"""What is emitted in a run and after it, by a client that is connected already."""

from __future__ import annotations

from autogen_agentchat.teams import RoundRobinGroupChat
from conftest import trace_of
from replayed import agent, calls, recorder_at
from semp_sdk import Client
from semp_sdk.identifiers import new_id
from semp_sdk.tracing import trace


async def test_what_a_tool_emits_and_what_comes_after_the_run_wait_for_their_causes(url: str) -> None:
    async with Client(url, agent_id="tool") as client:
        await client.emit("ready", "news", {"status": "connected"}, trace_id=new_id())

        async def look() -> str:
            await client.emit("test", "news", {"status": "passed", "action": "looked"})
            return "seen"

        team = RoundRobinGroupChat([agent("writer", calls(("look", {})), tools=[look])], max_turns=1, name="desk")
        with recorder_at(url, trace_id=None) as recorder, trace() as own:
            result = await recorder.watch(team).run(task="write")
            await client.emit("reward", "news", {"value": 0.5, "action": "desk"})
    assert result.messages[-1].to_text() == "seen"
    found = trace_of(url, own.id)
    assert found.parents(found.one("test")) == [("proposal", "look")]
    assert found.parents(found.one("reward")) == [("ready", "desk")]
