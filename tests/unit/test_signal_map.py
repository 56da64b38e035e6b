"""The map of all signals, its frozen copies, and the index of scopes and patterns, each beside a plain dictionary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semp.domain.scopes import Glob
from semp.domain.signals import Key, Signal
from semp.engine import scope_index
from semp.engine.scope_index import ScopeIndex
from semp.engine.signal_map import SignalMap

SEGMENTS = ("a", "b", "c1")
KEYS = st.tuples(st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=4).map(".".join), st.sampled_from(("x", "y", "z: 1")))
GLOBS = st.one_of(
    st.just("**"),
    st.tuples(st.lists(st.sampled_from((*SEGMENTS, "*", "none")), min_size=1, max_size=4).map(".".join), st.sampled_from(("", ".**"))).map(
        "".join
    ),
)


def signal(key: Key, position: int = 1) -> Signal:
    return Signal(*key, 0.3, 1.2, 0.95, 0, 0, position)


def keys_of(found: scope_index.Keys | None) -> list[Key]:
    assert found is not None
    return sorted((scope, pattern) for scope, patterns in found for pattern in patterns)


@given(st.lists(KEYS, max_size=60), st.lists(KEYS, max_size=30), GLOBS, st.sampled_from((None, "x", "none")))
def test_the_index_finds_what_a_search_through_all_keys_finds(added: list[Key], removed: list[Key], text: str, pattern: str | None) -> None:
    signals, expected = SignalMap(map(signal, added[:10])), {key: signal(key) for key in added[:10]}
    for key in added[10:]:
        signals[key] = expected[key] = signal(key)
    for key in removed:
        assert signals.pop(key, None) == expected.pop(key, None)
    assert signals == expected
    assert len(signals) == len(expected)
    glob = Glob.parse(text)
    matching = sorted(key for key in expected if glob.matches(key[0]) and pattern in (None, key[1]))
    found = keys_of(signals.index.find(glob, pattern))
    assert sorted(key for key in found if key in signals) == matching


@given(st.lists(KEYS, max_size=60))
def test_the_index_of_no_keys_is_empty(added: list[Key]) -> None:
    index = ScopeIndex(dict.fromkeys(added[:20]))
    for key in added:
        index.add(key)
    for key in set(added):
        index.discard(key)
    assert keys_of(index.find(Glob.parse("**"), None)) == []
    assert keys_of(index.find(None, "x")) == []
    assert vars(index).keys() == {"_patterns", "_scopes", "_below"}
    assert all(not vars(names)["_texts"] for names in vars(index).values())


@given(st.lists(KEYS, max_size=60), st.lists(KEYS, max_size=60), st.lists(KEYS, max_size=60))
def test_a_frozen_copy_stays_as_it_was_whatever_changes_later(first: list[Key], changed: list[Key], removed: list[Key]) -> None:
    signals = SignalMap(map(signal, first))
    before = dict(signals)
    frozen = signals.frozen()
    for key in changed:
        signals[key] = signal(key, 2)
    again = signals.frozen()
    between = dict(signals)
    for key in removed:
        signals.pop(key, None)
    for copy, expected in ((frozen, before), (again, between)):
        assert {one.key: one for one in copy.values()} == expected
        assert len(copy) == len(expected)
        assert all(copy.get(key) == expected.get(key) for key in (*first, *changed, *removed))


def test_one_scope_among_many_is_found_without_looking_at_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    scopes = [f"team{team}.part{part}" for team in range(50) for part in range(10)]
    signals = SignalMap([signal((scope, f"p{number}")) for scope in scopes for number in range(40)])
    looked_at = 0
    get = scope_index.Names.get

    def counted(names: scope_index.Names, name: str) -> object:
        nonlocal looked_at
        looked_at += 1
        return get(names, name)

    monkeypatch.setattr(scope_index.Names, "get", counted)
    assert len(keys_of(signals.index.find(Glob.parse("team7.part3"), None))) == 40
    assert looked_at <= 3
    looked_at = 0
    assert len(keys_of(signals.index.find(Glob.parse("team7.**"), None))) == 400
    assert looked_at <= 50


def test_a_search_that_would_look_at_too_much_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    signals = SignalMap([signal((f"a.s{scope}", f"p{number}")) for scope in range(30) for number in range(30)])
    monkeypatch.setattr(scope_index, "MAX_SCOPES", 29)
    for text in ("a.*", "a.**", "**", "*.s1.**", "*.*"):
        assert (signals.index.find(Glob.parse(text), None) is None) == (text != "*.s1.**")
    monkeypatch.setattr(scope_index, "MAX_SCOPES", 100)
    monkeypatch.setattr(scope_index, "MAX_KEYS", 899)
    assert signals.index.find(Glob.parse("a.*"), None) is None
    assert len(keys_of(signals.index.find(Glob.parse("a.*"), "p1"))) == 30
