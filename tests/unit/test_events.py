"""Events: what is accepted, which field a refusal names, and when an event with a stored id is a retry."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from semp.domain.errors import InvalidInput, TooLarge
from semp.domain.event_types import EVENT_TYPES, EventType, effect_of
from semp.domain.events import MAX_NESTING, MAX_PARENTS, MAX_PAYLOAD, Draft, NewEvent, canonical, draft, new_id, same_content

from tests.strategies import entry_of, make_id, new_draft

PLAIN = {"type": "proposal", "scope": "ui.login", "trace_id": "t", "agent_id": "a", "payload": {"action": "x"}}


def read(**changed: Any) -> Draft:
    """A request body as the service reads it; `...` leaves a field out."""
    body = {name: value for name, value in (PLAIN | changed).items() if value is not ...}
    return draft(msgspec.json.decode(msgspec.json.encode(body), type=NewEvent))


def fields(error: InvalidInput) -> list[str]:
    return [found.field for found in error.fields]


VALID: list[tuple[str, dict[str, Any]]] = [
    ("proposal", {"action": "x"}),
    ("proposal", {"action": "x", "params": {"a": [1]}, "estimated_effort": 2.5, "priority": "high", "more": None}),
    ("proposal", {"action": "x", "params": None, "estimated_effort": None, "priority": None}),
    ("ready", {"status": "done", "result": {"any": 1}, "next_action": "y"}),
    ("test", {"status": "failed", "suite": "s", "coverage": 100, "failures": [1, "a", {}]}),
    ("reward", {"value": 0}), ("reward", {"value": 1, "α": 3, "reason": "r"}), ("reward", {"value": 0.5, "alpha": 0}),
    ("penalty", {"value": -1}), ("penalty", {"value": 1}), ("penalty", {"value": 0, "action": "x"}),
]  # fmt: skip


@pytest.mark.parametrize(("event_type", "payload"), VALID)
def test_a_valid_payload_is_kept_as_it_is(event_type: str, payload: dict[str, Any]) -> None:
    found = read(type=event_type, payload=payload)
    assert msgspec.json.decode(found.payload) == payload
    assert found.payload == msgspec.json.encode(payload).decode()


@pytest.mark.parametrize(
    ("event_type", "payload", "field"),
    [
        ("proposal", {}, "payload.action"), ("proposal", {"action": ""}, "payload.action"), ("proposal", {"action": 1}, "payload.action"),
        ("proposal", {"action": None}, "payload.action"), ("proposal", {"action": "x" * 1025}, "payload.action"),
        ("proposal", {"action": "x", "params": []}, "payload.params"),
        ("proposal", {"action": "x", "estimated_effort": -1}, "payload.estimated_effort"),
        ("proposal", {"action": "x", "priority": "urgent"}, "payload.priority"),
        ("ready", {}, "payload.status"), ("ready", {"status": 3}, "payload.status"),
        ("ready", {"status": "x", "action": 3}, "payload.action"),
        ("test", {"status": "unknown"}, "payload.status"), ("test", {"status": "passed", "coverage": 101}, "payload.coverage"),
        ("test", {"status": "passed", "failures": {}}, "payload.failures"),
        ("reward", {}, "payload.value"), ("reward", {"value": 1.01}, "payload.value"), ("reward", {"value": -0.1}, "payload.value"),
        ("reward", {"value": True}, "payload.value"), ("reward", {"value": "1"}, "payload.value"),
        ("reward", {"value": 1, "α": -1}, "payload.α"), ("reward", {"value": 1, "alpha": "x"}, "payload.alpha"),
        ("penalty", {"value": -1.01}, "payload.value"), ("penalty", {"value": 1.01}, "payload.value"), ("penalty", {}, "payload.value"),
    ],
)  # fmt: skip
def test_an_invalid_payload_is_refused_by_the_name_of_its_field(event_type: str, payload: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(type=event_type, payload=payload)
    assert fields(caught.value) == [field]
    assert caught.value.fields[0].reason


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "other"}, {"type": ...}, {"scope": ""}, {"scope": "a..b"}, {"scope": ".a"}, {"scope": "a b"}, {"scope": "ä"},
        {"scope": "a\n"},
        {"scope": "a" * 257}, {"scope": "ui.*"}, {"scope": ...}, {"trace_id": ""}, {"trace_id": "x" * 257}, {"trace_id": ...},
        {"agent_id": 3},
        {"agent_id": ...}, {"payload": []}, {"payload": ...}, {"payload": None}, {"parent_ids": "x"}, {"parent_ids": ["x"]}, {"id": "x"},
        {"id": make_id(1) + "\n"}, {"id": make_id(1).replace("-", "")}, {"parents": []}, {"scope": None},
    ],
)  # fmt: skip
def test_an_invalid_envelope_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(**changed)


def test_fields_that_the_server_sets_are_ignored_in_a_request() -> None:
    found = read(id=make_id(1), position=77, timestamp="x", signals=[1])
    assert (found.id, found.client_id) == (make_id(1), True)


@pytest.mark.parametrize("parents", [None, [], ...])
def test_no_parents_can_be_written_in_three_ways(parents: Any) -> None:
    assert read(parent_ids=parents).parent_ids == []


def test_parents_count_once_in_the_order_given_in_lower_case() -> None:
    one, two = "ABCDEF00-0000-0000-0000-000000000001", make_id(2)
    assert read(parent_ids=[two, one, one.lower(), two]).parent_ids == [two, one.lower()]


def test_an_id_is_kept_in_lower_case_and_none_is_its_own_parent() -> None:
    own = "ABCDEF00-0000-0000-0000-000000000001"
    assert read(id=own).id == own.lower()
    with pytest.raises(InvalidInput) as caught:
        read(id=own, parent_ids=[make_id(1), own.lower()])
    assert fields(caught.value) == ["parent_ids"]


def test_more_parents_than_the_limit_are_refused() -> None:
    assert len(read(parent_ids=[make_id(n) for n in range(MAX_PARENTS)]).parent_ids) == MAX_PARENTS
    with pytest.raises(InvalidInput) as caught:
        read(parent_ids=[make_id(n) for n in range(MAX_PARENTS + 1)])
    assert fields(caught.value) == ["parent_ids"]


def test_a_payload_above_its_maximum_size_is_too_large() -> None:
    room = MAX_PAYLOAD - len('{"action":"x","n":""}')
    assert len(read(payload={"action": "x", "n": "y" * room}).payload) == MAX_PAYLOAD
    with pytest.raises(TooLarge) as caught:
        read(payload={"action": "x", "n": "y" * (room + 1)})
    assert fields(caught.value) == ["payload"]


@pytest.mark.parametrize("depth", [MAX_NESTING - 1, MAX_NESTING, MAX_NESTING + 500])
@pytest.mark.parametrize("kind", ["array", "object"])
def test_a_payload_nested_too_deep_is_refused(depth: int, kind: str) -> None:
    value: Any = 1
    for _ in range(depth):
        value = [value] if kind == "array" else {"k": value}
    event = NewEvent(type="proposal", scope="ui", trace_id="t", agent_id="a", payload={"action": "x", "deep": value})
    if depth < MAX_NESTING:
        assert draft(event).payload
    else:
        with pytest.raises(InvalidInput, match="nested"):
            draft(event)


def test_many_shallow_brackets_are_fine() -> None:
    assert read(payload={"action": "[{" * 500, "many": [[]] * 500}).action == "[{" * 500


def test_a_batch_names_the_index() -> None:
    with pytest.raises(InvalidInput) as caught:
        draft(NewEvent(type="reward", scope="ui", trace_id="t", agent_id="a", payload={"value": 2}), "[3].")
    assert fields(caught.value) == ["[3].payload.value"]


@pytest.mark.parametrize(
    ("payload", "value", "alpha"),
    [
        ({"value": 0.5}, 0.5, None),
        ({"value": 1, "α": 3}, 1.0, 3.0),
        ({"value": 1, "alpha": 2}, 1.0, 2.0),
        ({"value": 1, "alpha": 2, "α": 0}, 1.0, 0.0),
    ],
)
def test_a_reward_s_effect_is_read_the_same_before_and_after_storing(payload: dict[str, Any], value: float, alpha: float | None) -> None:
    found = read(type="reward", payload=payload)
    assert (found.value, found.alpha) == (value, alpha) == effect_of("reward", found.payload.encode())


@pytest.mark.parametrize("value", [-0.25, 0.25])
def test_a_penalty_s_effect_is_its_size(value: float) -> None:
    found = read(type="penalty", payload={"value": value})
    assert (found.value, found.alpha) == (0.25, None) == effect_of("penalty", found.payload.encode())


@pytest.mark.parametrize("event_type", [name for name in EVENT_TYPES if name in ("proposal", "ready", "test")])
def test_other_types_have_no_effect_of_their_own(event_type: EventType) -> None:
    assert effect_of(event_type, b'{"value":1}') == (0.0, None)


def test_new_ids_are_version_7_and_in_order() -> None:
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(set(ids))
    assert {found[14] for found in ids} == {"7"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=4), json_values, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_change_the_content(extra: dict[str, Any], rng: Any) -> None:
    payload = extra | {"action": "x"}
    keys = list(payload)
    rng.shuffle(keys)
    stored = entry_of(read(id=make_id(1), payload=payload), 1).event
    assert same_content(read(id=make_id(1), payload={key: payload[key] for key in keys}), stored)
    assert canonical(canonical(bytes(stored.payload))) == canonical(bytes(stored.payload))


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "ready", "payload": {"action": "x", "status": "s"}}, {"scope": "ui"}, {"trace_id": "u"}, {"agent_id": "b"},
        {"payload": {"action": "y"}}, {"payload": {"action": "x", "n": None}}, {"parent_ids": [make_id(3)]},
    ],
)  # fmt: skip
def test_an_event_with_other_content_is_no_retry(changed: dict[str, Any]) -> None:
    stored = entry_of(read(id=make_id(1)), 1).event
    assert same_content(read(id=make_id(1)), stored)
    assert not same_content(read(**{"id": make_id(1), **changed}), stored)


def test_a_number_written_differently_is_other_content() -> None:
    stored = entry_of(new_draft("reward", value=1), 1).event
    assert not same_content(new_draft("reward", value=1.0), stored)
