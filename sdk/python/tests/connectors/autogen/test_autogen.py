"""Teams of AutoGen, told as events. The model is AutoGen's own, which replays written answers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any

import pytest
from autogen_agentchat.agents import CodeExecutorAgent, SocietyOfMindAgent
from autogen_agentchat.base import Response
from autogen_agentchat.conditions import ExternalTermination, HandoffTermination, MaxMessageTermination, TextMentionTermination
from autogen_agentchat.messages import BaseChatMessage, TextMessage, ToolCallExecutionEvent, ToolCallRequestEvent
from autogen_agentchat.teams import DiGraphBuilder, GraphFlow, RoundRobinGroupChat, SelectorGroupChat, Swarm
from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_agentchat.ui import Console
from autogen_core import CancellationToken, SingleThreadedAgentRuntime
from autogen_core.code_executor import CodeBlock, CodeExecutor, CodeResult
from autogen_core.models import FunctionExecutionResult
from autogen_core.tools import FunctionTool, StaticStreamWorkbench, StaticWorkbench
from conftest import Stored, get, trace_of
from replayed import Plain, agent, calls, model, names, recorder_at, told
from semp_sdk.connectors.autogen import TeamRecorder, recorded, scored
from semp_sdk.identifiers import new_id
from semp_sdk.tracing import current_trace, trace


@pytest.fixture
def recorder(url: str) -> Iterator[TeamRecorder]:
    with recorder_at(url) as found:
        yield found


async def test_turns_follow_each_other_and_the_run_ends_with_the_reason(recorder: TeamRecorder) -> None:
    team = RoundRobinGroupChat([agent("writer", "a draft", "better"), agent("critic", "shorter", "APPROVE")],
                               termination_condition=TextMentionTermination("APPROVE"))  # fmt: skip
    assert recorder.watch(team) is team
    result = await team.run(task="write")
    assert [message.source for message in result.messages] == ["user", "writer", "critic", "writer", "critic"]
    found = told(recorder)
    assert [(event["type"], event["payload"]["action"]) for event in found.events] == [
        ("proposal", "RoundRobinGroupChat"), ("proposal", "writer"), ("ready", "writer"), ("proposal", "critic"), ("ready", "critic"),
        ("proposal", "writer"), ("ready", "writer"), ("proposal", "critic"), ("ready", "critic"), ("ready", "RoundRobinGroupChat"),
    ]  # fmt: skip
    for before, after in zip(found.events[:-2], found.events[1:-1], strict=True):
        assert before["id"] in after["parent_ids"]
        assert len(after["parent_ids"]) == 1
    end = found.events[-1]
    assert names(found, end) == [("proposal", "RoundRobinGroupChat"), ("ready", "critic")]
    assert end["payload"] | {"seconds": 0} == {
        "action": "RoundRobinGroupChat", "status": "completed", "turns": 4, "messages": 5, "seconds": 0,
        "stop_reason": "Text 'APPROVE' mentioned",
    }  # fmt: skip
    turn = found.of("ready", "writer")[0]
    assert (turn["scope"], turn["agent_id"]) == ("news", "writer")
    assert turn["payload"]["message"] == "TextMessage"
    assert turn["payload"]["output_tokens"] > 0


async def test_a_stream_shown_by_the_console_is_told(recorder: TeamRecorder) -> None:
    team = recorder.watch(RoundRobinGroupChat([agent("writer", "a", model_client_stream=True)], max_turns=1))
    await Console(team.run_stream(task="write"))
    found = told(recorder)
    assert len(found.events) == 4


async def test_contents_are_told_on_request_only(recorder: TeamRecorder, url: str) -> None:
    async def run(recorder: TeamRecorder) -> str:
        writer = agent("writer", calls(("look", {"word": "secret-3"})), tools=[look], reflect_on_tool_use=False)
        await recorder.watch(RoundRobinGroupChat([writer], max_turns=1)).run(task="secret-1")
        return json.dumps(told(recorder).events)

    async def look(word: str) -> str:
        return "secret-2"

    assert "secret" not in await run(recorder)
    with recorder_at(url, content=True) as open_one:
        shown = await run(open_one)
        assert all(word in shown for word in ("secret-1", "secret-2", "secret-3"))


async def test_tools_called_together_stand_side_by_side_in_the_turn(recorder: TeamRecorder) -> None:
    async def add(number: int) -> int:
        return number + 1

    team = RoundRobinGroupChat(
        [agent("counter", calls(("add", {"number": 1}), ("add", {"number": 2})), calls(("add", {"number": 3})), "5",
               tools=[add], max_tool_iterations=5)],
        max_turns=1,
    )  # fmt: skip
    await recorder.watch(team).run(task="count")
    found = told(recorder)
    asked, answered = found.of("proposal", "add"), found.of("ready", "add")
    turn = found.one("proposal", "counter")
    assert [event["parent_ids"] for event in asked[:2]] == [[turn["id"]], [turn["id"]]]
    assert [event["parent_ids"] for event in answered[:2]] == [[asked[0]["id"]], [asked[1]["id"]]]
    assert set(asked[2]["parent_ids"]) == {answered[0]["id"], answered[1]["id"]}  # the second round has seen both results
    assert {event["scope"] for event in asked} == {"news.counter"}
    end = found.one("ready", "counter")
    assert names(found, end) == [("proposal", "counter"), ("ready", "add")]
    assert end["payload"]["tool_calls"] == 3


async def test_a_tool_that_fails_earns_a_penalty_and_its_retry_follows_from_it(recorder: TeamRecorder) -> None:
    tries = [OSError("no route"), "sunny"]

    async def forecast() -> str:
        found = tries.pop(0)
        if isinstance(found, OSError):
            raise found
        return found

    team = RoundRobinGroupChat(
        [agent("weather", calls(("forecast", {})), calls(("forecast", {})), "sunny", tools=[forecast], max_tool_iterations=3)], max_turns=1
    )  # fmt: skip
    await recorder.watch(team).run(task="?")
    found = told(recorder)
    penalty = found.one("penalty", "forecast")
    assert "no route" in penalty["payload"]["reason"]
    assert (penalty["payload"]["value"], penalty["scope"]) == (-0.5, "news.weather")
    assert found.of("proposal", "forecast")[1]["parent_ids"] == [penalty["id"]]
    assert found.of("ready", "weather")


async def test_a_failed_test_instead_of_a_penalty(url: str) -> None:
    async def forecast() -> str:
        raise OSError("no route")

    with recorder_at(url, on_failure="test") as recorder:
        await recorder.watch(agent("weather", calls(("forecast", {})), tools=[forecast])).run(task="?")
        assert told(recorder).one("test", "forecast")["payload"]["status"] == "failed"


async def test_handoffs_name_who_is_next(recorder: TeamRecorder) -> None:
    alice = agent("alice", calls(("transfer_to_bob", {})), handoffs=["bob"])
    bob = agent("bob", calls(("transfer_to_user", {})), "glad to help", handoffs=["user"])
    team = Swarm([alice, bob], termination_condition=HandoffTermination("user") | MaxMessageTermination(20))
    await recorder.watch(team).run(task="help")
    found = told(recorder)
    assert found.one("ready", "alice")["payload"]["handoff"] == "bob"
    assert names(found, found.one("ready", "alice")) == [("proposal", "alice"), ("ready", "transfer_to_bob")]
    assert names(found, found.one("proposal", "bob")) == [("ready", "alice")]
    assert found.one("ready", "Swarm")["payload"]["stop_reason"].startswith("Handoff to user")


async def test_a_run_continued_follows_from_the_run_before_until_the_team_is_reset(recorder: TeamRecorder) -> None:
    team = recorder.watch(RoundRobinGroupChat([agent("writer", "1", "2", "3")], max_turns=1))
    await team.run(task="write")
    await team.run()
    await team.reset()
    await team.run(task="write")
    found = told(recorder)
    runs, ends = found.of("proposal", "RoundRobinGroupChat"), found.of("ready", "RoundRobinGroupChat")
    assert [run["parent_ids"] for run in runs] == [[], [ends[0]["id"]], []]
    assert [turn["parent_ids"] for turn in found.of("proposal", "writer")] == [[run["id"]] for run in runs]


async def test_a_selector_chooses_who_speaks_also_twice_in_a_row(recorder: TeamRecorder) -> None:
    order = iter(["writer", "writer", "critic"])
    team = SelectorGroupChat([agent("writer", "1", "2"), agent("critic", "3")], model_client=model(), max_turns=3,
                             selector_func=lambda _: next(order), allow_repeated_speaker=True)  # fmt: skip
    await recorder.watch(team).run(task="write")
    found = told(recorder)
    first, second = found.of("ready", "writer")
    assert found.of("proposal", "writer")[1]["parent_ids"] == [first["id"]]
    assert found.one("proposal", "critic")["parent_ids"] == [second["id"]]


def flow(*edges: tuple[str, str] | tuple[str, str, Any], says: dict[str, Any] | None = None, **options: Any) -> GraphFlow:
    """A graph of these edges: from, to and, where there is one, the condition. Nodes say "done", or what is given for them."""
    nodes = {name: Plain(name, (says or {}).get(name, "done")) for edge in edges for name in edge[:2]}
    graph = DiGraphBuilder()
    for node in nodes.values():
        graph.add_node(node)
    for source, target, *condition in edges:
        graph.add_edge(nodes[source], nodes[target], *condition)
    if "start" in nodes:
        graph.set_entry_point(nodes["start"])
    return GraphFlow(list(nodes.values()), graph.build(), **options)


def leading_to(found: Stored, action: str) -> list[list[str]]:
    """Of each turn, whose turns it follows from."""
    return [sorted(str(action) for _, action in found.parents(turn)) for turn in found.of("proposal", action)]


async def test_branches_stand_side_by_side_and_a_join_has_all_of_them_as_parents(recorder: TeamRecorder) -> None:
    def slow(seconds: float) -> Any:
        async def answer() -> str:
            await asyncio.sleep(seconds)
            return "x"

        return answer

    start, quick, late, join = Plain("start"), Plain("quick"), Plain("late", slow(0.1)), Plain("join")
    graph = DiGraphBuilder()
    for node in (start, quick, late, join):
        graph.add_node(node)
    graph.add_edge(start, quick).add_edge(start, late).add_edge(quick, join).add_edge(late, join)
    team = GraphFlow([start, quick, late, join], graph.build())
    await recorder.watch(team).run(task="go")
    found = told(recorder)
    for branch in ("quick", "late"):
        assert names(found, found.one("proposal", branch)) == [("ready", "start")]
    assert names(found, found.one("proposal", "join")) == [("ready", "late"), ("ready", "quick")]
    assert names(found, found.one("ready", "GraphFlow"))[1] == ("ready", "join")


async def test_a_join_of_branches_of_unequal_length_follows_from_its_edges_and_from_nothing_else(recorder: TeamRecorder) -> None:
    team = flow(("s", "q"), ("s", "l"), ("l", "m"), ("q", "j"), ("m", "j"))
    await recorder.watch(team).run(task="go")
    found = told(recorder)
    assert {name: leading_to(found, name) for name in "sqlmj"} == {
        "s": [["GraphFlow"]], "q": [["s"]], "l": [["s"]], "m": [["l"]], "j": [["m", "q"]],
    }  # fmt: skip
    assert names(found, found.one("ready", "GraphFlow")) == [("proposal", "GraphFlow"), ("ready", "j")]


async def test_roots_of_a_graph_stand_side_by_side(recorder: TeamRecorder) -> None:
    await recorder.watch(flow(("a", "b"), ("c", "j"), ("b", "j"))).run(task="go")
    found = told(recorder)
    assert {name: leading_to(found, name) for name in "abcj"} == {
        "a": [["GraphFlow"]], "b": [["a"]], "c": [["GraphFlow"]], "j": [["b", "c"]],
    }  # fmt: skip
    assert names(found, found.one("ready", "GraphFlow")) == [("proposal", "GraphFlow"), ("ready", "j")]


async def test_a_turn_in_a_loop_follows_from_what_has_come_since_its_last_one(recorder: TeamRecorder) -> None:
    verdicts = iter(["no", "no", "yes"])
    asked: list[BaseChatMessage] = []

    def stateful(message: BaseChatMessage) -> bool:
        asked.append(message)
        return "yes" in message.to_model_text()

    team = flow(("start", "draft"), ("draft", "check"), ("check", "start", "no"), ("check", "print", stateful), ("check", "mail", "yes"),
                says={"check": lambda: next(verdicts)}, termination_condition=MaxMessageTermination(20))  # fmt: skip
    await recorder.watch(team).run(task="go")
    found = told(recorder)
    assert leading_to(found, "start") == [["GraphFlow"], ["check"], ["check"]]
    assert leading_to(found, "draft") == [["start"]] * 3
    checks = found.of("ready", "check")
    assert [turn["parent_ids"] for turn in found.of("proposal", "start")[1:]] == [[checks[0]["id"]], [checks[1]["id"]]]
    assert [found.one("proposal", name)["parent_ids"] for name in ("print", "mail")] == [[checks[2]["id"]]] * 2
    assert len(asked) == 3  # a condition that is a function is not asked twice


async def test_an_edge_that_was_not_taken_is_no_cause(recorder: TeamRecorder) -> None:
    team = flow(("s", "q"), ("s", "l"), ("q", "j", "never"), ("q", "p", "done"), ("l", "m"), ("m", "j"))
    for node in team._graph.nodes.values():  # type: ignore[attr-defined]
        for edge in node.edges:
            edge.activation_condition = "any"
    await recorder.watch(team).run(task="go")
    found = told(recorder)
    assert leading_to(found, "j") == [["m"]]
    assert leading_to(found, "p") == [["q"]]


async def test_a_team_in_a_team_is_one_step_of_it(recorder: TeamRecorder) -> None:
    inner = RoundRobinGroupChat([agent("writer", "1"), agent("critic", "2")], max_turns=2, name="desk")
    outer = RoundRobinGroupChat([agent("planner", "0"), inner, agent("editor", "3")], max_turns=3, name="paper")
    result = await recorder.watch(outer).run(task="write")
    assert [message.source for message in result.messages] == ["user", "planner", "writer", "critic", "editor"]
    found = told(recorder)
    assert names(found, found.one("proposal", "desk")) == [("ready", "planner")]
    assert names(found, found.one("proposal", "writer")) == [("proposal", "desk")]
    assert names(found, found.one("ready", "desk")) == [("proposal", "desk"), ("ready", "critic")]
    assert names(found, found.one("proposal", "editor")) == [("ready", "desk")]
    assert [found.one("proposal", name)["scope"] for name in ("paper", "desk", "writer")] == ["news", "news", "news.desk"]
    assert found.one("ready", "paper")["payload"]["turns"] == 3


async def test_a_turn_of_an_agent_of_several_teams_belongs_to_the_team_at_work(recorder: TeamRecorder) -> None:
    writer, critic = agent("writer", *"123"), agent("critic", "fine")
    both = recorder.watch(RoundRobinGroupChat([writer, critic], max_turns=2, name="both"))
    alone = recorder.watch(RoundRobinGroupChat([writer], max_turns=1, name="alone"))
    await both.run(task="write")
    await alone.run(task="write")
    await writer.run(task="write")
    found = told(recorder)
    assert names(found, found.one("proposal", "critic")) == [("ready", "writer")]
    assert names(found, found.one("ready", "both")) == [("proposal", "both"), ("ready", "critic")]
    assert [found.one("ready", name)["payload"]["turns"] for name in ("both", "alone")] == [2, 1]
    turns = found.of("proposal", "writer")
    assert [names(found, turn) for turn in turns] == [[("proposal", "both")], [("proposal", "alone")], [("ready", "writer")]]
    assert turns[2]["parent_ids"] == [found.of("ready", "writer")[1]["id"]]


@pytest.mark.parametrize("own_runtime", [False, True])
async def test_an_agent_of_a_team_and_of_a_team_in_it_works_for_the_inner_one(recorder: TeamRecorder, own_runtime: bool) -> None:
    runtime = SingleThreadedAgentRuntime() if own_runtime else None
    if runtime is not None:
        runtime.start()
    writer = agent("writer", "1", "2")
    desk = RoundRobinGroupChat([writer, agent("critic", "fine")], max_turns=2, name="desk", runtime=runtime)
    await recorder.watch(RoundRobinGroupChat([writer, desk], max_turns=2, name="paper", runtime=runtime)).run(task="write")
    if runtime is not None:
        await runtime.stop_when_idle()
    found = told(recorder)
    assert [names(found, turn) for turn in found.of("proposal", "writer")] == [[("proposal", "paper")], [("proposal", "desk")]]
    assert names(found, found.one("proposal", "critic")) == [("ready", "writer")]


async def test_two_teams_at_work_at_once_may_share_an_agent(url: str) -> None:
    async def slow() -> str:
        await asyncio.sleep(0.02)
        return "x"

    with recorder_at(url, trace_id=None, scope=(scope := f"s{new_id()}")) as recorder:
        shared = Plain("shared", slow)
        teams = [recorder.watch(RoundRobinGroupChat([shared, Plain(f"{name}2")], max_turns=4, name=name)) for name in ("first", "second")]
        await asyncio.gather(*(team.run(task="go") for team in teams))
    found = Stored(get(url, "/api/events", scope=scope, order="asc"))
    for name in ("first", "second"):
        run = [event for event in found.events if event["trace_id"] == found.one("proposal", name)["trace_id"]]
        assert [event["payload"]["action"] for event in run] == [name, *(["shared"] * 2 + [f"{name}2"] * 2) * 2, name]
        assert found.one("ready", name)["payload"]["turns"] == 4


async def test_a_participant_that_is_also_a_tool_works_for_the_call(recorder: TeamRecorder) -> None:
    poet = agent("poet", "roses are red", "violets are blue")
    lead = agent("lead", calls(("poet", {"task": "a poem"})), "here", tools=[AgentTool(poet)], max_tool_iterations=2)
    await recorder.watch(RoundRobinGroupChat([lead, poet], max_turns=2)).run(task="a poem, please")
    found = told(recorder)
    call, inner, turn = found.of("proposal", "poet")
    assert inner["parent_ids"] == [call["id"]]
    assert names(found, turn) == [("ready", "lead")]


async def test_an_agent_that_is_a_tool_works_for_the_call(recorder: TeamRecorder) -> None:
    async def rhyme() -> str:
        return "blue"

    poet = agent("poet", calls(("rhyme", {})), "roses are red", tools=[rhyme], max_tool_iterations=2)
    lead = agent("lead", calls(("poet", {"task": "a poem"})), "here", tools=[AgentTool(poet)], max_tool_iterations=2)
    await recorder.watch(lead).run(task="a poem, please")
    found = told(recorder)
    call, turn = found.of("proposal", "poet")
    assert names(found, call) == [("proposal", "lead")]
    assert turn["parent_ids"] == [call["id"]]
    assert found.one("proposal", "rhyme")["parent_ids"] == [turn["id"]]
    inner_end, call_end = found.of("ready", "poet")
    assert set(call_end["parent_ids"]) == {call["id"], inner_end["id"]}
    assert found.one("ready", "lead")["parent_ids"] == [found.one("proposal", "lead")["id"], call_end["id"]]


async def test_an_agent_that_is_called_twice_at_once_works_for_each_call(recorder: TeamRecorder) -> None:
    async def slow() -> str:
        await asyncio.sleep(0.02)
        return "a line"

    asked = calls(("poet", {"task": "a"}), ("poet", {"task": "b"}))
    lead = agent("lead", asked, "here", tools=[AgentTool(Plain("poet", slow))], max_tool_iterations=2)
    await recorder.watch(RoundRobinGroupChat([lead], max_turns=1)).run(task="two poems, please")
    found = told(recorder)
    asked_for, turns = found.of("proposal", "poet")[:2], found.of("proposal", "poet")[2:]
    assert [turn["parent_ids"] for turn in turns] == [[call["id"]] for call in asked_for]
    assert {turn["scope"] for turn in turns} == {"news.lead"}
    ends = [event for event in found.of("ready", "poet") if "tool_calls" not in event["payload"]]
    for call, turn in zip(asked_for, turns, strict=True):
        [done] = [end for end in ends if end["parent_ids"] == [turn["id"]]]
        assert [end["parent_ids"] for end in ends if call["id"] in end["parent_ids"]] == [[call["id"], done["id"]]]
    assert names(found, found.one("ready", "lead")) == [("proposal", "lead"), ("ready", "poet"), ("ready", "poet")]


@pytest.mark.parametrize("bench", [StaticWorkbench, StaticStreamWorkbench])
async def test_what_tools_called_together_do_follows_from_each_ones_call(recorder: TeamRecorder, bench: type[StaticWorkbench]) -> None:
    seen: dict[str, Any] = {}

    async def look(word: str) -> str:
        await asyncio.sleep(0.01)
        here = current_trace()
        seen[word] = here.parents if here is not None else None
        return word

    desk = RoundRobinGroupChat([Plain("writer")], max_turns=1, name="desk")
    tools: list[Any] = [FunctionTool(look, "looks"), AgentTool(Plain("poet")), TeamTool(desk, name="write", description="writes")]
    asked = calls(("look", {"word": "a"}), ("poet", {"task": "p"}), ("look", {"word": "b"}), ("write", {"task": "w"}))
    await recorder.watch(agent("lead", asked, "here", workbench=[bench(tools)], max_tool_iterations=2)).run(task="?")
    found = told(recorder)
    looks = found.of("proposal", "look")
    assert seen == {"a": (looks[0]["id"],), "b": (looks[1]["id"],)}
    call, turn = found.of("proposal", "poet")
    assert turn["parent_ids"] == [call["id"]]
    assert names(found, found.one("proposal", "desk")) == [("proposal", "write")]
    assert names(found, found.one("ready", "write")) == [("proposal", "write"), ("ready", "desk")]
    assert found.one("proposal", "desk")["scope"] == "news.lead"


async def test_of_calls_without_a_workbench_the_only_one_of_a_name_is_what_an_agent_works_for(recorder: TeamRecorder) -> None:
    seen: list[Any] = []
    poets = [Plain("poet"), Plain("twin")]
    asked = calls(("poet", {"task": "a"}), ("twin", {"task": "b"}), ("twin", {"task": "c"})).content
    assert not isinstance(asked, str)

    class Own(Plain):
        async def on_messages_stream(
            self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
        ) -> AsyncGenerator[Any, None]:
            yield ToolCallRequestEvent(content=asked, source=self.name)
            seen.append(current_trace())
            for poet in poets:
                await poet.run(task="?")
            done = [FunctionExecutionResult(content="", name=call.name, call_id=call.id, is_error=False) for call in asked]
            yield ToolCallExecutionEvent(content=done, source=self.name)
            yield Response(chat_message=TextMessage(content="x", source=self.name))

    for poet in poets:
        recorder.watch(poet)
    await recorder.watch(RoundRobinGroupChat([Own("own")], max_turns=1)).run(task="go")
    found = told(recorder)
    call, turn = found.of("proposal", "poet")
    assert turn["parent_ids"] == [call["id"]]
    *twins, turn = found.of("proposal", "twin")
    assert names(found, turn) == [("proposal", "own")]
    assert set(seen[0].parents) == {call["id"], *(twin["id"] for twin in twins)}


async def test_a_team_that_is_a_tool_works_for_the_call(recorder: TeamRecorder) -> None:
    desk = RoundRobinGroupChat([agent("writer", "1")], max_turns=1, name="desk")
    tool = TeamTool(desk, name="write", description="writes")
    await recorder.watch(agent("lead", calls(("write", {"task": "a poem"})), "here", tools=[tool], max_tool_iterations=2)).run(task="?")
    found = told(recorder)
    assert names(found, found.one("proposal", "desk")) == [("proposal", "write")]
    assert names(found, found.one("ready", "write")) == [("proposal", "write"), ("ready", "desk")]
    assert found.one("proposal", "writer")["scope"] == "news.lead.desk"


async def test_a_society_of_mind_has_its_team_inside_its_turn(recorder: TeamRecorder) -> None:
    inner = RoundRobinGroupChat([agent("left", "1"), agent("right", "2")], max_turns=2, name="minds")
    society = SocietyOfMindAgent("society", inner, model("both"))
    await recorder.watch(RoundRobinGroupChat([society, agent("critic", "fine")], max_turns=2)).run(task="think")
    found = told(recorder)
    assert names(found, found.one("proposal", "minds")) == [("proposal", "society")]
    assert names(found, found.one("proposal", "left")) == [("proposal", "minds")]
    assert names(found, found.one("ready", "society")) == [("proposal", "society"), ("ready", "minds")]
    assert names(found, found.one("proposal", "critic")) == [("ready", "society")]


class Executor(CodeExecutor):
    """Says of code what was written beforehand."""

    def __init__(self, *results: CodeResult) -> None:
        self.results = list(results)

    async def execute_code_blocks(self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken) -> CodeResult:
        return self.results.pop(0)

    async def restart(self) -> None: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


async def test_code_that_runs_is_a_test(recorder: TeamRecorder) -> None:
    block = "```python\nprint(1)\n```"
    answers = model(block, '{"retry": true, "reason": "a name is missing"}', block, "it prints 1")
    executor = Executor(CodeResult(1, "NameError"), CodeResult(0, "1"))
    with pytest.warns(UserWarning, match="approval"):
        coder = CodeExecutorAgent("coder", executor, max_retries_on_error=1, model_client=answers)
    await recorder.watch(coder).run(task="print 1")
    found = told(recorder)
    failed, passed = found.of("test", "run_code")
    assert [test["payload"]["status"] for test in (failed, passed)] == ["failed", "passed"]
    assert passed["parent_ids"] == [failed["id"]]
    assert "NameError" not in json.dumps(found.events)


async def test_an_agent_that_raises_fails_its_turn_and_the_run_and_nothing_else_changes(recorder: TeamRecorder) -> None:
    def broken() -> str:
        raise ZeroDivisionError("by zero")

    team = recorder.watch(RoundRobinGroupChat([agent("writer", "1"), Plain("critic", broken)], name="desk"))
    with pytest.raises(RuntimeError, match="by zero"):
        await team.run(task="write")
    found = told(recorder)
    turn, run = found.one("penalty", "critic"), found.one("penalty", "desk")
    assert names(found, turn) == [("proposal", "critic")]
    assert names(found, run) == [("penalty", "critic"), ("proposal", "desk")]
    assert turn["payload"]["reason"] == run["payload"]["reason"] == "ZeroDivisionError: by zero"
    assert not found.of("ready", "critic")


async def test_what_was_cancelled_is_no_failure(recorder: TeamRecorder) -> None:
    token, asleep = CancellationToken(), asyncio.Event()

    async def forever() -> str:
        asleep.set()
        await token.link_future(asyncio.ensure_future(asyncio.sleep(60)))
        return ""

    team = recorder.watch(RoundRobinGroupChat([Plain("sleeper", forever)], name="desk"))
    running = asyncio.create_task(team.run(task="sleep", cancellation_token=token))
    await asleep.wait()
    token.cancel()
    with pytest.raises((asyncio.CancelledError, RuntimeError)):
        await running
    found = told(recorder)
    assert [found.one("ready", name)["payload"]["status"] for name in ("sleeper", "desk")] == ["cancelled", "cancelled"]


async def test_a_stream_that_nobody_reads_on_ends_the_run(recorder: TeamRecorder) -> None:
    team = recorder.watch(RoundRobinGroupChat([agent("writer", "1", "2", "3")], max_turns=3, name="desk"))
    stream = team.run_stream(task="write")
    await anext(stream)
    await stream.aclose()
    assert told(recorder).one("ready", "desk")["payload"]["status"] == "cancelled"


async def test_a_team_stopped_from_outside_says_so(recorder: TeamRecorder) -> None:
    stop = ExternalTermination()

    def answer() -> str:
        stop.set()
        return "done"

    await recorder.watch(RoundRobinGroupChat([Plain("worker", answer)], termination_condition=stop, name="desk")).run(task="go")
    assert told(recorder).one("ready", "desk")["payload"]["stop_reason"] == "External termination requested"


async def test_two_runs_at_once_do_not_mix(url: str) -> None:
    async def slow() -> str:
        await asyncio.sleep(0.02)
        return "x"

    with recorder_at(url, scope="one") as one, recorder_at(url, scope="two") as two:
        first = one.watch(RoundRobinGroupChat([Plain("a1", slow), Plain("a2", slow)], max_turns=6, name="first"))
        second = two.watch(RoundRobinGroupChat([Plain("b1", slow), Plain("b2", slow)], max_turns=6, name="second"))
        await asyncio.gather(first.run(task="go"), second.run(task="go"))
        for recorder, letter, scope in ((one, "a", "one"), (two, "b", "two")):
            found = told(recorder)
            assert len(found.events) == 14
            assert {event["scope"] for event in found.events} == {scope}
            assert {event["payload"]["action"][0] for event in found.events[1:-1]} == {letter}
            assert all(len(event["parent_ids"]) == 1 for event in found.events[1:-1])


async def test_one_agent_answers_two_tasks_at_once(url: str) -> None:
    async def slow() -> str:
        await asyncio.sleep(0.02)
        return "x"

    base = new_id()
    with recorder_at(url, trace_id=None) as recorder:
        lone = recorder.watch(Plain("lone", slow))

        async def ask(name: str) -> None:
            with trace(f"{base}-{name}"):
                await lone.run(task=name)

        await asyncio.gather(ask("a"), ask("b"))
    for name in ("a", "b"):
        assert [event["type"] for event in trace_of(url, f"{base}-{name}").events] == ["proposal", "ready"]


async def test_a_run_belongs_to_the_trace_around_it_and_is_what_comes_next_follows_from(url: str) -> None:
    seen: list[Any] = []

    async def look() -> str:
        seen.append(current_trace())
        return "seen"

    team = RoundRobinGroupChat([agent("writer", calls(("look", {})), tools=[look])], max_turns=1, name="desk")
    with recorder_at(url, trace_id=None) as recorder:
        cause = recorder.recording.started("before", trace_id=(own := new_id()))
        with trace(own, (cause,)):
            await recorder.watch(team).run(task="write")
            after = current_trace()
    found = trace_of(url, own)
    assert found.one("proposal", "desk")["parent_ids"] == [cause]
    assert after is not None
    assert after.parents == (found.one("ready", "desk")["id"],)
    assert seen[0].parents == (found.one("proposal", "look")["id"],)  # what a tool emits follows from its call


async def test_each_run_is_a_trace_and_so_is_a_run_that_goes_on(url: str) -> None:
    team = RoundRobinGroupChat([agent("writer", "1", "2", "3")], max_turns=1, name="desk")
    with recorder_at(url, trace_id=None, scope=(scope := f"s{new_id()}")) as recorder:
        await recorder.watch(team).run(task="write")
        await team.run()
        await team.reset()
        await team.run(task="write")
    runs = Stored(get(url, "/api/events", scope=scope, order="asc")).of("proposal", "desk")
    assert runs[0]["trace_id"] == runs[1]["trace_id"] != runs[2]["trace_id"]
    assert [len(run["parent_ids"]) for run in runs] == [0, 1, 0]


async def test_feedback_reaches_the_team_and_whoever_took_part(recorder: TeamRecorder) -> None:
    writer = agent("writer", "1")
    team = recorder.watch(RoundRobinGroupChat([writer], max_turns=1, name="desk"))
    assert scored(0.5, team) is None
    await team.run(task="write")
    scored(0.5, team, reason="readable")
    scored(-0.25, writer, agent_id="reader")
    scored(1, agent("stranger"))
    found = told(recorder)
    assert found.parents(found.one("reward", "desk")) == [("ready", "desk")]
    assert found.one("reward")["payload"]["reason"] == "readable"
    assert found.parents(found.one("penalty", "writer")) == [("ready", "writer")]
    assert [found.one("reward")["agent_id"], found.one("penalty")["agent_id"]] == ["autogen", "reader"]


async def test_two_lines_are_enough(url: str) -> None:
    team = recorded(RoundRobinGroupChat([agent("writer", "1")], max_turns=1), url, scope=(scope := f"s{new_id()}"))
    await team.run(task="write")
    team._semp_wrapper.reporter.recording.close()  # type: ignore[attr-defined]
    assert len(get(url, "/api/events", scope=scope)) == 4


async def test_a_scope_may_have_any_name(url: str) -> None:
    with recorder_at(url, scope="my team") as recorder:
        await recorder.watch(RoundRobinGroupChat([agent("writer", "1")], max_turns=1)).run(task="write")
        assert {event["scope"] for event in told(recorder).events} == {"my-team"}
        assert recorder.recording.lost == 0


async def test_a_runtime_of_its_own_changes_nothing(recorder: TeamRecorder) -> None:
    runtime = SingleThreadedAgentRuntime()
    runtime.start()
    team = RoundRobinGroupChat([agent("writer", "1"), agent("critic", "2")], max_turns=2, name="desk", runtime=runtime)
    await recorder.watch(team).run(task="write")
    await runtime.stop_when_idle()
    found = told(recorder)
    assert names(found, found.one("proposal", "critic")) == [("ready", "writer")]
    assert len(found.events) == 6


async def test_a_team_that_is_busy_refuses_as_before(recorder: TeamRecorder) -> None:
    begun, refused = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        begun.set()
        await refused.wait()
        return "x"

    team = recorder.watch(RoundRobinGroupChat([Plain("worker", slow)], max_turns=2, name="desk"))
    running = asyncio.create_task(team.run(task="go"))
    await begun.wait()
    with pytest.raises(ValueError, match="already running"):
        await team.run(task="go")
    refused.set()
    await running
    found = told(recorder)
    assert "already running" in found.one("penalty", "desk")["payload"]["reason"]
    assert len(found.of("ready", "worker")) == found.one("ready", "desk")["payload"]["turns"] == 2
    assert names(found, found.one("ready", "desk")) == [("proposal", "desk"), ("ready", "worker")]


async def test_a_service_that_is_away_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    recorder = TeamRecorder("http://127.0.0.1:9", capacity=4)
    team = recorder.watch(RoundRobinGroupChat([agent("writer", *"12345"), agent("critic", *"12345")], max_turns=10))
    began = time.perf_counter()
    result = await team.run(task="write")
    assert len(result.messages) == 11
    assert time.perf_counter() - began < 1
    assert recorder.recording.lost == 18
    assert len([record for record in caplog.records if "events are lost" in record.message]) == 1
    recorder.recording.close(0)


async def test_a_mistake_of_ours_is_logged_and_the_run_goes_on(
    recorder: TeamRecorder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> str:
        raise KeyError("ours")

    team = recorder.watch(RoundRobinGroupChat([agent("writer", "1")], max_turns=1))
    for name in ("started", "ended"):
        monkeypatch.setattr(recorder.recording, name, broken)
        assert (await team.run(task="write", output_task_messages=False)).messages[0].source == "writer"
        await team.reset()
        team._participants[0]._model_client.reset()  # type: ignore[attr-defined]
        monkeypatch.undo()
    assert any("ours" in str(record.exc_info) for record in caplog.records)


async def test_an_agent_whose_stream_is_its_own_is_told(recorder: TeamRecorder) -> None:
    class Own(Plain):
        async def on_messages_stream(
            self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
        ) -> AsyncGenerator[Any, None]:
            yield Response(chat_message=TextMessage(content="x", source=self.name))

    await recorder.watch(Own("own")).run_stream(task="go").__anext__()
    team = recorder.watch(RoundRobinGroupChat([Own("own")], max_turns=1))
    await team.run(task="go")
    assert len(told(recorder).of("ready", "own")) == 1


async def test_a_second_recorder_takes_over(recorder: TeamRecorder, url: str) -> None:
    team = recorder.watch(RoundRobinGroupChat([agent("writer", "1", "2")], max_turns=1, name="desk"))
    with recorder_at(url, scope="other") as other:
        await other.watch(team).run(task="write")
        assert len(told(other).events) == 4
    assert told(recorder).events == []
