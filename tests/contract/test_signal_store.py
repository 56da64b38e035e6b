"""Signal states: the same cases on every storage."""

from __future__ import annotations

import asyncio

import pytest
from semp.domain.signals import Rules, Signal
from semp.engine.ports import AT_START, Storage

from tests.strategies import BEGIN, let_others_run, new_draft, plan_of


def signal(pattern: str = "a1", strength: float = 0.3, position: int = 1, scope: str = "ui.login") -> Signal:
    return Signal(scope, pattern, strength, 1.2, 0.95, BEGIN + position, BEGIN + 2 * position, position, 7.5)


def sorted_by_key(signals: list[Signal]) -> list[Signal]:
    return sorted(signals, key=lambda found: found.key)


async def test_an_append_stores_the_states_it_carries(store: Storage) -> None:
    state, _ = await store.open(Rules())
    first = plan_of(state, new_draft("proposal", "ui.login"), signals=[signal(), signal("δ/1:x", 1.0)])
    assert await store.append(first)
    assert sorted_by_key(await store.signals()) == [signal(), signal("δ/1:x", 1.0)]
    second = plan_of(first.state, new_draft("reward", "ui.login"), signals=[signal(strength=0.1 + 0.2, position=2)], born=set())
    assert await store.append(second)
    expected = [signal(strength=0.1 + 0.2, position=2), signal("δ/1:x", 1.0)]  # to the last bit
    assert sorted_by_key(await store.signals()) == expected


async def test_putting_states_creates_and_overwrites(store: Storage) -> None:
    await store.open(Rules())
    await store.put_signals([signal(), signal("b", scope="never.seen")])
    await store.put_signals([signal(strength=0.7, position=5), signal("c")])
    expected = [signal(strength=0.7, position=5), signal("c"), signal("b", scope="never.seen")]
    assert sorted_by_key(await store.signals()) == sorted_by_key(expected)
    await store.put_signals([])
    assert len(await store.signals()) == 3


async def test_states_are_read_in_pages_each_once(store: Storage) -> None:
    await store.open(Rules())
    states = [signal(pattern, scope=scope) for scope in ("ui", "ui.a", "z") for pattern in ("a", "ab", "b", "ä", "😀", "\uff5e", "A", "0")]
    await store.put_signals(states)
    found: list[Signal] = []
    key = ("", "")
    while page := await store.signals_after(key, 5):
        found += page
        key = page[-1].key
    assert len(found) == len(states)
    assert sorted_by_key(found) == sorted_by_key(states)


async def test_opening_gives_many_states_only_in_pages(store: Storage) -> None:
    await store.open(Rules())
    await store.put_signals([signal(f"p{number}") for number in range(AT_START)])
    assert len((await store.open(Rules()))[1] or ()) == AT_START
    await store.put_signals([signal("one more")])
    assert (await store.open(Rules()))[1] is None


async def test_putting_states_changes_nothing_else(store: Storage) -> None:
    state, _ = await store.open(Rules())
    await store.put_signals([signal()])
    assert await store.state() == state


async def test_sweeping_deletes_unchanged_signals_and_returns_their_number(store: Storage) -> None:
    await store.open(Rules())
    await store.put_signals([signal("stays"), signal("moved"), signal("faded"), signal("gone too", 0.0)])
    await store.put_signals([signal("moved", 0.9, position=2)])
    assert await store.sweep([signal("moved"), signal("faded"), signal("gone too", 0.0), signal("never there")]) == 2
    assert sorted_by_key(await store.signals()) == [signal("moved", 0.9, position=2), signal("stays")]
    assert await store.sweep([signal("faded")]) == 0
    assert await store.sweep([]) == 0


async def test_a_swept_signal_can_come_back(store: Storage) -> None:
    await store.open(Rules())
    await store.put_signals([signal()])
    assert await store.sweep([signal()]) == 1
    assert await store.signals() == []
    await store.put_signals([signal(position=9)])
    assert await store.signals() == [signal(position=9)]


async def test_sweeping_never_deletes_what_an_append_in_progress_writes(store: Storage) -> None:
    """A sweep during an append runs before it or after it, so it never deletes what the append writes."""
    await store.open(Rules())
    await store.put_signals([signal("faded")])
    async with store.turn() as turn:
        sweeping = asyncio.create_task(store.sweep([signal("faded")]))
        await let_others_run(store)
        await turn.append(plan_of(turn.state, new_draft(), signals=[signal("faded", 0.9, position=7)]))
    assert await sweeping in (0, 1)  # before the turn or after it
    assert await store.signals() == [signal("faded", 0.9, position=7)]


async def test_many_signals_are_all_read_whatever_their_scopes(store: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Neo4j page by page: several scopes a page, and several pages a scope."""
    monkeypatch.setattr("semp.storage.neo4j.signals.PAGE", 7)
    await store.open(Rules())
    put = [signal(f"p{pattern:02d}", scope=scope) for scope in ("a", "a.b", "b") for pattern in range(23)]
    put += [signal("one", scope=f"c{scope:02d}") for scope in range(23)]
    await store.put_signals(put)
    assert sorted_by_key(await store.signals()) == sorted_by_key(put)
    _, opened = await store.open(Rules())
    assert sorted_by_key(opened or []) == sorted_by_key(put)


async def test_more_than_one_transaction_takes_is_put_and_swept_alike(store: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semp.storage.neo4j.signals.BATCH", 3)
    await store.open(Rules())
    put = [signal(f"p{number}") for number in range(10)]
    await store.put_signals(put)
    assert sorted_by_key(await store.signals()) == put
    await store.put_signals([signal("p4", 0.9, position=2)])
    assert await store.sweep(put[:8]) == 7
    assert sorted_by_key(await store.signals()) == [signal("p4", 0.9, position=2), *put[8:]]
