"""Batches that no transaction can hold are refused before they reach the database; the largest ones that fit are committed."""

from __future__ import annotations

import itertools

from tests.conftest import Service
from tests.events import Event, head, new_event, new_events, new_id


def send(service: Service, batch: list[Event]) -> tuple[int, Event]:
    answer = service.client.post("/api/events/batch?return=minimal", json=batch, timeout=120)
    return answer.status_code, answer.json()


def test_ten_thousand_events_of_64_parents_are_413_and_the_part_that_the_answer_names_is_committed(service: Service) -> None:
    causes = new_events(64)
    assert send(service, causes)[0] == 201
    parents = [event["id"] for event in causes]
    batch = new_events(10_000, type="test", payload={"status": "passed"}, parent_ids=parents)
    before = head(service)
    status, answer = send(service, batch)
    assert status == 413
    [refused] = answer["errors"]
    assert refused["field"] == "body"
    fit = int(refused["reason"].split("its first ")[1].split(" of 10,000")[0].replace(",", "")) - 1
    assert 1_000 < fit < 10_000
    assert head(service) == before
    assert send(service, batch[:fit]) == (201, {"count": fit, "created": fit, "first": before + 1, "last": before + fit})


def test_rewards_that_credit_too_many_proposals_are_413_and_reads_go_on(service: Service) -> None:
    chain = [new_event(id=new_id(), payload={"action": "a"}) for _ in range(64)]
    for cause, event in itertools.pairwise(chain):
        event["parent_ids"] = [cause["id"]]
    assert send(service, chain)[0] == 201
    payload = {"value": 0.5, "credit": {"discount": 0.99, "max_depth": 64}}
    batch = [new_event("reward", payload=payload, parent_ids=[chain[-1]["id"]]) for _ in range(3_000)]
    before = head(service)
    status, answer = send(service, batch)
    assert (status, head(service)) == (413, before), answer
    assert "further moves of signals" in answer["message"]
    assert service.client.get("/health/ready").is_success
    assert service.client.post("/api/events", json=new_event()).status_code == 201
