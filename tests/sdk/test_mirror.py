"""Mirrors of the real log: the same over REST and Bolt, kept current, proved, written and read back."""

from __future__ import annotations

import asyncio
import inspect
import json
import random
import signal
import uuid
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import networkx as nx
import pytest
from semp.storage.neo4j.connection import Target
from semp_sdk import Bolt, Client, HistoryLost, Mirror, NotFound, SempError, new_id
from semp_sdk.mirror import Difference, graph_from_graphml
from semp_sdk.mirror.selection import Head, Selection, before

from tests.conftest import empty, start_service
from tests.waiting import until

from .conftest import WITHIN
from .test_follow import restarting


def bolt(target: Target, client: Client) -> Bolt:
    return Bolt(target.uri, target.user, target.password, target.database, client.url)


async def record(client: Client, scope: str, count: int, trace_id: str, seed: int = 1) -> list[str]:
    """Random work: most events have one or two causes among those before. Ids in log order."""
    choose = random.Random(seed)
    ids: list[str] = []
    payloads: dict[str, dict[str, Any]] = {
        "proposal": {"action": "try", "params": {"depth": [1, {"x": None}]}}, "ready": {"status": "done", "action": "odd \x01 & <text>"},
        "test": {"status": "failed"}, "reward": {"value": 0.25}, "penalty": {"value": 0.5},
    }  # fmt: skip
    emits: list[Coroutine[Any, Any, Any]] = []
    for _ in range(count):
        kind: Any = choose.choice(list(payloads))
        parents = sorted({choose.choice(ids) for _ in range(choose.randrange(3))}) if ids else []
        ids.append(new_id())
        emits.append(
            client.emit(
                kind, choose.choice([scope, f"{scope}.a", f"{scope}.a.b"]), payloads[kind], trace_id=trace_id, parent_ids=parents,
                agent_id=choose.choice(["ann", "bob"]), id=ids[-1],
            )
        )  # fmt: skip
    await asyncio.gather(*emits)
    return ids


def same(one: Mirror, other: Mirror) -> bool:
    assert list(one.graph.nodes(data=True)) == list(other.graph.nodes(data=True))
    assert list(one.graph.edges(keys=True, data=True)) == list(other.graph.edges(keys=True, data=True))
    assert one.outside == other.outside
    return one.position == other.position and one.epoch == other.epoch


async def test_a_trace_a_scope_a_lineage_and_a_window_are_the_same_over_rest_and_bolt(client: Client, neo4j_target: Target) -> None:
    ids = await record(client, "m.one", 30, "t1")
    first = await client.emit("ready", "m.one", {"status": "x"}, trace_id="t1", parent_ids=[ids[3]])
    assert first.position is not None
    ids += await record(client, "m.one", 29, "t1", seed=3)
    newest = datetime.fromisoformat((await client.event(ids[-1])).timestamp)
    await until(lambda: datetime.now(UTC) > newest + timedelta(milliseconds=1))  # so that the next event has a later time
    middle = await client.emit("proposal", "m.two", {"action": "x"}, trace_id="t2", parent_ids=[ids[20]])
    assert first.timestamp is not None
    assert middle.timestamp is not None
    assert middle.position is not None
    await record(client, "m.two", 59, "t2", seed=2)
    cases: list[tuple[dict[str, Any], int | None]] = [
        ({}, 120),
        ({"trace_id": "t1"}, 60),
        ({"trace_id": "t1", "scope": "m.*.a"}, None),
        ({"scope": "m.one.**"}, None),
        ({"scope": "m.two"}, None),
        ({"scope": "**", "payload": True}, 120),
        ({"lineage_of": ids[20]}, None),
        ({"lineage_of": ids[20].upper(), "payload": True}, None),
        ({"since": first.position, "until": middle.position}, middle.position - first.position),
        ({"since": first.timestamp, "until": middle.timestamp}, None),
        ({"since": datetime.fromisoformat(middle.timestamp)}, None),
        ({"trace_id": "nothing"}, 0),
        ({"since": 10_000}, 0),
        ({"since": 20, "until": 5}, 0),
    ]
    for selection, count in cases:
        rest = await Mirror.fetch(client, **selection)
        over_bolt = await Mirror.fetch(bolt(neo4j_target, client), **selection)
        assert same(rest, over_bolt), selection
        assert await rest.verify() == await over_bolt.verify() == await rest.verify(bolt(neo4j_target, client)) == []
        if count is not None:
            assert len(rest) == count, selection
        else:
            assert 0 < len(rest) < 120, selection
    for source in (client, bolt(neo4j_target, client)):
        with pytest.raises(NotFound):
            await Mirror.fetch(source, lineage_of=str(uuid.uuid4()))


async def test_a_mirror_holds_what_the_log_says(client: Client) -> None:
    ids = await record(client, "m.what", 40, "t3", seed=3)
    mirror = await Mirror.fetch(client, trace_id="t3", payload=True)
    for event in await client.events(trace_id="t3"):
        node = mirror.graph.nodes[event.id]
        assert {name: node[name] for name in ("type", "scope", "trace_id", "agent_id", "timestamp", "position", "payload")} == {
            "type": event.type, "scope": event.scope, "trace_id": "t3", "agent_id": event.agent_id, "timestamp": event.timestamp,
            "position": event.position, "payload": event.payload,
        }  # fmt: skip
        assert list(mirror.graph.successors(event.id)) == event.parent_ids
        assert node.get("value") == {"reward": 0.25, "penalty": -0.5}.get(event.type)
        assert node.get("action") == event.payload.get("action")
        assert node.get("status") == event.payload.get("status")
    assert set(mirror.graph) == set(ids)
    assert set(mirror.graph.edges(keys=True)) == {(one, other, "PARENT") for one, other in mirror.graph.edges()}
    lineage = await Mirror.fetch(client, lineage_of=ids[15])
    around = nx.ancestors(mirror.graph, ids[15]) | nx.descendants(mirror.graph, ids[15]) | {ids[15]}
    assert set(lineage.graph) == around
    assert lineage.outside == {one: left for one in around if (left := [c for c in mirror.graph.successors(one) if c not in around])}


async def test_more_than_a_page_is_read_in_order_by_every_way(client: Client, neo4j_target: Target) -> None:
    await asyncio.gather(*(client.emit("ready", f"many.s{n % 3}", {"status": "x"}, trace_id=f"many{n % 2}") for n in range(6_500)))
    selections: list[dict[str, Any]] = [{}, {"trace_id": "many1"}, {"scope": "many.*"}, {"since": 100, "until": 6_400}]
    for selection in selections:
        rest = await Mirror.fetch(client, **selection)
        assert same(rest, await Mirror.fetch(bolt(neo4j_target, client), **selection))
        positions = [node["position"] for node in rest.graph.nodes.values()]
        assert positions == sorted(positions)
        assert len(positions) > 3_000
        assert await rest.verify() == []


async def test_following_keeps_it_current_and_verify_proves_it(client: Client, neo4j_target: Target) -> None:
    scope = f"live{uuid.uuid4().hex}"
    ids = await record(client, scope, 10, "t4", seed=4)
    whole = await Mirror.fetch(client)
    part = await Mirror.fetch(bolt(neo4j_target, client), scope=f"{scope}.**")
    lineage = await Mirror.fetch(client, lineage_of=ids[0])
    with pytest.raises(ValueError, match="client"):
        part.follow()
    async with whole.follow() as all_live, part.follow(client) as part_live, lineage.follow() as lineage_live:
        await record(client, scope, 30, "t4", seed=5)
        child = await client.emit("ready", "elsewhere", {"status": "x"}, trace_id="other", parent_ids=[ids[0], ids[1]])
        last = await client.emit("ready", "elsewhere", {"status": "x"}, trace_id="other", parent_ids=[child.id])
        assert last.position is not None
        for live in (all_live, part_live, lineage_live):
            await live.reached(last.position, timeout=WITHIN)
    for mirror in (whole, part, lineage):
        assert mirror.position == last.position
        assert await mirror.verify() == []
        assert await mirror.verify(bolt(neo4j_target, client)) == []
    assert {child.id, last.id} <= set(lineage.graph)
    assert same(lineage, await Mirror.fetch(client, lineage_of=ids[0]))
    assert same(whole, await Mirror.fetch(client))
    await client.emit("ready", scope, {"status": "x"}, trace_id="t4")
    assert await whole.verify() == [], "what came after it was left is past its position"


async def test_following_a_window_ends_with_it(client: Client) -> None:
    [first] = await record(client, "window", 1, "t5")
    start = await client.event(first)
    by_time = await Mirror.fetch(client, since=start.timestamp, until=datetime.fromisoformat(start.timestamp) + timedelta(seconds=1))
    by_position = await Mirror.fetch(client, since=start.position, until=start.position + 4)
    following = [asyncio.create_task(mirror.follow().run()) for mirror in (by_time, by_position)]
    while not all(task.done() for task in following):
        await record(client, "window", 1, "t5")
    assert [task.exception() for task in following] == [None, None]
    assert len(by_position) == 4
    assert len(by_time) >= 2
    assert await by_time.verify() == await by_position.verify() == []


Plant = Callable[[Mirror, list[str]], tuple[str, str]]


def left_out(mirror: Mirror, ids: list[str]) -> tuple[str, str]:
    mirror.graph.remove_node(ids[-1])
    return ids[-1], "missing"


def made_up(mirror: Mirror, ids: list[str]) -> tuple[str, str]:
    mirror.graph.add_node("made up", position=3)
    return "made up", "unknown"


def altered(mirror: Mirror, ids: list[str]) -> tuple[str, str]:
    mirror.graph.nodes[ids[2]]["agent_id"] = "mallory"
    return ids[2], "agent_id"


def cut(mirror: Mirror, ids: list[str]) -> tuple[str, str]:
    event, cause = next(iter(mirror.graph.edges()))
    mirror.graph.remove_edge(event, cause)
    return event, "causes"


@pytest.mark.parametrize("plant", [left_out, made_up, altered, cut])
async def test_verify_finds_a_planted_difference(client: Client, plant: Plant) -> None:
    trace = uuid.uuid4().hex
    ids = await record(client, "v", 12, trace, seed=8)
    mirror = await Mirror.fetch(client, trace_id=trace)
    assert await mirror.verify() == []
    planted = plant(mirror, ids)
    [found] = await mirror.verify()
    assert isinstance(found, Difference)
    assert (found.id, found.what) == planted
    assert found.mirror != found.log


@pytest.mark.parametrize("payload", [False, True])
async def test_graphml_and_json_read_back_as_the_same_graph(client: Client, payload: bool) -> None:
    trace = uuid.uuid4().hex
    await record(client, "x", 30, trace, seed=9)
    mirror = await Mirror.fetch(client, trace_id=trace, payload=payload)
    back = cast("nx.Graph[str]", nx.node_link_graph(json.loads(mirror.to_json()), edges="edges"))
    assert isinstance(back, nx.MultiDiGraph)
    read = graph_from_graphml(mirror.to_graphml())
    for node in mirror.graph.nodes.values():
        if "action" in node:
            node["action"] = node["action"].replace("\x01", "\ufffd")  # XML cannot hold it
    for node in back.nodes.values():
        if "action" in node:
            node["action"] = node["action"].replace("\x01", "\ufffd")
    for found in (back, read):
        assert found.graph == mirror.graph.graph
        assert dict(found.nodes.items()) == dict(mirror.graph.nodes.items())
        assert list(found.edges(keys=True, data=True)) == list(mirror.graph.edges(keys=True, data=True))


async def test_tables_of_events_and_edges(client: Client) -> None:
    trace = uuid.uuid4().hex
    ids = await record(client, "x", 20, trace, seed=10)
    mirror = await Mirror.fetch(client, trace_id=trace)
    events, edges = cast("Any", mirror.events_frame()), cast("Any", mirror.edges_frame())  # pandas brings no types
    assert list(events["id"]) == ids
    assert str(events["timestamp"].dtype).endswith("UTC]")
    assert len(edges) == mirror.graph.number_of_edges()
    assert (edges["seconds"] >= 0).all()
    nothing = await Mirror.fetch(client, trace_id="nothing")
    assert (len(nothing.events_frame()), len(nothing.edges_frame())) == (0, 0)
    assert "payload" in (await Mirror.fetch(client, trace_id=trace, payload=True)).events_frame()


class Times:
    """A log whose timestamps are given."""

    def __init__(self, *times: str) -> None:
        self.times = times

    async def timestamp(self, position: int) -> str:
        return self.times[position - 1]


@pytest.mark.parametrize(("edge", "expected"), [("a", 0), ("b", 0), ("c", 3), ("d", 4), ("e", 4), (1, 0), (3, 2), (9, 4), (0, 0)])
async def test_an_edge_is_found_by_bisection(edge: str | int, expected: int) -> None:
    source: Any = Times("b", "b", "b", "c")
    assert await before(source, edge, 4) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"lineage_of": "x", "scope": "a"}, {"scope": "a..b"}, {"scope": "**.a"}, {"since": "yesterday"},
        {"since": datetime(2025, 1, 1)}, {"until": "2025-01-01T00:00:00"},
    ],
)  # fmt: skip
def test_a_selection_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    given = dict.fromkeys(["trace_id", "scope", "lineage_of", "since", "until"]) | wrong
    with pytest.raises(ValueError, match=r"."):
        Selection.of(**given)


def test_times_are_brought_to_the_form_of_the_log() -> None:
    found = Selection.of(None, None, None, "2025-01-01T01:00:00.0001+01:00", "2025-01-01T00:00:00Z")
    assert (found.since, found.until) == ("2025-01-01T00:00:00.001Z", "2025-01-01T00:00:00.000Z")


async def test_a_missing_package_is_named_with_the_extra(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    mirror = Mirror(client, Selection(), Head("e", 0))
    for module, use in (("pandas", mirror.events_frame), ("networkx", lambda: Mirror(client, Selection(), Head("e", 0)))):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(ImportError, match=r"semp-sdk\[graph\]"):
            use()
    monkeypatch.setitem(sys.modules, "neo4j", None)
    with pytest.raises(ImportError, match=r"semp-sdk\[graph\]"):
        async with Bolt("bolt://localhost").open():
            pass


def test_a_mirror_over_bolt_has_no_cypher_of_its_own() -> None:
    assert "MATCH" not in Path(inspect.getfile(Bolt)).read_text("utf-8")


async def test_a_mirror_over_bolt_of_a_service_without_a_database_says_so(tmp_path: Path) -> None:
    service = start_service(tmp_path / "log", "--memory")
    try:
        with pytest.raises(SempError, match="memory"):
            await Mirror.fetch(Bolt("bolt://127.0.0.1:1", service=service.url))
    finally:
        assert service.stop() == 0


async def test_following_outlives_a_restart_of_the_service(neo4j_target: Target, tmp_path: Path) -> None:
    async with restarting(neo4j_target, tmp_path) as (url, restart), Client(url, agent_id="a") as client:
        await record(client, "r", 5, "restarts")
        mirror = await Mirror.fetch(client, trace_id="restarts")
        async with mirror.follow() as live:
            await record(client, "r", 5, "restarts", seed=6)
            await restart(signal.SIGKILL)
            await record(client, "r", 5, "restarts", seed=7)
            last = await client.emit("ready", "r", {"status": "x"}, trace_id="another")
            assert last.position is not None
            await live.reached(last.position, timeout=WITHIN)
        assert len(mirror) == 15
        assert await mirror.verify() == []
        with pytest.raises(HistoryLost):  # noqa: PT012
            async with mirror.follow() as live:
                await restart(signal.SIGINT, lambda: empty(neo4j_target))
                with pytest.raises(HistoryLost):
                    await live.reached(last.position + 1, timeout=WITHIN)
        assert [difference.what for difference in await mirror.verify()] == ["epoch"]
