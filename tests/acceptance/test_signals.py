"""The strength of signals: what each type of event does to it, which signals an event moves, how they decay and are read."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest

from tests.answers import get
from tests.conftest import Service, running_service
from tests.events import Event, append, new_event, new_id, post, unique
from tests.waiting import eventually


def propose(service: Service, *parents: Event, **changes: Any) -> Event:
    """Append a proposal of an action that no other proposal has."""
    return post(service, "proposal", {"action": unique("do")}, *parents, **changes)


def key(proposal: Event) -> tuple[str, str]:
    """Scope and pattern of the signal that a proposal makes."""
    return proposal["scope"], proposal["payload"]["action"]


def moved(event: Event) -> list[tuple[str, str]]:
    """Scope and pattern of each signal that an event moved."""
    return [(move["scope"], move["pattern"]) for move in event["signals"]]


def read(service: Service, scope: str, pattern: str) -> dict[str, Any] | None:
    """A signal, or None where it is absent."""
    answer = service.client.get(f"/api/signals/{scope}/{quote(pattern, safe='')}")
    assert answer.status_code in (200, 404), answer.text
    return answer.json() if answer.status_code == 200 else None


def seconds(earlier: Event, later: Event) -> float:
    """Seconds between two events."""
    return (datetime.fromisoformat(later["timestamp"]) - datetime.fromisoformat(earlier["timestamp"])).total_seconds()


def decayed(strength: float, earlier: Event, later: Event) -> float:
    """What is left at the later event of a strength at the earlier one: strength * 0.95 ** minutes, see docs/protocol.md."""
    return strength * 0.95 ** (seconds(earlier, later) / 60)


CREATORS = [
    ("proposal", {"action": "x"}),
    ("ready", {"status": "done", "action": "x"}),
    ("test", {"status": "passed", "action": "x"}),
]


@pytest.mark.parametrize(("kind", "payload"), CREATORS)
def test_a_proposal_ready_or_test_creates_an_absent_signal_at_0_3(service: Service, kind: str, payload: dict[str, Any]) -> None:
    event = post(service, kind, payload)
    assert event["signals"] == [{"scope": event["scope"], "pattern": "x", "before": 0, "after": 0.3}]
    assert read(service, event["scope"], "x")["strength"] == pytest.approx(0.3, abs=0.005)  # type: ignore[index]


@pytest.mark.parametrize(("kind", "payload"), CREATORS)
def test_a_proposal_ready_or_test_updates_a_present_signal_and_keeps_its_strength(
    service: Service, kind: str, payload: dict[str, Any]
) -> None:
    first = post(service, "reward", {"value": 0.5, "action": "x"})
    again = post(service, kind, payload, scope=first["scope"])
    [move] = again["signals"]
    assert move["before"] == move["after"] == pytest.approx(decayed(0.6, first, again), abs=1e-9)
    assert read(service, first["scope"], "x")["last_updated"] == again["timestamp"]  # type: ignore[index]


def test_a_reward_of_0_5_times_1_2_raises_a_new_signal_to_0_9(service: Service) -> None:
    proposal = post(service, "proposal", {"action": "improve_ux"})
    reward = post(service, "reward", {"value": 0.5, "α": 1.2}, proposal)
    [move] = reward["signals"]
    assert (move["scope"], move["pattern"]) == key(proposal)
    assert move["before"] == pytest.approx(decayed(0.3, proposal, reward), abs=1e-9)
    assert move["after"] == pytest.approx(move["before"] + 0.6, abs=1e-9)
    now = read(service, *key(proposal))
    assert now is not None
    assert now["strength"] == pytest.approx(0.9, abs=0.01)
    assert now["strength"] <= move["after"]
    assert now["last_updated"] == reward["timestamp"]


@pytest.mark.parametrize(
    ("payload", "gain"),
    [
        ({"value": 0.1, "α": 2}, 0.2),
        ({"value": 0.1, "alpha": 3}, 0.3),
        ({"value": 0.1, "α": 2, "alpha": 3}, 0.2),
        ({"value": 0.1, "α": None, "alpha": 3}, 0.3),
        ({"value": 0.1}, 0.12),
        ({"value": 0.1, "α": 0}, 0.0),
        ({"value": 0}, 0.0),
        ({"value": 1, "α": 100}, 0.7),
    ],
)
def test_a_reward_adds_its_value_times_its_own_alpha_or_that_of_the_signal_up_to_1(
    service: Service, payload: dict[str, Any], gain: float
) -> None:
    proposal = propose(service)
    [move] = post(service, "reward", payload, proposal)["signals"]
    expected = 1.0 if move["before"] + gain > 0.99 else move["before"] + gain
    assert move["after"] == pytest.approx(expected, abs=1e-9)


def test_a_rewards_own_alpha_does_not_change_the_signals(service: Service) -> None:
    proposal = propose(service)
    post(service, "reward", {"value": 0.1, "α": 2.5}, proposal)
    assert read(service, *key(proposal))["alpha"] == 1.2  # type: ignore[index]


def test_a_reward_on_an_absent_signal_counts_from_0(service: Service) -> None:
    event = post(service, "reward", {"value": 0.5, "action": "x"})
    assert event["signals"] == [{"scope": event["scope"], "pattern": "x", "before": 0, "after": 0.6}]


@pytest.mark.parametrize(("value", "left"), [(-0.1, 0.2), (0.1, 0.2), (-0.25, 0.05), (0, 0.3)])
def test_a_penalty_subtracts_its_value_whatever_its_sign(service: Service, value: float, left: float) -> None:
    proposal = propose(service)
    [move] = post(service, "penalty", {"value": value}, proposal)["signals"]
    assert move["after"] == pytest.approx(move["before"] - abs(value), abs=1e-9)
    assert read(service, *key(proposal))["strength"] == pytest.approx(left, abs=0.005)  # type: ignore[index]


@pytest.mark.parametrize("value", [-1, -0.5, -0.295])
def test_a_penalty_down_to_0_or_below_0_01_makes_the_signal_absent(service: Service, value: float) -> None:
    proposal = propose(service)
    [move] = post(service, "penalty", {"value": value}, proposal)["signals"]
    assert move["after"] == 0
    assert read(service, *key(proposal)) is None
    assert proposal["scope"] not in [signal["scope"] for signal in service.client.get("/api/signals").json()]


def test_a_penalty_on_an_absent_signal_does_nothing(service: Service) -> None:
    event = post(service, "penalty", {"value": -0.5, "action": "x"})
    assert event["signals"] == []
    assert read(service, event["scope"], "x") is None


def test_a_signal_that_a_penalty_removed_can_be_proposed_again_at_0_3(service: Service) -> None:
    proposal = propose(service)
    post(service, "penalty", {"value": -1}, proposal)
    again = post(service, "proposal", proposal["payload"], scope=proposal["scope"])
    assert again["signals"] == [{"scope": key(proposal)[0], "pattern": key(proposal)[1], "before": 0, "after": 0.3}]


@pytest.mark.parametrize(("kind", "payload"), [("ready", {"status": "x"}), ("reward", {"value": 0.1}), ("penalty", {"value": -0.1})])
def test_an_action_in_the_payload_names_the_signal_whatever_the_parents(service: Service, kind: str, payload: dict[str, Any]) -> None:
    parent = propose(service)
    own = propose(service)
    event = post(service, kind, {**payload, "action": own["payload"]["action"]}, parent, scope=own["scope"])
    assert moved(event) == [key(own)]


def test_an_event_without_action_moves_its_parents_proposal_in_the_proposals_own_scope(service: Service) -> None:
    proposal = propose(service)
    for kind, payload in (("ready", {"status": "x"}), ("test", {"status": "passed"}), ("reward", {"value": 0.1})):
        event = post(service, kind, payload, proposal)
        assert event["scope"] != proposal["scope"]
        assert moved(event) == [key(proposal)]


def test_all_of_the_nearest_proposals_among_the_ancestors_are_moved_and_no_others(service: Service) -> None:
    far = propose(service)
    one, two = propose(service, far), propose(service)
    ready = post(service, "ready", {"status": "x"}, one)
    tested = post(service, "test", {"status": "passed"}, two)
    farther = post(service, "ready", {"status": "x"}, post(service, "ready", {"status": "x"}, propose(service)))
    for parents in ((farther, ready, tested), (ready, farther, tested), (tested, ready, farther)):
        reward = post(service, "reward", {"value": 0.1}, *parents)
        assert sorted(moved(reward)) == sorted([key(one), key(two)])
        assert all(move["after"] == pytest.approx(move["before"] + 0.12, abs=1e-9) for move in reward["signals"])


def test_two_nearest_proposals_of_the_same_signal_move_it_once(service: Service) -> None:
    one = propose(service)
    two = post(service, "proposal", one["payload"], scope=one["scope"])
    assert moved(post(service, "reward", {"value": 0.1}, one, two)) == [key(one)]


def test_a_proposal_among_the_ancestors_comes_before_the_newest_of_trace_and_scope(service: Service) -> None:
    cause, newest = propose(service), propose(service)
    event = post(service, "reward", {"value": 0.1}, cause, scope=newest["scope"], trace_id=newest["trace_id"])
    assert moved(event) == [key(cause)]


@pytest.mark.parametrize("with_parent", [False, True])
def test_without_a_proposal_above_it_an_event_moves_the_newest_of_its_trace_and_scope(service: Service, with_parent: bool) -> None:
    first = propose(service)
    same: dict[str, Any] = {"scope": first["scope"], "trace_id": first["trace_id"]}
    newest = propose(service, **same)
    propose(service, scope=first["scope"])
    propose(service, trace_id=first["trace_id"])
    parents = [post(service, "ready", {"status": "x"})] if with_parent else []
    assert moved(post(service, "reward", {"value": 0.1}, *parents, **same)) == [key(newest)]
    assert moved(post(service, "penalty", {"value": 0.1}, *parents, **same)) == [key(newest)]


@pytest.mark.parametrize(("kind", "payload"), [("ready", {"status": "x"}), ("test", {"status": "failed"}), ("reward", {"value": 1})])
def test_an_event_without_a_proposal_to_move_moves_nothing(service: Service, kind: str, payload: dict[str, Any]) -> None:
    proposal = propose(service)
    assert post(service, kind, payload, scope=proposal["scope"])["signals"] == []
    assert post(service, kind, payload, trace_id=proposal["trace_id"])["signals"] == []


def test_signals_of_a_batch_are_the_same_as_of_single_events(service: Service) -> None:
    """Each event moves signals as the events before it in the same batch left them."""
    first, second = new_id(), new_id()
    same = {"scope": unique("s"), "trace_id": unique("t")}
    stored = append(
        service,
        [
            new_event("proposal", id=first, **same),
            new_event("ready", None, first, id=second, **same),
            new_event("reward", {"value": 0.5}, second, **same),
            new_event("penalty", {"value": -0.2}, **same),
        ],
    )
    moves = [move for event in stored for move in event["signals"]]
    assert [move["before"] for move in moves] == pytest.approx([0, 0.3, 0.3, 0.9])
    assert [move["after"] for move in moves] == pytest.approx([0.3, 0.3, 0.9, 0.7])
    assert all(len(event["signals"]) == 1 for event in stored)


def test_signals_are_selected_by_scope_pattern_strength_and_limit(service: Service) -> None:
    root = unique("g")
    for scope, action, value in ((root, "x", 0.1), (f"{root}.a", "x", 0.4), (f"{root}.b", "y", 0.6), (f"{root}.a.c", "x", 0.8)):
        post(service, "reward", {"value": value, "action": action}, scope=scope)

    def suffixes(**query: Any) -> list[str]:
        return [signal["scope"].removeprefix(root) for signal in get(service, "signals", **query)]

    assert suffixes(scope=root) == [""]
    assert suffixes(scope=f"{root}.*") == [".b", ".a"]
    assert suffixes(scope=f"{root}.**") == [".a.c", ".b", ".a"]
    assert suffixes(scope=f"{root}.*.c") == [".a.c"]
    assert suffixes(scope=f"{root}.**", pattern="x") == [".a.c", ".a"]
    assert suffixes(scope=f"{root}.**", pattern="X") == []
    assert suffixes(scope=f"{root}.**", min_strength=0.6) == [".a.c", ".b"]
    assert suffixes(scope=f"{root}.**", limit=1) == [".a.c"]


@pytest.mark.parametrize("action", ["a b", "a/b", "ü-日本", "50%", "a:b", "?x=1&y#z", "..", "a.b", "a//b", "/a", "a/"])
def test_one_signal_is_read_by_its_url_encoded_pattern(service: Service, action: str) -> None:
    event = post(service, "proposal", {"action": action})
    answer = service.client.get(f"/api/signals/{event['scope']}/{quote(action, safe='').replace('.', '%2E')}")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["scope"], answer.json()["pattern"]) == (event["scope"], action)


def test_one_signal_that_was_never_there_is_404(service: Service) -> None:
    answer = service.client.get("/api/signals/no.such/signal")
    assert answer.status_code == 404
    assert "no.such" in answer.json()["message"]


def test_one_signal_is_read_as_in_the_list(service: Service) -> None:
    event = propose(service)
    [listed] = service.client.get("/api/signals", params={"scope": event["scope"]}).json()
    one = read(service, *key(event))
    assert one is not None
    assert one.pop("strength") <= listed.pop("strength")
    assert one == listed


@pytest.fixture(scope="module")
def fast_decay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service in memory whose signals halve every 200 ms and are swept every 50 ms."""
    arguments = ("--memory", "--lambda", "0.5", "--decay-interval", "0.2", "--sweep-interval", "0.05")
    with running_service(tmp_path_factory.mktemp("service"), *arguments) as running:
        yield running


def test_strength_halves_every_interval_and_the_signal_is_absent_below_0_01(fast_decay: Service) -> None:
    event = propose(fast_decay)
    strengths = [0.3]
    deadline = time.monotonic() + 30
    while (signal := read(fast_decay, *key(event))) is not None:
        assert time.monotonic() < deadline, f"still there at {signal['strength']}"
        assert signal["lambda"] == 0.5
        assert signal["last_updated"] == event["timestamp"], "decay does not count as an update"
        strengths.append(signal["strength"])
    assert all(later <= earlier for earlier, later in itertools.pairwise(strengths))
    assert min(strengths) >= 0.01
    assert fast_decay.client.get("/api/signals", params={"scope": event["scope"]}).json() == []


def test_between_two_events_a_strength_is_multiplied_by_lambda_to_the_number_of_intervals(fast_decay: Service) -> None:
    for _ in range(5):
        one = post(fast_decay, "reward", {"value": 0.8, "alpha": 1, "action": "x"})
        other = post(fast_decay, "test", {"status": "passed", "action": "x"}, scope=one["scope"])
        expected = 0.8 * 0.5 ** (seconds(one, other) / 0.2)
        [move] = other["signals"]
        assert move["before"] == pytest.approx(expected if expected >= 0.01 else 0, abs=1e-9)


def test_an_event_that_keeps_the_strength_does_not_undo_decay(fast_decay: Service) -> None:
    one = post(fast_decay, "reward", {"value": 0.9, "alpha": 1, "action": "x"})
    same: dict[str, Any] = {"scope": one["scope"]}
    touches = [post(fast_decay, "test", {"status": "running", "action": "x"}, **same) for _ in range(3)]
    last = post(fast_decay, "penalty", {"value": 0, "action": "x"}, **same)
    for event in (*touches, last):
        expected = 0.9 * 0.5 ** (seconds(one, event) / 0.2)
        assert event["signals"][0]["before"] == pytest.approx(expected if expected >= 0.01 else 0, abs=1e-9)


def test_a_signal_that_decayed_away_begins_again_at_0_3(fast_decay: Service) -> None:
    event = propose(fast_decay)
    eventually("the signal is absent", lambda: read(fast_decay, *key(event)) is None, 30)
    again = post(fast_decay, "proposal", event["payload"], scope=event["scope"])
    assert [(move["before"], move["after"]) for move in again["signals"]] == [(0, 0.3)]


LONG = 700
"""Signals of the scope `many`, more than one piece of an answer has."""


@pytest.fixture(scope="module")
def many(memory_service: Service) -> Service:
    """A service with LONG signals in the scope `many`, half of them rewarded."""
    events = [new_event("proposal", {"action": f"p{number}"}, scope="many") for number in range(LONG)]
    rewards = [new_event("reward", {"value": 0.1 + number / 2000, "action": f"p{number}"}, scope="many") for number in range(0, LONG, 2)]
    assert memory_service.client.post("/api/events/batch?return=minimal", json=events + rewards).status_code == 201
    return memory_service


def test_a_long_list_is_sent_in_pieces_and_is_the_same_as_a_short_one(many: Service) -> None:
    with many.client.stream("GET", "/api/signals") as answer:
        pieces = list(answer.iter_raw())
        assert answer.headers["content-type"] == "application/json"
        assert "content-length" not in answer.headers
    assert len(pieces) > 1
    whole = json.loads(b"".join(pieces))
    assert len(whole) == LONG
    order = [(-signal["strength"], signal["scope"], signal["pattern"]) for signal in whole]
    assert order == sorted(order)
    shorter = many.client.get("/api/signals", params={"limit": 200})
    assert shorter.headers["content-length"] == str(len(shorter.content))
    assert [signal["id"] for signal in shorter.json()] == [signal["id"] for signal in whole[:200]]
    position = many.client.get("/health/ready").json()["position"]
    past = many.client.get("/api/signals", params={"at": position}).json()
    assert [signal["id"] for signal in past] == [signal["id"] for signal in whole]


def test_a_list_has_a_weak_entity_tag_by_position(many: Service) -> None:
    ready = many.client.get("/health/ready").json()
    for limit in (1, LONG):
        answer = many.client.get("/api/signals", params={"limit": limit})
        assert answer.headers["etag"] == f'W/"{ready["epoch"]}:{ready["position"]}"'
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("given", ["{tag}", "{strong}", '"other", {tag}', "*"])
def test_a_list_at_the_position_that_the_client_has_is_304(many: Service, given: str) -> None:
    tag = many.client.get("/api/signals").headers["etag"]
    known = {"if-none-match": given.format(tag=tag, strong=tag.removeprefix("W/"))}
    answer = many.client.get("/api/signals", headers=known)
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    post(many, "proposal", {"action": unique("do")})
    if given != "*":
        answer = many.client.get("/api/signals", headers=known)
        assert (answer.status_code, answer.headers["etag"] != tag) == (200, True)


def test_a_list_of_the_past_has_the_same_entity_tag_for_ever(many: Service) -> None:
    first = many.client.get("/api/signals", params={"at": LONG})
    post(many, "proposal", {"action": unique("do")})
    again = many.client.get("/api/signals", params={"at": LONG})
    assert again.headers["etag"] == first.headers["etag"]
    assert again.content == first.content
    assert many.client.get("/api/signals", params={"at": LONG}, headers={"if-none-match": first.headers["etag"]}).status_code == 304
    assert many.client.get("/api/signals", params={"at": LONG - 1}, headers={"if-none-match": first.headers["etag"]}).status_code == 200


@pytest.mark.parametrize("given", ['"other"', "", "nonsense", 'W/"630eb68f-e0fa-5ecc-887a-7c7a62614681:1"'])
def test_any_other_tag_gets_the_list(many: Service, given: str) -> None:
    assert many.client.get("/api/signals", params={"limit": 1}, headers={"if-none-match": given}).status_code == 200
