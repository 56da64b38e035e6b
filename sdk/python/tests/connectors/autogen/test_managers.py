"""Teams whose manager has a model of its own: one that chooses who speaks, and one that keeps a ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from autogen_agentchat.base import ChatAgent, Team
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_agentchat.messages import SelectorEvent, SelectSpeakerEvent
from autogen_agentchat.teams import MagenticOneGroupChat, RoundRobinGroupChat, SelectorGroupChat
from conftest import Stored
from replayed import Plain, agent, calls, model, names, recorder_at, told
from semp_sdk.connectors.autogen import TeamRecorder, scored


@pytest.fixture
def recorder(url: str) -> Iterator[TeamRecorder]:
    with recorder_at(url) as found:
        yield found


def shape(found: Stored) -> list[tuple[str, str]]:
    return [(event["type"], event["payload"]["action"]) for event in found.events]


def turns(found: Stored, team: str) -> list[str]:
    """Who spoke, in order, where each turn follows from the one before, the first from the team's start, and the end from the last."""
    began = [event for event in found.of("proposal") if event["scope"] == "news" and event["payload"]["action"] != team]
    ended = [event for event in found.events if event["type"] != "proposal" and event["scope"] == "news"]
    before = found.one("proposal", team)
    for turn, end in zip(began, ended, strict=False):
        assert turn["parent_ids"] == [before["id"]], f"{turn['payload']['action']} follows from {found.parents(turn)}"
        assert turn["id"] in end["parent_ids"]
        before = end
    assert ended[-1]["payload"]["action"] == team
    assert ended[-1]["parent_ids"] == [found.one("proposal", team)["id"], before["id"]]
    assert len(ended) == len(began) + 1
    return [turn["payload"]["action"] for turn in began]


# A model chooses who speaks


async def test_a_model_chooses_who_speaks_and_its_calls_are_nobody_s_work(recorder: TeamRecorder) -> None:
    """It names nobody, then two, then one who may not speak again, and at last somebody; what it was asked is no turn and no message."""
    chooser = model("writer", "hm", "writer or critic", "writer", "critic", "editor")
    agents: list[ChatAgent | Team] = [agent("writer", "a draft"), agent("critic", "shorter"), agent("editor", "APPROVE")]
    team = SelectorGroupChat(agents, model_client=chooser, termination_condition=TextMentionTermination("APPROVE"), max_selector_attempts=5)
    await recorder.watch(team).run(task="write")
    found = told(recorder)
    assert len(chooser.create_calls) == 6
    assert turns(found, "SelectorGroupChat") == ["writer", "critic", "editor"]
    assert len(found.events) == 8
    end = found.one("ready", "SelectorGroupChat")["payload"]
    assert (end["turns"], end["messages"], end["stop_reason"]) == (3, 4, "Text 'APPROVE' mentioned")


async def test_one_model_for_the_choice_and_for_the_answers_is_counted_where_it_answers(recorder: TeamRecorder) -> None:
    shared = model("writer", "one two three", "critic", "four")
    agents: list[ChatAgent | Team] = [agent(name) for name in ("writer", "critic", "editor")]
    for each in agents:
        setattr(each, "_model_client", shared)  # noqa: B010 - AutoGen has no public name for it
    await recorder.watch(SelectorGroupChat(agents, model_client=shared, max_turns=2)).run(task="write")
    found = told(recorder)
    assert turns(found, "SelectorGroupChat") == ["writer", "critic"]
    assert [found.one("ready", name)["payload"]["output_tokens"] for name in ("writer", "critic")] == [3, 1]
    assert "output_tokens" not in found.one("ready", "SelectorGroupChat")["payload"]


@pytest.mark.parametrize("streaming", [False, True])
async def test_what_the_choice_says_in_the_team_s_stream_is_no_message_of_it(recorder: TeamRecorder, streaming: bool) -> None:
    team = SelectorGroupChat(
        [agent("writer", "1"), agent("critic", "2"), agent("editor")], model_client=model("writer", "critic"), max_turns=2,
        emit_team_events=True, model_client_streaming=streaming,
    )  # fmt: skip
    seen = [type(message) async for message in recorder.watch(team).run_stream(task="write")]
    assert seen.count(SelectSpeakerEvent) == 2
    assert seen.count(SelectorEvent) == 2 * streaming
    found = told(recorder)
    assert turns(found, "SelectorGroupChat") == ["writer", "critic"]
    assert found.one("ready", "SelectorGroupChat")["payload"]["messages"] == 3


async def test_a_speaker_who_is_chosen_again_follows_from_what_it_said(recorder: TeamRecorder) -> None:
    agents: list[ChatAgent | Team] = [agent("writer", "1", "2"), agent("critic", "3")]
    team = SelectorGroupChat(agents, model_client=model("writer", "writer", "critic"), max_turns=3, allow_repeated_speaker=True)
    await recorder.watch(team).run(task="write")
    assert turns(told(recorder), "SelectorGroupChat") == ["writer", "writer", "critic"]


async def test_a_team_that_a_model_chooses_is_one_turn(recorder: TeamRecorder) -> None:
    desk = RoundRobinGroupChat([agent("left", "1"), agent("right", "2")], max_turns=2, name="desk", description="writes")
    chooser = model("planner", "desk", "critic")
    team = SelectorGroupChat([agent("planner", "0"), desk, agent("critic", "3")], model_client=chooser, max_turns=3)
    await recorder.watch(team).run(task="write")
    found = told(recorder)
    assert turns(found, "SelectorGroupChat") == ["planner", "desk", "critic"]
    assert names(found, found.one("proposal", "left")) == [("proposal", "desk")]


async def test_a_choice_that_fails_fails_the_run_and_no_turn(recorder: TeamRecorder) -> None:
    team = SelectorGroupChat([agent("writer", "1"), agent("critic"), agent("editor")], model_client=model("writer"), max_turns=2)
    with pytest.raises(RuntimeError, match="No more mock responses"):
        await recorder.watch(team).run(task="write")
    found = told(recorder)
    assert turns(found, "SelectorGroupChat") == ["writer"]
    assert "No more mock responses" in found.one("penalty", "SelectorGroupChat")["payload"]["reason"]
    assert not found.of("penalty", "writer")


# A model keeps a ledger


def ledger(speaker: str, satisfied: str = "", progress: bool = True) -> str:
    """What the orchestrator's model says of how things stand. `satisfied`: why there is nothing left to do."""
    answers: dict[str, Any] = {
        "is_request_satisfied": bool(satisfied), "is_in_loop": False, "is_progress_being_made": progress,
        "next_speaker": speaker, "instruction_or_question": f"your turn, {speaker}",
    }  # fmt: skip
    return json.dumps({key: {"reason": satisfied or "so it seems", "answer": answer} for key, answer in answers.items()})


PLAN = ("facts", "a plan")


async def test_turns_under_an_orchestrator_follow_each_other_and_its_ledger_is_nobody_s_work(recorder: TeamRecorder) -> None:
    speakers = [ledger("coder"), "not json", ledger("tester"), ledger("coder")]
    keeper = model(*PLAN, *speakers, ledger("", satisfied="all green"), "the answer")
    coder, tester = agent("coder", "a fix", "a better fix"), agent("tester", "one test fails")
    team = MagenticOneGroupChat([coder, tester], keeper)
    result = await recorder.watch(team).run(task="mend it")
    assert result.messages[-1].to_text() == "the answer"
    found = told(recorder)
    assert len(keeper.create_calls) == 8
    assert turns(found, "MagenticOneGroupChat") == ["coder", "tester", "coder"]
    assert len(found.events) == 8
    assert "MagenticOneOrchestrator" not in json.dumps(found.events)
    assert [found.of("ready", "coder")[0]["payload"]["output_tokens"], found.one("ready", "tester")["payload"]["output_tokens"]] == [2, 3]
    end = found.one("ready", "MagenticOneGroupChat")["payload"]
    assert (end["status"], end["turns"]) == ("completed", 3)
    assert end["messages"] == len(result.messages)


@pytest.mark.parametrize("second", ["tester", "coder", "reader"])
async def test_after_a_new_plan_the_next_turn_still_follows_from_the_last_one(recorder: TeamRecorder, second: str) -> None:
    """Agents forget what was said when the orchestrator plans anew: it alone has read what led to the new plan."""
    keeper = model(
        *PLAN, ledger("coder"), ledger("tester"), ledger("coder", progress=False), "more facts", "another plan",
        ledger(second), ledger("", satisfied="done"), "the answer",
    )  # fmt: skip
    team = MagenticOneGroupChat([agent("coder", "1", "2"), agent("tester", "3", "4"), agent("reader", "5")], keeper, max_stalls=1)
    await recorder.watch(team).run(task="mend it")
    assert turns(told(recorder), "MagenticOneGroupChat") == ["coder", "tester", second]


async def test_tools_under_an_orchestrator_are_part_of_the_turn(recorder: TeamRecorder) -> None:
    async def look() -> str:
        return "seen"

    keeper = model(*PLAN, ledger("coder"), ledger("tester"), ledger("", satisfied="done"), "the answer")
    coder = agent("coder", calls(("look", {})), "a fix", tools=[look], max_tool_iterations=2)
    await recorder.watch(MagenticOneGroupChat([coder, agent("tester", "fine")], keeper)).run(task="mend it")
    found = told(recorder)
    assert turns(found, "MagenticOneGroupChat") == ["coder", "tester"]
    assert names(found, found.one("proposal", "look")) == [("proposal", "coder")]
    assert names(found, found.one("ready", "coder")) == [("proposal", "coder"), ("ready", "look")]


async def test_why_an_orchestrator_stopped_is_told(recorder: TeamRecorder) -> None:
    keeper = model(*PLAN, *[ledger("coder")] * 2, "time is up")
    await recorder.watch(MagenticOneGroupChat([agent("coder", "1", "2")], keeper, max_turns=1, name="rounds")).run(task="mend it")
    keeper = model(*PLAN, *[ledger("coder")] * 2)
    ends = TextMentionTermination("2") | MaxMessageTermination(50)
    await recorder.watch(MagenticOneGroupChat([agent("coder", "1", "2")], keeper, termination_condition=ends, name="words")).run(task="it")
    found = told(recorder)
    assert found.one("ready", "rounds")["payload"]["stop_reason"] == "Max rounds reached."
    assert found.one("ready", "words")["payload"]["stop_reason"] == "Text '2' mentioned"


@pytest.mark.parametrize("content", [False, True])
async def test_what_the_ledger_says_of_the_task_is_told_on_request_only(url: str, content: bool) -> None:
    keeper = model(*PLAN, ledger("coder"), ledger("", satisfied="the secret is 42"), "the answer is a secret")
    with recorder_at(url, content=content) as recorder:
        await recorder.watch(MagenticOneGroupChat([agent("coder", "1")], keeper, name="desk")).run(task="mend it")
        found = told(recorder)
    assert ("secret" in json.dumps(found.events)) is content
    assert found.one("ready", "desk")["payload"]["stop_reason"] == ("the secret is 42" if content else "final answer")


async def test_a_run_under_an_orchestrator_follows_from_the_one_before_and_can_be_scored(recorder: TeamRecorder) -> None:
    keeper = model(*[*PLAN, ledger("coder"), ledger("", satisfied="done"), "the answer"] * 2)
    coder = agent("coder", "1", "2")
    team = recorder.watch(MagenticOneGroupChat([coder], keeper, name="desk"))
    await team.run(task="mend it")
    await team.run(task="and again")
    scored(0.5, team)
    found = told(recorder)
    first, second = found.of("proposal", "desk")
    assert second["parent_ids"] == [found.of("ready", "desk")[0]["id"]]
    assert [turn["parent_ids"] for turn in found.of("proposal", "coder")] == [[first["id"]], [second["id"]]]
    assert found.parents(found.one("reward")) == [("ready", "desk")]


async def test_a_ledger_that_cannot_be_read_fails_the_run_and_no_turn(recorder: TeamRecorder) -> None:
    keeper = model(*PLAN, ledger("coder"), ledger("nobody"))
    with pytest.raises(RuntimeError, match="Failed to parse ledger"):
        await recorder.watch(MagenticOneGroupChat([agent("coder", "1"), agent("tester")], keeper)).run(task="mend it")
    found = told(recorder)
    assert turns(found, "MagenticOneGroupChat") == ["coder"]
    assert "Failed to parse ledger" in found.one("penalty", "MagenticOneGroupChat")["payload"]["reason"]


async def test_an_agent_that_fails_under_an_orchestrator_fails_its_turn_and_the_run(recorder: TeamRecorder) -> None:
    def broken() -> str:
        raise ZeroDivisionError("by zero")

    keeper = model(*PLAN, ledger("coder"), ledger("tester"))
    with pytest.raises(RuntimeError, match="by zero"):
        await recorder.watch(MagenticOneGroupChat([agent("coder", "1"), Plain("tester", broken)], keeper, name="desk")).run(task="mend it")
    found = told(recorder)
    assert [found.one("penalty", name)["payload"]["reason"] for name in ("tester", "desk")] == ["ZeroDivisionError: by zero"] * 2
    assert names(found, found.one("proposal", "tester")) == [("ready", "coder")]
