"""Requests that are too large, of another type, method or path, or that break HTTP: the right status, and the log unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from semp.storage.neo4j.connection import Target

from tests.acceptance.refusals import JSON, UNKNOWN, assert_log_gives_nothing_away, assert_refused, log_unchanged, new_event, problem, send
from tests.conftest import Service
from tests.raw_http import connection, exchange

KIB = 1024
MIB = KIB * KIB

# Sizes


def padded(size: int, **changes: Any) -> bytes:
    """A good event in a body of exactly this many bytes."""
    body = json.dumps(new_event(**changes)).encode()
    return body[:-1] + b" " * (size - len(body)) + b"}"


def test_a_body_of_1_mib_is_accepted_and_one_byte_more_refused_with_413(service: Service) -> None:
    assert send(service, padded(MIB)).status_code == 201
    with log_unchanged(service):
        assert_refused(send(service, padded(MIB + 1)), "body", 413)
        assert_refused(send(service, padded(MIB + 1), path="/api/nodes"), "body", 413)


def test_a_payload_of_256_kib_is_accepted_and_one_byte_more_refused_with_413(service: Service) -> None:
    def payload(size: int) -> dict[str, str]:
        return {"action": "x", "text": "y" * (size - len('{"action":"x","text":""}'))}

    answer = service.client.post("/api/events", json=new_event(payload=payload(256 * KIB)))
    assert answer.status_code == 201, answer.text
    with log_unchanged(service):
        assert_refused(service.client.post("/api/events", json=new_event(payload=payload(256 * KIB + 1))), "payload", 413)
        batch = [new_event(), new_event(payload=payload(256 * KIB + 1))]
        assert_refused(service.client.post("/api/events/batch", json=batch), "[1].payload", 413)


def test_a_body_in_chunks_has_the_same_limit(service: Service) -> None:
    def chunks(total: int) -> Iterator[bytes]:
        body = padded(total)
        for start in range(0, total, 64 * KIB):
            yield body[start : start + 64 * KIB]

    assert service.client.post("/api/events", content=chunks(MIB), headers=JSON).status_code == 201
    with log_unchanged(service):
        assert_refused(service.client.post("/api/events", content=chunks(MIB + 1), headers=JSON), "body", 413)


def test_a_batch_larger_than_32_mib_is_refused(service: Service) -> None:
    event = json.dumps(new_event())
    with log_unchanged(service):
        answer = send(service, f"[{event}" + " " * (32 * MIB) + "]", path="/api/events/batch")
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
        answer = send(service, json.dumps(new_event()), {"content-type": kind}, path)
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
def test_the_content_type_of_json_may_have_other_case_and_parameters(service: Service, kind: str) -> None:
    assert send(service, json.dumps(new_event()), {"content-type": kind}).status_code == 201


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
def test_odd_percent_encoding_selects_nothing_and_causes_no_failure(service: Service, place: str, escape: str) -> None:
    url = httpx.URL(service.url).copy_with(raw_path=place.replace("HERE", escape + "-odd").encode())
    answer = service.client.get(url)
    assert "x-injected" not in answer.headers
    assert answer.status_code in (200, 400, 404), answer.text
    if answer.status_code == 200:
        assert answer.json() == []
    else:
        problem(answer)


# Bytes that are not valid HTTP


def request(body: bytes, *headers: bytes) -> bytes:
    """The bytes of a POST of an event, with these headers and this body."""
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
        assert exchange(service, request(GOOD, b"content-type: application/json", *headers)).status == 400


def test_two_content_types_that_differ_are_refused_whatever_their_order(service: Service) -> None:
    length = b"content-length: %d" % len(GOOD)
    kinds = [b"content-type: application/json", b"content-type: text/plain"]
    with log_unchanged(service):
        for order in (kinds, kinds[::-1]):
            answer = exchange(service, request(GOOD, length, *order))
            assert answer.status in (400, 415), answer


def test_a_long_body_is_refused_before_it_is_sent_where_its_length_is_announced(service: Service) -> None:
    with log_unchanged(service):
        answer = exchange(service, request(b"", b"content-type: application/json", b"content-length: %d" % (MIB + 1)))
        assert answer.status == 413, answer


def test_a_client_that_leaves_in_the_middle_of_its_body_changes_nothing(service: Service) -> None:
    with log_unchanged(service):
        for cut in (0, 1, len(GOOD) // 2, len(GOOD) - 1):
            with connection(service) as leaving:
                leaving.send(request(GOOD[:cut], b"content-type: application/json", b"content-length: %d" % len(GOOD)))
        assert service.client.get("/api/events", params={"limit": 1}).status_code == 200


@pytest.mark.parametrize("path", ["/api/events?limit=" + "1" * 60_000, "/api/events/trace/" + "a" * 60_000])
def test_a_very_long_address_is_refused_or_selects_nothing(service: Service, path: str) -> None:
    answer = service.client.get(path)
    assert answer.status_code in (200, 400, 404, 414), answer.status_code
    assert answer.status_code != 200 or answer.json() == []


def test_the_log_file_of_the_service_holds_nothing_secret(service: Service, neo4j_target: Target) -> None:
    assert_log_gives_nothing_away(service, neo4j_target)
