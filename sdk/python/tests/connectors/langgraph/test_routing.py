"""Routes that follow signals."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from typing import Any

import pytest
from conftest import trace_of
from graphs import State, graph_of, node, recorder_at, told
from langgraph.graph import END, START, StateGraph
from semp_sdk import SEMPClient
from semp_sdk.connectors.langgraph import epsilon, greedy, proportional
from semp_sdk.identifiers import new_id


@pytest.fixture
def scope(url: str) -> str:
    """A scope whose signals are a: 0.2, b: 0.6; nothing has the pattern c."""
    name = f"routes.s{new_id()}"
    with SEMPClient(url) as client:
        for pattern, value in (("a", 0.2), ("b", 0.6)):
            client.create_event("reward", name, name, "judge", {"action": pattern, "value": value, "alpha": 1.0})
        client.create_event("reward", f"{name}.other", name, "judge", {"action": "a", "value": 1.0})
    return name


def taken(route: Any, times: int = 400, state: Any = None) -> dict[str, int]:
    return dict(Counter(route.invoke(state) for _ in range(times)))


def test_greedy_takes_the_strongest_and_the_first_of_equals(url: str, scope: str) -> None:
    assert taken(greedy(["a", "b", "c"], url, scope=scope), 20) == {"b": 20}
    assert taken(greedy(["c", "d"], url, scope=scope), 20) == {"c": 20}
    assert taken(greedy({"a": "b", "b": "a", END: "x"}, url, scope=scope), 20) == {"a": 20}
    assert taken(greedy(["a", "b"], url, scope=lambda state: f"{scope}.{state}"), 1, "other") == {"a": 1}


def test_proportional_follows_the_strengths_and_its_seed(url: str, scope: str) -> None:
    found = taken(proportional(["a", "b", "c"], url, scope=scope, floor=0.1, rng=7))
    assert set(found) == {"a", "b", "c"}
    for target, share in (("a", 0.3 / 1.1), ("b", 0.7 / 1.1), ("c", 0.1 / 1.1)):
        assert abs(found[target] / 400 - share) < 0.08
    assert set(taken(proportional(["a", "b", "c"], url, scope=scope, floor=0, rng=7))) == {"a", "b"}
    assert set(taken(proportional(["c", "d"], url, scope=scope, floor=0, rng=7), 50)) == {"c", "d"}
    first, second = (proportional(["c", "d", "e"], url, scope=scope, rng=rng) for rng in (7, random.Random(7)))
    assert [first.invoke(None) for _ in range(20)] == [second.invoke(None) for _ in range(20)]


def test_epsilon_explores_as_often_as_it_was_told(url: str, scope: str) -> None:
    found = taken(epsilon(["a", "b", "c"], url, scope=scope, explore=0.3, rng=7))
    assert abs(found["b"] / 400 - 0.8) < 0.08
    assert found["a"] > 0
    assert found["c"] > 0
    assert taken(epsilon(["a", "b", "c"], url, scope=scope, explore=0), 30) == {"b": 30}


async def test_coroutines_choose_the_same_way(url: str, scope: str) -> None:
    assert await greedy(["a", "b"], url, scope=scope).ainvoke(None) == "b"
    assert {await proportional(["a", "b"], url, scope=scope).ainvoke(None) for _ in range(60)} == {"a", "b"}
    assert {await epsilon(["a", "b"], url, scope=scope, explore=1).ainvoke(None) for _ in range(60)} == {"a", "b"}


def test_bad_arguments_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="targets"):
        greedy([], url, scope="s")
    with pytest.raises(ValueError, match="default: 'x' is none of a, b"):
        greedy(["a", "b"], url, scope="s", default="x")
    with pytest.raises(ValueError, match="floor"):
        proportional(["a"], url, scope="s", floor=-1)
    with pytest.raises(ValueError, match="explore"):
        epsilon(["a"], url, scope="s", explore=2)
    with pytest.raises(ValueError, match="no address"):
        greedy(["a"], "nonsense", scope="s")


async def test_without_a_service_the_default_is_taken_soon(caplog: pytest.LogCaptureFixture) -> None:
    away = "http://127.0.0.1:9"
    began = time.perf_counter()
    route = greedy(["a", "b"], away, scope="s", default="b", timeout=0.3)
    assert await asyncio.to_thread(taken, route, 200) == {"b": 200}
    assert await route.ainvoke(None) == "b"
    assert await greedy(["a", "b"], away, scope="s", timeout=0.3).ainvoke(None) == "a"
    without = proportional(["a", "b"], away, scope="s", timeout=0.3, rng=1)
    assert set(await asyncio.to_thread(taken, without, 50)) == {"a", "b"}
    assert time.perf_counter() - began < 5
    assert len([record for record in caplog.records if "could not be read" in record.message]) == 3


def test_a_graph_learns_which_way_works(url: str) -> None:
    """The signals that runs leave steer the runs that follow: a node that fails loses its signal, one that is praised gains."""
    recorder = recorder_at(url, scope=f"routes.s{new_id()}", trace_id=new_id())

    def shaky(state: State) -> Any:
        raise ValueError("it never works")

    graph = graph_of((START, "plan"), ("shaky", END), ("sound", END), shaky=shaky, sound=node("sound"))
    graph.add_conditional_edges("plan", greedy(["shaky", "sound"], url, scope=recorder.recording.scope))
    app = recorder.watch(graph.compile(name="team"))
    assert {edge.target for edge in app.get_graph().edges if edge.source == "plan"} == {"shaky", "sound"}
    with SEMPClient(url) as client:
        client.create_event("reward", recorder.recording.scope, recorder.recording.trace_id, "lead", {"action": "sound", "value": 0.1})
        with pytest.raises(ValueError, match="never"):
            _prefer(client, recorder.recording.scope, "shaky", app)
        assert recorder.recording.flush(30)
        assert app.invoke({"seen": []})["seen"] == ["plan", "sound"]
    events = told(recorder)
    assert [event["payload"].get("next") for event in events.of("ready", "plan")] == [["shaky"], ["sound"]]
    assert events.parents(events.one("proposal", "shaky")) == [("ready", "plan")]
    assert events.parents(events.one("proposal", "sound")) == [("ready", "plan")]


def _prefer(client: SEMPClient, scope: str, pattern: str, app: Any) -> None:
    client.create_event("reward", scope, "aside", "lead", {"action": pattern, "value": 0.2})
    app.invoke({"seen": []})


async def test_routes_and_their_choice_in_every_kind_of_graph(url: str, scope: str) -> None:
    recorder = recorder_at(url, scope="routes", trace_id=new_id())
    graph = StateGraph(State)
    graph.add_node("a", node("a"))
    graph.add_node("b", node("b"))
    graph.add_conditional_edges(START, greedy(["a", "b"], url, scope=scope))
    graph.add_conditional_edges("b", greedy({"a": "a", END: "none"}, url, scope=scope))
    app = recorder.watch(graph.compile(name="team"))
    assert (await app.ainvoke({"seen": []}))["seen"] == ["b", "a"]
    assert await asyncio.to_thread(recorder.recording.flush, 30)
    events = await asyncio.to_thread(trace_of, url, recorder.recording.trace_id)
    assert events.parents(events.one("proposal", "b")) == [("proposal", "team")]
    assert events.parents(events.one("proposal", "a")) == [("ready", "b")]
