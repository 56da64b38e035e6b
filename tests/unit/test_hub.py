"""The hub: a subscriber gets every matching event after its position, once and in order, or an end with its position."""

from __future__ import annotations

import asyncio

import pytest
from semp.domain.interests import EVERYTHING, Interest
from semp.domain.signals import Move
from semp.engine.live import hub as hub_module
from semp.engine.live.hub import End, Hub

from tests.ring_reader import Reader, entries, settled
from tests.strategies import new_draft


async def test_a_subscriber_gets_every_event_from_its_position_on() -> None:
    hub = Hub(10)
    hub.publish(entries(11, 2))
    now, resumed = Reader(hub), Reader(hub, after=11)
    hub.publish(entries(13, 3))
    hub.publish(entries(16, 1))
    await settled()
    assert now.seen == [13, 14, 15, 16]
    assert resumed.seen == [12, 13, 14, 15, 16]
    assert {now.subscription.position, resumed.subscription.position} == {16}


async def test_events_that_come_before_a_backlog_was_delivered_follow_it() -> None:
    hub = Hub(0)
    hub.publish(entries(1, 3))
    reader = Reader(hub, Interest.of(["ui"]), after=0)
    hub.publish(entries(4, 1))
    await settled()
    assert reader.seen == [1, 2, 3, 4]


async def test_a_position_beyond_the_head_waits_for_what_comes_after_it() -> None:
    hub = Hub(3)
    for interest in (EVERYTHING, Interest.of(["ui"])):
        reader = Reader(hub, interest, after=5)
        hub.publish(entries(hub.head + 1, 4))
        await settled()
        assert reader.seen == list(range(6, hub.head + 1))
        hub.detach(reader.subscription)
        hub.reset(3)


async def test_only_matching_events_are_delivered_and_equal_interests_share_one_span() -> None:
    hub = Hub(0)
    login = [Reader(hub, Interest.of(["ui.login"])) for _ in range(3)]
    everything, tests, trace = Reader(hub), Reader(hub, Interest.of([], ["test"])), Reader(hub, Interest.of(["ui.**"], (), ["t2"]))
    hub.publish(entries(1, 1, new_draft(scope="ui.login")))
    hub.publish(entries(2, 1, new_draft("test", scope="ui.other", trace="t2")))
    hub.publish(entries(3, 1, new_draft("test", scope="api", trace="t2")))
    await settled()
    assert [reader.seen for reader in login] == [[1]] * 3
    assert everything.seen == [1, 2, 3]
    assert tests.seen == [2, 3]
    assert trace.seen == [2]
    assert len({id(span) for reader in login for span in reader.spans}) == 1


async def test_signals_match_by_their_own_scope() -> None:
    hub = Hub(0)
    move = Move("ui.login", "x", 0.3, 0.4)
    asking = Reader(hub, Interest.of(["ui.*"]), signals=True)
    narrow = Reader(hub, Interest.of(["ui.*"], ["proposal"]), signals=True)
    plain, other = Reader(hub, Interest.of(["ui.*"])), Reader(hub, Interest.of(["api"]), signals=True)
    by_type = Reader(hub, Interest.of((), ["penalty"]), signals=True)
    hub.publish(entries(1, 1, new_draft("reward", scope="elsewhere"), [move]))
    await settled()
    assert [reader.seen for reader in (asking, narrow, plain, other, by_type)] == [[1], [1], [], [], [1]]


async def test_a_lone_event_is_delivered_at_the_next_turn_of_the_loop() -> None:
    hub = Hub(0)
    reader = Reader(hub)
    hub.publish(entries(1, 1))
    await asyncio.sleep(0)
    assert reader.seen == [1]


async def test_events_before_the_next_turn_of_the_loop_go_out_together() -> None:
    hub = Hub(0)
    reader = Reader(hub)
    for position in range(1, 6):
        hub.publish(entries(position, 1))
    await settled()
    assert reader.seen == [1, 2, 3, 4, 5]
    assert len(reader.spans) == 1


async def test_a_blocked_subscriber_keeps_its_position_and_does_not_delay_the_others() -> None:
    hub = Hub(0)
    frozen, reader = Reader(hub), Reader(hub)
    frozen_some = Reader(hub, Interest.of(["ui"]))
    frozen.freeze()
    frozen_some.freeze()
    for position in range(1, 6):
        hub.publish(entries(position, 1))
        await settled()
    assert (frozen.seen, frozen_some.seen, reader.seen) == ([], [], [1, 2, 3, 4, 5])
    frozen.thaw()
    frozen_some.thaw()
    await settled()
    assert frozen.seen == frozen_some.seen == reader.seen


async def test_a_backlog_is_given_in_spans_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "SPAN_EVENTS", 3)
    hub = Hub(0)
    hub.publish(entries(1, 8))
    for interest in (EVERYTHING, Interest.of(["ui"])):
        reader = Reader(hub, interest, after=0)
        await settled()
        assert [len(span.entries) for span in reader.spans] == [3, 3, 2]
    monkeypatch.setattr(hub_module, "SPAN_BYTES", 1)
    reader = Reader(hub, after=6)
    await settled()
    assert [span.last for span in reader.spans] == [7, 8]


@pytest.mark.parametrize("interest", [EVERYTHING, Interest.of(["ui"])], ids=["all", "some"])
async def test_a_subscriber_that_falls_off_the_ring_is_ended_with_its_position(interest: Interest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "RING_EVENTS", 4)
    hub = Hub(0)
    slow, edge = Reader(hub, interest), Reader(hub, interest)
    hub.publish(entries(1, 1))
    await settled()
    slow.freeze()
    edge.freeze()
    hub.publish(entries(2, 4))
    await settled()
    edge.thaw()
    await settled()
    assert edge.seen == [1, 2, 3, 4, 5]
    hub.publish(entries(6, 1))
    hub.publish(entries(7, 1))
    await settled()
    hub.sweep()
    assert slow.ended == (End.TOO_SLOW, 1)
    assert edge.ended is None
    assert hub.subscribers == 1


@pytest.mark.parametrize("interest", [EVERYTHING, Interest.of(["ui"])], ids=["all", "some"])
async def test_a_batch_longer_than_the_ring_reaches_everybody_who_takes_it(interest: Interest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "RING_EVENTS", 4)
    monkeypatch.setattr(hub_module, "SPAN_EVENTS", 3)
    hub = Hub(0)
    idle, busy = Reader(hub, interest), Reader(hub, interest)
    hub.publish(entries(1, 10))
    hub.publish(entries(11, 10))  # before the loop had a turn to deliver the first
    busy.freeze()
    await settled()
    assert idle.seen == list(range(1, 21))
    busy.thaw()
    await settled()
    assert busy.seen == list(range(1, 21))
    hub.publish(entries(21, 1))
    await settled()
    assert hub.holds(16)
    assert not hub.holds(15)
    assert (idle.ended, busy.ended) == (None, None)


async def test_events_that_do_not_match_push_no_subscriber_off_the_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "RING_EVENTS", 4)
    hub = Hub(0)
    reader = Reader(hub, Interest.of(["api"]))
    hub.publish(entries(1, 50))
    hub.publish(entries(51, 1, new_draft(scope="api")))
    await settled()
    assert reader.seen == [51]


async def test_a_subscriber_blocked_for_too_long_is_ended_and_each_span_restarts_the_time() -> None:
    now = 0.0
    hub = Hub(0, clock=lambda: now)
    frozen, slow, idle = Reader(hub), Reader(hub), Reader(hub, Interest.of(["api"]))
    for reader in (frozen, slow, idle):
        reader.freeze()
    hub.publish(entries(1, 1))
    await settled()
    now = hub_module.STALL - 1
    hub.sweep()
    assert frozen.ended is None
    slow.thaw()
    await settled()
    slow.freeze()
    hub.publish(entries(2, 1))
    await settled()
    now = hub_module.STALL + 1
    hub.sweep()
    assert frozen.ended == (End.TOO_SLOW, 0)
    assert (slow.ended, idle.ended) == (None, None)


async def test_the_ring_is_bounded_by_bytes_but_keeps_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "RING_BYTES", 1000)
    hub = Hub(0)
    hub.publish(entries(1, 3, new_draft(note="x" * 400)))
    assert hub.holds(0), "a batch stays whole until the next one"
    hub.publish(entries(4, 1, new_draft(note="x" * 5000)))
    assert (hub.holds(2), hub.holds(1)) == (True, False)
    hub.publish(entries(5, 2))
    assert (hub.holds(3), hub.holds(2)) == (True, False)
    hub.publish(entries(7, 1))
    assert (hub.holds(4), hub.holds(3)) == (True, False)


async def test_a_gap_is_refused() -> None:
    hub = Hub(3)
    for position in (5, 3):
        with pytest.raises(AssertionError):
            hub.publish(entries(position, 1))


async def test_another_log_ends_every_subscription() -> None:
    hub = Hub(10)
    first, second = Reader(hub), Reader(hub, Interest.of(["ui"]))
    hub.publish(entries(11, 1))
    hub.reset(2)
    assert first.ended == second.ended == (End.LOG_REPLACED, 10)
    fresh = Reader(hub)
    hub.publish(entries(3, 2))
    await settled()
    assert fresh.seen == [3, 4]
    assert (first.seen, second.seen) == ([], [])


async def test_a_close_delivers_the_rest_and_ends_each_subscriber_with_its_position() -> None:
    hub = Hub(0)
    reader, frozen = Reader(hub), Reader(hub)
    frozen.freeze()
    hub.publish(entries(1, 2))
    hub.close()
    assert (reader.seen, reader.ended) == ([1, 2], (End.GOING_AWAY, 2))
    assert (frozen.seen, frozen.ended) == ([], (End.GOING_AWAY, 0))
    late = Reader(hub, after=1)
    assert late.ended == (End.GOING_AWAY, 1)
    assert hub.subscribers == 0


async def test_a_detached_subscriber_gets_nothing_more() -> None:
    hub = Hub(0)
    readers = [Reader(hub), Reader(hub, Interest.of(["ui"]))]
    assert hub.subscribers == 2
    hub.publish(entries(1, 1))
    for reader in readers:
        hub.detach(reader.subscription)
        hub.detach(reader.subscription)
    hub.publish(entries(2, 1))
    await settled()
    assert [reader.seen for reader in readers] == [[], []]
    assert hub.subscribers == 0


async def test_a_partial_write_is_finished_and_nothing_is_sent_twice() -> None:
    hub = Hub(0)
    readers = [Reader(hub) for _ in range(6)] + [Reader(hub, Interest.of(["ui"]))]
    for reader in readers[1::2]:
        reader.at_once = 1
    for reader in readers[2::2]:
        reader.refuses = True
    hub.publish(entries(1, 2))
    await settled()
    hub.publish(entries(3, 1))
    await settled()
    assert [reader.seen for reader in readers] == [[1, 2, 3]] * 7
