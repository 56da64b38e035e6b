"""Bodies that are not JSON, or not the JSON that the route needs: a clear 400, and the log unchanged."""

from __future__ import annotations

import json

import pytest
from semp.storage.neo4j.connection import Target

from tests.acceptance.refusals import NDJSON, assert_log_gives_nothing_away, assert_refused, log_unchanged, new_event, problem, send
from tests.conftest import Service
from tests.events import head

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
            answer = send(service, body, path=path)
            assert answer.status_code == 400, answer.text
            assert problem(answer)["errors"], "which field is not fixed: a parser may meet a wrong value before the malformed end"


@pytest.mark.parametrize("body", [b"null", b"true", b"5", b'"text"', b"[]", b"[{}]", b"1.5"])
def test_json_that_is_no_object_is_refused(service: Service, body: bytes) -> None:
    with log_unchanged(service):
        assert_refused(send(service, body), "body")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b"5"])
def test_a_batch_that_is_no_array_of_events_is_refused(service: Service, body: bytes) -> None:
    with log_unchanged(service):
        assert_refused(send(service, body, path="/api/events/batch"), "body")


@pytest.mark.parametrize("body", [b"", b"\n", b"\n\n"])
def test_ndjson_without_a_line_is_refused(service: Service, body: bytes) -> None:
    with log_unchanged(service):
        assert_refused(send(service, body, NDJSON, "/api/events/batch"), "body")


def test_a_malformed_line_of_ndjson_refuses_the_batch(service: Service) -> None:
    good = json.dumps(new_event()).encode()
    with log_unchanged(service):
        for bad in (b"{", b"nonsense", b'{"type":"proposal"', b"\xff"):
            assert_refused(send(service, good + b"\n" + bad + b"\n" + good, NDJSON, "/api/events/batch"), "body")


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xe2\x82"])
@pytest.mark.parametrize("where", ["trace_id", "payload", "payload key"])
def test_json_that_is_not_utf_8_is_refused(service: Service, bad: bytes, where: str) -> None:
    event = new_event(trace_id="HERE") if where == "trace_id" else new_event(payload={"action": "x", "k": "HERE"})
    if where == "payload key":
        event = new_event(payload={"action": "x", "HERE": 1})
    body = json.dumps(event).encode().replace(b"HERE", bad)
    with log_unchanged(service):
        assert_refused(send(service, body), "body")
        assert_refused(send(service, b"[" + body + b"]", path="/api/events/batch"), "body")


@pytest.mark.parametrize("text", ["utf-16", "utf-32"])
def test_json_in_another_encoding_is_refused(service: Service, text: str) -> None:
    with log_unchanged(service):
        assert_refused(send(service, json.dumps(new_event()).encode(text)), "body")


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "nan", "inf", "1e999", "-1e999", "0x10", "1_000", "undefined"])
def test_numbers_that_json_does_not_have_are_refused(service: Service, literal: str) -> None:
    for event in (
        new_event(type="reward", payload={"value": "HERE"}),
        new_event(payload={"action": "x", "n": "HERE"}),
        new_event(position="HERE"),
    ):
        body = json.dumps(event).replace('"HERE"', literal)
        with log_unchanged(service):
            answer = send(service, body)
            assert answer.status_code == 400, answer.text
            assert problem(answer)["errors"]


@pytest.mark.parametrize("escape", ["\\ud800", "\\udfff", "x\\udc00y", "\\ud800\\ud800"])
@pytest.mark.parametrize("where", ["trace_id", "agent_id", "payload", "payload key"])
def test_lone_surrogates_are_refused(service: Service, escape: str, where: str) -> None:
    """They have no UTF-8 form, so no answer could hold them."""
    event = {
        "trace_id": new_event(trace_id="HERE"),
        "agent_id": new_event(agent_id="HERE"),
        "payload": new_event(payload={"action": "x", "k": "HERE"}),
        "payload key": new_event(payload={"action": "x", "HERE": 1}),
    }[where]
    with log_unchanged(service):
        answer = send(service, json.dumps(event).replace("HERE", escape))
        assert answer.status_code == 400, answer.text
        assert problem(answer)["errors"]


@pytest.mark.parametrize(
    "text", ["a\u0000b", "\u0000", "\u0007\u001b[31m", "\ufeff", "\uffff", "\U0001f600", "a\u0301", "'; DROP", "$x {y}", "\u2028"]
)
def test_unusual_characters_are_stored_and_read_unchanged(service: Service, text: str) -> None:
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
def test_numbers_of_any_size_are_stored_exactly_or_refused(service: Service, number: str) -> None:
    body = json.dumps(new_event(payload={"action": "x", "n": "HERE"})).replace('"HERE"', number)
    before = head(service)
    answer = send(service, body)
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
        answer = send(service, json.dumps(new_event(type=kind, payload={"value": "HERE"})).replace('"HERE"', number))
        assert answer.status_code == 400, answer.text
        assert problem(answer)["errors"][0]["field"] in ("payload.value", "payload", "body")


# Nesting


def nested(depth: int, opening: str = '{"a":', ending: str = "}", inner: str = "{}") -> str:
    """JSON that is nested this deep, objects by default."""
    return opening * (depth - 1) + inner + ending * (depth - 1)


@pytest.mark.parametrize("opening", ['{"a":', "["])
def test_a_payload_may_nest_128_deep_and_no_deeper(service: Service, opening: str) -> None:
    shape = (opening, "}", "{}") if opening != "[" else ("[", "]", "[]")

    def payload_of(depth: int) -> str:
        return json.dumps(new_event(payload={"action": "x", "deep": "HERE"})).replace('"HERE"', nested(depth - 1, *shape))

    answer = send(service, payload_of(128))
    assert answer.status_code == 201, answer.text
    assert service.client.get(f"/api/events/{answer.json()['id']}").json()["payload"] == answer.json()["payload"]
    with log_unchanged(service):
        assert_refused(send(service, payload_of(129)), "payload")
        assert_refused(send(service, f"[{payload_of(129)}]", path="/api/events/batch"), "[0].payload")


@pytest.mark.parametrize("depth", [500, 900, 980, 1_000, 1_100, 2_000, 10_000, 100_000])
@pytest.mark.parametrize("where", ["payload", "position", "unknown field", "body", "batch", "params"])
def test_deeper_nesting_is_refused_wherever_it_is(service: Service, depth: int, where: str) -> None:
    deep = nested(depth)
    event = {
        "payload": new_event(payload={"action": "x", "deep": "HERE"}),
        "params": new_event(payload={"action": "x", "params": "HERE"}),
        "position": new_event(position="HERE"),
        "unknown field": new_event(other="HERE"),
    }.get(where)
    body = json.dumps(event).replace('"HERE"', deep) if event else nested(depth, "[", "]", "[]")
    before = head(service)
    answer = send(service, body, path="/api/events/batch" if where == "batch" else "/api/events")
    if answer.status_code == 201:
        assert where == "position", "a field that is ignored may hold anything"
    else:
        assert answer.status_code == 400, answer.text
        assert problem(answer)["errors"]
        assert head(service) == before


def test_the_log_file_of_the_service_holds_nothing_secret(service: Service, neo4j_target: Target) -> None:
    assert_log_gives_nothing_away(service, neo4j_target)
