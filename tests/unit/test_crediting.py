"""Credit along causes: which proposals get it, how much, and which events give none."""

from __future__ import annotations

import pytest
from semp.domain.causes import Proposal
from semp.domain.credit import MAX_CREDITED, Credit, Credited, credited
from semp.domain.errors import InvalidInput
from semp.domain.signals import Rules
from semp.engine.crediting import climb, credit_of
from semp.engine.planning import Recorded
from semp.storage.memory.store import MemoryStore

from tests.strategies import FakeClock, Writer, make_id, new_draft


def proposal(position: int) -> Proposal:
    return Proposal(position, "ui", f"a{position}")


def test_a_share_is_discounted_for_each_hop_above_the_answered_proposals() -> None:
    reached = [(proposal(9), 2), (proposal(5), 3), (proposal(4), 4), (proposal(3), 5)]
    found = credited(reached, 2, Credit(0.5, 4))
    assert found == (Credited(proposal(5), 0.5), Credited(proposal(4), 0.25))


def test_the_nearest_and_then_the_newest_are_credited_when_there_are_too_many() -> None:
    found = credited([(proposal(position), 1 + position % 2) for position in range(1, 3 * MAX_CREDITED)], 0, Credit(0.5, 8))
    assert len(found) == MAX_CREDITED
    assert [one.proposal.position for one in found[:2]] == [3 * MAX_CREDITED - 2, 3 * MAX_CREDITED - 4]


def test_a_climb_gives_shortest_distances_in_memory_and_the_events_to_look_up_in_storage() -> None:
    memory = {"a": ["b", "stored"], "b": ["c"], "c": ["stored", "deep"], "d": ["c"]}
    assert climb(["a", "d"], 3, memory.get) == ({"a": 1, "d": 1, "b": 2, "c": 2}, {"stored": 2, "deep": 3})
    assert climb(["a"], 1, memory.get) == ({"a": 1}, {})


def test_only_rewards_and_penalties_with_causes_give_credit() -> None:
    default = Credit(0.5, 8)
    parents = [make_id(1)]
    assert credit_of(new_draft("reward", parents=parents), None) is None
    assert credit_of(new_draft("reward", parents=parents), default) == default
    assert credit_of(new_draft("penalty", parents=parents, credit={"discount": 0.1}), default) == Credit(0.1)
    assert credit_of(new_draft("penalty", parents=parents, credit={"discount": 0}), default) is None
    assert credit_of(new_draft("reward"), default) is None
    assert credit_of(new_draft("test", parents=parents, credit={"discount": 0.5}), default) is None


def test_a_payload_field_named_credit_that_is_no_object_is_kept_and_gives_no_credit() -> None:
    assert new_draft("reward", credit="to the team").credit is None
    assert '"credit":["ann"]' in new_draft("penalty", credit=["ann"]).payload


@pytest.mark.parametrize(
    ("credit", "field"),
    [
        ({}, "payload.credit.discount"),
        ({"discount": 1.1}, "payload.credit.discount"),
        ({"discount": "half"}, "payload.credit.discount"),
        ({"discount": 0.5, "max_depth": 0}, "payload.credit.max_depth"),
        ({"discount": 0.5, "max_depth": 65}, "payload.credit.max_depth"),
        ({"discount": 0.5, "depth": 3}, "payload.credit.depth"),
    ],
)
def test_bad_credit_is_refused_by_the_name_of_its_field(credit: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        new_draft("reward", credit=credit)
    assert [error.field for error in refused.value.fields] == [field]


def moved(recorded: Recorded) -> dict[str, tuple[float, float, float]]:
    return {move.pattern: (move.before, move.after, move.share) for move in recorded.moves}


async def test_credit_reaches_stored_proposals_and_those_of_the_same_batch() -> None:
    writer = await Writer.on(MemoryStore(), FakeClock())
    await writer.append(new_draft(number=1, action="first"))
    batch = [
        new_draft(number=2, action="second", parents=[make_id(1)]),
        new_draft("ready", number=3, parents=[make_id(2)]),
        new_draft(number=4, action="third", parents=[make_id(3)]),
        new_draft("reward", number=5, parents=[make_id(4)], value=0.5, credit={"discount": 0.5, "max_depth": 4}),
    ]
    recorded = await writer.append(*batch)
    await writer.committer.close()
    found = moved(recorded[-1])
    assert found == {
        "third": (0.3, pytest.approx(0.9), 1.0),
        "second": (0.3, pytest.approx(0.3 + 0.5 * 0.25 * 1.2), 0.25),
        "first": (0.3, pytest.approx(0.3 + 0.5 * 0.125 * 1.2), 0.125),
    }


async def test_without_credit_only_the_nearest_proposals_move() -> None:
    writer = await Writer.on(MemoryStore(), FakeClock())
    await writer.append(new_draft(number=1, action="first"), new_draft(number=2, action="second", parents=[make_id(1)]))
    [plain] = await writer.append(new_draft("reward", parents=[make_id(2)]))
    await writer.committer.close()
    assert list(moved(plain)) == ["second"]


async def test_the_rules_decide_credit_where_a_payload_has_none() -> None:
    writer = await Writer.on(MemoryStore(), FakeClock(), Rules(credit_discount=0.5, credit_depth=2))
    await writer.append(
        new_draft(number=1, action="first"),
        new_draft(number=2, action="second", parents=[make_id(1)]),
        new_draft(number=3, action="third", parents=[make_id(2)]),
    )
    [by_rule] = await writer.append(new_draft("penalty", parents=[make_id(3)], value=-0.1))
    [refusing] = await writer.append(new_draft("penalty", parents=[make_id(3)], value=-0.1, credit={"discount": 0}))
    await writer.committer.close()
    assert {pattern: share for pattern, (_, _, share) in moved(by_rule).items()} == {"third": 1.0, "second": 0.5}
    assert list(moved(refusing)) == ["third"]
