"""What crews do, as events with the causes they had."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Stored, trace_of
from crewai import Crew, Process, TaskOutput
from crewai.experimental.evaluation import AgentEvaluator
from crewai.tools import tool
from scripted import Judge, Scripted, Together, action, agent, crew, final, output_of, task
from semp_sdk.connectors.crewai import SempListener
from semp_sdk.tracing import trace


@pytest.fixture
def listener(url: str) -> Iterator[SempListener]:
    with SempListener(url) as found:
        yield found


def told_of(listener: SempListener, run: Crew) -> Stored:
    with trace() as here:
        run.kickoff()
    return told(listener, here.id)


def told(listener: SempListener, trace_id: str) -> Stored:
    assert listener.flush(30)
    return trace_of(listener.recording.url, trace_id)


def test_the_example_of_the_public_documents_leaves_its_events(listener: SempListener) -> None:
    researcher, writer = agent("Researcher", final("facts")), agent("Writer", final("an article"))
    run = crew(task("research", researcher), task("writing", writer))
    with trace() as here:
        assert output_of(run) == "an article"
        listener.scored(0.9, run, reason="crew_completed_successfully")
    events = told(listener, here.id)

    for scope, role in (("crew.research", "Researcher"), ("crew.writing", "Writer")):
        [proposal] = [event for event in events.of("proposal", "execute_task") if event["scope"] == scope]
        [ready] = [event for event in events.of("ready", "execute_task") if event["scope"] == scope]
        assert (proposal["agent_id"], ready["agent_id"], ready["payload"]["status"]) == (role, role, "completed")
    reward = events.one("reward", "crew")
    assert (reward["scope"], reward["payload"]["value"], reward["payload"]["reason"]) == ("crew", 0.9, "crew_completed_successfully")
    assert events.parents(reward) == [("ready", "crew")]


def test_a_crew_is_a_chain_from_its_proposal_to_its_end(listener: SempListener) -> None:
    events = told_of(listener, crew(task("research", agent("Researcher")), task("writing", agent("Writer"))))
    assert [(event["type"], event["payload"]["action"], event["scope"]) for event in events.events] == [
        ("proposal", "crew", "crew"),
        ("proposal", "execute_task", "crew.research"),
        ("proposal", "Researcher", "crew.research"),
        ("ready", "Researcher", "crew.research"),
        ("ready", "execute_task", "crew.research"),
        ("proposal", "execute_task", "crew.writing"),
        ("proposal", "Writer", "crew.writing"),
        ("ready", "Writer", "crew.writing"),
        ("ready", "execute_task", "crew.writing"),
        ("ready", "crew", "crew"),
    ]
    parents = [events.parents(event) for event in events.events]
    assert parents == [
        [],
        [("proposal", "crew")],
        [("proposal", "execute_task")],
        [("proposal", "Researcher")],
        [("proposal", "execute_task"), ("ready", "Researcher")],
        [("ready", "execute_task")],
        [("proposal", "execute_task")],
        [("proposal", "Writer")],
        [("proposal", "execute_task"), ("ready", "Writer")],
        [("proposal", "crew"), ("ready", "execute_task")],
    ]
    assert events.of("proposal", "crew")[0]["payload"] == {"action": "crew", "tasks": 2, "agents": 2, "process": "sequential"}
    last = events.events[-1]["payload"]
    assert (last["llm_calls"], last["tokens"], last["status"]) == (2, 14, "completed")
    assert last["seconds"] >= 0


def test_tasks_side_by_side_meet_in_the_task_that_has_them_as_its_context(listener: SempListener) -> None:
    first = task("first", agent("A"))
    left, right = task("left", agent("B"), async_execution=True), task("right", agent("C"), async_execution=True)
    last = task("last", agent("D"), context=[left, right])
    events = told_of(listener, crew(first, left, right, last))
    begin = {event["scope"]: event for event in events.of("proposal", "execute_task")}
    end = {event["scope"]: event["id"] for event in events.of("ready", "execute_task")}
    assert begin["crew.left"]["parent_ids"] == begin["crew.right"]["parent_ids"] == [end["crew.first"]]
    assert set(begin["crew.last"]["parent_ids"]) == {end["crew.left"], end["crew.right"]}
    assert events.one("ready", "crew")["parent_ids"] == [events.one("proposal", "crew")["id"], end["crew.last"]]


def test_a_task_follows_its_context_alone_where_it_has_one(listener: SempListener) -> None:
    one, two = task("one", agent("A")), task("two", agent("B"))
    three = task("three", agent("C"), context=[one])
    events = told_of(listener, crew(one, two, three))
    begin = {event["scope"]: event for event in events.of("proposal", "execute_task")}
    end = {event["scope"]: event["id"] for event in events.of("ready", "execute_task")}
    assert begin["crew.three"]["parent_ids"] == [end["crew.one"]]
    assert set(events.one("ready", "crew")["parent_ids"][1:]) == {end["crew.two"], end["crew.three"]}, "what led on to nothing else"


def test_a_task_that_is_still_running_when_its_crew_fails_is_abandoned(listener: SempListener) -> None:
    asked, over = threading.Event(), threading.Event()

    class Fails(Scripted):
        def call(self, *args: Any, **kwargs: Any) -> Any:
            assert asked.wait(20)
            return super().call(*args, **kwargs)

    class Survives(Scripted):
        def call(self, *args: Any, **kwargs: Any) -> Any:
            asked.set()
            assert over.wait(20)
            return super().call(*args, **kwargs)

    fails, survives = agent("Fails", max_retry_limit=0), agent("Survives")
    fails.llm, survives.llm = Fails(answers=[ValueError("no luck")]), Survives()
    sides = [task("left", fails, async_execution=True), task("right", survives, async_execution=True)]
    with trace() as here, pytest.raises(ValueError, match="no luck"):
        crew(*sides, task("last", agent("Never"), context=sides)).kickoff()
    over.set()
    events = told(listener, here.id)
    ends = [*events.of("ready"), *events.of("penalty")]
    assert len(ends) == len(events.of("proposal")) == 5, "everything has an end"
    assert [(event["payload"]["action"], event["payload"]["status"]) for event in events.of("ready")] == [
        ("Survives", "abandoned"), ("execute_task", "abandoned"),
    ]  # fmt: skip
    assert events.parents(events.of("ready")[1]) == [("proposal", "execute_task"), ("ready", "Survives")]
    assert events.parents(events.one("penalty", "crew")).count(("ready", "execute_task")) == 1
    assert not listener._runs


def test_a_coworker_follows_from_the_manager_that_delegated(listener: SempListener) -> None:
    delegation = action("delegate_work_to_coworker", '{"task": "find it", "context": "none", "coworker": "Researcher"}')
    manager = Scripted(answers=[delegation, final("managed")])
    run = Crew(agents=[agent("Researcher"), agent("Writer")], tasks=[task("job", None)], process=Process.hierarchical, manager_llm=manager)
    events = told_of(listener, run)
    call = events.one("proposal", "delegate_work_to_coworker")
    assert call["agent_id"] == "Crew Manager"
    assert events.parents(call) == [("proposal", "Crew Manager")]
    assert events.parents(events.one("proposal", "Researcher")) == [("proposal", "delegate_work_to_coworker")]
    assert events.parents(events.one("ready", "delegate_work_to_coworker")) == [
        ("proposal", "delegate_work_to_coworker"),
        ("ready", "Researcher"),
    ]
    assert {event["scope"] for event in events.events} == {"crew", "crew.job"}


def test_a_guardrail_is_a_test_and_the_second_try_follows_the_failed_one(listener: SempListener) -> None:
    seen: list[str] = []

    def long_enough(output: TaskOutput):  # CrewAI reads the return annotation, which here is a text
        seen.append(output.raw)
        return (True, output.raw) if len(seen) > 1 else (False, "too short")

    events = told_of(listener, crew(task("writing", agent("Writer", final("a"), final("more")), guardrail=long_enough)))
    failed, passed = events.of("test", "long_enough")
    assert (failed["payload"]["status"], failed["payload"]["failures"], passed["payload"]["status"]) == ("failed", ["too short"], "passed")
    first, second = events.of("proposal", "Writer")
    assert events.parents(failed) == [("ready", "Writer")]
    assert second["parent_ids"] == [failed["id"]]
    assert first["id"] in events.causes(second)
    assert events.one("ready", "execute_task")["parent_ids"][-1] == passed["id"]


def test_a_task_that_never_passes_its_guardrail_fails_with_its_crew(listener: SempListener) -> None:
    def never(output: TaskOutput):  # CrewAI reads the return annotation, which here is a text
        return (False, "not good")

    with trace() as here, pytest.raises(Exception, match="not good"):
        crew(task("writing", agent("Writer"), guardrail=never, guardrail_max_retries=1)).kickoff()
    events = told(listener, here.id)
    assert [event["payload"]["status"] for event in events.of("test", "never")] == ["failed", "failed"]
    task_failed = events.one("penalty", "execute_task")
    assert "not good" in task_failed["payload"]["reason"]
    assert task_failed["parent_ids"][-1] == events.of("test", "never")[-1]["id"]
    assert events.parents(events.one("penalty", "crew")) == [("proposal", "crew"), ("penalty", "execute_task")]
    assert not events.of("ready", "crew")


def test_a_tool_follows_its_caller_and_a_failed_call_is_a_penalty(listener: SempListener) -> None:
    @tool
    def look(query: str) -> str:
        """Look it up."""
        return f"found {query}"

    @tool
    def broken(query: str) -> str:
        """Does not work."""
        raise ValueError("no such thing")

    script = [action("look", '{"query": "a"}'), action("broken", '{"query": "b"}'), final("enough")]
    events = told_of(listener, crew(task("research", agent("Researcher", *script, tools=[look, broken]))))
    call = events.one("proposal", "look")
    assert (call["agent_id"], call["scope"], events.parents(call)) == ("Researcher", "crew.research", [("proposal", "Researcher")])
    assert events.parents(events.one("ready", "look")) == [("proposal", "look")]
    tries, penalties = events.of("proposal", "broken"), events.of("penalty", "broken")
    assert len(tries) == len(penalties) > 1, "CrewAI tries again"
    assert "no such thing" in penalties[0]["payload"]["reason"]
    assert events.parents(tries[0]) == [("ready", "look")]
    assert [event["parent_ids"] for event in tries[1:]] == [[event["id"]] for event in penalties[:-1]]
    assert events.parents(events.one("ready", "Researcher"))[-1] == ("penalty", "broken")
    assert events.one("ready", "Researcher")["payload"]["tools"] == 1 + len(tries)


def test_calls_side_by_side_follow_from_the_same_and_the_next_from_all(listener: SempListener) -> None:
    together = Together(2)

    @tool
    def left() -> str:
        """One way."""
        together()
        return "l"

    @tool
    def right() -> str:
        """The other way."""
        together()
        return "r"

    @tool
    def after() -> str:
        """Then this."""
        return "a"

    def call(*names: str) -> list[dict[str, object]]:
        return [{"id": name, "type": "function", "function": {"name": name, "arguments": "{}"}} for name in names]

    who = agent("Researcher", tools=[left, right, after])
    who.llm = Scripted(answers=[call("left", "right"), call("after"), "that is it"], calls_tools=True)
    events = told_of(listener, crew(task("research", who)))
    assert events.one("proposal", "left")["parent_ids"] == events.one("proposal", "right")["parent_ids"]
    assert set(events.parents(events.one("proposal", "after"))) == {("ready", "left"), ("ready", "right")}


def test_a_tool_that_is_not_there_is_a_penalty(listener: SempListener) -> None:
    @tool
    def look(query: str) -> str:
        """Look it up."""
        return query

    script = [action("teleport", '{"to": "b"}'), final("enough")]
    events = told_of(listener, crew(task("research", agent("Researcher", *script, tools=[look]))))
    assert events.of("penalty", "teleport")
    assert events.parents(events.of("penalty", "teleport")[0]) == [("proposal", "Researcher")]


def test_a_model_that_fails_is_tried_again_after_the_failed_try(url: str) -> None:
    with SempListener(url, penalty=0.25) as listener, trace() as here:
        flaky = agent("Researcher", ValueError("out of luck"), final("fine"), max_retry_limit=1)
        crew(task("research", flaky)).kickoff()
        events = told(listener, here.id)
    penalty = events.one("penalty", "Researcher")
    assert (penalty["payload"]["value"], penalty["agent_id"]) == (-0.25, "Researcher")
    assert "out of luck" in penalty["payload"]["reason"]
    assert penalty["payload"]["llm_failures"] == 1
    assert events.of("proposal", "Researcher")[1]["parent_ids"] == [penalty["id"]]
    assert events.one("ready", "execute_task")


def test_a_failure_can_be_a_failed_test(url: str) -> None:
    with SempListener(url, on_failure="test") as listener, trace() as here:
        with pytest.raises(ValueError, match="out of luck"):
            crew(task("research", agent("Researcher", ValueError("out of luck"), max_retry_limit=0))).kickoff()
        events = told(listener, here.id)
    assert not events.of("penalty")
    assert [event["payload"]["status"] for event in events.of("test")] == ["failed"] * 3
    assert events.parents(events.one("test", "crew")) == [("proposal", "crew"), ("test", "execute_task")]


def test_tasks_without_a_name_go_by_their_place(listener: SempListener) -> None:
    who = agent("A")
    unnamed = task(None, who, description="with my secret in it")
    events = told_of(listener, crew(task("one", who), unnamed))
    assert [event["scope"] for event in events.of("proposal", "execute_task")] == ["crew.one", "crew.task-2"]


def test_an_agent_alone_is_a_run(listener: SempListener) -> None:
    with trace() as here:
        agent("Helper", final("hello")).kickoff("hi")
    events = told(listener, here.id)
    assert [(event["type"], event["payload"]["action"]) for event in events.events] == [("proposal", "Helper"), ("ready", "Helper")]


async def test_a_crew_runs_natively_async_as_well(listener: SempListener) -> None:
    left, right = task("left", agent("A"), async_execution=True), task("right", agent("B"), async_execution=True)
    with trace() as here:
        await crew(left, right, task("last", agent("C"), context=[left, right])).akickoff()
    events = told(listener, here.id)
    last = next(event for event in events.of("proposal", "execute_task") if event["scope"] == "crew.last")
    assert events.parents(last) == [("ready", "execute_task"), ("ready", "execute_task")]


def test_scores_of_a_crews_test_are_rewards(listener: SempListener) -> None:
    judge = Scripted(answers=['{"quality": 8.0}'] * 4)
    with trace() as here:
        crew(task("research", agent("Researcher"))).test(n_iterations=1, eval_llm=judge)
    events = told(listener, here.id)
    reward = events.one("reward", "execute_task")
    assert (reward["scope"], reward["payload"]["value"], reward["agent_id"]) == ("crew.research", 0.8, "evaluator")
    assert ("proposal", "test") in {(event["type"], event["payload"]["action"]) for event in events.events}
    assert events.one("proposal", "test")["id"] in events.causes(reward)
    assert events.one("ready", "test")


def test_scores_of_an_evaluator_are_rewards_of_the_agent(listener: SempListener) -> None:
    who, lone = agent("Researcher"), agent("Helper")
    AgentEvaluator(agents=[who, lone], evaluators=[Judge(llm=Scripted())])
    with trace() as here:
        crew(task("research", who)).kickoff()
        lone.kickoff("hi")
    events = told(listener, here.id)
    reward = events.one("reward", "Researcher")
    assert (reward["scope"], reward["payload"]) == ("crew.research", {"action": "Researcher", "value": 0.7, "metric": "goal_alignment"})
    assert events.parents(reward) == [("ready", "Researcher")]
    assert events.parents(events.one("reward", "Helper")) == [("ready", "Helper")], "also when the run is over"


def test_the_newest_run_can_be_scored(listener: SempListener) -> None:
    who = agent("A")
    job = task("one", who)
    run = crew(job)
    assert listener.scored(1.0, run) is None, "it did not run"
    with trace() as here:
        run.kickoff()
        listener.scored(1.0, job)
        listener.scored(-0.5, who, reason="slow")
    events = told(listener, here.id)
    assert events.parents(events.one("reward", "execute_task")) == [("ready", "execute_task")]
    penalty = events.one("penalty", "A")
    assert (penalty["scope"], penalty["payload"]["value"], events.parents(penalty)) == ("crew.one", -0.5, [("ready", "A")])
