"""The stored past of signals, which is the moves of each signal and snapshots of the field: the same cases on every storage."""

from __future__ import annotations

from collections import defaultdict

import pytest
from semp.domain.causes import Proposal
from semp.domain.clock import from_text
from semp.domain.signals import Key, Rules, Signal
from semp.engine.ledger import fold, kept, targets
from semp.engine.ports import Storage
from semp.engine.records import Ancestor, Entry, Kind, Moved, Snapshot

from tests.strategies import BEGIN, Writer, filled, make_id, new_draft, plan_of

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


async def test_the_states_of_signals_at_a_position_are_those_of_the_replay(store: Storage) -> None:
    log = await filled(store, HISTORY_SEED, 60)
    rules = (await store.state()).rules
    keys = [*moves_of(log), ("ui", "never")]
    folded: dict[Key, Signal] = {}
    for entry in log:
        position, now = entry.event.position, from_text(entry.event.timestamp)
        fold(entry, folded.get, folded, now, rules[0])
        if position % 7 and position != len(log):
            continue
        found = {signal.key: signal for signal in await store.signals_of(keys, position, rules)}
        assert found.keys() <= folded.keys()
        for key, signal in folded.items():
            read = found.get(key)
            assert read == signal or (not signal.strength_at(now) and (read is None or not read.strength_at(now)))
    assert await store.signals_of([], len(log), rules) == []


async def test_the_state_of_a_signal_has_the_rates_of_its_birth(store: Storage) -> None:
    writer = await Writer.on(store)
    await writer.append(new_draft(action="a"))
    await writer.committer.close()
    other = Rules(alpha=2.5, lambda_=0.5, interval=7.0)
    writer = await Writer.on(store, rules=other)
    await writer.append(new_draft("reward", action="a", value=0.1), new_draft(action="b"))
    before = dict(writer.ledger.signals)
    await writer.append(new_draft("reward", action="a", value=0.1), new_draft("reward", action="b", value=0.1))
    await writer.committer.close()
    found = await store.signals_of([("ui", "a"), ("ui", "b")], 3, (await store.state()).rules)
    assert {signal.key: signal for signal in found} == before
    assert {signal.alpha for signal in found} == {1.2, 2.5}


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


async def test_ancestry_gives_the_events_and_no_more_of_their_causes_than_asked_for(store: Storage) -> None:
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
    assert await store.ancestry([ids[5], ids[3], ids[7]], 1) == {
        ids[5]: Ancestor(None, [ids[3], ids[4]], False),
        ids[3]: Ancestor(Proposal(3, "ui", "b"), [ids[2]], True),
    }
    some = await store.ancestry([ids[5]], 3)
    assert len(some) == 3
    assert ids[5] in some
    assert await store.ancestry([ids[5]], 9) == {
        ids[1]: Ancestor(Proposal(1, "ui", "a"), [], True),
        ids[2]: Ancestor(None, [ids[1]], False),
        ids[3]: Ancestor(Proposal(3, "ui", "b"), [ids[2]], True),
        ids[4]: Ancestor(Proposal(4, "ui", "c"), [ids[1]], True),
        ids[5]: Ancestor(None, [ids[3], ids[4]], False),
    }


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
    spans = [(0, len(log)), (2, len(log)), (0, 4), (5, len(log))]
    assert [await store.snapshot_positions(*span) for span in spans] == [[2, 5], [5], [2], []]
    found = await store.snapshot(4)
    assert found is not None
    assert (found.position, found.signals) == (2, signals(1 / 3))


@pytest.mark.parametrize("which", ["another epoch", "beyond the log"])
async def test_a_snapshot_of_another_log_is_not_kept(neo4j_store: Storage, which: str) -> None:
    log = await filled(neo4j_store, HISTORY_SEED)
    epoch = (await neo4j_store.state()).epoch if which == "beyond the log" else "another"
    await neo4j_store.put_snapshot(Snapshot(len(log) + (which == "beyond the log"), BEGIN, signals(0.5)), epoch)
    assert await neo4j_store.newest_snapshot(len(log) + 1) == (0, 0)
