"""Live delivery: no gap, no repeat, or an error that says so; memory bounded by the ring."""

from __future__ import annotations

import asyncio
import json

import pytest

from app.domain.events import Draft
from app.engine import hub as hub_module
from app.engine.hub import FellBehind, HistoryReset, Hub
from app.engine.planning import encode
from app.engine.ports import Entry
from tests.strategies import entry_of, new_draft


def entries(first: int, count: int, draft: Draft | None = None) -> list[Entry]:
    found = [entry_of(draft or new_draft(number=position), position) for position in range(first, first + count)]
    for entry in found:
        entry.encoded = encode(entry.event)
    return found


def positions(frames: list[str]) -> list[int]:
    return [json.loads(frame)["data"]["position"] for frame in frames]


async def test_a_subscriber_gets_every_event_from_its_subscription_on() -> None:
    hub = Hub(10)
    hub.publish(entries(11, 2))
    with hub.subscribe() as subscription:
        hub.publish(entries(13, 3))
        hub.publish(entries(16, 1))
        assert positions(await subscription.next()) == [13, 14, 15, 16]
        hub.publish(entries(17, 1))
        assert positions(await subscription.next()) == [17]


async def test_a_frame_is_the_event_in_its_envelope() -> None:
    hub = Hub(0)
    [entry] = entries(1, 1, new_draft(action="ü\u2028"))
    with hub.subscribe() as subscription:
        hub.publish([entry])
        [frame] = await subscription.next()
    assert json.loads(frame) == {"type": "event", "data": json.loads(entry.encoded)}


async def test_a_subscriber_waits_while_there_is_nothing_new() -> None:
    hub = Hub(5)
    with hub.subscribe() as subscription:
        waiting = asyncio.create_task(subscription.next())
        await asyncio.sleep(0)
        hub.publish([])
        await asyncio.sleep(0)
        assert not waiting.done()
        hub.publish(entries(6, 1))
        assert positions(await asyncio.wait_for(waiting, 5)) == [6]


async def test_every_subscriber_is_woken_and_a_slow_one_catches_up() -> None:
    hub = Hub(0)
    subscriptions = [hub.subscribe() for _ in range(20)]
    fast = [asyncio.create_task(subscription.next()) for subscription in subscriptions[:10]]
    await asyncio.sleep(0)
    hub.publish(entries(1, 1))
    assert [positions(frames) for frames in await asyncio.wait_for(asyncio.gather(*fast), 5)] == [[1]] * 10
    hub.publish(entries(2, 2))
    assert [positions(await subscription.next()) for subscription in subscriptions] == [[2, 3]] * 10 + [[1, 2, 3]] * 10


async def test_a_gap_is_refused() -> None:
    hub = Hub(3)
    with pytest.raises(AssertionError):
        hub.publish(entries(5, 1))
    with pytest.raises(AssertionError):
        hub.publish(entries(3, 1))


async def test_whoever_falls_off_the_ring_is_told_its_position(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "RING_EVENTS", 4)
    hub = Hub(0)
    slow, edge = hub.subscribe(), hub.subscribe()
    hub.publish(entries(1, 1))
    assert positions(await edge.next()) == [1]
    hub.publish(entries(2, 4))
    assert positions(await edge.next()) == [2, 3, 4, 5]
    with pytest.raises(FellBehind) as caught:
        await slow.next()
    assert caught.value.position == 0


async def test_the_ring_is_bounded_by_bytes_but_keeps_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "RING_BYTES", 1000)
    hub = Hub(0)
    hub.publish(entries(1, 3, new_draft(note="x" * 400)))
    assert positions(hub.after(2)) == [3]
    with pytest.raises(FellBehind):
        hub.after(0)
    hub.publish(entries(4, 1, new_draft(note="x" * 5000)))
    assert positions(hub.after(3)) == [4]
    hub.publish(entries(5, 2))
    assert positions(hub.after(4)) == [5, 6]


async def test_another_log_ends_every_subscription() -> None:
    hub = Hub(10)
    waiting_at, behind = hub.subscribe(), hub.subscribe()
    waiting = asyncio.create_task(waiting_at.next())
    await asyncio.sleep(0)
    hub.publish(entries(11, 0))
    hub.reset(2)
    with pytest.raises(HistoryReset):
        await asyncio.wait_for(waiting, 5)
    hub.publish(entries(3, 20))
    with pytest.raises(HistoryReset):
        await behind.next()
    assert hub.head == 22
    with hub.subscribe() as fresh:
        hub.publish(entries(23, 1))
        assert positions(await fresh.next()) == [23]


async def test_subscribers_are_counted_while_they_last() -> None:
    hub = Hub(0)
    with hub.subscribe(), hub.subscribe():
        assert hub.subscribers == 2
    assert hub.subscribers == 0
