"""Runs as a whole: threads, interrupts and resumes, traces, feedback, a service that is away, content, what is kept."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import Any

import pytest
from conftest import Stored, get, trace_of
from graphs import always, graph_of, node, recorder_at, told
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START
from langgraph.types import Command, interrupt
from semp_sdk import Client, SEMPClient
from semp_sdk.connectors.langgraph import GraphRecorder, here, recorded, runs, scored
from semp_sdk.identifiers import new_id
from semp_sdk.tracing import Trace, current_trace, trace

Given = dict[str, Any]


def ask(state: Any) -> Given:
    return {"seen": [interrupt("go on?")]}


def on_thread(name: str) -> Any:
    return {"configurable": {"thread_id": name}}


def thread(recorder: GraphRecorder, name: str) -> Stored:
    """Everything told of a thread, which is one trace."""
    assert recorder.recording.flush(30)
    past = recorder.reporter.runs.last(name)
    assert past is not None
    return trace_of(recorder.recording.url, past.trace_id)


@pytest.mark.parametrize("way", ["sync", "async"])
async def test_a_resumed_run_goes_on_where_the_interrupted_one_stopped(url: str, way: str) -> None:
    recorder = recorder_at(url, scope="runs")
    graph = graph_of((START, "quick"), (START, "ask"), ("quick", "also"), (["also", "ask"], "join"), ask=ask)
    app: Any = recorder.watch(graph.compile(name="team", checkpointer=InMemorySaver()))

    async def call(given: Any) -> Any:
        return (
            await app.ainvoke(given, on_thread("one")) if way == "async" else await asyncio.to_thread(app.invoke, given, on_thread("one"))
        )

    assert "__interrupt__" in await call({"seen": []})
    assert sorted(set((await call(Command(resume="yes")))["seen"])) == ["also", "join", "quick", "yes"]
    events = await asyncio.to_thread(thread, recorder, "one")
    stopped, done = events.of("ready", "team")
    assert (stopped["payload"]["status"], done["payload"]["status"]) == ("interrupted", "completed")
    first, second = events.of("proposal", "team")
    assert (first["parent_ids"], second["parent_ids"]) == ([], [stopped["id"]])
    asked, answered = events.of("proposal", "ask")
    waiting, answer = events.of("ready", "ask")
    assert waiting["payload"]["status"] == "interrupted"
    assert answered["parent_ids"] == [waiting["id"], second["id"]]
    assert asked["parent_ids"] == [first["id"]]
    assert set(events.one("proposal", "join")["parent_ids"]) == {events.one("ready", "also")["id"], answer["id"]}
    assert events.of("penalty") == []
    assert recorder.reporter.frames == {}


def test_a_run_resumed_in_another_process_follows_where_it_stopped(url: str) -> None:
    """Another recorder, as another process has, which knows nothing of the interrupted run but what `last` gave."""
    graph = graph_of((START, "quick"), (START, "ask"), (["quick", "ask"], "join"), ask=ask)
    saver = InMemorySaver()
    before, after = recorder_at(url, scope="runs"), recorder_at(url, scope="runs")
    assert before.last("one") is None
    before.watch(graph.compile(name="team", checkpointer=saver)).invoke({"seen": []}, on_thread("one"))
    stopped = before.last("one")
    assert stopped is not None
    assert stopped == before.last()
    assert before.recording.flush(30)
    with trace(stopped.id, stopped.parents):
        after.watch(graph.compile(name="team", checkpointer=saver)).invoke(Command(resume="yes"), on_thread("one"))
    assert after.recording.flush(30)
    events = trace_of(url, stopped.id)
    first, second = events.of("proposal", "team")
    waiting, done = events.of("ready", "team")
    assert [waiting["id"]] == [*stopped.parents] == second["parent_ids"]
    assert events.of("proposal", "ask")[1]["parent_ids"] == [second["id"]]
    assert {first["id"], events.one("ready", "quick")["id"]} <= events.causes(events.one("proposal", "join"))
    assert after.last("one") == Trace(stopped.id, (done["id"],))


def test_a_stop_before_a_node_and_a_subgraph_that_asks(url: str) -> None:
    recorder = recorder_at(url, scope="runs")
    inner = graph_of((START, "fine"), (START, "ask"), ("fine", "both"), ("ask", "both"), ask=ask).compile(name="inner")
    graph = graph_of((START, "before"), ("before", "inside"), inside=inner)
    app = recorder.watch(graph.compile(name="team", checkpointer=InMemorySaver(), interrupt_before=["inside"]))
    app.invoke({"seen": []}, on_thread("two"))
    app.invoke(None, on_thread("two"))
    app.invoke(Command(resume="yes"), on_thread("two"))
    events = thread(recorder, "two")
    assert [event["payload"]["status"] for event in events.of("ready", "team")] == ["interrupted", "interrupted", "completed"]
    _, second, third = events.of("proposal", "team")
    first_try, second_try = events.of("proposal", "inside")
    assert first_try["parent_ids"] == [events.one("ready", "before")["id"], second["id"]]
    assert second_try["parent_ids"] == [events.of("ready", "inside")[0]["id"], third["id"]]
    asked, answered = events.of("proposal", "ask")
    assert asked["parent_ids"] == [first_try["id"]]
    assert answered["parent_ids"] == [events.of("ready", "ask")[0]["id"], second_try["id"]]
    assert set(events.one("proposal", "both")["parent_ids"]) == {events.one("ready", "fine")["id"], events.of("ready", "ask")[1]["id"]}


def test_a_failed_run_that_is_resumed_follows_the_failed_try(url: str) -> None:
    recorder = recorder_at(url, scope="runs")
    tries: list[int] = []

    def shaky(state: Any) -> Given:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("not yet")
        return {"seen": ["shaky"]}

    app = recorder.watch(graph_of((START, "before"), ("before", "shaky"), shaky=shaky).compile(name="team", checkpointer=InMemorySaver()))
    with pytest.raises(ValueError, match="not yet"):
        app.invoke({"seen": []}, on_thread("three"))
    app.invoke(None, on_thread("three"))
    events = thread(recorder, "three")
    again = events.of("proposal", "shaky")[1]
    assert again["parent_ids"] == [events.one("penalty", "shaky")["id"], events.of("proposal", "team")[1]["id"]]
    assert again["payload"]["attempt"] == 2
    assert events.of("proposal", "team")[1]["parent_ids"] == [events.one("penalty", "team")["id"]]


def test_turns_on_one_thread_are_one_trace_and_other_threads_others(url: str) -> None:
    recorder = recorder_at(url, scope="runs")
    app = recorder.watch(graph_of((START, "a")).compile(name="team", checkpointer=InMemorySaver()))
    for name in ("ann", "ben", "ann"):
        app.invoke({"seen": []}, on_thread(name))
    events = thread(recorder, "ann")
    assert [events.parents(event) for event in events.of("proposal", "team")] == [[], [("ready", "team")]]
    assert events.of("proposal", "a")[1]["parent_ids"] == [events.of("proposal", "team")[1]["id"]]
    assert len(thread(recorder, "ben").events) == 4


def test_graphs_that_use_the_same_thread_do_not_follow_one_another(url: str) -> None:
    recorder = recorder_at(url, scope="runs")
    one, two = (
        recorder.watch(graph_of((START, "ask"), ("ask", "after"), ask=ask).compile(name=name, checkpointer=InMemorySaver()))
        for name in ("one", "two")
    )
    with trace(new_id()) as block:
        for app in (one, two):
            app.invoke({"seen": []}, on_thread("same"))
        for app in (one, two):
            app.invoke(Command(resume="yes"), on_thread("same"))
    assert recorder.recording.flush(30)
    events = trace_of(url, block.id)
    for name in ("one", "two"):
        first, second = events.of("proposal", name)
        assert first["parent_ids"] == []
        assert second["parent_ids"] == [events.of("ready", name)[0]["id"]]
    waits = [event["id"] for event in events.of("ready", "ask") if event["payload"]["status"] == "interrupted"]
    assert [event["parent_ids"][0] for event in events.of("proposal", "ask")[2:]] == waits
    last = recorder.last("same")
    assert last is not None
    assert last.parents == (events.of("ready", "two")[-1]["id"],)


def test_a_graph_s_thread_goes_on_when_its_run_has_a_name_of_its_own(url: str) -> None:
    recorder = recorder_at(url, scope="runs")
    graph = graph_of((START, "ask"), ask=ask).compile(name="team", checkpointer=InMemorySaver(), interrupt_before=["ask"])
    app = recorder.watch(graph)
    app.invoke({"seen": []}, on_thread("named"))
    app.invoke(None, on_thread("named") | {"run_name": "turn two"})
    app.invoke(Command(resume="yes"), on_thread("named"))
    events = thread(recorder, "named")
    assert events.parents(events.one("proposal", "turn two")) == [("ready", "team")]
    assert events.parents(events.of("proposal", "team")[1]) == [("ready", "turn two")]


def test_a_run_belongs_to_the_trace_of_the_code_that_starts_it(url: str) -> None:
    recorder = recorder_at(url, scope="runs")
    app = recorder.watch(graph_of((START, "a")).compile(name="team"))
    with trace(new_id()) as block, SEMPClient(url) as client:
        asked = client.create_event("proposal", "runs", block.id, "boss", {"action": "ask"})
        with trace(block.id, (asked["id"],)):
            app.invoke({"seen": []})
        app.invoke({"seen": []})
        assert current_trace() == block, "a run must not change where the code around it stands"
    assert recorder.recording.flush(30)
    events = trace_of(url, block.id)
    assert [events.parents(event) for event in events.of("proposal", "team")] == [[("proposal", "ask")], []]
    app.invoke({"seen": []})
    assert recorder.recording.flush(30)
    assert len(trace_of(url, block.id).events) == 9, "a run outside of the block is another trace"


def test_a_node_leaves_events_of_its_own_in_its_place(url: str) -> None:
    client = SEMPClient(url)

    def work(state: Any) -> Given:
        with here() as place:
            assert place is not None
            made = client.create_event("test", "runs.own", place.id, "tester", {"status": "passed"}, parent_ids=place.parents)
            place.follow(made["id"])
        return {"seen": ["work"]}

    def judge(state: Any) -> Given:
        assert scored(0.9, of="work", reason="good")
        return {"seen": ["judge"]}

    recorder = recorder_at(url, scope=f"runs.s{new_id()}", trace_id=new_id())
    app = recorder.watch(graph_of((START, "work"), ("work", "judge"), work=work, judge=judge).compile(name="team"))
    app.invoke({"seen": []})
    with here() as place:
        assert place is None
    assert not scored(1.0, of="work")
    events = told(recorder)
    assert events.parents(events.one("test")) == [("proposal", "work")]
    assert events.parents(events.one("ready", "work")) == [("proposal", "work"), ("test", None)]
    reward = events.one("reward")
    assert (reward["payload"], reward["agent_id"]) == ({"value": 0.9, "action": "work", "reason": "good"}, "judge")
    assert events.parents(reward) == [("proposal", "judge"), ("ready", "work")]
    assert events.parents(events.one("ready", "judge")) == [("proposal", "judge"), ("reward", "work")]
    assert get(url, f"/api/signals/{recorder.recording.scope}/work")["strength"] > 0.9
    client.close()


async def test_a_coroutine_emits_in_its_place_with_the_typed_client(url: str) -> None:
    async def work(state: Any) -> Given:
        async with Client(url, agent_id="worker") as client, here():
            await client.emit("test", "runs.own", {"status": "running"})
            await client.emit("test", "runs.own", {"status": "passed"})
        return {"seen": ["work"]}

    recorder = recorder_at(url, scope="runs", trace_id=new_id())
    await recorder.watch(graph_of((START, "work"), work=work).compile(name="team")).ainvoke({"seen": []})
    events = await asyncio.to_thread(told, recorder)
    running, passed = events.of("test")
    assert events.parents(running) == [("proposal", "work")]
    assert passed["parent_ids"] == [running["id"]]
    assert events.one("ready", "work")["parent_ids"] == [events.one("proposal", "work")["id"], passed["id"]]


def test_feedback_after_a_run_moves_the_graph_s_signal(url: str) -> None:
    recorder = recorder_at(url, scope=f"runs.s{new_id()}")
    app = recorder.watch(graph_of((START, "a")).compile(name="team"))
    assert not recorder.scored(0.5)
    app.invoke({"seen": []}, on_thread("ann"))
    app.invoke({"seen": []}, on_thread("ben"))
    assert recorder.scored(0.5, of="ann", reason="helped", agent_id="user")
    assert recorder.scored(-0.2)
    assert not recorder.scored(0.5, of="nobody")
    reward, penalty = thread(recorder, "ann").one("reward"), thread(recorder, "ben").one("penalty")
    assert (reward["payload"], reward["agent_id"]) == ({"value": 0.5, "action": "team", "reason": "helped"}, "user")
    assert penalty["payload"] == {"value": -0.2, "action": "team"}
    assert thread(recorder, "ann").parents(reward) == [("ready", "team")]


def test_tasks_of_the_functional_api_are_called_by_their_workflow(url: str) -> None:
    both = threading.Barrier(2, timeout=30)

    @task
    def double(number: int) -> int:
        if number < 3:
            both.wait()
        return 2 * number

    @entrypoint()
    def flow(numbers: list[int]) -> int:
        futures = [double(number) for number in numbers]
        return double(sum(future.result() for future in futures)).result()

    recorder = recorder_at(url, scope="runs", trace_id=new_id())
    assert flow.invoke([1, 2], {"callbacks": [recorder]}) == 12
    events = told(recorder)
    [flow_node] = [event for event in events.of("proposal") if event["agent_id"] == "flow"]
    first, second, last = events.of("proposal", "double")
    assert first["parent_ids"] == second["parent_ids"] == [flow_node["id"]]
    assert sorted(events.parents(last)) == [("ready", "double")] * 2
    assert recorder.reporter.frames == {}


def test_a_handler_that_knows_no_layout_follows_the_step_before(url: str) -> None:
    recorder = recorder_at(url, scope="runs", trace_id=new_id())
    graph_of((START, "a"), (START, "b"), ("a", "c"), ("b", "c"), ("c", "d")).compile().invoke({"seen": []}, {"callbacks": [recorder]})
    events = told(recorder)
    assert sorted(events.parents(events.one("proposal", "c"))) == [("ready", "a"), ("ready", "b")]
    assert events.parents(events.one("proposal", "d")) == [("ready", "c")]


def test_content_is_told_only_when_asked_for_and_is_cut(url: str) -> None:
    for content in (False, True):
        recorder = recorder_at(url, scope="runs", trace_id=new_id(), content=content)
        app = recorder.watch(graph_of((START, "a"), a=always({"seen": ["secret" * 1000]})).compile(name="team"))
        app.invoke({"seen": ["private"]})
        events = told(recorder)
        texts = str([event["payload"] for event in events.events])
        assert ("private" in texts, "secret" in texts) == (content, content)
        if content:
            assert len(events.one("ready", "a")["payload"]["output"]) == 2000
            assert events.one("proposal", "a")["payload"]["input"] == '{"seen": ["private"]}'


def test_a_service_that_is_away_neither_breaks_nor_slows_a_run(caplog: pytest.LogCaptureFixture) -> None:
    recorder = recorder_at("http://127.0.0.1:9", scope="runs", capacity=50)
    app = recorder.watch(graph_of((START, "a"), ("a", "b"), ("b", "c")).compile())
    began = time.perf_counter()
    for _ in range(20):
        assert app.invoke({"seen": []})["seen"] == ["a", "b", "c"]
    assert time.perf_counter() - began < 5
    assert recorder.recording.lost == 20 * 8 - 50
    assert recorder.reporter.frames == {}
    recorder.recording.close(0.1)
    assert recorder.recording.lost == 20 * 8
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


def test_an_error_in_the_recorder_stays_there(url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    recorder = recorder_at(url, scope="runs")
    app = recorder.watch(graph_of((START, "a")).compile())

    def broken(*args: object, **more: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(recorder.reporter, "begin_node", broken)
    monkeypatch.setattr(recorder.recording, "ended", broken)
    assert app.invoke({"seen": []}) == {"seen": ["a"]}
    assert "could not be recorded" in caplog.text
    assert recorder.reporter.frames == {}


def test_threads_are_remembered_within_a_bound(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "KEPT", 3)
    recorder = recorder_at(url, scope="runs")
    app = recorder.watch(graph_of((START, "a")).compile())
    for number in range(6):
        app.invoke({"seen": []}, on_thread(str(number)))
    assert [recorder.reporter.runs.last(str(number)) is not None for number in range(6)] == [False] * 3 + [True] * 3


def test_a_recorded_graph_may_be_a_node_of_another(url: str) -> None:
    recorder = recorder_at(url, scope="runs", trace_id=new_id())
    inner = recorder.watch(graph_of((START, "x")).compile(name="inner"))
    graph_of((START, "sub"), ("sub", "y"), sub=inner, y=node("y")).compile(name="outer").invoke({"seen": []})
    assert [event["payload"]["action"] for event in told(recorder).of("proposal")] == ["inner", "x"]
    outer = graph_of((START, "sub"), ("sub", "y"), sub=inner).compile(name="outer")
    both = recorder_at(url, scope="both", trace_id=new_id())
    both.watch(outer).invoke({"seen": []})
    assert [event["payload"]["action"] for event in told(both).of("proposal")] == ["outer", "sub", "x", "y"]


def test_options_are_those_of_the_recorder(url: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        recorded(graph_of((START, "a")).compile(), "nonsense")
    with pytest.raises(TypeError):
        recorded(graph_of((START, "a")).compile(), url, colour="green")
