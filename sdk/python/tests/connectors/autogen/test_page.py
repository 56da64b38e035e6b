"""The AutoGen section of the page on connectors as printed, and the AutoGen example of the public SEL/SEMP documents on today's AutoGen."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import Response
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.messages import BaseChatMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken
from autogen_ext.models.replay import ReplayChatCompletionClient
from conftest import get, trace_of
from semp_sdk import SEMPClient
from semp_sdk.connectors.autogen import recorded, scored
from semp_sdk.identifiers import new_id

PAGE = Path(__file__).parents[3] / "connectors.md"
SECTIONS = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
[SECTION] = [part for part in SECTIONS if part.startswith("AutoGen\n")]
BLOCKS = re.findall(r"^```python\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
PRINTED = ["Text 'APPROVE' mentioned", "critic"]


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the blocks before have defined."""
    return {"__name__": "page"}


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_of_the_page_runs(url: str, names: dict[str, Any], number: int, capsys: pytest.CaptureFixture[str]) -> None:
    code = BLOCKS[number].replace("http://localhost:5000", url)
    exec(compile(code, f"{PAGE.name}, AutoGen, block {number + 1}", "exec", dont_inherit=True), names)
    assert capsys.readouterr().out == f"{PRINTED[number]}\n"
    names["team"]._semp_wrapper.reporter.recording.flush(10)


def test_the_scores_of_the_page_are_rewards_of_what_they_are_about(url: str, names: dict[str, Any]) -> None:
    """Goes by the first block."""
    team, critic = names["team"], names["critic"]
    found = trace_of(url, team._semp_wrapper.ended.trace_id)
    assert [(reward["payload"]["value"], reward["payload"]["reason"], found.parents(reward)) for reward in found.of("reward")] == [
        (0.8, "productive_conversation", [("ready", team.name)]), (0.5, "found the slow part", [("ready", critic.name)]),
    ]  # fmt: skip
    for reward, runner in zip(found.of("reward"), (team, critic), strict=True):
        assert reward["parent_ids"] == [found.of("ready", runner.name)[-1]["id"]]
        assert reward["scope"] == "coding"


GONE = ("generate_reply", "UserProxyAgent", "initiate_chat", "llm_config", "message", "max_consecutive_auto_reply", "autogen.conversation")
FIBONACCI = "Write a Python function to calculate fibonacci numbers"


class SEMPAssistantAgent(AssistantAgent):
    """The public example's: it tells of its replies itself. `generate_reply`, which it overrode, is `on_messages_stream` today."""

    def __init__(self, name: str, semp: SEMPClient, trace_id: str, **options: Any) -> None:
        super().__init__(name, **options)
        self.semp = semp
        self.trace_id = trace_id

    def tell(self, kind: str, **payload: Any) -> None:
        self.semp.create_event(type=kind, scope=f"autogen.{self.name}", trace_id=self.trace_id, agent_id=self.name, payload=payload)

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[Any, None]:
        self.tell("proposal", action="generate_reply", context=messages[-1].to_model_text()[:100] if messages else "")
        async for message in super().on_messages_stream(messages, cancellation_token):
            if isinstance(message, Response):
                self.tell("ready", status="completed", reply_length=len(message.chat_message.to_model_text()))
            yield message


@pytest.mark.parametrize("name", GONE)
def test_the_page_says_what_became_of_what_the_public_example_uses(name: str) -> None:
    assert f"`{name}`" in SECTION.split("**What changed since the public documents' example.**")[1]


async def test_the_public_example_s_agent_on_today_s_autogen(url: str) -> None:
    """The agent tells what it told there; a team of one, with a bound, is what `UserProxyAgent` and `initiate_chat` were."""
    name, trace_id = f"assistant_{new_id()[-8:]}", new_id()
    with SEMPClient(url) as semp:
        assistant = SEMPAssistantAgent(name, semp, trace_id, model_client=ReplayChatCompletionClient(["def fibonacci(n): ...", "Done."]))
        await RoundRobinGroupChat([assistant], max_turns=2).run(task=FIBONACCI)
        found = trace_of(url, trace_id)
        assert [(event["type"], event["scope"], event["agent_id"]) for event in found.events] == [
            (kind, f"autogen.{name}", name) for kind in ("proposal", "ready") * 2
        ]  # fmt: skip
        assert found.of("proposal", "generate_reply")[0]["payload"]["context"] == FIBONACCI
        assert [event["payload"]["reply_length"] for event in found.of("ready")] == [21, 5]
        assert not any(event["parent_ids"] for event in found.events), "it chains nothing"
        signal = semp.get_signal(f"autogen.{name}", "generate_reply")
        assert signal is not None
        assert signal["strength"] <= 0.3, "its reward waits for a signal above 0.7, which none of its events makes"
        judged = {"value": 0.8, "reason": "productive_conversation"}
        reward = semp.create_event("reward", "autogen.conversation", trace_id, "supervisor", judged)
        assert reward["signals"] == [], "and would move none"


@pytest.mark.parametrize("last", ["APPROVE", "I give up."])
async def test_the_public_example_s_intent_in_two_lines(url: str, last: str) -> None:
    """Replies are told with their causes, the conversation is judged, and signals say whether it was worth it. No agent calls a client."""
    scope, trace_id = f"autogen.s{new_id()}", new_id()
    assistant = AssistantAgent("assistant", model_client=ReplayChatCompletionClient(["def fibonacci(n): ...", last]))
    approved = TextMentionTermination("APPROVE")
    team = RoundRobinGroupChat([assistant], name="conversation", termination_condition=approved, max_turns=2)
    team = recorded(team, url, scope=scope, trace_id=trace_id)
    result = await team.run(task=FIBONACCI)
    if result.stop_reason == "Text 'APPROVE' mentioned":
        scored(0.8, team, agent_id="supervisor", reason="productive_conversation")
    else:
        scored(-0.3, team, agent_id="supervisor", reason="nothing_came_of_it")
    assert team._semp_wrapper.reporter.recording.flush(30)  # type: ignore[attr-defined]
    found = trace_of(url, trace_id)

    started, *between, ended, judged = found.events
    assert [(event["type"], event["scope"], event["agent_id"]) for event in between] == [
        (kind, scope, "assistant") for kind in ("proposal", "ready") * 2
    ]  # fmt: skip
    assert [found.parents(event) for event in between] == [
        [("proposal", "conversation")], [("proposal", "assistant")], [("ready", "assistant")], [("proposal", "assistant")],
    ]  # fmt: skip
    assert (judged["type"], judged["agent_id"]) == ("reward" if last == "APPROVE" else "penalty", "supervisor")
    assert judged["parent_ids"] == [ended["id"]]
    assert found.causes(judged) == {event["id"] for event in (started, *between, ended)}
    strong = [signal["pattern"] for signal in get(url, "/api/signals", scope=scope) if signal["strength"] > 0.7]
    assert strong == (["conversation"] if last == "APPROVE" else [])
