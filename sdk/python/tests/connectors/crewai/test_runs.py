"""What holds for every run: nothing mixes, nothing breaks, nothing is told that should not be, nothing is left behind."""

from __future__ import annotations

import logging
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import Stored, trace_of
from crewai.events import crewai_event_bus
from crewai.events.base_events import BaseEvent
from crewai.events.types.crew_events import CrewKickoffCompletedEvent
from crewai.events.types.task_events import TaskCompletedEvent, TaskStartedEvent
from crewai.events.types.tool_usage_events import ToolUsageStartedEvent
from crewai.experimental.evaluation import AgentEvaluator
from crewai.tools import tool
from scripted import Judge, Scripted, action, agent, crew, final, output_of, task
from semp_sdk.connectors.crewai import SempListener
from semp_sdk.connectors.crewai import listener as module
from semp_sdk.identifiers import new_id
from semp_sdk.tracing import trace

NOBODY = "http://127.0.0.1:9"
SDK = Path(module.__file__).parents[3]


@tool
def look(query: str) -> str:
    """Look it up."""
    return f"found {query}, and a secret"


def told(listener: SempListener, trace_id: str) -> Stored:
    assert listener.flush(30)
    return trace_of(listener.recording.url, trace_id)


def shape(events: Stored) -> list[tuple[str, str, list[tuple[str, str | None]]]]:
    return [(event["type"], event["payload"]["action"], events.parents(event)) for event in events.events]


def test_crews_at_the_same_time_do_not_mix(url: str) -> None:
    def run(number: int) -> None:
        with trace(parents=()) as here:
            traces[number] = here.id
            who = agent("Researcher", action("look", '{"query": "a"}'), final("x"), tools=[look])
            assert isinstance(who.llm, Scripted)
            who.llm.delay = 0.01
            crew(task(f"job-{number}", who), task("after", who), name=f"crew-{number}").kickoff()

    traces: dict[int, str] = {}
    with SempListener(url) as listener:
        threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seen = {number: told(listener, trace_id) for number, trace_id in traces.items()}
    for number, events in seen.items():
        assert len(events.events) == 12
        assert {event["scope"] for event in events.events} == {"crew", f"crew.job-{number}", "crew.after"}
        assert all(parent in events.by_id for event in events.events for parent in event["parent_ids"])


def test_a_run_is_in_the_trace_around_it_and_follows_from_what_happened_there(url: str) -> None:
    with SempListener(url) as listener:
        shared = new_id()
        cause = listener.recording.tell("proposal", {"action": "order"}, trace_id=shared)
        with trace(shared, (cause,)):
            crew(task("one", agent("A"))).kickoff()
        events = told(listener, shared)
        assert events.one("proposal", "crew")["parent_ids"] == [cause]


def test_each_run_is_a_trace_of_its_own_where_nobody_says_otherwise(url: str) -> None:
    with SempListener(url) as listener:
        runs = [crew(task("one", agent("A"))) for _ in range(2)]
        for run in runs:
            run.kickoff()
        assert listener.flush(30)
        first, second = (listener._reporter.ended(str(run.id)) for run in runs)
        assert first is not None
        assert second is not None
        assert first.trace_id != second.trace_id
        assert len(told(listener, first.trace_id).events) == 6


def test_a_given_trace_holds_all_runs(url: str) -> None:
    given = new_id()
    with SempListener(url, trace_id=given) as listener:
        crew(task("one", agent("A"))).kickoff()
        with trace("another"):
            crew(task("one", agent("A"))).kickoff()
        assert len(told(listener, given).of("ready", "crew")) == 2


def test_a_scope_that_is_none_becomes_one(url: str) -> None:
    with SempListener(url, scope="my crews!") as listener, trace() as here:
        crew(task("one", agent("A"))).kickoff()
        assert {event["scope"] for event in told(listener, here.id).events} == {"my-crews", "my-crews.one"}
        assert listener.recording.lost == 0


def secretive() -> Any:
    script = [action("look", '{"query": "secret"}'), final("the secret is 42")]
    who = agent("Researcher", *script, tools=[look])
    return crew(task("research", who, description="find the secret {place}", expected_output="a secret"))


def test_content_is_told_on_request_alone(url: str) -> None:
    for content in (False, True):
        with SempListener(url, content=content) as listener, trace() as here:
            secretive().kickoff(inputs={"place": "in the secret garden"})
            events = told(listener, here.id)
        told_ones = {(event["type"], event["payload"]["action"]) for event in events.events if "secret" in str(event["payload"])}
        assert bool(told_ones) == content
    assert events.one("ready", "execute_task")["payload"]["output"] == "the secret is 42"
    assert events.one("proposal", "look")["payload"]["input"] == '{"query": "secret"}'
    assert "in the secret garden" in events.one("proposal", "execute_task")["payload"]["input"]


def test_a_service_that_is_away_neither_breaks_nor_slows_a_run(caplog: pytest.LogCaptureFixture) -> None:
    def duration() -> float:
        began = time.monotonic()
        assert secretive().kickoff(inputs={"place": "x"}).raw == "the secret is 42"
        return time.monotonic() - began

    duration()
    alone = min(duration() for _ in range(3))
    with caplog.at_level(logging.WARNING, "semp_sdk"):
        listener = SempListener(NOBODY, capacity=20)
        watched = min(duration() for _ in range(4))
        began = time.monotonic()
        listener.recording.close(0.1)
        assert time.monotonic() - began < 5
        listener.close()
    assert watched < alone + 0.25
    assert listener.recording.lost >= 20
    assert [record.name for record in caplog.records if record.levelno >= logging.WARNING].count("semp_sdk") == 1


def test_an_error_of_the_connector_is_logged_and_the_run_goes_on(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setitem(module.REPORTERS, TaskStartedEvent, broken)
    with SempListener(url) as listener, trace() as here:
        assert output_of(crew(task("one", agent("A", final("fine"))))) == "fine"
        events = told(listener, here.id)
    assert "a mistake of ours" in caplog.text
    assert events.one("ready", "crew")
    assert events.parents(events.one("proposal", "A")) == [("proposal", "crew")], "as near as it gets"


def test_nothing_is_kept_of_runs_that_are_over_and_a_lost_end_hides_no_other(url: str) -> None:
    def leave_open(_: Any) -> None:
        crewai_event_bus.emit(None, ToolUsageStartedEvent(tool_name="unfinished", tool_args={}))

    with SempListener(url) as listener, trace() as here:
        with pytest.raises(ValueError, match="no"):
            crew(task("one", agent("A", ValueError("no"), max_retry_limit=0))).kickoff()
        crew(task("one", agent("A"), callback=leave_open), name="leaky").kickoff()
        crew(task("one", agent("A")), name="next").kickoff()  # a part of the leaky one, as CrewAI has it
        crewai_event_bus.flush()
        [left] = listener._abandoned
        crewai_event_bus.emit(None, ToolUsageStartedEvent(tool_name="late", tool_args={}, parent_event_id=left))
        events = told(listener, here.id)
        assert not listener._runs
    assert events.parents(events.one("ready", "leaky"))[0] == ("proposal", "leaky")
    assert ("proposal", "unfinished") in {tuple(each) for end in events.of("ready", "execute_task") for each in events.parents(end)}
    assert events.one("ready", "next")
    assert not events.of("proposal", "late")
    assert listener.recording.lost == 0


def test_a_closed_listener_hears_nothing(url: str) -> None:
    listener = SempListener(url)
    listener.close()
    listener.close()
    with trace() as here:
        crew(task("one", agent("A"))).kickoff()
    crewai_event_bus.flush()
    assert not trace_of(url, here.id).events
    assert listener.recording.lost == 0, "it did not even try"


class Collecting(SempListener):
    """Hears, and tells nothing."""

    def __init__(self) -> None:
        self.deliveries: list[tuple[Any, BaseEvent, Any]] = []
        super().__init__(NOBODY)

    def _on_event(self, source: Any, event: BaseEvent, state: Any) -> None:
        self.deliveries.append((source, event, state))


def test_events_are_told_in_the_order_they_happened_however_crewai_delivers_them(url: str) -> None:
    """Deliveries of a run, shuffled: the causes come out the same."""
    who = agent("A", action("look", '{"query": "a"}'), action("look", '{"query": "b"}'), final("x"), tools=[look])
    side = [task("left", agent("B"), async_execution=True), task("right", agent("C"), async_execution=True)]
    with Collecting() as heard:
        crew(task("one", who), *side, task("last", who)).kickoff()
    began = next(each for each in heard.deliveries if each[1].type == "crew_kickoff_started")
    others = [each for each in heard.deliveries if each is not began]
    traces: dict[int, list[tuple[str, str, list[tuple[str, str | None]]]]] = {}
    for seed in range(5):
        random.Random(seed).shuffle(others)
        with SempListener(url) as listener, trace() as here:
            for delivery in [began, *others]:
                listener._on_event(*delivery)
            traces[seed] = shape(told(listener, here.id))
    assert all(found == traces[0] for found in traces.values())
    assert len(traces[0]) == 2 + 4 * 4 + 4
    assert traces[0][-1][:2] == ("ready", "crew")


def test_a_score_that_is_heard_before_what_it_scores_follows_from_it(url: str) -> None:
    who = agent("A")
    AgentEvaluator(agents=[who], evaluators=[Judge(llm=Scripted())])
    with Collecting() as heard:
        who.kickoff("hi")
    began = [each for each in heard.deliveries if each[1].type == "lite_agent_execution_started"]
    scored = [each for each in heard.deliveries if each[1].type == "agent_evaluation_completed"]
    with SempListener(url) as listener, trace() as here:
        for delivery in [*began, *scored, *(each for each in heard.deliveries if each not in began + scored)]:
            listener._on_event(*delivery)
        events = told(listener, here.id)
    assert events.parents(events.one("reward", "A")) == [("ready", "A")]


def test_slow_listeners_of_others_change_no_cause(url: str) -> None:
    def slow(source: Any, event: Any) -> None:
        time.sleep(random.random() / 50)

    for kind in (TaskStartedEvent, TaskCompletedEvent, CrewKickoffCompletedEvent):
        crewai_event_bus.register_handler(kind, slow)
    try:
        with SempListener(url) as listener, trace() as here:
            crew(*(task(f"t{number}", agent(f"A{number}")) for number in range(4))).kickoff()
            events = told(listener, here.id)
    finally:
        for kind in (TaskStartedEvent, TaskCompletedEvent, CrewKickoffCompletedEvent):
            crewai_event_bus.off(kind, slow)
    starts, ends = events.of("proposal", "execute_task"), events.of("ready", "execute_task")
    assert [event["parent_ids"] for event in starts[1:]] == [[event["id"]] for event in ends[:-1]]
    assert [event["scope"] for event in starts] == [f"crew.t{number}" for number in range(4)]


def test_a_script_that_ends_right_after_its_crew_has_told_everything(url: str) -> None:
    trace_id = new_id()
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from scripted import agent, crew, task
from semp_sdk.connectors.crewai import SempListener
SempListener({url!r}, trace_id={trace_id!r})
crew(task("one", agent("A"))).kickoff()
"""
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=90, env=os.environ | {"PYTHONPATH": str(SDK)})
    assert [event["payload"]["action"] for event in trace_of(url, trace_id).of("ready")] == ["A", "execute_task", "crew"]
