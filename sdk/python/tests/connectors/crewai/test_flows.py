"""What flows do, as events with the causes they had."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Stored, trace_of
from crewai.events import crewai_event_bus
from crewai.events.types.flow_events import FlowFailedEvent
from crewai.flow import Flow, HumanFeedbackPending, and_, human_feedback, listen, or_, router, start
from crewai.flow.persistence import SQLiteFlowPersistence
from scripted import Scripted, agent, crew, output_of, task
from semp_sdk.connectors.crewai import SempListener
from semp_sdk.tracing import trace


@pytest.fixture
def listener(url: str) -> Iterator[SempListener]:
    with SempListener(url) as found:
        yield found


def told(listener: SempListener, trace_id: str) -> Stored:
    assert listener.flush(30)
    return trace_of(listener.recording.url, trace_id)


class Diamond(Flow[Any]):
    """Two starts that meet, a router, and a listener to one of its routes."""

    @start()
    def left(self) -> str:
        return "l"

    @start()
    async def right(self) -> str:
        await asyncio.sleep(0.01)
        return "r"

    @listen(and_(left, right))
    def both(self) -> str:
        return "b"

    @listen(or_(left, right))
    def either(self) -> str:
        return "e"

    @router(both)
    def route(self) -> str:
        return "good"

    @listen("good")
    def fine(self) -> str:
        return "f"

    @listen("bad")
    def never(self) -> str:
        return "n"


def test_a_method_follows_all_that_set_it_going(listener: SempListener) -> None:
    with trace() as here:
        assert Diamond().kickoff() == "f"
    events = told(listener, here.id)
    assert {event["scope"] for event in events.events} == {"crew.Diamond"}

    def causes(method: str) -> set[tuple[str, str | None]]:
        return set(events.parents(events.one("proposal", method)))

    assert causes("kickoff") == set()
    assert causes("left") == causes("right") == {("proposal", "kickoff")}
    assert causes("both") == {("ready", "left"), ("ready", "right")}
    assert causes("either") == {("ready", "left")}, "the first of them"
    assert causes("route") == {("ready", "both")}
    assert causes("fine") == {("ready", "route")}
    assert events.one("ready", "route")["payload"]["route"] == "good"
    assert not events.of("proposal", "never")
    assert set(events.parents(events.one("ready", "kickoff"))) == {("proposal", "kickoff"), ("ready", "either"), ("ready", "fine")}


def test_conditions_within_conditions(listener: SempListener) -> None:
    class Nested(Flow[Any]):
        @start()
        def first(self) -> None:
            pass

        @listen(first)
        def second(self) -> None:
            pass

        @listen(and_(or_("absent", first), second))
        def third(self) -> None:
            pass

    with trace() as here:
        Nested().kickoff()
    events = told(listener, here.id)
    assert set(events.parents(events.one("proposal", "third"))) == {("ready", "first"), ("ready", "second")}


def test_routers_and_listeners_of_one_method_all_follow_from_it(listener: SempListener) -> None:
    class Routed(Flow[Any]):
        @start()
        def begin(self) -> None:
            pass

        @router(begin)
        def one(self) -> str:
            return "x"

        @router(begin)
        def two(self) -> str:
            return "y"

        @listen(begin)
        def beside(self) -> None:
            pass

        @listen("x")
        def after_one(self) -> None:
            pass

        @listen(and_("x", "y"))
        def after_both(self) -> None:
            pass

    with trace() as here:
        Routed().kickoff()
    events = told(listener, here.id)

    def causes(method: str) -> set[tuple[str, str | None]]:
        return set(events.parents(events.one("proposal", method)))

    assert causes("one") == causes("two") == causes("beside") == {("ready", "begin")}
    assert causes("after_one") == {("ready", "one")}
    assert causes("after_both") == {("ready", "one"), ("ready", "two")}


def test_a_loop_follows_its_last_round(listener: SempListener) -> None:
    class Loop(Flow[Any]):
        rounds = 0

        @start("again")
        def work(self) -> None:
            self.rounds += 1

        @start()
        def begin(self) -> None:
            pass

        @router(or_(begin, work))
        def check(self) -> str:
            return "again" if self.rounds < 2 else "enough"

    with trace() as here:
        Loop().kickoff()
    events = told(listener, here.id)
    works, checks, ends = events.of("proposal", "work"), events.of("ready", "check"), events.of("ready", "work")
    assert [event["payload"]["route"] for event in checks] == ["again", "again", "enough"]
    assert [event["parent_ids"] for event in works] == [[checks[0]["id"]], [checks[1]["id"]]]
    assert [event["parent_ids"] for event in events.of("proposal", "check")[1:]] == [[event["id"]] for event in ends]


def test_a_loop_through_the_first_of_two_routers_follows_its_last_round(listener: SempListener) -> None:
    class Loop(Flow[Any]):
        rounds = 0

        @start()
        def begin(self) -> None:
            pass

        @listen(or_(begin, "again"))
        def work(self) -> None:
            self.rounds += 1

        @router(work)
        def check(self) -> str:
            return "again" if self.rounds < 2 else "enough"

        @router(work)
        def note(self) -> str:
            return "noted"

    with trace() as here:
        Loop().kickoff()
    events = told(listener, here.id)
    assert [events.parents(event) for event in events.of("proposal", "work")] == [[("ready", "begin")], [("ready", "check")]]


def test_a_crew_in_a_flow_is_a_step_of_its_method(listener: SempListener) -> None:
    class Pipeline(Flow[Any]):
        @start()
        def research(self) -> str:
            return output_of(crew(task("research", agent("Researcher"))))

        @listen(research)
        def publish(self) -> str:
            return output_of(crew(task("writing", agent("Writer")), name="publishers"))

    with trace() as here:
        Pipeline().kickoff()
    events = told(listener, here.id)
    assert events.parents(events.one("proposal", "crew")) == [("proposal", "research")]
    assert events.parents(events.one("ready", "research")) == [("proposal", "research"), ("ready", "crew")]
    assert events.parents(events.one("proposal", "publishers")) == [("proposal", "publish")]
    assert events.one("ready", "kickoff")["payload"]["llm_calls"] == 2
    assert len({event["trace_id"] for event in events.events}) == 1


def test_a_method_that_raises_is_a_penalty_and_so_is_its_flow(listener: SempListener) -> None:
    class Broken(Flow[Any]):
        @start()
        def begin(self) -> None:
            raise ValueError("out of luck")

    with trace() as here, pytest.raises(ValueError, match="out of luck"):
        Broken().kickoff()
    events = told(listener, here.id)
    assert "ValueError: out of luck" in events.one("penalty", "begin")["payload"]["reason"]
    assert events.parents(events.one("penalty", "begin")) == [("proposal", "begin")]
    assert events.parents(events.one("penalty", "kickoff")) == [("proposal", "kickoff"), ("penalty", "begin")]


def test_a_method_that_is_still_running_when_its_flow_fails_is_abandoned(listener: SempListener) -> None:
    running, over = threading.Event(), threading.Event()

    def failed(_source: Any, _event: Any) -> None:
        over.set()

    class Broken(Flow[Any]):
        @start()
        def begin(self) -> None:
            pass

        @listen(begin)
        def fails(self) -> None:
            assert running.wait(20)
            raise ValueError("out of luck")

        @listen(begin)
        def survives(self) -> None:
            running.set()
            assert over.wait(20)

    crewai_event_bus.register_handler(FlowFailedEvent, failed)
    try:
        with trace() as here, pytest.raises(ValueError, match="out of luck"):
            Broken().kickoff()
    finally:
        crewai_event_bus.off(FlowFailedEvent, failed)
    events = told(listener, here.id)
    end = events.one("ready", "survives")
    assert (end["payload"]["status"], events.parents(end)) == ("abandoned", [("proposal", "survives")])
    assert set(events.parents(events.one("penalty", "kickoff"))) == {("proposal", "kickoff"), ("penalty", "fails"), ("ready", "survives")}
    assert not listener._runs


class Says:
    """A person."""

    def __init__(self, feedback: str) -> None:
        self.feedback = feedback

    def request_feedback(self, context: Any, flow: Any) -> str:
        return self.feedback


def reviewed(provider: Any) -> type[Flow[Any]]:
    class Reviewed(Flow[Any]):
        @start()
        @human_feedback(
            "Is it good?", emit=["approved", "rejected"], default_outcome="rejected", provider=provider,
            llm=Scripted(answers=['{"outcome": "rejected"}']),
        )  # fmt: skip
        def draft(self) -> str:
            return "a draft"

        @listen("rejected")
        def improve(self) -> str:
            return "a better draft"

    return Reviewed


def test_feedback_of_a_person_moves_the_signal_of_what_they_saw(listener: SempListener) -> None:
    with trace() as here:
        reviewed(Says("no, my secret says"))().kickoff()
    events = told(listener, here.id)
    penalty = events.one("penalty", "draft")
    assert (penalty["agent_id"], penalty["payload"]["value"], penalty["payload"]["outcome"]) == ("human", -1.0, "rejected")
    assert events.parents(penalty) == [("ready", "draft")]
    assert events.parents(events.one("proposal", "improve")) == [("ready", "draft")]
    assert "secret" not in str(events.events)


def test_feedback_asked_for_at_the_console_is_work_of_a_person(listener: SempListener, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer_no(*_: Any) -> str:
        return "no"

    monkeypatch.setattr("builtins.input", answer_no)
    with trace() as here:
        reviewed(None)().kickoff()
    events = told(listener, here.id)
    question = events.one("proposal", "human_feedback")
    assert (question["agent_id"], events.parents(question)) == ("human", [("proposal", "draft")])
    assert events.parents(events.one("ready", "human_feedback")) == [("proposal", "human_feedback")]
    assert events.parents(events.one("ready", "draft"))[-1] == ("ready", "human_feedback")


def test_a_flow_that_waits_for_a_person_goes_on_where_it_paused(listener: SempListener, tmp_path: Any) -> None:
    class Later:
        def request_feedback(self, context: Any, flow: Any) -> str:
            raise HumanFeedbackPending(context=context)

    made = reviewed(Later())
    kept = SQLiteFlowPersistence(str(tmp_path / "flows.db"))
    flow = made(persistence=kept)
    with trace() as here:
        pending = flow.kickoff()
    assert isinstance(pending, HumanFeedbackPending)
    made.from_pending(pending.context.flow_id, kept).resume("")
    events = told(listener, here.id)
    paused, ended = events.of("ready", "kickoff")
    assert (paused["payload"]["status"], ended["payload"]["status"]) == ("paused", "completed")
    assert events.of("proposal", "kickoff")[1]["parent_ids"] == [paused["id"]]
    assert events.one("proposal", "improve")
    assert events.one("penalty", "draft")["payload"]["value"] == -1.0


async def test_flows_at_the_same_time_do_not_mix(listener: SempListener) -> None:
    async def run(name: str) -> str:
        with trace() as here:
            await flows[name].kickoff_async()
        return here.id

    flows = {name: Diamond() for name in "abcd"}  # made in one context, which they share from then on
    traces = await asyncio.gather(*(run(name) for name in flows))
    for trace_id in traces:
        events = told(listener, trace_id)
        assert len(events.of("proposal", "kickoff")) == len(events.of("ready", "kickoff")) == 1
        assert len(events.events) == 14
        assert all(parent in events.by_id for event in events.events for parent in event["parent_ids"])
