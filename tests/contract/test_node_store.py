"""What every storage must do with the users' own graph."""

from __future__ import annotations

import asyncio

from app.domain.signals import Rules
from app.engine.ports import EventFilter, GraphEdge, Storage
from tests.strategies import make_id, new_draft, plan_of

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


async def test_of_several_that_store_one_id_one_is_told_it_was_new(store: Storage) -> None:
    await store.open(Rules())
    told = await asyncio.gather(*(store.put_node(ONE, "module", f'{{"a":{n}}}') for n in range(8)))
    assert sum(new for _, new in told) == 1
    assert len({bytes(node.data) for node, _ in told}) == 1


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
    assert [event.id for event in await store.page(EventFilter())] == [ONE]
