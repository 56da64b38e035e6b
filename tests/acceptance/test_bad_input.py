"""Bad input: the right status, a message that names the field, the log unchanged, nothing of it in the service's own log."""

from __future__ import annotations

import json
import re
import socket
import uuid
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, cast

import httpx
import pytest
from semp.storage.neo4j.connection import Target

from tests.conftest import Service

KIB = 1024
MIB = KIB * KIB
UNKNOWN = "00000000-0000-4000-8000-000000000000"
JSON = {"content-type": "application/json"}
NDJSON = {"content-type": "application/x-ndjson"}
CANARY = "canary-3f1b9c"
MISSING = object()


def new_event(**changes: Any) -> dict[str, Any]:
    """A good event with changes; `MISSING` leaves a field out. Its payload holds what no log line may."""
    event = {"type": "proposal", "scope": "ui.login", "trace_id": "t", "agent_id": "a", "payload": {"action": "x", "secret": CANARY}}
    return {name: value for name, value in {**event, **changes}.items() if value is not MISSING}


def post(service: Service, content: bytes | str, headers: dict[str, str] = JSON, path: str = "/api/events") -> httpx.Response:
    return service.client.post(path, content=content, headers=headers)


def head(service: Service) -> int:
    return service.client.get("/health/ready").json()["position"]


@contextmanager
def log_unchanged(service: Service) -> Generator[None]:
    before = head(service)
    yield
    assert head(service) == before


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The body of an error answer, its shape checked."""
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    body = answer.json()
    assert set(body) <= {"message", "errors"}, body
    assert isinstance(body["message"], str)
    assert body["message"]
    assert "Traceback" not in answer.text
    for error in cast("list[dict[str, str]]", body.get("errors") or []):
        assert set(error) == {"field", "reason"}
        assert error["reason"]
    return body


def assert_refused(answer: httpx.Response, field: str, status: int = 400) -> None:
    assert answer.status_code == status, answer.text
    body = problem(answer)
    assert [error["field"] for error in body["errors"]] == [field], body
    assert body["message"].startswith("Validation error: ") or status == 415, body
    assert field in body["message"] or status == 415, body


# Bodies that are no JSON object


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"\n", b"{", b"}", b"{}}", b'{"type":}', b"{'type': 'proposal'}", b'{"a":1,}', b"nonsense", b"\x00", b"[1,2", b'"open',
        b'{"type":"proposal" "scope":"a"}', b"\xef\xbb\xbf{}", b"// comment\n{}", b"tru", b"01", b"+1", b".5", b"--1", b'"\\x"', b'"\t"',
    ],
)  # fmt: skip
def test_malformed_json_is_refused(service: Service, body: bytes) -> None:
    with log_unchanged(service):
        for path in ("/api/events", "/api/nodes", "/api/events/batch"):
            answer = post(service, body, path=path)
            assert answer.status_code == 400, answer.text
            assert problem(answer)["errors"], "a parser may meet a wrong value before the malformed end, so which field is open"


@pytest.mark.parametrize("body", [b"null", b"true", b"5", b'"text"', b"[]", b"[{}]", b"1.5"])
def test_json_that_is_no_object_is_refused(service: Service, body: bytes) -> None:
    with log_unchanged(service):
        assert_refused(post(service, body), "body")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b"5"])
def test_a_batch_that_is_no_array_of_events_is_refused(service: Service, body: bytes) -> None:
    with log_unchanged(service):
        assert_refused(post(service, body, path="/api/events/batch"), "body")


@pytest.mark.parametrize("body", [b"", b"\n", b"\n\n"])
def test_ndjson_without_a_line_is_refused(service: Service, body: bytes) -> None:
    with log_unchanged(service):
        assert_refused(post(service, body, NDJSON, "/api/events/batch"), "body")


def test_a_malformed_line_of_ndjson_refuses_the_batch(service: Service) -> None:
    good = json.dumps(new_event()).encode()
    with log_unchanged(service):
        for bad in (b"{", b"nonsense", b'{"type":"proposal"', b"\xff"):
            assert_refused(post(service, good + b"\n" + bad + b"\n" + good, NDJSON, "/api/events/batch"), "body")


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xe2\x82"])
@pytest.mark.parametrize("where", ["trace_id", "payload", "payload key"])
def test_json_that_is_not_utf_8_is_refused(service: Service, bad: bytes, where: str) -> None:
    event = new_event(trace_id="HERE") if where == "trace_id" else new_event(payload={"action": "x", "k": "HERE"})
    if where == "payload key":
        event = new_event(payload={"action": "x", "HERE": 1})
    body = json.dumps(event).encode().replace(b"HERE", bad)
    with log_unchanged(service):
        assert_refused(post(service, body), "body")
        assert_refused(post(service, b"[" + body + b"]", path="/api/events/batch"), "body")


@pytest.mark.parametrize("text", ["utf-16", "utf-32"])
def test_json_in_another_encoding_is_refused(service: Service, text: str) -> None:
    with log_unchanged(service):
        assert_refused(post(service, json.dumps(new_event()).encode(text)), "body")


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "nan", "inf", "1e999", "-1e999", "0x10", "1_000", "undefined"])
def test_numbers_json_does_not_have_are_refused(service: Service, literal: str) -> None:
    for event in (
        new_event(type="reward", payload={"value": "HERE"}),
        new_event(payload={"action": "x", "n": "HERE"}),
        new_event(position="HERE"),
    ):
        body = json.dumps(event).replace('"HERE"', literal)
        with log_unchanged(service):
            answer = post(service, body)
            assert answer.status_code == 400, answer.text
            assert problem(answer)["errors"]


@pytest.mark.parametrize("escape", ["\\ud800", "\\udfff", "x\\udc00y", "\\ud800\\ud800"])
@pytest.mark.parametrize("where", ["trace_id", "agent_id", "payload", "payload key"])
def test_lone_surrogates_are_refused(service: Service, escape: str, where: str) -> None:
    """They have no UTF-8, so they could never be answered."""
    event = {
        "trace_id": new_event(trace_id="HERE"),
        "agent_id": new_event(agent_id="HERE"),
        "payload": new_event(payload={"action": "x", "k": "HERE"}),
        "payload key": new_event(payload={"action": "x", "HERE": 1}),
    }[where]
    with log_unchanged(service):
        answer = post(service, json.dumps(event).replace("HERE", escape))
        assert answer.status_code == 400, answer.text
        assert problem(answer)["errors"]


@pytest.mark.parametrize(
    "text", ["a\u0000b", "\u0000", "\u0007\u001b[31m", "\ufeff", "\uffff", "\U0001f600", "a\u0301", "'; DROP", "$x {y}", "\u2028"]
)
def test_unusual_characters_are_data_and_come_back_as_they_were(service: Service, text: str) -> None:
    event = new_event(trace_id=text, agent_id=text, payload={"action": text, text + "key": text})
    answer = service.client.post("/api/events", json=event)
    assert answer.status_code == 201, answer.text
    read = service.client.get(f"/api/events/{answer.json()['id']}").json()
    assert (read["trace_id"], read["agent_id"], read["payload"]) == (text, text, event["payload"])
    found = service.client.get("/api/events", params={"trace_id": text, "agent_id": text}).json()
    assert [event["id"] for event in found] == [read["id"]]


@pytest.mark.parametrize(
    "number",
    [
        "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551615",
        "18446744073709551616", "1" + "0" * 400, "-1" + "0" * 30, "1" + "0" * 5_000, "0." + "1" * 400, "1e-400", "-0", "-0.0", "1e308",
    ],
)  # fmt: skip
def test_numbers_of_any_size_are_kept_or_refused_and_never_a_failure(service: Service, number: str) -> None:
    body = json.dumps(new_event(payload={"action": "x", "n": "HERE"})).replace('"HERE"', number)
    before = head(service)
    answer = post(service, body)
    assert answer.status_code in (201, 400), answer.text
    if answer.status_code == 201:
        assert answer.json()["payload"]["n"] == json.loads(number)
        assert service.client.get(f"/api/events/{answer.json()['id']}").json()["payload"] == answer.json()["payload"]
    else:
        assert problem(answer)["errors"]
        assert head(service) == before


@pytest.mark.parametrize("number", ["1" + "0" * 400, "18446744073709551616", "1e308", "-1", "2"])
@pytest.mark.parametrize("kind", ["reward", "penalty"])
def test_a_huge_value_is_refused(service: Service, kind: str, number: str) -> None:
    if kind == "penalty" and number == "-1":
        return
    with log_unchanged(service):
        answer = post(service, json.dumps(new_event(type=kind, payload={"value": "HERE"})).replace('"HERE"', number))
        assert answer.status_code == 400, answer.text
        assert problem(answer)["errors"][0]["field"] in ("payload.value", "payload", "body")


# Nesting


def nested(depth: int, opening: str = '{"a":', closing_: str = "}", inner: str = "{}") -> str:
    return opening * (depth - 1) + inner + closing_ * (depth - 1)


@pytest.mark.parametrize("opening", ['{"a":', "["])
def test_a_payload_may_nest_128_deep_and_no_deeper(service: Service, opening: str) -> None:
    shape = (opening, "}") if opening != "[" else ("[", "]")
    inner = "{}" if opening != "[" else "[]"

    def payload_of(depth: int) -> str:
        return json.dumps(new_event(payload={"action": "x", "deep": "HERE"})).replace('"HERE"', nested(depth - 1, *shape, inner))

    answer = post(service, payload_of(128))
    assert answer.status_code == 201, answer.text
    assert service.client.get(f"/api/events/{answer.json()['id']}").json()["payload"] == answer.json()["payload"]
    with log_unchanged(service):
        assert_refused(post(service, payload_of(129)), "payload")
        assert_refused(post(service, f"[{payload_of(129)}]", path="/api/events/batch"), "[0].payload")


@pytest.mark.parametrize("depth", [500, 900, 980, 1_000, 1_100, 2_000, 10_000, 100_000])
@pytest.mark.parametrize("where", ["payload", "position", "unknown field", "body", "batch", "params"])
def test_deeper_nesting_is_refused_whatever_holds_it(service: Service, depth: int, where: str) -> None:
    deep = nested(depth)
    event = {
        "payload": new_event(payload={"action": "x", "deep": "HERE"}),
        "params": new_event(payload={"action": "x", "params": "HERE"}),
        "position": new_event(position="HERE"),
        "unknown field": new_event(other="HERE"),
    }.get(where)
    body = json.dumps(event).replace('"HERE"', deep) if event else nested(depth, "[", "]", "[]")
    before = head(service)
    answer = post(service, body, path="/api/events/batch" if where == "batch" else "/api/events")
    if answer.status_code == 201:
        assert where == "position", "what is ignored may be anything"
    else:
        assert answer.status_code == 400, answer.text
        assert problem(answer)["errors"]
        assert head(service) == before


# Fields


WRONG: list[tuple[str, list[Any]]] = [
    ("type", [None, 5, True, [], {}, "", "Proposal", "proposal ", "wish", "propos\u0430l"]),
    ("scope", [None, 5, [], {}, "", ".", "a.", ".a", "a..b", "a b", "a/b", "ü", "a\n", "a.b\n", "*", "ui.*", "a\u0000", "x" * 257]),
    ("trace_id", [None, 5, True, [], {}, "", "x" * 257]),
    ("agent_id", [None, 5.5, False, [], {}, "", "x" * 257]),
    ("payload", [None, 5, True, [], "", "{}", [{}]]),
    ("parent_ids", [5, True, {}, "x", UNKNOWN]),
    (
        "id",
        [
            5,
            True,
            [],
            {},
            "",
            "x",
            UNKNOWN[:-1],
            UNKNOWN + "0",
            UNKNOWN.replace("-", ""),
            "{" + UNKNOWN + "}",
            UNKNOWN + "\n",
            "g" + UNKNOWN[1:],
        ],
    ),
]


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in WRONG for value in values])
def test_a_field_of_the_wrong_type_or_form_is_refused_by_name(service: Service, field: str, value: Any) -> None:
    with log_unchanged(service):
        assert_refused(service.client.post("/api/events", json=new_event(**{field: value})), field)
        batch = service.client.post("/api/events/batch", json=[new_event(), new_event(**{field: value})])
        assert_refused(batch, f"[1].{field}")


@pytest.mark.parametrize("field", ["type", "scope", "trace_id", "agent_id", "payload"])
def test_a_missing_field_is_refused_by_name(service: Service, field: str) -> None:
    with log_unchanged(service):
        assert_refused(service.client.post("/api/events", json=new_event(**{field: MISSING})), field)


@pytest.mark.parametrize(
    ("path", "field"),
    [("/api/paths?from=a", "to"), ("/api/paths?to=a", "from"), ("/api/common-causes", "ids"), ("/api/common-causes?limit=5", "ids")],
)
def test_a_missing_query_parameter_is_refused_by_name(service: Service, path: str, field: str) -> None:
    assert_refused(service.client.get(path), field)


@pytest.mark.parametrize("name", ["parent_id", "parentIds", "foo", "Type", "payload "])
def test_an_unknown_field_is_refused_by_name(service: Service, name: str) -> None:
    with log_unchanged(service):
        answer = service.client.post("/api/events", json=new_event(**{name: []}))
        assert_refused(answer, name)


PAYLOADS: list[tuple[str, dict[str, Any], str]] = [
    ("proposal", {}, "payload.action"),
    ("proposal", {"action": None}, "payload.action"),
    ("proposal", {"action": ""}, "payload.action"),
    ("proposal", {"action": 5}, "payload.action"),
    ("proposal", {"action": "x" * 1025}, "payload.action"),
    ("proposal", {"action": "x", "params": 5}, "payload.params"),
    ("proposal", {"action": "x", "params": []}, "payload.params"),
    ("proposal", {"action": "x", "estimated_effort": "2h"}, "payload.estimated_effort"),
    ("proposal", {"action": "x", "estimated_effort": -1}, "payload.estimated_effort"),
    ("proposal", {"action": "x", "priority": "urgent"}, "payload.priority"),
    ("proposal", {"action": "x", "priority": 1}, "payload.priority"),
    ("ready", {}, "payload.status"),
    ("ready", {"status": 1}, "payload.status"),
    ("ready", {"status": None}, "payload.status"),
    ("ready", {"status": "x", "action": ""}, "payload.action"),
    ("test", {}, "payload.status"),
    ("test", {"status": "skipped"}, "payload.status"),
    ("test", {"status": "passed", "coverage": -0.1}, "payload.coverage"),
    ("test", {"status": "passed", "coverage": 100.1}, "payload.coverage"),
    ("test", {"status": "passed", "coverage": "80%"}, "payload.coverage"),
    ("test", {"status": "passed", "suite": 5}, "payload.suite"),
    ("test", {"status": "passed", "failures": 3}, "payload.failures"),
    ("reward", {}, "payload.value"),
    ("reward", {"value": None}, "payload.value"),
    ("reward", {"value": "0.5"}, "payload.value"),
    ("reward", {"value": True}, "payload.value"),
    ("reward", {"value": -0.1}, "payload.value"),
    ("reward", {"value": 1.1}, "payload.value"),
    ("reward", {"value": 0.5, "α": -1}, "payload.α"),
    ("reward", {"value": 0.5, "α": "1"}, "payload.α"),
    ("reward", {"value": 0.5, "alpha": -0.1}, "payload.alpha"),
    ("reward", {"value": 0.5, "reason": 5}, "payload.reason"),
    ("reward", {"value": 0.5, "action": {}}, "payload.action"),
    ("penalty", {}, "payload.value"),
    ("penalty", {"value": -1.1}, "payload.value"),
    ("penalty", {"value": 1.1}, "payload.value"),
    ("penalty", {"value": []}, "payload.value"),
]


@pytest.mark.parametrize(("kind", "payload", "field"), PAYLOADS)
def test_a_payload_that_does_not_fit_its_type_is_refused_by_field(service: Service, kind: str, payload: dict[str, Any], field: str) -> None:
    with log_unchanged(service):
        assert_refused(service.client.post("/api/events", json=new_event(type=kind, payload=payload)), field)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("proposal", {"action": "x" * 1024}),
        ("proposal", {"action": "ü" * 1024}),
        ("proposal", {"action": "x", "estimated_effort": 0, "priority": "low", "params": None}),
        ("test", {"status": "running", "coverage": 0}),
        ("test", {"status": "failed", "coverage": 100, "failures": []}),
        ("reward", {"value": 0}),
        ("reward", {"value": 1}),
        ("reward", {"value": 1.0, "α": 0, "alpha": 0}),
        ("penalty", {"value": -1}),
        ("penalty", {"value": 1}),
        ("penalty", {"value": -0.0}),
    ],
)
def test_payloads_at_the_edge_of_their_ranges_are_taken(service: Service, kind: str, payload: dict[str, Any]) -> None:
    answer = service.client.post("/api/events", json=new_event(type=kind, payload=payload))
    assert answer.status_code == 201, answer.text
    assert answer.json()["payload"] == payload


@pytest.mark.parametrize(("field", "unit"), [("scope", "a"), ("trace_id", "ü"), ("agent_id", "日")])
def test_256_characters_are_taken_and_257_refused(service: Service, field: str, unit: str) -> None:
    answer = service.client.post("/api/events", json=new_event(**{field: unit * 256}))
    assert answer.status_code == 201, answer.text
    assert answer.json()[field] == unit * 256
    with log_unchanged(service):
        assert_refused(service.client.post("/api/events", json=new_event(**{field: unit * 257})), field)


# Parents


def test_an_unknown_parent_is_refused_and_named(service: Service) -> None:
    known = service.client.post("/api/events", json=new_event()).json()["id"]
    with log_unchanged(service):
        answer = service.client.post("/api/events", json=new_event(parent_ids=[known, UNKNOWN]))
        assert_refused(answer, "parent_ids[1]")
        assert UNKNOWN in answer.json()["message"]


def test_every_unknown_parent_is_named(service: Service) -> None:
    strangers = [str(uuid.uuid4()) for _ in range(3)]
    with log_unchanged(service):
        answer = service.client.post("/api/events", json=new_event(parent_ids=strangers))
        assert answer.status_code == 400
        assert [error["field"] for error in problem(answer)["errors"]] == [f"parent_ids[{index}]" for index in range(3)]
        assert all(stranger in answer.text for stranger in strangers)


@pytest.mark.parametrize("parent", ["x", "", 5, None, [], UNKNOWN + "\n", UNKNOWN[:-1]])
def test_a_parent_that_is_no_uuid_is_refused_by_its_place(service: Service, parent: Any) -> None:
    known = service.client.post("/api/events", json=new_event()).json()["id"]
    with log_unchanged(service):
        assert_refused(service.client.post("/api/events", json=new_event(parent_ids=[known, parent])), "parent_ids[1]")


@pytest.mark.parametrize("changed", [str.lower, str.upper])
def test_an_event_cannot_be_its_own_parent(service: Service, changed: Any) -> None:
    event = new_event(id=(own := str(uuid.uuid4())), parent_ids=[changed(own)])
    with log_unchanged(service):
        for path, body, field in (("/api/events", event, "parent_ids"), ("/api/events/batch", [event], "[0].parent_ids")):
            assert_refused(service.client.post(path, json=body), field)


def test_64_parents_are_taken_and_65_refused(service: Service) -> None:
    known = [event["id"] for event in service.client.post("/api/events/batch", json=[new_event() for _ in range(65)]).json()]
    answer = service.client.post("/api/events", json=new_event(parent_ids=known[:64]))
    assert answer.status_code == 201, answer.text
    assert answer.json()["parent_ids"] == known[:64]
    with log_unchanged(service):
        assert_refused(service.client.post("/api/events", json=new_event(parent_ids=known)), "parent_ids")


def test_a_parent_named_twice_is_one_parent(service: Service) -> None:
    known = service.client.post("/api/events", json=new_event()).json()["id"]
    answer = service.client.post("/api/events", json=new_event(parent_ids=[known, known.upper(), known]))
    assert answer.status_code == 201
    assert answer.json()["parent_ids"] == [known]


# Sizes


def padded(size: int, **changes: Any) -> bytes:
    """A good event in a body of exactly this many bytes."""
    body = json.dumps(new_event(**changes)).encode()
    return body[:-1] + b" " * (size - len(body)) + b"}"


def test_a_body_of_1_mib_is_taken_and_one_byte_more_refused_with_413(service: Service) -> None:
    assert post(service, padded(MIB)).status_code == 201
    with log_unchanged(service):
        assert_refused(post(service, padded(MIB + 1)), "body", 413)
        assert_refused(post(service, padded(MIB + 1), path="/api/nodes"), "body", 413)


def test_a_payload_of_256_kib_is_taken_and_one_byte_more_refused_with_413(service: Service) -> None:
    def payload(size: int) -> dict[str, str]:
        return {"action": "x", "text": "y" * (size - len('{"action":"x","text":""}'))}

    answer = service.client.post("/api/events", json=new_event(payload=payload(256 * KIB)))
    assert answer.status_code == 201, answer.text
    with log_unchanged(service):
        assert_refused(service.client.post("/api/events", json=new_event(payload=payload(256 * KIB + 1))), "payload", 413)
        batch = [new_event(), new_event(payload=payload(256 * KIB + 1))]
        assert_refused(service.client.post("/api/events/batch", json=batch), "[1].payload", 413)


def test_a_body_in_chunks_is_bounded_like_any_other(service: Service) -> None:
    def chunks(total: int) -> Iterator[bytes]:
        body = padded(total)
        for start in range(0, total, 64 * KIB):
            yield body[start : start + 64 * KIB]

    assert service.client.post("/api/events", content=chunks(MIB), headers=JSON).status_code == 201
    with log_unchanged(service):
        assert_refused(service.client.post("/api/events", content=chunks(MIB + 1), headers=JSON), "body", 413)


def test_a_batch_of_32_mib_is_the_most(service: Service) -> None:
    event = json.dumps(new_event())
    with log_unchanged(service):
        answer = post(service, f"[{event}" + " " * (32 * MIB) + "]", path="/api/events/batch")
        assert_refused(answer, "body", 413)


# Content type, method, path


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "json",
        "application/x-ndjson",
        "*/*",
        "",
        "application/json2",
        "application/json, text/plain",
    ],
)
@pytest.mark.parametrize("path", ["/api/events", "/api/nodes"])
def test_another_content_type_is_415(service: Service, kind: str, path: str) -> None:
    with log_unchanged(service):
        answer = post(service, json.dumps(new_event()), {"content-type": kind}, path)
        assert_refused(answer, "content-type", 415)
        assert "application/json" in answer.json()["message"]


def test_no_content_type_is_415(service: Service) -> None:
    for path in ("/api/events", "/api/events/batch", "/api/nodes", f"/api/nodes/{UNKNOWN}/edges"):
        with log_unchanged(service):
            request = service.client.build_request("POST", path, content=json.dumps(new_event()))
            request.headers.pop("content-type", None)
            assert_refused(service.client.send(request), "content-type", 415)


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8"]
)
def test_json_may_be_named_with_case_and_parameters(service: Service, kind: str) -> None:
    assert post(service, json.dumps(new_event()), {"content-type": kind}).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/events", {"GET", "POST"}),
        ("PUT", "/api/events", {"GET", "POST"}),
        ("PATCH", "/api/events", {"GET", "POST"}),
        ("GET", "/api/events/batch", {"POST"}),
        ("POST", f"/api/events/{UNKNOWN}", {"GET"}),
        ("DELETE", f"/api/events/{UNKNOWN}", {"GET"}),
        ("POST", "/api/events/scope/a", {"GET"}),
        ("POST", "/api/events/trace/a", {"GET"}),
        ("POST", f"/api/events/{UNKNOWN}/ancestors", {"GET"}),
        ("POST", "/api/signals", {"GET"}),
        ("PUT", "/api/signals/a/b", {"GET"}),
        ("GET", "/api/nodes", {"POST"}),
        ("DELETE", f"/api/nodes/{UNKNOWN}", {"GET"}),
        ("GET", f"/api/nodes/{UNKNOWN}/edges", {"POST"}),
        ("POST", "/health/live", {"GET"}),
        ("DELETE", "/health/ready", {"GET"}),
    ],
)
def test_another_method_is_405_with_those_allowed(service: Service, method: str, path: str, allowed: set[str]) -> None:
    with log_unchanged(service):
        answer = service.client.request(method, path, json=new_event())
        assert answer.status_code == 405, answer.text
        assert {name.strip() for name in answer.headers["allow"].split(",")} - {"OPTIONS", "HEAD"} == allowed
        assert method in problem(answer)["message"]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "/api/wishes",
        "/events",
        "/api/events/scope",
        f"/api/events/{UNKNOWN}/nothing",
        "/api/events/a/b/c",
        "/.env",
        "/%00",
        "/api/%2e%2e/x",
    ],
)
def test_an_unknown_path_is_404(service: Service, method: str, path: str) -> None:
    with log_unchanged(service):
        url = httpx.URL(service.url).copy_with(raw_path=path.encode())
        answer = service.client.request(method, url, json=new_event())
        assert answer.status_code == 404, answer.text
        problem(answer)


# Queries


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        *(("/api/events", "limit", value) for value in ("0", "-1", "1001", "x", "", "1.5", "true", "9" * 20, "9" * 5_000, "NaN", "１x")),
        *(("/api/events", name, value) for name in ("before", "after") for value in ("-1", "x", "", "1.5", "4611686018427387905", "1e400")),
        *(("/api/events", "type", value) for value in ("wish", "", "Proposal", "proposal,ready")),
        *(("/api/events", "scope", value) for value in ("", "a..b", "a*", "**.a", "a.**.b", "a b", "ü", "a\n", "a\0", "x" * 257, "a|b")),
        *(("/api/events", name, "x" * 257) for name in ("trace_id", "agent_id")),
        *(("/api/events", "order", value) for value in ("up", "", "ASC")),
        *(("/api/events/scope/a", name, "x") for name in ("limit", "before")),
        *(("/api/events/trace/a", name, "x") for name in ("limit", "after")),
        *(("/api/signals", "limit", value) for value in ("0", "-1", "x", "100001")),
        *(("/api/signals", "min_strength", value) for value in ("-0.1", "1.1", "x", "nan", "inf")),
        ("/api/signals", "scope", "a..b"),
        *((f"/api/events/{UNKNOWN}/ancestors", "depth", value) for value in ("0", "-1", "x", "1000001", "1.5")),
        *((f"/api/events/{UNKNOWN}/descendants", "limit", value) for value in ("-1", "1001", "x")),
        *((f"/api/events/{UNKNOWN}/ancestors", "payload", value) for value in ("2", "-1", "yes")),
        *(
            (f"/api/events/{UNKNOWN}/ancestors", "cursor", value)
            for value in ("", "x", "1", "1:", ":1", "1:2:3:4:5", "1:2:", "-1:2", "1:2\n", "1:2 ", "٣:٤", "1" * 10 + ":1", "1:" + "1" * 19)
        ),
        (f"/api/events/{UNKNOWN}/ancestors", "scope", "a..b"),
        (f"/api/events/{UNKNOWN}/ancestors", "type", "wish"),
        ("/api/events/batch", "return", "all"),
    ],
)  # fmt: skip
def test_a_bad_query_value_is_refused_by_its_name(service: Service, path: str, name: str, value: str) -> None:
    if path.endswith("batch"):
        answer = service.client.post(path, params={name: value}, json=[new_event()])
    else:
        answer = service.client.get(path, params={name: value})
    assert_refused(answer, name)


@pytest.mark.parametrize("scope", ["a..b", "%00", ".a", "a%20b", "ui.*", "**", "x" * 257])
def test_a_scope_in_the_path_is_refused_as_one_in_the_query_is(service: Service, scope: str) -> None:
    assert_refused(service.client.get(f"/api/events/scope/{scope}"), "scope")


@pytest.mark.parametrize("escape", ["%", "%z", "%zz", "%ff", "%ff%fe", "%c3%28", "%ed%a0%80", "%00", "%0d%0aX-Injected:%201"])
@pytest.mark.parametrize(
    "place",
    [
        "/api/events/trace/HERE",
        "/api/events/scope/HERE",
        "/api/events/HERE",
        "/api/events/HERE/ancestors",
        "/api/signals/a/HERE",
        "/api/nodes/HERE",
        "/nowhere/HERE",
        "/api/events?trace_id=HERE",
        "/api/events?agent_id=HERE",
    ],
)
def test_odd_percent_encoding_finds_nothing_and_breaks_nothing(service: Service, place: str, escape: str) -> None:
    url = httpx.URL(service.url).copy_with(raw_path=place.replace("HERE", escape + "-odd").encode())
    answer = service.client.get(url)
    assert "x-injected" not in answer.headers
    assert answer.status_code in (200, 400, 404), answer.text
    if answer.status_code == 200:
        assert answer.json() == []
    else:
        problem(answer)


# Below HTTP


def raw(service: Service, *parts: bytes) -> tuple[int, bytes]:
    """Send bytes as they are; the status and everything that came back."""
    host, _, port = service.url.removeprefix("http://").partition(":")
    with closing(socket.create_connection((host, int(port)), timeout=20)) as connection:
        for part in parts:
            connection.sendall(part)
        received = b""
        while True:
            chunk = connection.recv(65_536)
            received += chunk
            if not chunk or b"\r\n\r\n" in received:
                break
        return int(received.split(b" ", 2)[1]), received


def posted(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"POST /api/events HTTP/1.1", b"host: localhost", b"connection: close", *headers, b"", body])


GOOD = json.dumps(new_event()).encode()


@pytest.mark.parametrize(
    "headers",
    [
        [b"content-length: -5"],
        [b"content-length: abc"],
        [b"content-length: 1_0"],
        [b"content-length: 5", b"content-length: 7"],
        [b"content-length: 99999999999999999999999"],
        [b"transfer-encoding: chunked", b"content-length: 5"],
        [b"transfer-encoding: nonsense"],
        [b"no colon here"],
        [b"bad\x00name: 1"],
    ],
    ids=lambda headers: headers[0].decode("latin-1").replace("\x00", "NUL"),
)
def test_a_request_that_breaks_http_is_400(service: Service, headers: list[bytes]) -> None:
    with log_unchanged(service):
        status, _ = raw(service, posted(GOOD, b"content-type: application/json", *headers))
        assert status == 400


def test_two_content_types_that_differ_are_refused_whatever_their_order(service: Service) -> None:
    length = b"content-length: %d" % len(GOOD)
    kinds = [b"content-type: application/json", b"content-type: text/plain"]
    with log_unchanged(service):
        for order in (kinds, kinds[::-1]):
            status, received = raw(service, posted(GOOD, length, *order))
            assert status in (400, 415), received


def test_a_long_body_is_refused_before_it_is_sent_where_its_length_is_announced(service: Service) -> None:
    with log_unchanged(service):
        status, received = raw(service, posted(b"", b"content-type: application/json", b"content-length: %d" % (MIB + 1)))
        assert status == 413, received


def test_a_client_that_leaves_in_the_middle_of_its_body_changes_nothing(service: Service) -> None:
    host, _, port = service.url.removeprefix("http://").partition(":")
    with log_unchanged(service):
        for cut in (0, 1, len(GOOD) // 2, len(GOOD) - 1):
            with closing(socket.create_connection((host, int(port)), timeout=20)) as connection:
                connection.sendall(posted(GOOD[:cut], b"content-type: application/json", b"content-length: %d" % len(GOOD)))
        assert service.client.get("/api/events", params={"limit": 1}).status_code == 200


@pytest.mark.parametrize("path", ["/api/events?limit=" + "1" * 60_000, "/api/events/trace/" + "a" * 60_000])
def test_a_very_long_address_is_refused_or_finds_nothing(service: Service, path: str) -> None:
    answer = service.client.get(path)
    assert answer.status_code in (200, 400, 404, 414), answer.status_code
    assert answer.status_code != 200 or answer.json() == []


# What the service says about it


def test_nothing_a_client_sent_and_no_credential_is_in_the_services_log(service: Service, neo4j_target: Target) -> None:
    """Run after the cases above, most of which sent a canary; these send it once more, in ways that come closest to a failure."""
    for body in (
        json.dumps(new_event(parent_ids=[UNKNOWN])),
        json.dumps(new_event(type="wish")),
        json.dumps(new_event(payload={"action": CANARY * 200})),
        json.dumps(new_event(scope=CANARY + " ")),
        json.dumps(new_event())[:-3],
        json.dumps(new_event(payload={"action": "x", CANARY: "HERE"})).replace('"HERE"', "1" + "0" * 5_000),
    ):
        assert post(service, body, {**JSON, "authorization": f"Bearer {CANARY}"}).status_code == 400
    service.client.get(f"/api/{CANARY}", params={"token": CANARY})
    text = service.log.read_text()
    assert "ready" in text
    assert CANARY not in text
    assert not neo4j_target.password or neo4j_target.password not in text
    assert "Traceback" not in text
    assert not re.search(r"\b(MATCH|MERGE|UNWIND)\b", text)
