"""What moved a signal, its value at an earlier time, and its value if some events were different, over HTTP."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest

from tests.acceptance.refusals import UNKNOWN
from tests.answers import each_page, get
from tests.conftest import Service
from tests.events import new_event, post, unique


def test_an_explanation_lists_what_moved_a_signal_and_ends_at_its_strength(service: Service) -> None:
    scope = unique("s")
    proposal = post(service, "proposal", {"action": "go"}, scope=scope)
    reward = post(service, "reward", {"value": 0.5}, proposal)
    penalty = post(service, "penalty", {"value": -0.2}, reward)
    at = penalty["position"]
    found = get(service, f"signals/{scope}/go/explain", at=at)
    assert [(step["id"], step["type"], step.get("value")) for step in found["events"]] == [
        (proposal["id"], "proposal", None),
        (reward["id"], "reward", 0.5),
        (penalty["id"], "penalty", 0.2),
    ]
    assert (found["count"], found["truncated"]) == (3, False)
    assert found["at"] == {"position": at, "timestamp": penalty["timestamp"]}
    first, second, third = found["events"]
    assert (first["before"], first["change"], first["after"]) == (0, 0.3, 0.3)
    assert second["change"] == pytest.approx(0.6)
    assert third["change"] == pytest.approx(-0.2)
    assert [step["after"] for step in found["events"]] == [event["signals"][0]["after"] for event in (proposal, reward, penalty)]
    assert found["strength"] == third["after"]
    assert get(service, f"signals/{scope}/go", at=at)["strength"] == found["strength"]


def test_each_page_of_an_explanation_continues_the_one_before(service: Service) -> None:
    scope = unique("s")
    pattern = "with/slash and explain"
    first = post(service, "proposal", {"action": pattern}, scope=scope)
    events = [first, *(post(service, "reward", {"value": 0.01}, first) for _ in range(6))]
    path = f"/api/signals/{scope}/{quote(pattern, safe='')}/explain"
    for order in ("asc", "desc"):
        steps: list[dict[str, Any]] = []
        strengths: set[float] = set()
        for page in each_page(service, path, limit=3, order=order):
            assert page["count"] == 7
            strengths.add(page["strength"])
            steps += page["events"]
            if len(steps) == 3 and order == "desc":
                post(service, "reward", {"value": 0.01}, first)  # later than the first page, so on none of the others
        expected = [event["id"] for event in events]
        assert [step["id"] for step in steps] == (expected if order == "asc" else expected[::-1])
        assert len(strengths) == 1, "all pages are as of one moment"
        oldest_first = steps if order == "asc" else steps[::-1]
        for earlier, later in pairwise(oldest_first):
            assert later["before"] == pytest.approx(earlier["after"] + later["decay"])
    assert get(service, f"signals/{scope}/{quote(pattern, safe='')}/explain", limit=0)["events"] == []


def test_a_signal_named_explain_is_still_a_signal(service: Service) -> None:
    scope = unique("s")
    post(service, "proposal", {"action": "explain"}, scope=scope)
    assert get(service, f"signals/{scope}/explain")["pattern"] == "explain"
    assert get(service, f"signals/{scope}/explain/explain")["count"] == 1


def test_signals_are_read_as_they_were_at_a_position_and_at_a_time(service: Service) -> None:
    scope = unique("s")
    first = post(service, "proposal", {"action": "a"}, scope=scope)
    reward = post(service, "reward", {"value": 0.5}, first)
    post(service, "proposal", {"action": "b"}, scope=scope)
    post(service, "penalty", {"value": 1}, reward)
    [then] = get(service, "signals", scope=scope, at=reward["position"])
    assert (then["pattern"], then["strength"]) == ("a", reward["signals"][0]["after"])
    [now] = get(service, "signals", scope=scope)
    assert now["pattern"] == "b"
    assert [signal["pattern"] for signal in get(service, "signals", scope=scope, at=first["timestamp"])] == ["a"] or (
        first["timestamp"] == reward["timestamp"]
    )
    assert get(service, "signals", scope=scope, at=0) == []
    assert get(service, f"signals/{scope}/a", at=reward["position"])["strength"] == then["strength"]
    assert "no live signal" in get(service, f"signals/{scope}/b", 404, at=reward["position"])["message"]


@pytest.mark.parametrize("at", ["-1", "yesterday", "2025-01-15T10:10:00", "99999999999999999999", "999999999", "3000-01-01T00:00:00Z", ""])
@pytest.mark.parametrize("path", ["signals", "signals/ui/a", "signals/ui/a/explain"])
def test_a_position_or_time_that_is_not_valid_is_refused_by_its_field(service: Service, path: str, at: str) -> None:
    post(service, "proposal", {"action": "a"}, scope="ui")
    answer = get(service, path, 400, at=at)
    assert [error["field"] for error in answer["errors"]] == ["at"]


def test_a_signal_that_was_never_moved_is_404(service: Service) -> None:
    assert "nothing ever moved" in get(service, f"signals/{unique('s')}/x/explain", 404)["message"]


def what_if(service: Service, status: int = 200, **changes: Any) -> Any:
    """The answer to what the signals would be without the events of `drop` and with those of `add`; the status must be this one."""
    answer = service.client.post("/api/signals/what-if", json=changes)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_what_if_answers_the_signals_that_would_differ_and_stores_nothing(service: Service) -> None:
    scope = unique("s")
    proposal = post(service, "proposal", {"action": "go"}, scope=scope)
    reward = post(service, "reward", {"value": 0.5}, proposal)
    before = service.client.get("/health/ready").json()
    [without] = what_if(service, drop=[reward["id"].upper()])["signals"]
    assert (without["scope"], without["pattern"]) == (scope, "go")
    assert without["strength"] == pytest.approx(0.3, abs=0.01)
    assert without["actual"] == pytest.approx(0.9, abs=0.02)
    more = new_event("penalty", {"value": 0.4}, reward, scope=scope)
    [changed] = what_if(service, add=[more])["signals"]
    assert changed["strength"] == pytest.approx(changed["actual"] - 0.4)
    assert what_if(service)["signals"] == []
    assert service.client.get("/health/ready").json() == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"drop": [UNKNOWN]}, "drop[0]"),
        ({"drop": ["x"]}, "drop[0]"),
        ({"drop": [UNKNOWN] * 1_001}, "drop"),
        ({"add": [{"type": "reward"}]}, "add[0].scope"),
        ({"add": [new_event("reward", {})]}, "add[0].payload.value"),
        ({"add": [new_event("reward", {"value": 1}, UNKNOWN)]}, "add[0].parent_ids[0]"),
        ({"remove": []}, "remove"),
    ],
)
def test_a_bad_question_of_what_if_is_refused_by_its_field(service: Service, changes: dict[str, Any], field: str) -> None:
    assert [error["field"] for error in what_if(service, 400, **changes)["errors"]] == [field]


def test_credit_reaches_the_proposals_further_up_and_is_explained(service: Service) -> None:
    scope = unique("s")
    idea = post(service, "proposal", {"action": "idea"}, scope=scope)
    detail = post(service, "proposal", {"action": "detail"}, idea, scope=scope)
    reward = post(service, "reward", {"value": 0.5, "credit": {"discount": 0.5, "max_depth": 3}}, detail)
    assert [(move["pattern"], move.get("share", 1)) for move in reward["signals"]] == [("detail", 1), ("idea", 0.5)]
    assert "share" not in reward["signals"][0]
    explained = get(service, f"signals/{scope}/idea/explain")["events"][-1]
    assert (explained["id"], explained["value"], explained["share"]) == (reward["id"], 0.5, 0.5)
    assert explained["change"] == pytest.approx(0.5 * 0.5 * 1.2)
    plain = post(service, "reward", {"value": 0.5}, detail)
    assert [move["pattern"] for move in plain["signals"]] == ["detail"]


def test_bad_credit_is_refused_by_its_field(service: Service) -> None:
    answer = service.client.post("/api/events", json=new_event("reward", {"value": 1, "credit": {"discount": 2}}))
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["payload.credit.discount"]
