"""The table of event types is complete, and an unknown type is an error."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from semp.domain.event_types import EVENT_TYPES, TYPES, EventType, effect_of
from semp.domain.events import NewEvent, draft
from semp.domain.signals import INITIAL, Rules, apply

from tests.strategies import make_id

SMALLEST: dict[EventType, dict[str, Any]] = {
    "proposal": {"action": "a"},
    "ready": {"status": "s"},
    "test": {"status": "passed"},
    "reward": {"value": 0.5},
    "penalty": {"value": -0.25},
    "cancel": {},
}
SIZES: dict[EventType, float] = {"reward": 0.5, "penalty": 0.25, "cancel": 0.3}


def test_every_type_has_a_row_and_every_row_a_type() -> None:
    assert tuple(TYPES) == EVENT_TYPES == get_args(EventType)
    assert set(SMALLEST) == set(EVENT_TYPES)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_the_smallest_payload_of_a_type_is_accepted(name: EventType) -> None:
    parents = [make_id(1)] if TYPES[name].withdraws else None
    new = NewEvent(type=name, scope="s", trace_id="t", agent_id="a", payload=SMALLEST[name], parent_ids=parents)
    checked = draft(new)
    assert checked.value == SIZES.get(name, 0.0)
    assert effect_of(name, checked.payload.encode())[0] == checked.value


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_a_type_has_the_effect_of_its_row_on_a_signal(name: EventType) -> None:
    state, _ = apply(None, ("s", "p"), event_type="proposal", value=0, alpha=None, now=0, position=1, rules=Rules())
    _, move = apply(state, ("s", "p"), event_type=name, value=0.2, alpha=None, now=0, position=2, rules=Rules())
    assert move is not None
    expected = {"touch": INITIAL, "raise": INITIAL + 0.2 * 1.2, "lower": INITIAL - 0.2}
    assert move.after == pytest.approx(expected[TYPES[name].effect])


def test_an_unknown_type_is_an_error() -> None:
    unknown: Any = "praise"
    with pytest.raises(KeyError):
        apply(None, ("s", "p"), event_type=unknown, value=1.0, alpha=None, now=0, position=1, rules=Rules())
