"""Appending and reading events, beyond what the public contract promises: ids, positions, batches, filters, pages."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.acceptance.refusals import NDJSON, UNKNOWN
from tests.answers import each_page, items
from tests.conftest import Service
from tests.events import append, append_minimal, as_read, head, new_event, new_id, post, post_batch, unique


def positions(service: Service, path: str = "/api/events", **query: Any) -> list[int]:
    """The positions on all pages of a list."""
    return [event["position"] for event in items(service, path, **query)]


# Ids


def test_an_id_the_client_chose_is_kept(service: Service) -> None:
    chosen = new_id()
    assert post(service, id=chosen)["id"] == chosen


def test_ids_are_compared_without_case_and_answered_in_lower_case(service: Service) -> None:
    chosen = new_id()
    event = new_event(id=chosen.upper())
    assert service.client.post("/api/events", json=event).json()["id"] == chosen
    assert service.client.post("/api/events", json={**event, "id": chosen}).status_code == 200


def test_a_retry_is_answered_200_with_the_stored_event_and_appends_nothing(service: Service) -> None:
    sent = new_event(id=new_id(), payload={"action": "x", "deep": {"b": [1, {"d": 1, "c": 2}], "a": None}})
    first = service.client.post("/api/events", json=sent)
    before = head(service)
    reordered = {**dict(reversed(sent.items())), "payload": {"deep": {"a": None, "b": [1, {"c": 2, "d": 1}]}, "action": "x"}}
    retries: list[dict[str, Any]] = [sent, reordered, first.json(), {**sent, "parent_ids": []}]
    for again in retries:
        answer = service.client.post("/api/events", content=json.dumps(again, indent=2), headers={"content-type": "application/json"})
        assert answer.status_code == 200, answer.text
        assert as_read(answer.json()) == as_read(first.json())
        assert answer.json()["signals"] == []
    assert head(service) == before


@pytest.mark.parametrize(
    "change",
    [
        {"type": "ready", "payload": {"status": "x"}},
        {"scope": "other"},
        {"trace_id": "other"},
        {"agent_id": "other"},
        {"payload": {"action": "y"}},
        {"payload": {"action": "x", "more": 1}},
        {"parent_ids": "an earlier event"},
    ],
    ids=lambda change: "+".join(change),
)
def test_an_id_with_other_content_is_409_and_the_log_unchanged(service: Service, change: dict[str, Any]) -> None:
    if "parent_ids" in change:
        change = {"parent_ids": [post(service)["id"]]}
    sent = new_event(id=new_id())
    stored = service.client.post("/api/events", json=sent).json()
    before = head(service)
    answer = service.client.post("/api/events", json={**sent, **change})
    assert answer.status_code == 409, answer.text
    assert sent["id"] in answer.json()["message"]
    assert [error["field"] for error in answer.json()["errors"]] == ["id"]
    assert head(service) == before
    assert service.client.get(f"/api/events/{sent['id']}").json() == as_read(stored)


def test_the_same_new_event_sent_many_times_at_once_is_stored_once(service: Service) -> None:
    sent, before = new_event(id=new_id()), head(service)
    answers: list[httpx.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(httpx.post(f"{service.url}/api/events", json=sent))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert sum(answer.status_code == 201 for answer in answers) == 1
    assert len({answer.json()["position"] for answer in answers}) == 1
    assert len(answers) == 16
    assert head(service) == before + 1


def test_generated_ids_differ_and_are_uuids(service: Service) -> None:
    ids = [event["id"] for event in append(service, [new_event() for _ in range(200)])]
    assert len(set(ids)) == 200
    assert all(str(uuid.UUID(event_id)) == event_id for event_id in ids)


# Positions


def test_positions_have_no_gap_though_many_write_and_some_requests_are_refused(service: Service) -> None:
    before = head(service)
    acknowledged: list[int] = []

    def write(number: int) -> None:
        with httpx.Client(base_url=service.url, timeout=60) as client:
            for turn in range(10):
                if number % 2:
                    answer = client.post("/api/events/batch", json=[new_event() for _ in range(3)])
                    acknowledged.extend(event["position"] for event in answer.json())
                else:
                    acknowledged.append(client.post("/api/events", json=new_event()).json()["position"])
                assert client.post("/api/events", json=new_event(parent_ids=[new_id()])).status_code == 400
                assert client.post("/api/events/batch", json=[new_event(), new_event(type="?")]).status_code == 400, turn

    threads = [threading.Thread(target=write, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(acknowledged) == list(range(before + 1, before + 3 * 10 * 3 + 3 * 10 + 1))
    assert positions(service, order="asc", after=before, limit=1000) == sorted(acknowledged)


def test_position_timestamp_and_signals_a_client_sends_are_ignored(service: Service) -> None:
    before = head(service)
    event = post(service, position=7_000_000, timestamp="1999-01-01T00:00:00.000Z", signals="?")
    assert event["position"] == before + 1
    assert event["timestamp"] > "2020"
    assert [move["after"] for move in event["signals"]] == [0.3]


# Batches


def test_a_batch_is_answered_in_the_order_sent_with_contiguous_positions(service: Service) -> None:
    sent = [new_event(agent_id=f"agent {number}") for number in range(50)]
    answer = post_batch(service, sent)
    assert answer.status_code == 201
    events = answer.json()
    assert [event["agent_id"] for event in events] == [event["agent_id"] for event in sent]
    first = events[0]["position"]
    assert [event["position"] for event in events] == list(range(first, first + 50))
    assert all([move["after"] for move in event["signals"]] == [0.3] for event in events)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n"])
def test_a_batch_may_be_ndjson(service: Service, ending: str) -> None:
    sent = [new_event(agent_id=str(number)) for number in range(3)]
    separator = "\r\n" if ending == "\r\n" else "\n"
    body = separator.join(json.dumps(event) for event in sent) + ending
    answer = service.client.post("/api/events/batch", content=body, headers=NDJSON)
    assert answer.status_code == 201, answer.text
    assert [event["agent_id"] for event in answer.json()] == ["0", "1", "2"]


def test_a_batch_may_be_answered_with_counts_and_positions_only(service: Service) -> None:
    before = head(service)
    assert append_minimal(service, [new_event() for _ in range(7)]) == {"count": 7, "created": 7, "first": before + 1, "last": before + 7}


def test_the_short_answer_counts_what_this_request_stored(service: Service) -> None:
    """Events that were stored before, and repeats in the batch, are in `count` and not in `created`."""
    known, fresh = ([new_event(id=new_id()) for _ in range(count)] for count in (3, 2))
    first = append(service, known)
    answer = append_minimal(service, [fresh[0], *known, fresh[1], fresh[0]])
    assert {name: answer[name] for name in ("count", "created", "first")} == {
        "count": 6,
        "created": 2,
        "first": first[0]["position"],
    }
    again = post_batch(service, [fresh[0], *known], **{"return": "minimal"})
    assert (again.status_code, again.json()["count"], again.json()["created"]) == (200, 4, 0)


def test_the_full_answer_is_the_default_and_may_be_asked_for(service: Service) -> None:
    assert len(post_batch(service, [new_event(), new_event()], **{"return": "full"}).json()) == 2


def test_another_value_of_return_is_refused_and_nothing_is_stored(service: Service) -> None:
    before = head(service)
    answer = post_batch(service, [new_event()], **{"return": "some"})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["return"]
    assert head(service) == before


def test_parents_may_be_earlier_items_of_the_same_batch(service: Service) -> None:
    ids = [new_id() for _ in range(3)]
    batch = [new_event(id=ids[0]), new_event(id=ids[1], parent_ids=[ids[0]]), new_event(id=ids[2], parent_ids=ids[:2])]
    events = append(service, batch)
    assert [event["parent_ids"] for event in events] == [[], [ids[0]], ids[:2]]
    assert service.client.get(f"/api/events/{ids[2]}/ancestors").json()["count"] == 2


def test_a_parent_that_comes_later_in_the_batch_is_refused_by_index(service: Service) -> None:
    later, before = new_id(), head(service)
    answer = post_batch(service, [new_event(), new_event(parent_ids=[later]), new_event(id=later)])
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["[1].parent_ids[0]"]
    assert "later" in answer.json()["errors"][0]["reason"]
    assert head(service) == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "wish"}, "[2].type"),
        ({"scope": "a..b"}, "[2].scope"),
        ({"payload": {}}, "[2].payload.action"),
        ({"payload": 5}, "[2].payload"),
        ({"parent_ids": [UNKNOWN]}, "[2].parent_ids[0]"),
        ({"parent_ids": ["x"]}, "[2].parent_ids[0]"),
        ({"unknown": 1}, "[2].unknown"),
    ],
)
@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_one_bad_item_refuses_the_whole_batch_and_is_named_by_index(
    service: Service, form: str, change: dict[str, Any], field: str
) -> None:
    before = head(service)
    events = [new_event(), new_event(), new_event(**change), new_event()]
    if form == "json":
        answer = post_batch(service, events)
    else:
        answer = service.client.post("/api/events/batch", content="\n".join(map(json.dumps, events)), headers=NDJSON)
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert field in answer.json()["message"]
    assert head(service) == before


def test_an_id_that_another_event_has_is_409_by_index_and_nothing_is_stored(service: Service) -> None:
    other = post(service, id=new_id())
    before = head(service)
    answer = post_batch(service, [new_event(), new_event(id=other["id"])])
    assert answer.status_code == 409
    assert [error["field"] for error in answer.json()["errors"]] == ["[1].id"]
    assert head(service) == before


def test_a_repeated_batch_is_answered_200_with_what_is_stored(service: Service) -> None:
    batch = [new_event(id=new_id()) for _ in range(20)]
    first = append(service, batch)
    before = head(service)
    again = post_batch(service, batch)
    assert again.status_code == 200
    assert list(map(as_read, again.json())) == list(map(as_read, first))
    assert head(service) == before


def test_a_batch_of_stored_and_new_events_appends_the_new_ones(service: Service) -> None:
    known = new_event(id=new_id())
    stored = service.client.post("/api/events", json=known).json()
    before = head(service)
    answer = post_batch(service, [new_event(), known, new_event()])
    assert answer.status_code == 201
    assert [event["position"] for event in answer.json()] == [before + 1, stored["position"], before + 2]


def test_the_same_id_twice_in_a_batch_is_one_event_when_the_content_is_the_same(service: Service) -> None:
    event, before = new_event(id=new_id()), head(service)
    answer = post_batch(service, [event, event])
    assert answer.status_code == 201
    assert [stored["position"] for stored in answer.json()] == [before + 1, before + 1]
    other = {**new_event(), "id": new_id()}
    answer = post_batch(service, [other, {**other, "agent_id": "someone else"}])
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["field"] == "[1].id"
    assert head(service) == before + 1


def test_ten_thousand_events_of_ordinary_size_fit_in_one_batch_and_one_more_does_not(service: Service) -> None:
    payload = {"action": "improve_ux", "params": {"text": "lorem ipsum " * 40}}
    trace = unique("t")
    lines = [json.dumps(new_event(scope=f"a.b{number % 7}", trace_id=trace, payload=payload)) for number in range(10_001)]
    before = head(service)
    too_many = service.client.post("/api/events/batch", content="\n".join(lines), headers=NDJSON)
    assert too_many.status_code == 400
    assert "10000" in too_many.json()["message"].replace(",", "")
    assert head(service) == before
    answer = service.client.post(
        "/api/events/batch", params={"return": "minimal"}, content="\n".join(lines[:10_000]), headers=NDJSON, timeout=120
    )
    assert answer.status_code == 201, answer.text
    assert answer.json() == {"count": 10_000, "created": 10_000, "first": before + 1, "last": before + 10_000}
    assert head(service) == before + 10_000
    newest = service.client.get("/api/events", params={"trace_id": trace, "order": "asc", "after": before + 9_999}).json()
    assert [event["position"] for event in newest] == [before + 10_000]


# Reading


def test_one_event_is_read_by_its_id_in_any_case(service: Service) -> None:
    event = post(service)
    for written in (event["id"], event["id"].upper()):
        answer = service.client.get(f"/api/events/{written}")
        assert answer.status_code == 200
        assert answer.json() == as_read(event)


@pytest.mark.parametrize("name", [UNKNOWN, "nonsense", "1"])
def test_an_unknown_event_is_404(service: Service, name: str) -> None:
    answer = service.client.get(f"/api/events/{name}")
    assert answer.status_code == 404
    assert name in answer.json()["message"]


@pytest.fixture(scope="module")
def forest(service: Service) -> list[dict[str, Any]]:
    """Sixty events of five types, six scopes, two traces and two agents. The first scope is the root of the next four."""
    root = unique("forest")
    scopes = [root, f"{root}.a", f"{root}.b", f"{root}.a.x", f"{root}.a.x.y", f"{root}-2"]
    kinds = [
        ("proposal", {"action": "x"}),
        ("ready", {"status": "x"}),
        ("test", {"status": "passed"}),
        ("reward", {"value": 0.1}),
        ("penalty", {"value": -0.1}),
    ]
    batch = [
        new_event(
            type=kinds[number % 5][0],
            payload=kinds[number % 5][1],
            scope=scopes[number % 6],
            trace_id=f"{root} {number % 2}",
            agent_id=f"{root} {number // 10 % 2}",
        )
        for number in range(60)
    ]
    return [as_read(event) for event in append(service, batch)]


@pytest.mark.parametrize(
    ("glob", "suffixes"),
    [
        ("", [""]),
        (".a", [".a"]),
        (".*", [".a", ".b"]),
        (".**", [".a", ".b", ".a.x", ".a.x.y"]),
        (".*.x", [".a.x"]),
        (".*.*", [".a.x"]),
        (".*.**", [".a.x", ".a.x.y"]),
        (".a.**", [".a.x", ".a.x.y"]),
        (".none.**", []),
    ],
)
def test_events_are_selected_by_scope_and_glob(service: Service, forest: list[dict[str, Any]], glob: str, suffixes: list[str]) -> None:
    root = forest[0]["scope"]
    expected = [event for event in forest if event["scope"] in {root + suffix for suffix in suffixes}]
    assert items(service, "/api/events", scope=root + glob, order="asc", limit=1000) == expected


def test_every_filter_selects_alone_and_together_with_the_others(service: Service, forest: list[dict[str, Any]]) -> None:
    root = forest[0]["scope"]
    trace, agent = forest[1]["trace_id"], forest[10]["agent_id"]
    first, last = forest[0]["position"], forest[-1]["position"]
    whole = {"after": first - 1, "before": last + 1}
    cases: list[tuple[dict[str, Any], Callable[[dict[str, Any]], bool]]] = [
        ({}, lambda event: True),
        ({"type": "reward"}, lambda event: event["type"] == "reward"),
        ({"type": ["reward", "penalty"]}, lambda event: event["type"] in ("reward", "penalty")),
        ({"trace_id": trace}, lambda event: event["trace_id"] == trace),
        ({"agent_id": agent}, lambda event: event["agent_id"] == agent),
        ({"trace_id": trace, "agent_id": agent}, lambda event: (event["trace_id"], event["agent_id"]) == (trace, agent)),
        ({"trace_id": trace, "type": "ready"}, lambda event: (event["trace_id"], event["type"]) == (trace, "ready")),
        ({"agent_id": agent, "type": "ready"}, lambda event: (event["agent_id"], event["type"]) == (agent, "ready")),
        ({"scope": f"{root}.a", "type": "ready"}, lambda event: (event["scope"], event["type"]) == (f"{root}.a", "ready")),
        ({"scope": f"{root}.a", "agent_id": agent}, lambda event: (event["scope"], event["agent_id"]) == (f"{root}.a", agent)),
        ({"scope": f"{root}.a", "trace_id": trace}, lambda event: (event["scope"], event["trace_id"]) == (f"{root}.a", trace)),
        (
            {"scope": f"{root}.**", "type": ["test", "ready"], "trace_id": trace, "agent_id": agent},
            lambda event: (
                event["scope"].startswith(f"{root}.")
                and event["type"] in ("test", "ready")
                and (event["trace_id"], event["agent_id"]) == (trace, agent)
            ),
        ),
    ]
    for query, selects in cases:
        selected = [event for event in forest if selects(event)]
        for order, expected in (("asc", selected), ("desc", selected[::-1])):
            answer = service.client.get("/api/events", params={**whole, **query, "order": order, "limit": 1000})
            assert answer.status_code == 200, answer.text
            assert answer.json() == expected, (query, order)
        assert positions(service, **whole, **query, limit=4) == [event["position"] for event in selected[::-1]], query
        assert positions(service, **whole, **query, limit=4, order="asc") == [event["position"] for event in selected]
        assert selected, "a case that selects nothing proves nothing"


def test_before_and_after_exclude_the_position_they_name(service: Service, forest: list[dict[str, Any]]) -> None:
    first = forest[0]["position"]
    assert positions(service, after=first, before=first + 4) == [first + 3, first + 2, first + 1]
    assert positions(service, after=first + 3, before=first + 4) == []
    assert positions(service, before=0) == []
    assert positions(service, after=2**62) == []


def test_each_page_links_to_the_next_and_newer_events_do_not_shift_pages(service: Service) -> None:
    trace = unique("t")
    sent = [event["position"] for event in append(service, [new_event(trace_id=trace) for _ in range(25)])]
    read: list[int] = []
    for page in each_page(service, "/api/events", trace_id=trace, limit=10):
        assert len(page) <= 10
        read += [event["position"] for event in page]
        append(service, [new_event(trace_id=trace) for _ in range(5)])
    assert read == sent[::-1]


def test_pages_of_a_scope_and_of_a_trace_have_links_too(service: Service) -> None:
    scope, trace = unique("s"), unique("trace / ü?")
    sent = [event["position"] for event in append(service, [new_event(scope=scope, trace_id=trace) for _ in range(7)])]
    assert positions(service, f"/api/events/scope/{scope}", limit=3) == sent[::-1]
    path = "/api/events/trace/" + "".join(f"%{byte:02X}" for byte in trace.encode())
    assert positions(service, path, limit=3) == sent
    assert positions(service, f"/api/events/scope/{scope}", limit=3, before=sent[3]) == sent[:3][::-1]
    assert positions(service, path, limit=2, after=sent[3]) == sent[4:]


def test_a_link_keeps_every_filter(service: Service, forest: list[dict[str, Any]]) -> None:
    root = forest[0]["scope"]
    query = {"scope": f"{root}.**", "type": ["ready", "test", "reward"], "trace_id": forest[1]["trace_id"], "limit": 2, "order": "asc"}
    first = service.client.get("/api/events", params=query)
    expected = httpx.QueryParams(query)
    linked = httpx.URL(first.links["next"]["url"]).params
    assert {name: linked.get_list(name) for name in expected} == {name: expected.get_list(name) for name in expected}
    assert linked["after"] == str(first.json()[-1]["position"])


def test_an_oversized_page_is_refused_and_the_largest_is_answered(service: Service) -> None:
    assert service.client.get("/api/events", params={"limit": 1000}).status_code == 200
    assert service.client.get("/api/events", params={"limit": 1001}).status_code == 400
