"""Interests: which events they cover, which are refused, and that the index finds every interest that covers an event."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semp.domain.errors import InvalidInput
from semp.domain.event_types import EVENT_TYPES, EventType
from semp.domain.events import Event
from semp.domain.interests import EVERYTHING, MAX_ALTERNATIVES, Interest
from semp.domain.scopes import Glob
from semp.engine.live.interest_index import INDEXED, InterestIndex, ScopeTree

from tests.strategies import AGENTS, TRACES, entry_of, new_draft, selects

LONG = ".".join("ab" * INDEXED)
SCOPES = ("a", "b", "a.a", "a.b", "b.a", "a.b.c", "a.b.c.d", "c.b.c", LONG, f"{LONG}.c")
GLOBS = (*SCOPES, f"{LONG}.*", f"{LONG}.**", f"*{LONG[1:]}", "*", "**", "a.*", "a.**", "*.b", "a.*.c", "*.*.**", "a.b.**", "*.b.c", "b.**")

interests = st.builds(
    Interest.of,
    st.lists(st.sampled_from(GLOBS), max_size=3),
    st.lists(st.sampled_from(EVENT_TYPES), max_size=2),
    st.lists(st.sampled_from(TRACES), max_size=2),
    st.lists(st.sampled_from(AGENTS), max_size=2),
)


def event_of(kind: EventType, scope: str, trace: str, agent: str) -> Event:
    return entry_of(new_draft(kind, scope, trace=trace, agent=agent), 1).event


events = st.builds(
    event_of,
    st.sampled_from(EVENT_TYPES), st.sampled_from(SCOPES), st.sampled_from(TRACES), st.sampled_from(AGENTS),
)  # fmt: skip


@given(interests, events)
def test_all_fields_must_match_and_one_value_of_a_field_is_enough(interest: Interest, event: Event) -> None:
    expected = (
        (not interest.scopes or any(selects(glob.text, event.scope) for glob in interest.scopes))
        and event.type in (interest.types or EVENT_TYPES)
        and event.trace_id in (interest.trace_ids or TRACES)
        and event.agent_id in (interest.agent_ids or AGENTS)
    )
    assert interest.covers(event) == expected
    assert interest.everything == (interest == EVERYTHING)


def test_order_and_repetition_make_no_difference() -> None:
    one = Interest.of(["b", "a", "b"], ["test", "ready"], ["t2", "t1"], ["x"])
    other = Interest.of(["a", "b"], ["ready", "test"], ["t1", "t2"], ["x", "x"])
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"scopes": ["a..b"]}, "scope"),
        ({"scopes": ["a.**.b"]}, "scope"),
        ({"scopes": [""]}, "scope"),
        ({"types": ["wish"]}, "type"),
        ({"trace_ids": [""]}, "trace_id"),
        ({"agent_ids": ["x" * 257]}, "agent_id"),
        ({"trace_ids": [str(number) for number in range(101)]}, "trace_id"),
    ],
)
def test_an_invalid_interest_is_refused_by_the_name_of_its_field(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Interest.of(**arguments)
    assert [error.field for error in caught.value.fields] == [field]


@given(st.lists(st.tuples(interests, st.booleans()), max_size=12), st.data(), events)
def test_the_index_finds_every_interest_that_covers_an_event_and_no_removed_one(
    subscribed: list[tuple[Interest, bool]], data: st.DataObject, event: Event
) -> None:
    index: InterestIndex[int] = InterestIndex()
    added = {
        number: (interest, signals and bool(interest.scopes))
        for number, (interest, signals) in enumerate(subscribed)
        if not interest.everything
    }
    for number, (interest, by_scope) in added.items():
        index.add(number, interest, by_scope=by_scope)
    removed = data.draw(st.sets(st.sampled_from(sorted(added)))) if added else set[int]()
    for number in removed:
        index.discard(number, added[number][0], by_scope=added[number][1])
    found = set(index.find(event, [event.scope]))
    assert not found & removed
    assert {number for number, (interest, _) in added.items() if number not in removed and interest.covers(event)} <= found
    for number, (interest, by_scope) in added.items():
        if number not in removed and by_scope and interest.covers_scope("c.b.c"):
            assert number in set(index.find(event, ["c.b.c"]))
    for number in set(added) - removed:
        index.discard(number, added[number][0], by_scope=added[number][1])
    assert index.empty


def test_an_event_is_compared_only_with_interests_whose_scope_may_match() -> None:
    index: InterestIndex[int] = InterestIndex()
    for number in range(1_000):
        index.add(number, Interest.of([f"project.mod{number}.**"]), by_scope=False)
    event = entry_of(new_draft(scope="project.mod7.x"), 1).event
    assert list(index.find(event, [event.scope])) == [7]


def test_globs_of_many_wildcards_cost_a_bounded_number_of_look_ups() -> None:
    looked_up = 0

    class Counting(dict[str, Any]):
        def get(self, *key: Any) -> Any:
            nonlocal looked_up
            looked_up += 1
            return super().get(*key)

    rng = random.Random(3)
    tree: ScopeTree[int] = ScopeTree()
    for number in range(100):
        tree.add(Glob.parse(".".join(rng.choice("a*") for _ in range(127))), number)
    branches = [tree._root]  # pyright: ignore[reportPrivateUsage]
    for branch in branches:
        branch.children = Counting(branch.children)
        branches += branch.children.values()
    assert set(tree.find(".".join("a" * 127))) == set(range(100))
    assert looked_up <= 4 * 2**INDEXED


def test_too_many_alternatives_are_not_looked_at() -> None:
    with pytest.raises(InvalidInput) as error:
        Interest.of(scopes=[f"a..{number}" for number in range(MAX_ALTERNATIVES + 1)])
    assert [field.reason for field in error.value.fields] == [f"{MAX_ALTERNATIVES + 1} alternatives, the limit is {MAX_ALTERNATIVES}"]
