"""The stored past of signals, which is the moves of each signal and snapshots of the field: the same cases on every storage."""

from __future__ import annotations

from collections import defaultdict

import pytest
from semp.domain.clock import from_text
from semp.domain.signals import Key, Rules, Signal
from semp.engine.ledger import kept, targets
from semp.engine.ports import Storage
from semp.engine.records import Entry, Kind, Moved, Snapshot

from tests.strategies import BEGIN, filled, make_id, new_draft, plan_of

HISTORY_SEED = 11


def moves_of(log: list[Entry]) -> dict[Key, list[Moved]]:
    """The moves of each signal as the entries hold them, including penalties on an absent signal."""
    found: defaultdict[Key, list[Moved]] = defaultdict(list)
    for entry in log:
        for move in kept(entry):
            found[move.scope, move.pattern].append(Moved(entry.event, move.before, move.after, move.share))
    return found


def is_kind(moved: Moved, kind: Kind) -> bool:
    absent = moved.before == 0
    made = absent and moved.event.type != "penalty"
    anew = not absent and moved.event.type in ("reward", "penalty")
    return {"any": True, "birth": made, "anew": made or anew}[kind]


async def test_moves_are_read_in_pages_in_both_orders(store: Storage) -> None:
    log = await filled(store, HISTORY_SEED, 60)
    expected = moves_of(log)
    assert max(map(len, expected.values())) > 20
    assert any(len(kept(entry)) > 1 for entry in log)
    for key, moved in expected.items():
        assert await store.count_moves(key, len(log), 1_000) == len(moved)
        assert await store.count_moves(key, len(log), 3) == min(3, len(moved))
        assert await store.moves(key, 0, len(log), 1_000) == moved
        assert await store.moves_back(key, 0, len(log), 1_000) == moved[::-1]
        middle = moved[len(moved) // 2].event.position
        assert await store.moves(key, middle, len(log), 2) == [one for one in moved if one.event.position > middle][:2]
        assert await store.moves_back(key, 0, middle, 2) == [one for one in moved if one.event.position <= middle][::-1][:2]
        assert await store.count_moves(key, middle, 1_000) == len([one for one in moved if one.event.position <= middle])
        for kind in ("anew", "birth"):
            assert await store.moves_back(key, 0, len(log), 1_000, kind) == [one for one in moved if is_kind(one, kind)][::-1]


async def test_a_signal_that_no_event_moved_has_no_moves(store: Storage) -> None:
    log = await filled(store, HISTORY_SEED)
    assert await store.moves(("ui", "never"), 0, len(log), 10) == []
    assert await store.moves_back(("ui", "never"), 0, len(log), 10, "anew") == []
    assert await store.count_moves(("ui", "never"), len(log), 10) == 0


async def test_the_targets_of_events_are_read_by_position(store: Storage) -> None:
    log = await filled(store, HISTORY_SEED)
    positions = [entry.event.position for entry in log[::3]]
    found = await store.aimed_at(positions)
    assert {position: set(keys) for position, keys in found.items()} == {
        entry.event.position: {key for key, _ in targets(entry)} for entry in log[::3]
    }


async def test_timestamps_are_read_by_position(store: Storage) -> None:
    log = await filled(store, HISTORY_SEED)
    found = await store.timestamps([1, len(log), len(log) + 1])
    assert found == {1: log[0].event.timestamp, len(log): log[-1].event.timestamp}


async def test_proposals_above_are_found_at_their_shortest_distance(store: Storage) -> None:
    ids = [make_id(number) for number in range(8)]
    state, _ = await store.open(Rules())
    drafts = [
        new_draft(number=1, action="a"),
        new_draft("ready", number=2, parents=[ids[1]]),
        new_draft(number=3, action="b", parents=[ids[2]]),
        new_draft(number=4, action="c", parents=[ids[1]]),
        new_draft("test", number=5, parents=[ids[3], ids[4]]),
    ]
    assert await store.append(plan_of(state, *drafts))
    found = await store.proposals_above([ids[5], ids[3], ids[2], ids[7]], 3)
    shown = {event_id: [(proposal.action, proposal.position, hops) for proposal, hops in above] for event_id, above in found.items()}
    assert shown == {
        ids[5]: [("c", 4, 1), ("b", 3, 1), ("a", 1, 2)],
        ids[3]: [("b", 3, 0), ("a", 1, 2)],
        ids[2]: [("a", 1, 1)],
    }
    assert [proposal.action for proposal, _ in (await store.proposals_above([ids[5]], 1))[ids[5]]] == ["c", "b"]


def signals(strength: float) -> list[Signal]:
    return [
        Signal("ui.login", "ä:/1", strength, 1.2, 0.95, BEGIN, BEGIN + 1, 3, 60.0),
        Signal("ui", "a", 0.1 + 0.2, 7.0, 1.0, 0, 0, 1, 0.5),
    ]


async def test_the_newest_snapshot_up_to_a_position_is_found_to_the_last_bit(store: Storage) -> None:
    log = await filled(store, HISTORY_SEED)
    epoch = (await store.state()).epoch
    assert await store.snapshot(len(log)) is None
    assert await store.newest_snapshot(len(log)) == (0, 0)
    for position in (2, 5):
        await store.put_snapshot(Snapshot(position, from_text(log[position - 1].event.timestamp), signals(1 / (position + 1))), epoch)
    await store.put_snapshot(Snapshot(5, from_text(log[4].event.timestamp), signals(1 / 6)), epoch)
    assert [(await store.newest_snapshot(upto))[0] for upto in (1, 2, 4, 5, len(log))] == [0, 2, 2, 5, 5]
    assert await store.newest_snapshot(5) == (5, len(signals(1)))
    found = await store.snapshot(4)
    assert found is not None
    assert (found.position, found.signals) == (2, signals(1 / 3))


@pytest.mark.parametrize("which", ["another epoch", "beyond the log"])
async def test_a_snapshot_of_another_log_is_not_kept(neo4j_store: Storage, which: str) -> None:
    log = await filled(neo4j_store, HISTORY_SEED)
    epoch = (await neo4j_store.state()).epoch if which == "beyond the log" else "another"
    await neo4j_store.put_snapshot(Snapshot(len(log) + (which == "beyond the log"), BEGIN, signals(0.5)), epoch)
    assert await neo4j_store.newest_snapshot(len(log) + 1) == (0, 0)
