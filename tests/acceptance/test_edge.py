"""Checks before every route and transport: host names, origins, security headers, odd requests; and the pages of the service itself."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.acceptance.refusals import JSON
from tests.conftest import Service, running_service, start_service
from tests.events import head, new_event
from tests.live_streams import upgrade_request
from tests.programs import program
from tests.raw_http import connection, exchange

EVENT = new_event(scope="ui.login")
PATHS = ["/", "/api/events", "/api/signals", "/api/stream", "/api/version", "/metrics", "/schema", "/schema/openapi.json",
         "/health/live", "/health/ready", "/mcp", "/no/such/path"]  # fmt: skip


@pytest.fixture(scope="module")
def public_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with a host name of its own, that allows the pages of two sites."""
    environment = {"SEMP_CORS_ORIGIN": "https://app.example.com, https://other.example.com"}
    arguments = ("--memory", "--allowed-host", "semp.example.com")
    with running_service(tmp_path_factory.mktemp("service"), *arguments, environment=environment) as running:
        yield running


def status_of(service: Service, path: str, **headers: str) -> int:
    with service.client.stream("GET", path, headers=headers) as answer:
        return answer.status_code


@pytest.mark.parametrize("path", PATHS)
def test_a_host_name_that_is_not_allowed_is_refused_everywhere(memory_service: Service, path: str) -> None:
    for host in ("evil.example", f"evil.example:{httpx.URL(memory_service.url).port}", "localhost.evil.example"):
        answer = memory_service.client.get(path, headers={"host": host, "origin": f"http://{host}"})
        assert answer.status_code == 421
        assert answer.json()["errors"][0]["field"] == "host"
        assert "--allowed-host" in answer.json()["message"]
    assert memory_service.client.post("/api/events", json=EVENT, headers={"host": "evil.example"}).status_code == 421


def test_a_websocket_to_a_host_name_that_is_not_allowed_is_refused(memory_service: Service) -> None:
    assert exchange(memory_service, upgrade_request("/ws?v=1", host="evil.example")).status == 421


@pytest.mark.parametrize("second", [b"evil.example", b"localhost", b""])
def test_two_host_headers_are_refused(memory_service: Service, second: bytes) -> None:
    request = b"GET /api/events HTTP/1.1\r\nhost: localhost\r\nhost: %b\r\n\r\n" % second
    assert exchange(memory_service, request).status == 421


def test_an_http_1_0_client_without_a_host_is_answered(memory_service: Service) -> None:
    assert exchange(memory_service, b"GET /api/version HTTP/1.0\r\n\r\n").head.startswith(b"HTTP/1.1 200 ")


def test_a_host_name_of_allowed_host_is_answered(public_service: Service) -> None:
    assert status_of(public_service, "/api/events", host="semp.example.com") == 200
    assert status_of(public_service, "/api/events", host="example.com") == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost.evil.example"])
def test_pages_of_other_sites_are_refused_everywhere(memory_service: Service, origin: str) -> None:
    for path in PATHS:
        answer = memory_service.client.get(path, headers={"origin": origin})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    before = head(memory_service)
    for content_type in ("application/json", "text/plain"):
        headers = {"origin": origin, "content-type": content_type}
        assert memory_service.client.post("/api/events", content=json.dumps(EVENT), headers=headers).status_code == 403
    assert head(memory_service) == before


@pytest.mark.parametrize(
    ("name", "origin", "allowed"),
    [
        ("memory_service", "http://localhost:3000", True),
        ("memory_service", "https://app.example.com", False),
        ("public_service", "https://app.example.com", True),
        ("public_service", "https://other.example.com", True),
        ("public_service", "http://localhost:3000", False),
    ],
)
def test_rest_streams_websockets_and_mcp_allow_the_same_origins(
    name: str, origin: str, allowed: bool, request: pytest.FixtureRequest
) -> None:
    service: Service = request.getfixturevalue(name)
    expected = 200 if allowed else 403
    assert status_of(service, "/api/events", origin=origin) == expected
    assert status_of(service, "/api/stream", origin=origin) == expected
    initialize = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}},
    }  # fmt: skip
    headers = {"origin": origin, "accept": "application/json, text/event-stream"}
    assert service.client.post("/mcp", json=initialize, headers=headers).status_code == expected
    with connect(f"{service.websocket_url}?v=1", additional_headers={"origin": origin}, compression=None) as page:
        if allowed:
            assert json.loads(page.recv(10))["type"] == "hello"
        else:
            with pytest.raises(ConnectionClosed) as closed:
                page.recv(10)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4001


def test_an_allowed_page_can_read_answers_and_errors_and_its_preflights_succeed(memory_service: Service) -> None:
    origin = "http://localhost:3000"
    for answer in (
        memory_service.client.get("/api/events", headers={"origin": origin}),
        memory_service.client.get("/api/events/none", headers={"origin": origin}),
        memory_service.client.post("/api/events", json={}, headers={"origin": origin}),
    ):
        assert answer.headers["access-control-allow-origin"] == origin
        assert "Link" in answer.headers["access-control-expose-headers"]
        assert "Origin" in answer.headers["vary"]
    preflight_headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type, x-api-key",
    }
    for path in ("/api/events", "/api/signals/what-if", "/mcp", "/api/stream"):
        preflight = memory_service.client.options(path, headers=preflight_headers)
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-origin"] == origin
        assert "POST" in preflight.headers["access-control-allow-methods"]
        assert preflight.headers["access-control-allow-headers"] == "content-type, x-api-key"
    assert memory_service.client.options("/api/events", headers={**preflight_headers, "origin": "http://evil.example"}).status_code == 403


def test_a_client_that_sends_no_origin_gets_no_cors_headers(memory_service: Service) -> None:
    assert not [name for name in memory_service.client.get("/api/events").headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_the_security_headers(memory_service: Service, path: str) -> None:
    with memory_service.client.stream("GET", path) as answer:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert len(answer.headers.get_list("content-security-policy")) == 1
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "'unsafe-eval'" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["--allowed-host", "http://semp.example.com"], "--allowed-host"),
        (["--cors-origin", "app.example.com"], "--cors-origin"),
    ],
)
def test_a_malformed_host_or_origin_is_refused_at_the_start(tmp_path: Path, arguments: list[str], option: str) -> None:
    with pytest.raises(AssertionError, match=option):
        start_service(tmp_path / "log", "--memory", *arguments)


# The pages of the service


def test_the_api_pages_load_only_files_of_this_service(memory_service: Service) -> None:
    for path in ("/schema", "/schema/swagger"):
        page = memory_service.client.get(path)
        assert page.headers["content-type"].startswith("text/html")
        assert "script-src 'self';" in page.headers["content-security-policy"]
        addresses = re.findall(r'(?:src|href|data-document)="([^"]+)"', page.text)
        assert len(addresses) >= 5
        for address in addresses:
            assert "//" not in address
            assert memory_service.client.get(str(httpx.URL(memory_service.url + path).join(address))).status_code == 200


def test_the_api_page_works_in_a_browser_and_loads_nothing_from_elsewhere(memory_service: Service, tmp_path: Path) -> None:
    chromium = program("chromium", "chromium-browser", "google-chrome")
    log = tmp_path / "net.json"
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=20000",
         "--enable-logging=stderr", f"--log-net-log={log}", "--dump-dom", f"{memory_service.url}/schema"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "Append an event" in done.stdout, done.stderr[-2000:]
    assert "Content Security Policy" not in done.stderr
    requested = set(re.findall(r'"url":"(https?://[^/"]+)', log.read_text("utf-8", "replace")))
    assert {url for url in requested if not url.endswith((".google.com", ".googleapis.com"))} == {
        memory_service.url
    }  # these are the browser's own


def test_the_root_tells_the_name_of_the_service_and_links_to_its_parts(memory_service: Service) -> None:
    root = memory_service.client.get("/").json()
    assert root["name"] == "SEL/SEMP"
    for name, link in root["links"].items():
        if name not in ("live", "mcp"):
            assert status_of(memory_service, link) == 200, name
    page = memory_service.client.get("/", headers={"accept": "text/html,application/xhtml+xml"})
    assert page.headers["content-type"].startswith("text/html")
    for link in re.findall(r'href="([^"]+)"', page.text):
        assert status_of(memory_service, f"/{link}") == 200, link


def test_the_version_is_answered(memory_service: Service) -> None:
    from semp import __version__

    assert memory_service.client.get("/api/version").json() == {"name": "SEL/SEMP", "version": __version__, "protocol": 1}


# Requests that other software sends


BODY = json.dumps(EVENT).encode()
OFFERS = {
    "java": b"connection: Upgrade, HTTP2-Settings\r\nhttp2-settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA\r\nupgrade: h2c\r\n",
    "keep-alive": b"connection: keep-alive, Upgrade\r\nupgrade: h2c\r\n",
    "unknown": b"connection: upgrade\r\nupgrade: foo/2\r\n",
    "tls": b"upgrade: TLS/1.2, HTTP/1.1\r\nconnection: Upgrade\r\n",
}
HEAD = b"POST /api/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
FRAMINGS = {
    "length": (b"content-length: %d\r\n" % len(BODY), BODY),
    "chunked": (
        b"transfer-encoding: chunked\r\n",
        b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (10, BODY[:10], len(BODY) - 10, BODY[10:]),
    ),
}


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("timing", ["together", "body later", "in pieces", "head in pieces"])
def test_an_offer_to_upgrade_the_protocol_is_ignored_and_the_body_is_read(
    memory_service: Service, offer: str, framing: str, timing: str
) -> None:
    announced, body = FRAMINGS[framing]
    head = HEAD + OFFERS[offer] + announced + b"\r\n"
    parts = {
        "together": [head + body],
        "body later": [head, body],
        "in pieces": [head + body[:7], body[7:20], body[20:]],
        "head in pieces": [head[:30], head[30:90], head[90:-1], head[-1:] + body[:3], body[3:]],
    }[timing]
    answer = exchange(memory_service, *parts)
    assert answer.status == 201, answer
    assert json.loads(answer.body)["payload"] == EVENT["payload"]


def test_a_connection_on_which_an_upgrade_was_offered_stays_usable(memory_service: Service) -> None:
    request = HEAD + OFFERS["java"] + FRAMINGS["length"][0] + b"\r\n" + BODY
    plain = HEAD + FRAMINGS["chunked"][0] + b"\r\n" + FRAMINGS["chunked"][1]
    with connection(memory_service) as client:
        for each in (request, request, plain, request, b"GET /api/version HTTP/1.1\r\nhost: localhost\r\n" + OFFERS["java"] + b"\r\n"):
            client.send(each)
            assert client.answer().status in (201, 200)
        client.send(request * 3)  # without waiting for an answer
        assert [client.answer().status for _ in range(3)] == [201] * 3


def test_a_client_that_offers_an_upgrade_and_waits_for_100_is_answered_100(memory_service: Service) -> None:
    request = HEAD + OFFERS["java"] + b"expect: 100-continue\r\n" + FRAMINGS["length"][0] + b"\r\n"
    with connection(memory_service) as client:
        client.send(request)
        assert client.answer().status == 100
        client.send(BODY)
        assert client.answer().status == 201


def test_a_websocket_to_another_path_is_refused(memory_service: Service) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(memory_service.websocket_url.replace("/ws", "/api/events"), compression=None):
        pass
    assert refused.value.response.status_code in (403, 404)


def compressed(coding: str, body: bytes) -> bytes:
    return gzip.compress(body) if coding == "gzip" else zlib.compress(body)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "GZIP"])
def test_a_compressed_body_is_read(memory_service: Service, coding: str) -> None:
    headers = {**JSON, "content-encoding": coding}
    body = compressed(coding.lower(), json.dumps(EVENT).encode())
    assert memory_service.client.post("/api/events", content=body, headers=headers).status_code == 201
    batch = compressed(coding.lower(), json.dumps([EVENT] * 2000).encode())
    assert len(memory_service.client.post("/api/events/batch", content=batch, headers=headers).json()) == 2000
    node = compressed(coding.lower(), b'{"type":"file"}')
    assert memory_service.client.post("/api/nodes", content=node, headers=headers).status_code == 201


def test_the_limit_of_a_compressed_body_is_its_unpacked_size(memory_service: Service) -> None:
    body = gzip.compress(b'{"x":"' + b"a" * 300_000_000 + b'"}', 1)
    answer = memory_service.client.post("/api/events", content=body[: 1024 * 1024], headers={**JSON, "content-encoding": "gzip"})
    assert answer.status_code == 413
    assert "unpacked" in answer.json()["message"]


@pytest.mark.parametrize(
    ("coding", "body", "expected"),
    [
        ("br", b"x", 415),
        ("gzip, gzip", b"x", 415),
        ("gzip", b"{}", 400),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-5], 400),
        ("gzip", gzip.compress(b"{}", mtime=0) + b"x", 400),
    ],
)
def test_a_body_with_a_bad_or_unknown_coding_is_refused_by_name(memory_service: Service, coding: str, body: bytes, expected: int) -> None:
    answer = memory_service.client.post("/api/events", content=body, headers={**JSON, "content-encoding": coding})
    assert answer.status_code == expected
    assert answer.json()["errors"][0]["field"] == ("content-encoding" if expected == 415 else "body")
    if expected == 415:
        assert answer.headers["accept-encoding"] == "gzip, deflate"


def test_idle_connections_stay_open_longer_than_client_pools_keep_them(tmp_path: Path) -> None:
    from semp.settings import Settings

    assert Settings().keep_alive >= 70  # usual in clients: 60 s in nginx and many load balancers, 15 s in aiohttp, 30 s in Java
    with running_service(tmp_path, "--memory", "--keep-alive", "1") as service, connection(service) as client:
        client.send(b"GET /api/version HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert client.answer().status == 200
        assert client.socket.recv(1) == b""  # the service closes the connection after one second


UNKNOWN_PARAMETERS: list[tuple[str, dict[str, Any]]] = [
    ("/api/signals", {"min_strenght": 0.5}),
    ("/api/signals/a/b/explain", {"sort": "asc"}),
    ("/api/traces", {"agent": "x"}),
    ("/api/version", {"x": 1}),
    ("/api/common-causes", {"ids": "a", "dept": 1}),
]


@pytest.mark.parametrize(("path", "query"), UNKNOWN_PARAMETERS)
def test_an_unknown_parameter_is_refused_and_the_known_ones_are_named(memory_service: Service, path: str, query: dict[str, Any]) -> None:
    answer = memory_service.client.get(path, params=query)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [name for name in query if name != "ids"]
    assert "the parameters are " in answer.json()["message"] or "this path has no parameters" in answer.json()["message"]


@pytest.mark.parametrize("path", ["/api/events", "/api/events/scope/a", "/api/events/trace/t"])
def test_an_unknown_parameter_is_ignored_where_the_public_contract_says_so(memory_service: Service, path: str) -> None:
    assert memory_service.client.get(path, params={"scpoe": "x"}).status_code == 200


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z"]
)
def test_times_at_the_limits_of_the_calendar_are_refused(memory_service: Service, at: str) -> None:
    memory_service.client.post("/api/events", json=EVENT).raise_for_status()
    for path in ("/api/signals", "/api/signals/ui.login/x", "/api/signals/ui.login/x/explain"):
        answer = memory_service.client.get(path, params={"at": at})
        assert answer.status_code == 400, path
        assert answer.json()["errors"][0]["field"] == "at"
