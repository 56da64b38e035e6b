"""The calls that read lineage, traces, explanations and nodes, on the real service."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from semp_sdk import Client, Emitted, InvalidEvent, NotFound
from semp_sdk.lineage import NodeEdge

from tests.events import unique


class Story:
    """Stored events: idea, its child detail, the children left and right of detail, their child merge, and a reward for merge."""

    def __init__(self, scope: str, events: dict[str, Emitted]) -> None:
        self.scope = scope
        self.ids = {name: event.id for name, event in events.items()}
        self.names = {event.id: name for name, event in events.items()}
        self.events = events

    def names_and_depths(self, nodes: list[Any]) -> list[tuple[str, int]]:
        return [(self.names[node.id], node.depth) for node in nodes]


@pytest.fixture
async def story(client: Client) -> Story:
    scope, trace = unique("s"), unique("t")
    events: dict[str, Emitted] = {}

    async def emit(name: str, kind: Any, payload: dict[str, Any], *causes: str) -> None:
        parents = [events[cause].id for cause in causes]
        events[name] = await client.emit(kind, scope, payload, trace_id=trace, parent_ids=parents)

    await emit("idea", "proposal", {"action": "idea"})
    await emit("detail", "proposal", {"action": "detail"}, "idea")
    await emit("left", "ready", {"status": "ok"}, "detail")
    await emit("right", "test", {"status": "passed"}, "detail")
    await emit("merge", "ready", {"status": "merged"}, "left", "right")
    await emit("reward", "reward", {"value": 0.5, "credit": {"discount": 0.5}}, "merge")
    return Story(scope, events)


async def test_lineage_in_every_direction(client: Client, story: Story) -> None:
    ids = story.ids
    causes = await client.ancestors(ids["merge"])
    assert (causes.count, causes.truncated) == (4, False)
    assert story.names_and_depths(causes.nodes) == [("right", 1), ("left", 1), ("detail", 2), ("idea", 3)]
    assert causes.nodes[0].payload is None
    effects = await client.descendants(ids["detail"], type="test", payload=True)
    assert [node.payload for node in effects.nodes] == [{"status": "passed"}]
    both = await client.lineage(ids["detail"], depth=1)
    assert {(story.names[node.id], node.relation) for node in both.nodes} == {
        ("idea", "ancestor"), ("left", "descendant"), ("right", "descendant")
    }  # fmt: skip
    assert story.names_and_depths((await client.roots(ids["reward"])).nodes) == [("idea", 4)]
    assert story.names_and_depths((await client.impact(ids["idea"])).nodes) == [("reward", 4)]
    with pytest.raises(NotFound):
        await client.ancestors("00000000-0000-4000-8000-000000000000")


async def test_all_pages_are_followed(client: Client, story: Story) -> None:
    shown = [story.names[node.id] async for node in client.descendants(story.ids["idea"], limit=2)]
    assert shown == ["detail", "left", "right", "merge", "reward"]


async def test_paths_and_common_causes(client: Client, story: Story) -> None:
    ids = story.ids
    paths = await client.paths(ids["detail"], ids["merge"])
    assert {story.names[node.id] for node in paths.nodes} == {"detail", "left", "right", "merge"}
    assert len(paths.shortest) == 3
    assert story.names_and_depths((await client.common_causes(ids["left"], ids["right"])).nodes) == [("detail", 1)]


async def test_traces(client: Client, story: Story) -> None:
    merge = await client.event(story.ids["merge"])
    summary = await client.trace_summary(merge.trace_id)
    assert (summary.events, summary.rewards.count, summary.agents[0].agent_id) == (6, 1, "tester")
    assert summary.critical_path.count == 5
    graph = await client.trace_graph(merge.trace_id)
    assert (len(graph.nodes), len(graph.edges)) == (6, 6)
    assert merge.trace_id in [span.trace_id for span in await client.traces(limit=5)]


async def test_moves_have_the_share_of_credit_that_reached_each_signal(client: Client, story: Story) -> None:
    assert story.events["reward"].signals is not None
    assert [(move.pattern, move.share) for move in story.events["reward"].signals] == [("detail", 1.0), ("idea", 0.5)]


async def test_a_signal_is_explained_and_read_as_it_was(client: Client, story: Story) -> None:
    reward = await client.event(story.ids["reward"])
    found = await client.explain(story.scope, "idea")
    assert [(story.names[step.id], step.value, step.share) for step in found.events] == [("idea", None, 1.0), ("reward", 0.5, 0.5)]
    assert found.events[-1].change == pytest.approx(0.5 * 0.5 * 1.2)
    assert found.strength == found.events[-1].after + found.decay
    backwards = [step async for step in client.explain(story.scope, "idea", order="desc", limit=1, at=reward.position)]
    assert backwards == found.events[::-1]
    before = await client.signals(scope=story.scope, at=reward.position - 1)
    assert sorted(signal.pattern for signal in before) == ["detail", "idea"]
    assert max(signal.strength for signal in before) <= 0.3
    then = await client.signal(story.scope, "idea", at=datetime.fromisoformat(reward.timestamp))
    assert then is not None
    assert then.strength == found.events[-1].after
    assert await client.signal(story.scope, "idea", at=0) is None
    with pytest.raises(InvalidEvent, match="at"):
        await client.signals(at=10**9)


async def test_what_if(client: Client, story: Story) -> None:
    found = await client.what_if(drop=[story.ids["reward"]])
    assert {(signal.pattern, signal.strength < signal.actual) for signal in found.signals} == {("detail", True), ("idea", True)}
    more = client.draft("penalty", story.scope, {"action": "idea", "value": 1}, trace_id="t", parent_ids=[])
    [gone] = (await client.what_if(add=[more])).signals
    assert (gone.pattern, gone.strength) == ("idea", 0)
    assert gone.actual > 0


async def test_nodes_take_part_in_lineage(client: Client, story: Story) -> None:
    file = await client.create_node("file", {"path": "login.py"})
    other = await client.create_node("ticket")
    await client.link(file.id, other.id, "mentions")
    linked = await client.link(file.id, story.ids["merge"], "changed_by")
    assert set(linked.edges) == {NodeEdge(to=other.id, type="mentions"), NodeEdge(to=story.ids["merge"], type="changed_by")}
    assert await client.node(file.id) == linked
    provenance = await client.provenance(file.id)
    assert story.names_and_depths(provenance.nodes) == [("merge", 0), ("right", 1), ("left", 1), ("detail", 2), ("idea", 3)]
    assert story.names_and_depths((await client.node_descendants(file.id)).nodes) == [("merge", 0), ("reward", 1)]
    assert (await client.node_descendants(file.id, edge="read_by")).count == 0
    [node] = await client.nodes_of(story.ids["merge"])
    assert (node.id, node.data, node.edge) == (file.id, {"path": "login.py"}, "changed_by")
