"""The ledger: the state at a position, with the plans in flight on top of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semp.domain.causes import Cause, Proposal
from semp.domain.credit import Credited
from semp.domain.signals import Move, Rules, Signal
from semp.engine.ledger import Ledger, Overlay, Recent, fold, kept, targets
from semp.engine.records import LogState

from tests.strategies import BEGIN, entry_of, make_id, new_draft, plan_of

EMPTY = LogState("epoch", 0, "tip", 0, [Rules()])


def signal(strength: float, position: int = 1) -> Signal:
    return Signal("ui", "a1", strength, 1.2, 0.95, BEGIN, BEGIN, position)


@given(bound=st.integers(1, 6), groups=st.lists(st.dictionaries(st.integers(0, 9), st.integers() | st.none(), max_size=8)))
def test_recent_keeps_the_newest_bound_entries_and_never_much_more(bound: int, groups: list[dict[int, int | None]]) -> None:
    recent: Recent[int, int | None] = Recent(bound)
    everything: dict[int, int | None] = {}
    for group in groups:
        recent.update(group)
        for key, value in group.items():
            everything.pop(key, None)
            everything[key] = value
        for key in list(everything)[-bound:]:
            assert key in recent
            assert recent[key] == recent.get(key) == everything[key]
        known = [key for key in range(10) if key in recent]
        assert all(recent[key] == everything[key] for key in known)
        assert len(recent) == len(known) <= 2 * bound + max(map(len, groups))


def test_recent_reports_keys_that_it_does_not_hold() -> None:
    recent: Recent[int, str] = Recent(2)
    recent.update({1: "a"})
    recent.clear()
    assert 1 not in recent
    assert recent.get(1) is None
    with pytest.raises(KeyError):
        recent[1]


def test_plans_in_flight_are_seen_newest_first_and_gone_when_dropped() -> None:
    ledger = Ledger(EMPTY, [signal(0.1)])
    first = plan_of(EMPTY, new_draft(number=1, action="one"), signals=[signal(0.2)])
    second = plan_of(first.state, new_draft(number=2, action="two"), signals=[signal(0.3, 2)])
    for plan in (first, second):
        ledger.overlays.append(Overlay(plan))
    assert ledger.expected == second.state
    assert ledger.signal(("ui", "a1")) == signal(0.3, 2)
    assert ledger.pending_proposal(("t1", "ui")) == Proposal(2, "ui", "two")
    assert ledger.knows_thread(("t1", "ui"))
    assert ledger.cause(make_id(1)) == Cause(1, (Proposal(1, "ui", "one"),), 0)
    assert ledger.pending(make_id(2)) is second.entries[0]
    ledger.overlays.clear()
    assert (ledger.expected, ledger.signal(("ui", "a1")), ledger.cause(make_id(1))) == (EMPTY, signal(0.1), None)
    assert not ledger.knows_thread(("t1", "ui"))


def test_a_committed_plan_becomes_the_state() -> None:
    ledger = Ledger(EMPTY, [])
    first = plan_of(EMPTY, new_draft(number=1), signals=[signal(0.2)])
    second = plan_of(first.state, new_draft("test", "ui.deep", number=2))
    overlays = [Overlay(first), Overlay(second)]
    ledger.overlays += overlays
    ledger.commit(overlays[0])
    assert (ledger.state, ledger.expected) == (first.state, second.state)
    assert ledger.signals == {("ui", "a1"): signal(0.2)}
    ledger.commit(overlays[1])
    assert ledger.state == second.state
    assert not ledger.overlays
    assert [scope in ledger.scopes for scope in ("ui", "ui.deep", "other")] == [True, True, False]
    assert ledger.newest[("t1", "ui")] == Proposal(1, "ui", "a1")


def test_plans_must_be_committed_in_order() -> None:
    ledger = Ledger(EMPTY, [])
    first = plan_of(EMPTY, new_draft())
    overlays = [Overlay(first), Overlay(plan_of(first.state, new_draft()))]
    ledger.overlays += overlays
    with pytest.raises(AssertionError):
        ledger.commit(overlays[1])


def test_entries_from_the_log_are_folded_with_the_rules_of_their_position() -> None:
    rules = [Rules(), Rules(since=2, alpha=2.0)]
    ledger = Ledger(LogState("epoch", 0, "tip", 0, rules), [])
    log = [entry_of(new_draft("reward", number=n, action=f"a{n}", value=0.1), n, BEGIN + n) for n in (1, 2)]
    ledger.absorb(log)
    assert [moved.after for entry in log for moved in entry.moves] == [pytest.approx(0.12), pytest.approx(0.2)]
    assert (ledger.state.head, ledger.state.last_timestamp) == (2, BEGIN + 2)
    assert ledger.causes[make_id(2)] == Cause(2)


def test_entries_from_the_log_must_be_contiguous() -> None:
    with pytest.raises(AssertionError):
        Ledger(EMPTY, []).absorb([entry_of(new_draft(), 2)])


def test_a_look_up_never_replaces_a_newer_proposal() -> None:
    ledger = Ledger(EMPTY, [])
    newer, older = Proposal(9, "ui", "newer"), Proposal(3, "ui", "older")
    ledger.newest.update({("t1", "ui"): newer})
    ledger.remember_newest([("t1", "ui"), ("t2", "ui")], {("t1", "ui"): older})
    assert ledger.newest["t1", "ui"] == newer
    assert ledger.knows_thread(("t2", "ui"))
    assert ledger.newest["t2", "ui"] is None


def test_targets_are_action_then_nearest_then_thread_then_none() -> None:
    near = (Proposal(1, "x", "n"), Proposal(2, "y", "m"), Proposal(3, "x", "n"))
    answers = Proposal(4, "z", "thread")
    assert targets(entry_of(new_draft("reward", action="own"), 9, nearest=near, answers=answers)) == [(("ui", "own"), 1.0)]
    assert targets(entry_of(new_draft("reward"), 9, nearest=near, answers=answers)) == [(("x", "n"), 1.0), (("y", "m"), 1.0)]
    assert targets(entry_of(new_draft("reward"), 9, answers=answers)) == [(("z", "thread"), 1.0)]
    assert targets(entry_of(new_draft("reward"), 9)) == []


def test_each_signal_is_moved_once_by_its_largest_share() -> None:
    near = (Proposal(3, "x", "n"),)
    credited = (Credited(Proposal(2, "x", "n"), 0.5), Credited(Proposal(2, "y", "m"), 0.5), Credited(Proposal(1, "y", "m"), 0.25))
    entry = entry_of(new_draft("reward"), 9, nearest=near, credited=credited)
    assert targets(entry) == [(("x", "n"), 1.0), (("y", "m"), 0.5)]


def test_a_penalty_on_an_absent_signal_is_kept_with_its_target() -> None:
    entry = entry_of(new_draft("penalty"), 9, nearest=(Proposal(1, "x", "n"), Proposal(2, "y", "m")))
    entry.moves = [Move("y", "m", 0.5, 0.3)]
    assert kept(entry) == [Move("x", "n", 0.0, 0.0), Move("y", "m", 0.5, 0.3)]


def test_a_fold_reads_changed_signals_before_unchanged_ones() -> None:
    changed = {("ui", "a1"): signal(0.9)}
    moves = fold(entry_of(new_draft("penalty", action="a1", value=-0.4), 2), {("ui", "a1"): signal(0.1)}.get, changed, BEGIN, Rules())
    assert moves == [Move("ui", "a1", 0.9, 0.5)]
    assert changed["ui", "a1"] == signal(0.5, 2)


def test_a_penalty_on_an_absent_signal_changes_nothing() -> None:
    changed: dict[tuple[str, str], Signal] = {}
    assert fold(entry_of(new_draft("penalty", action="a1"), 2), {}.get, changed, BEGIN, Rules()) == []  # type: ignore[arg-type]
    assert changed == {}
