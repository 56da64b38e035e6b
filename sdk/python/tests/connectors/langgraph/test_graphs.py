"""What graphs do, as events: the causes follow the graph's own structure."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import trace_of
from graphs import State, always, graph_of, node, recorder_at, told
from langgraph.cache.memory import InMemoryCache
from langgraph.errors import GraphRecursionError
from langgraph.graph import END, START, StateGraph
from langgraph.types import CachePolicy, Command, RetryPolicy, Send
from semp_sdk.connectors.langgraph import GraphRecorder, recorded
from semp_sdk.identifiers import new_id
from semp_sdk.tracing import trace


@pytest.fixture
def recorder(url: str) -> Iterator[GraphRecorder]:
    with trace(new_id()) as here:
        found = recorder_at(url, scope="graphs", trace_id=here.id)
    yield found
    assert found.reporter.frames == {}, "something of a run was kept"
    found.recording.close()


def test_steps_in_a_row_follow_one_another(recorder: GraphRecorder) -> None:
    app = recorder.watch(graph_of((START, "plan"), ("plan", "write"), ("write", END)).compile(name="team"))
    assert app.invoke({"seen": []}) == {"seen": ["plan", "write"]}
    events = told(recorder)
    assert [(event["type"], event["payload"]["action"]) for event in events.events] == [
        ("proposal", "team"), ("proposal", "plan"), ("ready", "plan"), ("proposal", "write"), ("ready", "write"), ("ready", "team"),
    ]  # fmt: skip
    assert events.one("proposal", "team")["parent_ids"] == []
    assert events.parents(events.one("proposal", "plan")) == [("proposal", "team")]
    assert events.parents(events.one("ready", "plan")) == [("proposal", "plan")]
    assert events.parents(events.one("proposal", "write")) == [("ready", "plan")]
    assert events.parents(events.one("ready", "team")) == [("proposal", "team"), ("ready", "write")]
    assert {event["scope"] for event in events.events} == {"graphs"}
    assert [event["agent_id"] for event in events.events] == ["langgraph", "plan", "plan", "write", "write", "langgraph"]
    assert events.one("ready", "write")["payload"].keys() == {"action", "status", "seconds", "step"}


def test_a_fan_in_follows_all_its_branches_and_no_others(recorder: GraphRecorder) -> None:
    edges = [(START, "a"), (START, "b"), (START, "c"), ("a", "ab"), ("b", "ab"), ("c", "alone"), ("ab", END), ("alone", END)]
    recorder.watch(graph_of(*edges).compile(name="team")).invoke({"seen": []})
    events = told(recorder)
    assert sorted(events.parents(events.one("proposal", "ab"))) == [("ready", "a"), ("ready", "b")]
    assert events.parents(events.one("proposal", "alone")) == [("ready", "c")]
    assert sorted(events.parents(events.one("ready", "team"))) == [("proposal", "team"), ("ready", "ab"), ("ready", "alone")]


def test_a_join_waits_for_branches_of_different_length_and_follows_each(recorder: GraphRecorder) -> None:
    graph = graph_of((START, "short"), (START, "long"), ("long", "longer"), (["short", "longer"], "join"), ("join", END))
    recorder.watch(graph.compile()).invoke({"seen": []})
    events = told(recorder)
    assert sorted(events.parents(events.one("proposal", "join"))) == [("ready", "longer"), ("ready", "short")]


def test_a_deferred_node_follows_everything_that_led_to_it(recorder: GraphRecorder) -> None:
    graph = graph_of((START, "short"), (START, "long"), ("long", "longer"))
    graph.add_node("last", node("last"), defer=True)
    graph.add_edge("short", "last")
    graph.add_edge("longer", "last")
    recorder.watch(graph.compile()).invoke({"seen": []})
    events = told(recorder)
    assert sorted(events.parents(events.one("proposal", "last"))) == [("ready", "longer"), ("ready", "short")]


def test_map_and_reduce_by_send(recorder: GraphRecorder) -> None:
    def work(state: dict[str, Any]) -> Any:
        return {"seen": [state["part"]]}

    graph = graph_of((START, "split"), (START, "other"), ("work", "reduce"), work=work)
    graph.add_conditional_edges("split", always([Send("work", {"part": number}) for number in range(3)]), ["work"])
    graph.add_conditional_edges("other", always([Send("work", {"part": 7})]), ["work"])
    app = recorder.watch(graph.compile(name="team"))
    assert sorted(map(str, app.invoke({"seen": []})["seen"])) == ["0", "1", "2", "7", "other", "reduce", "split"]
    events = told(recorder)
    sources = [events.parents(event) for event in events.of("proposal", "work")]
    assert sorted(sources) == [[("ready", "other")]] + [[("ready", "split")]] * 3
    assert [event["id"] for event in events.of("ready", "work")] == sorted(events.one("proposal", "reduce")["parent_ids"])
    assert events.one("ready", "split")["payload"]["next"] == ["work"]


def test_more_branches_than_the_service_takes_causes_are_all_causes(recorder: GraphRecorder) -> None:
    graph = graph_of((START, "split"), ("work", "reduce"))
    graph.add_conditional_edges("split", always([Send("work", {}) for _ in range(150)]), ["work"])
    recorder.watch(graph.compile()).invoke({"seen": []}, {"max_concurrency": 4})
    events = told(recorder)
    done = events.of("ready", "work")
    assert len(done) == 150
    assert {event["id"] for event in done} <= events.causes(events.one("proposal", "reduce"))


def test_what_a_cached_node_leads_to_follows_from_what_led_to_that(url: str) -> None:
    """A node whose result is cached is not run, so nothing can tell of it."""
    graph = graph_of((START, "a"), ("a", "b"), ("b", "c"), (START, "x"), ("x", "y"), after=node("after"), join=node("join"))
    for name in ("slow", "again"):
        graph.add_node(name, node("slow"), cache_policy=CachePolicy(key_func=always("same")))
    graph.add_edge("a", "slow")
    graph.add_edge("slow", "again")
    graph.add_edge("again", "after")
    graph.add_edge(["c", "slow"], "join")
    recorder = recorder_at(url, scope="graphs")
    app = recorder.watch(graph.compile(cache=InMemoryCache()))
    for parents in ({"join": ["c", "slow"], "after": ["again"]}, {"join": ["c", "a"], "after": ["a"]}):
        with trace(new_id()) as here:
            app.invoke({"seen": []})
        assert recorder.recording.flush(30)
        events = trace_of(url, here.id)
        for action, expected in parents.items():
            assert events.parents(events.one("proposal", action)) == [("ready", name) for name in expected]
    assert events.of("proposal", "slow") == []


def test_routes_commands_and_loops(recorder: GraphRecorder) -> None:
    def decide(state: State) -> Any:
        return Command(update={"seen": ["decide"]}, goto="work" if len(state["seen"]) < 4 else END)

    graph = StateGraph(State)
    graph.add_node("start", node("start"))
    graph.add_node("work", node("work"))
    graph.add_node("aside", node("aside"))
    graph.add_node("decide", decide, destinations=("work", END))
    graph.add_edge(START, "start")
    graph.add_conditional_edges("start", always("yes"), {"yes": "work", "no": "aside"})
    graph.add_conditional_edges("work", always(["decide"]), ["decide", "aside"])
    app = recorder.watch(graph.compile())
    assert app.invoke({"seen": []})["seen"] == ["start", "work", "decide", "work", "decide"]
    events = told(recorder)
    first, second = events.of("proposal", "work")
    decided, ended = events.of("ready", "decide")
    assert events.parents(first) == [("ready", "start")]
    assert second["parent_ids"] == [decided["id"]]
    assert (decided["payload"]["next"], ended["payload"]["next"]) == (["work"], ["__end__"])
    assert [event["payload"]["step"] for event in events.of("ready")[:-1]] == [1, 2, 3, 4, 5]


def test_two_routes_at_once_do_not_mix_with_a_neighbour(recorder: GraphRecorder) -> None:
    """Both start nodes end in the same step; each routes to another node, chosen while the graph runs."""
    graph = graph_of((START, "a"), (START, "b"), x=node("x"), y=node("y"))
    graph.add_conditional_edges("a", always("y"), ["x", "y"])
    graph.add_conditional_edges("b", always(["x", "y"]), ["x", "y"])
    recorder.watch(graph.compile()).invoke({"seen": []})
    events = told(recorder)
    assert events.parents(events.one("proposal", "x")) == [("ready", "b")]
    assert sorted(events.parents(events.one("proposal", "y"))) == [("ready", "a"), ("ready", "b")]


def test_a_node_does_not_follow_from_a_neighbour_in_its_own_step(recorder: GraphRecorder) -> None:
    """In the second step j runs beside b, which leads to it; one at a time, so b has ended when j starts."""
    app = recorder.watch(graph_of((START, "a"), ("a", "b"), ("b", "j"), ("a", "j")).compile())
    app.invoke({"seen": []}, {"max_concurrency": 1})
    events = told(recorder)
    assert [events.parents(event) for event in events.of("proposal", "j")] == [[("ready", "a")], [("ready", "b")]]


def test_a_join_does_not_take_a_neighbour_in_its_own_step(recorder: GraphRecorder) -> None:
    """In the third step j runs because of c, and b, which j waits for together with a, runs beside it."""
    graph = graph_of((START, "a"), ("a", "c"), ("c", "b"), ("c", "j"), (["a", "b"], "j"))
    recorder.watch(graph.compile()).invoke({"seen": []}, {"max_concurrency": 1})
    events = told(recorder)
    first, second = events.of("proposal", "j")
    assert events.parents(first) == [("ready", "c")]
    assert sorted(events.parents(second)) == [("ready", "a"), ("ready", "b")]


def test_subgraphs_are_work_inside_their_node(recorder: GraphRecorder) -> None:
    inner = graph_of((START, "one"), (START, "two"), ("one", "both"), ("two", "both"), (START, "loose")).compile(name="inner")

    def call(state: State) -> Any:
        first = inner.invoke({"seen": []})
        return {"seen": inner.invoke({"seen": []})["seen"][:1] + first["seen"][:1]}

    graph = graph_of((START, "before"), ("before", "inside"), ("inside", "called"), inside=inner, called=call)
    recorder.watch(graph.compile(name="outer")).invoke({"seen": []})
    events = told(recorder)
    inside = [event for event in events.events if event["scope"] == "graphs.inside"]
    assert {event["agent_id"] for event in inside} == {"one", "two", "both", "loose"}
    [both] = [event for event in inside if (event["type"], event["agent_id"]) == ("proposal", "both")]
    assert sorted(events.parents(both)) == [("ready", "one"), ("ready", "two")]
    [one] = [event for event in inside if (event["type"], event["agent_id"]) == ("proposal", "one")]
    assert events.parents(one) == [("proposal", "inside")]
    assert sorted(events.parents(events.one("ready", "inside"))) == [("proposal", "inside"), ("ready", "both"), ("ready", "loose")]
    called = [event for event in events.events if event["scope"] == "graphs.called"]
    assert len(called) == 16
    ones = [event for event in called if (event["type"], event["agent_id"]) == ("proposal", "one")]
    assert events.parents(ones[0]) == [("proposal", "called")]
    assert sorted(events.parents(ones[1])) == [("ready", "both"), ("ready", "loose")]  # the second call follows the first
    assert events.parents(events.one("ready", "outer")) == [("proposal", "outer"), ("ready", "called")]


def test_a_node_that_calls_two_graphs_and_a_graph_of_the_same_name_beside_it(recorder: GraphRecorder) -> None:
    """From outside one graph of a node can be seen; another one is known when it is watched too, else steps follow the step before."""
    first = graph_of((START, "a"), (START, "b"), ("a", "c"), ("b", "d")).compile(name="first")
    second = recorder.watch(graph_of((START, "a"), (START, "b"), ("a", "d"), ("b", "c")).compile(name="second"))
    third = graph_of((START, "a"), (START, "b"), ("a", "c"), ("b", "d")).compile(name="third")

    def call(state: State) -> Any:
        for inner in (first, second, third):
            inner.invoke({"seen": []})
        return {"seen": ["called"]}

    recorder.watch(graph_of((START, "a"), ("a", "called"), called=call).compile(name="outer")).invoke({"seen": []})
    events = told(recorder)
    for action, expected in (("c", ["a", "b", "ab"]), ("d", ["b", "a", "ab"])):
        starts = events.of("proposal", action)
        assert ["".join(sorted(name or "" for _, name in events.parents(event))) for event in starts] == expected
    assert events.parents(events.one("proposal", "called")) == [("ready", "a")]


def test_a_command_to_the_parent_graph_leads_there(recorder: GraphRecorder) -> None:
    def leave(state: State) -> Any:
        return Command(goto="after", graph=Command.PARENT, update={"seen": ["leave"]})

    inner = StateGraph(State)
    inner.add_node("leave", leave)
    inner.add_edge(START, "leave")
    outer = StateGraph(State)
    outer.add_node("inside", inner.compile(), destinations=("after",))
    outer.add_node("after", node("after"))
    outer.add_edge(START, "inside")
    app = recorder.watch(outer.compile(name="outer"))
    assert app.invoke({"seen": []})["seen"] == ["leave", "after"]
    events = told(recorder)
    assert events.of("penalty") == []
    assert events.parents(events.one("ready", "inside")) == [("proposal", "inside"), ("ready", "leave")]
    assert events.parents(events.one("proposal", "after")) == [("ready", "inside")]


def test_a_retry_follows_its_failed_try(recorder: GraphRecorder) -> None:
    tries: list[int] = []

    def shaky(state: State) -> Any:
        tries.append(len(tries))
        if len(tries) < 3:
            raise ValueError(f"try {len(tries)}")
        return {"seen": ["shaky"]}

    graph = graph_of((START, "before"))
    graph.add_node("shaky", shaky, retry_policy=RetryPolicy(initial_interval=0.01, jitter=False, retry_on=ValueError))
    graph.add_edge("before", "shaky")
    recorder.watch(graph.compile()).invoke({"seen": []})
    events = told(recorder)
    first, second, third = events.of("proposal", "shaky")
    one, two = events.of("penalty", "shaky")
    assert events.parents(first) == [("ready", "before")]
    assert (second["parent_ids"], third["parent_ids"]) == ([one["id"]], [two["id"]])
    assert (one["payload"]["reason"], one["payload"]["value"]) == ("ValueError: try 1", -0.5)
    assert [event["payload"].get("attempt") for event in (first, second, third)] == [None, 2, 3]
    assert events.one("ready", "shaky")["parent_ids"] == [third["id"]]


def test_an_exception_is_a_penalty_of_its_node_and_of_the_run(recorder: GraphRecorder) -> None:
    def broken(state: State) -> Any:
        raise KeyError("gone")

    app = recorder.watch(graph_of((START, "fine"), ("fine", "broken"), broken=broken).compile(name="team"))
    with pytest.raises(KeyError, match="gone"):
        app.invoke({"seen": []})
    events = told(recorder)
    assert events.parents(events.one("penalty", "broken")) == [("proposal", "broken")]
    assert events.parents(events.one("penalty", "team")) == [("proposal", "team"), ("penalty", "broken")]
    assert events.one("penalty", "team")["payload"]["reason"] == "KeyError: 'gone'"


def test_an_exception_may_be_a_failed_test(url: str) -> None:
    def broken(state: State) -> Any:
        raise KeyError("gone")

    recorder = recorder_at(url, scope="graphs", trace_id=new_id(), on_failure="test")
    with pytest.raises(KeyError):
        recorder.watch(graph_of((START, "broken"), broken=broken).compile()).invoke({"seen": []})
    failed = told(recorder).one("test", "broken")
    assert (failed["payload"]["status"], failed["payload"]["failures"]) == ("failed", ["KeyError: 'gone'"])


def test_an_error_handler_follows_what_failed(recorder: GraphRecorder) -> None:
    def broken(state: State) -> Any:
        raise KeyError("gone")

    graph = graph_of((START, "fine"))
    graph.add_node("broken", broken, error_handler=lambda state: {"seen": ["mended"]})
    graph.add_node("after", node("after"))
    graph.add_edge(START, "broken")
    graph.add_edge("broken", "after")
    assert "mended" in recorder.watch(graph.compile()).invoke({"seen": []})["seen"]
    events = told(recorder)
    [handler] = [event for event in events.of("proposal") if events.parents(event) == [("penalty", "broken")]]
    handled = events.one("ready", handler["payload"]["action"])
    assert handled["id"] in events.causes(events.one("ready", "LangGraph"))


def test_a_graph_without_an_end_is_stopped_and_told(recorder: GraphRecorder) -> None:
    app = recorder.watch(graph_of((START, "a"), ("a", "b"), ("b", "a")).compile())
    with pytest.raises(GraphRecursionError):
        app.invoke({"seen": []}, {"recursion_limit": 6})
    events = told(recorder)
    assert len(events.of("ready")) == 6
    assert events.one("penalty", "LangGraph")["payload"]["reason"].startswith("GraphRecursionError")


@pytest.mark.parametrize("way", ["invoke", "stream", "batch", "ainvoke", "astream", "abatch", "astream_events"])
async def test_every_way_of_calling_tells_the_same(recorder: GraphRecorder, way: str) -> None:
    async def slow(state: State) -> Any:
        await asyncio.sleep(0)
        return {"seen": ["slow"]}

    inside = graph_of((START, "i")).compile(name="inner")
    nodes: dict[str, Any] = {"sub": inside} if not way.startswith("a") else {"sub": inside, "a": slow}
    app: Any = recorder.watch(graph_of((START, "a"), (START, "b"), ("a", "sub"), ("b", "sub"), **nodes).compile(name="team"))
    given: Any = {"seen": []}
    match way:
        case "invoke":
            await asyncio.to_thread(app.invoke, given)
        case "stream":
            assert len(list(app.stream(given, stream_mode=["updates", "messages", "debug"], subgraphs=True))) > 3
        case "batch":
            await asyncio.to_thread(app.batch, [given])
        case "ainvoke":
            await app.ainvoke(given)
        case "astream":
            assert [chunk async for chunk in app.astream(given, stream_mode="updates", subgraphs=True)]
        case "abatch":
            await app.abatch([given])
        case _:
            assert [event async for event in app.astream_events(given, version="v2")]
    events = await asyncio.to_thread(told, recorder)
    assert len(events.events) == 10
    assert sorted(events.parents(events.one("proposal", "sub"))) == [("ready", "a"), ("ready", "b")]
    assert events.parents(events.one("proposal", "i")) == [("proposal", "sub")]
    assert events.parents(events.one("ready", "team")) == [("proposal", "team"), ("ready", "sub")]


async def test_a_stream_that_nobody_reads_to_its_end_is_told_as_cancelled(recorder: GraphRecorder) -> None:
    app = recorder.watch(graph_of((START, "a"), ("a", "b")).compile(name="team"))
    stream: Any = app.stream({"seen": []})
    next(stream)
    stream.close()
    events = await asyncio.to_thread(told, recorder)
    assert events.one("ready", "team")["payload"]["status"] == "cancelled"
    assert events.of("penalty") == []


async def test_a_branch_that_is_cancelled_is_not_punished(recorder: GraphRecorder) -> None:
    async def endless(state: State) -> Any:
        await asyncio.sleep(60)

    async def broken(state: State) -> Any:
        await asyncio.sleep(0.01)
        raise KeyError("gone")

    app = recorder.watch(graph_of((START, "endless"), (START, "broken"), endless=endless, broken=broken).compile(name="team"))
    with pytest.raises(KeyError):
        await app.ainvoke({"seen": []})
    events = await asyncio.to_thread(told, recorder)
    assert events.one("ready", "endless")["payload"]["status"] == "cancelled"
    assert [event["payload"]["action"] for event in events.of("penalty")] == ["broken", "team"]


def test_runs_at_once_do_not_mix(url: str) -> None:
    recorder = recorder_at(url, scope="graphs")
    barrier = threading.Barrier(4, timeout=30)

    def meet(state: State) -> Any:
        barrier.wait()
        return {"seen": [state["seen"][0]]}

    app = recorder.watch(graph_of((START, "meet"), ("meet", "after"), meet=meet).compile())
    traces = [new_id() for _ in range(4)]

    def run(name: str) -> None:
        with trace(name):
            app.invoke({"seen": [name]})

    threads = [threading.Thread(target=run, args=(name,)) for name in traces]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorder.recording.flush(30)
    for name in traces:
        events = trace_of(url, name)
        assert len(events.events) == 6
        assert all(parent in events.by_id for event in events.events for parent in event["parent_ids"])
    assert recorder.reporter.frames == {}


def test_two_lines_are_enough(url: str) -> None:
    with trace(new_id()) as here:
        app = recorded(graph_of((START, "a")).compile(), url, scope="graphs")
        assert app.invoke({"seen": []}) == {"seen": ["a"]}
    assert app.get_graph().nodes.keys() == {"__start__", "a", "__end__"}
    recorder: Any = (app.config or {}).get("callbacks")
    assert recorder[0].recording.flush(30)
    assert len(trace_of(url, here.id).events) == 4
