"""Credit along causes: which proposals get it, how much, and which events give none."""

from __future__ import annotations

import random
from collections.abc import Sequence

import networkx as nx
import pytest
from semp.domain.causes import Proposal
from semp.domain.credit import MAX_CREDITED, Credit, Credited, credited
from semp.domain.errors import InvalidInput, QueryTooLarge
from semp.domain.signals import Rules
from semp.engine import crediting
from semp.engine.crediting import AHEAD, credit_of, search
from semp.engine.planning import Recorded
from semp.engine.records import Ancestor
from semp.storage.memory.store import MemoryStore

from tests.scripted_store import Scripted
from tests.strategies import FakeClock, Writer, make_id, new_draft
from tests.waiting import turns_of


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


async def test_a_search_finds_all_proposals_within_its_depth_at_their_shortest_distances() -> None:
    choose = random.Random(3)
    graph: nx.DiGraph[str] = nx.DiGraph()
    events: dict[str, Ancestor] = {}
    for number in range(120):
        name = f"e{number}"
        parents = choose.sample(sorted(events), min(len(events), choose.randrange(4)))
        proposes = choose.random() < 0.5
        events[name] = Ancestor(proposal(number) if proposes else None, parents, proposes)
        graph.add_node(name)
        graph.add_edges_from((name, parent) for parent in parents)
    memory = {name: event for name, event in events.items() if choose.random() < 0.3}
    for depth in (1, 3, 64):
        origins = [(tuple(choose.sample(sorted(events), 3)), depth) for _ in range(5)]
        for (parents, _), one in zip(origins, await search(origins, memory.get, {}, Ancestry(events)), strict=True):
            graph.add_edges_from(("draft", parent) for parent in parents)
            distances = nx.single_source_shortest_path_length(graph, "draft", cutoff=depth)
            assert dict(one.reached) == {name: hops for name, hops in distances.items() if name != "draft" and events[name].proposes}
            graph.remove_node("draft")


NOTHING: dict[str, Ancestor] = {}


class Ancestry(MemoryStore):
    """Storage that knows these events, and counts what is read."""

    def __init__(self, events: dict[str, Ancestor]) -> None:
        super().__init__()
        self.events_by_id = events
        self.reads: list[Sequence[str]] = []

    async def ancestry(self, ids: Sequence[str], limit: int) -> dict[str, Ancestor]:
        self.reads.append(ids)
        assert 1 <= limit * len(ids) <= max(AHEAD, len(ids))
        return {event_id: self.events_by_id[event_id] for event_id in ids if event_id in self.events_by_id}


def layers(count: int, wide: int, *, proposes: bool = True) -> dict[str, Ancestor]:
    """Layers of events, each with all events of the layer before as parents. `0.0` is in the first one."""
    return {
        f"{layer}.{number}": Ancestor(
            proposal(1 + layer * wide + number) if proposes else None, [f"{layer - 1}.{n}" for n in range(wide)] if layer else [], proposes
        )
        for layer in range(count)
        for number in range(wide)
    }


async def test_a_search_ends_with_the_level_that_has_enough_proposals() -> None:
    store = Ancestry(layers(64, 50))
    parents = tuple(f"63.{number}" for number in range(50))
    [one] = await search([(parents, 64)], NOTHING.get, {}, store)
    assert len(one.reached) == MAX_CREDITED + 50
    assert {event_id.split(".")[0] for ids in store.reads for event_id in ids} == {str(layer) for layer in range(43, 64)}


async def test_what_was_read_is_not_read_again() -> None:
    store = Ancestry(layers(8, 20))
    origins = [(tuple(f"7.{number}" for number in range(first, 20)), 64) for first in range(20)]
    known: dict[str, Ancestor] = {}
    await search(origins, NOTHING.get, known, store)
    assert sorted(event_id for ids in store.reads for event_id in ids) == sorted(store.events_by_id)
    reads = len(store.reads)
    await search(origins, NOTHING.get, known, store)
    assert len(store.reads) == reads


async def test_a_search_gives_turns_to_others_and_is_refused_at_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Ancestry(layers(40, 50, proposes=False))
    origins = [(tuple(f"39.{number}" for number in range(50)), 64)]
    [one], turns = await turns_of(lambda: search(origins, NOTHING.get, {}, store))
    assert turns >= one.cost / (2 * crediting.COST_AT_ONCE)
    monkeypatch.setattr(crediting, "MAX_COST", one.cost)
    store.reads.clear()
    with pytest.raises(QueryTooLarge, match="max_depth"):
        await search(origins, NOTHING.get, {}, store)
    assert sum(map(len, store.reads)) * crediting.READ <= one.cost
    in_memory = layers(1_000, 50, proposes=False)
    looked_at: list[str] = []

    def find(event_id: str) -> Ancestor | None:
        looked_at.append(event_id)
        return in_memory.get(event_id)

    with pytest.raises(QueryTooLarge):
        await search([(("999.0",), 1_000)], find, {}, store)
    assert 50 * len(looked_at) <= one.cost + 5_000


async def test_a_submission_whose_search_is_too_large_is_refused_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Scripted()
    writer = await Writer.on(store)
    await writer.append(
        *[new_draft(number=number, action=f"a{number}", parents=[make_id(number - 1)] if number else []) for number in range(60)]
    )
    monkeypatch.setattr(crediting, "AHEAD", 1)
    monkeypatch.setattr(crediting, "MAX_COST", 30 * (2 + crediting.READ))
    deep = writer.committer.submit([new_draft("reward", parents=[make_id(59)], credit={"discount": 0.5, "max_depth": 64})])
    near = writer.committer.submit([new_draft("reward", parents=[make_id(59)], credit={"discount": 0.5, "max_depth": 4})])
    with pytest.raises(QueryTooLarge):
        await deep
    assert len((await near)[0].moves) == 4
    assert "turn" not in store.calls
    await writer.committer.close()


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
