"""The graph of the users' own nodes and edges: the same cases on every storage."""

from __future__ import annotations

import asyncio

import networkx as nx
import pytest
from semp.domain.signals import Rules
from semp.engine.ports import Storage
from semp.engine.records import Counted, EventFilter, GraphEdge, LineageFilter, Relative, Side

from tests.strategies import filled, make_id, new_draft, plan_of

ONE, TWO, THREE, ABSENT = (make_id(number) for number in (1, 2, 3, 9))


async def test_a_node_comes_back_as_it_was_stored(store: Storage) -> None:
    await store.open(Rules())
    data = '{"b":1.0,"a":"ü\\u0000 \U0001f600","deep":[{"x":null}]}'
    node, new = await store.put_node(ONE, "module-ä", data)
    assert (new, node.id, node.type, bytes(node.data), node.edges) == (True, ONE, "module-ä", data.encode(), [])
    assert await store.node(ONE) == node
    assert await store.node(ABSENT) is None


async def test_a_node_whose_id_is_taken_is_found_and_stays_as_it_is(store: Storage) -> None:
    await store.open(Rules())
    first, _ = await store.put_node(ONE, "module", '{"a":1}')
    found, new = await store.put_node(ONE, "other", '{"a":2}')
    assert (new, found) == (False, first)
    assert await store.node(ONE) == first


async def test_of_concurrent_puts_of_one_id_exactly_one_reports_a_new_node(store: Storage) -> None:
    await store.open(Rules())
    answers = await asyncio.gather(*(store.put_node(ONE, "module", f'{{"a":{n}}}') for n in range(8)))
    assert sum(new for _, new in answers) == 1
    assert len({bytes(node.data) for node, _ in answers}) == 1


async def test_edges_are_listed_in_order_and_each_is_there_once(store: Storage) -> None:
    await store.open(Rules())
    for node in (ONE, TWO, THREE):
        await store.put_node(node, "module", "{}")
    assert await store.add_edge(ONE, THREE, "uses")
    assert await store.add_edge(ONE, TWO, "uses")
    assert await store.add_edge(ONE, TWO, "tests")
    assert await store.add_edge(ONE, TWO, "uses")
    assert await store.add_edge(TWO, ONE, "uses")
    assert await store.add_edge(THREE, THREE, "self")
    found = await store.node(ONE)
    assert found is not None
    assert found.edges == [GraphEdge(TWO, "tests"), GraphEdge(TWO, "uses"), GraphEdge(THREE, "uses")]
    loop = await store.node(THREE)
    assert loop is not None
    assert loop.edges == [GraphEdge(THREE, "self")]


async def test_an_edge_needs_both_its_ends(store: Storage) -> None:
    await store.open(Rules())
    await store.put_node(ONE, "module", "{}")
    assert not await store.add_edge(ONE, ABSENT, "uses")
    assert not await store.add_edge(ABSENT, ONE, "uses")
    found = await store.node(ONE)
    assert found is not None
    assert found.edges == []
    assert await store.node(ABSENT) is None


async def test_the_same_edge_added_by_many_at_once_is_one(store: Storage) -> None:
    await store.open(Rules())
    await store.put_node(ONE, "module", "{}")
    await store.put_node(TWO, "module", "{}")
    assert all(await asyncio.gather(*(store.add_edge(ONE, TWO, "uses") for _ in range(16))))
    found = await store.node(ONE)
    assert found is not None
    assert found.edges == [GraphEdge(TWO, "uses")]


async def test_the_graph_and_the_log_do_not_mix(store: Storage) -> None:
    state, _ = await store.open(Rules())
    await store.append(plan_of(state, new_draft(number=1)))
    assert await store.node(ONE) is None
    await store.put_node(ONE, "module", "{}")
    await store.put_node(TWO, "module", "{}")
    assert await store.add_edge(ONE, TWO, "PARENT")
    assert await store.events([TWO]) == {}
    assert [event.id for event in (await store.page(EventFilter())).events] == [ONE]


async def test_a_node_can_be_linked_to_events_and_an_event_lists_its_nodes(store: Storage) -> None:
    state, _ = await store.open(Rules())
    event = make_id(5)
    await store.append(plan_of(state, new_draft(number=5)))
    for node in (ONE, TWO):
        await store.put_node(node, "file", f'{{"of":"{node}"}}')
    assert await store.add_edge(ONE, event, "changed_by")
    assert await store.add_edge(ONE, event, "changed_by")
    assert await store.add_edge(TWO, event, "changed_by")
    assert await store.add_edge(ONE, event, "broken_by")
    found = await store.node(ONE)
    assert found is not None
    assert found.edges == [GraphEdge(event, "broken_by"), GraphEdge(event, "changed_by")]
    linked = await store.nodes_of(event)
    assert [(node.edge, node.id, bytes(node.data)) for node in linked] == [
        ("broken_by", ONE, f'{{"of":"{ONE}"}}'.encode()),
        ("changed_by", ONE, f'{{"of":"{ONE}"}}'.encode()),
        ("changed_by", TWO, f'{{"of":"{TWO}"}}'.encode()),
    ]
    assert await store.nodes_of(make_id(6)) == []


async def test_an_id_that_a_node_and_an_event_share_names_the_node(store: Storage) -> None:
    state, _ = await store.open(Rules())
    await store.append(plan_of(state, new_draft(number=2)))
    for node in (ONE, TWO):
        await store.put_node(node, "file", "{}")
    assert await store.add_edge(ONE, TWO, "uses")
    assert await store.nodes_of(TWO) == []
    assert await store.count_linked(ONE, "provenance", None, LineageFilter()) == Counted(0)


@pytest.mark.parametrize("side", ["provenance", "consequences"])
async def test_the_lineage_of_a_node_is_that_of_the_events_it_is_linked_to(store: Storage, side: Side) -> None:
    events = [entry.event for entry in await filled(store, 21)]
    links = {events[index].id: kind for index, kind in ((3, "made_by"), (len(events) // 2, "used_by"), (len(events) - 9, "made_by"))}
    await store.put_node(ONE, "file", "{}")
    for event_id, kind in links.items():
        assert await store.add_edge(ONE, event_id, kind)
    await store.put_node(TWO, "file", "{}")
    for start, to in ((ONE, TWO), (ONE, ONE), (TWO, events[-1].id)):  # what another node is linked to does not count
        assert await store.add_edge(start, to, "made_by")
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(event.id for event in events)
    graph.add_edges_from((event.id, parent) for event in events for parent in event.parent_ids)
    if side == "consequences":
        graph = graph.reverse()
    by_id = {event.id: event for event in events}
    for edge, depth, until, types in [
        (None, None, None, None),
        ("made_by", 2, None, None),
        (None, None, 100, ["reward"]),
        ("no", None, None, None),
    ]:
        origins = [event_id for event_id, kind in links.items() if edge in (None, kind)]
        depths = nx.multi_source_dijkstra_path_length(graph, origins, cutoff=depth) if origins else {}
        expected = [
            Relative(by_id[event_id], int(away))
            for event_id, away in depths.items()
            if by_id[event_id].position <= (until or len(events)) and (types is None or by_id[event_id].type in types)
        ]
        sign = -1 if side == "provenance" else 1
        expected.sort(key=lambda relative: (relative.depth, sign * relative.event.position))
        selection = LineageFilter(depth=depth, until=until, types=types, limit=1_000)  # type: ignore[arg-type]
        assert await store.count_linked(ONE, side, edge, selection) == Counted(len(expected))
        assert await store.linked(ONE, side, edge, selection) == expected
        if len(expected) > 4:
            last = expected[2]
            page = LineageFilter(depth=depth, until=until, types=types, after=(last.depth, last.event.position), limit=2)  # type: ignore[arg-type]
            assert await store.linked(ONE, side, edge, page) == expected[3:5]
        few = await store.count_linked(ONE, side, None, LineageFilter(budget=2))
        assert few == Counted(2, complete=False)
