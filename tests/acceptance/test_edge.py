"""What stands in front of every route and transport: names, pages of other sites, headers, and the pages the service brings itself."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import socket
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.conftest import Service, start_service
from tests.programs import program
from tests.waiting import eventually

EVENT = {"type": "proposal", "scope": "ui.login", "trace_id": "t", "agent_id": "a", "payload": {"action": "x"}}
PATHS = ["/", "/api/events", "/api/signals", "/api/stream", "/api/version", "/metrics", "/schema", "/schema/openapi.json",
         "/health/live", "/health/ready", "/mcp", "/no/such/path"]  # fmt: skip
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = start_service(tmp_path_factory.mktemp("edge") / "log", "--memory")
    yield running
    assert running.stop() == 0, running.log.read_text()
    assert "Traceback" not in running.log.read_text()


@pytest.fixture(scope="module")
def open_to_one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that has a name of its own, and lets one site's pages in."""
    running = start_service(
        tmp_path_factory.mktemp("edge") / "log", "--memory", "--allowed-host", "semp.example.com",
        environment={"SEMP_CORS_ORIGIN": "https://app.example.com, https://other.example.com"},
    )  # fmt: skip
    yield running
    assert running.stop() == 0, running.log.read_text()


def status(service: Service, path: str, **headers: str) -> int:
    with service.client.stream("GET", path, headers=headers) as answer:
        return answer.status_code


@pytest.mark.parametrize("path", PATHS)
def test_a_rebound_name_is_refused_everywhere(memory: Service, path: str) -> None:
    for host in ("evil.example", f"evil.example:{httpx.URL(memory.url).port}", "localhost.evil.example"):
        answer = memory.client.get(path, headers={"host": host, "origin": f"http://{host}"})
        assert answer.status_code == 421
        assert answer.json()["errors"][0]["field"] == "host"
        assert "--allowed-host" in answer.json()["message"]
    assert memory.client.post("/api/events", json=EVENT, headers={"host": "evil.example"}).status_code == 421


def test_a_websocket_by_a_rebound_name_is_refused(memory: Service) -> None:
    address = httpx.URL(memory.url)
    with socket.create_connection((address.host, address.port or 0)) as plain:
        plain.sendall(
            b"GET /ws?v=1 HTTP/1.1\r\nhost: evil.example\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
        )
        assert plain.recv(4096).startswith(b"HTTP/1.1 421 ")


def test_two_host_headers_are_refused(memory: Service) -> None:
    assert raw(memory, b"GET /api/events HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n").startswith(b"HTTP/1.1 421 ")


def test_an_old_client_that_names_no_host_gets_in(memory: Service) -> None:
    assert raw(memory, b"GET /api/version HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_a_name_that_was_allowed_gets_in(open_to_one: Service) -> None:
    assert status(open_to_one, "/api/events", host="semp.example.com") == 200
    assert status(open_to_one, "/api/events", host="example.com") == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost.evil.example"])
def test_pages_of_other_sites_are_refused_everywhere(memory: Service, origin: str) -> None:
    for path in PATHS:
        answer = memory.client.get(path, headers={"origin": origin})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    before = memory.client.get("/health/ready").json()["position"]
    for content_type in ("application/json", "text/plain"):
        headers = {"origin": origin, "content-type": content_type}
        assert memory.client.post("/api/events", content=json.dumps(EVENT), headers=headers).status_code == 403
    assert memory.client.get("/health/ready").json()["position"] == before


@pytest.mark.parametrize(
    ("name", "origin", "allowed"),
    [
        ("memory", "http://localhost:3000", True),
        ("memory", "https://app.example.com", False),
        ("open_to_one", "https://app.example.com", True),
        ("open_to_one", "https://other.example.com", True),
        ("open_to_one", "http://localhost:3000", False),
    ],
)
def test_the_rule_is_one_for_rest_streams_sockets_and_mcp(name: str, origin: str, allowed: bool, request: pytest.FixtureRequest) -> None:
    service: Service = request.getfixturevalue(name)
    expected = 200 if allowed else 403
    assert status(service, "/api/events", origin=origin) == expected
    assert status(service, "/api/stream", origin=origin) == expected
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


def test_a_page_that_may_ask_can_read_answers_and_errors_and_gets_its_preflights(memory: Service) -> None:
    origin = "http://localhost:3000"
    for answer in (
        memory.client.get("/api/events", headers={"origin": origin}),
        memory.client.get("/api/events/none", headers={"origin": origin}),
        memory.client.post("/api/events", json={}, headers={"origin": origin}),
    ):
        assert answer.headers["access-control-allow-origin"] == origin
        assert "Link" in answer.headers["access-control-expose-headers"]
        assert "Origin" in answer.headers["vary"]
    asked = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type, x-api-key"}
    for path in ("/api/events", "/api/signals/what-if", "/mcp", "/api/stream"):
        preflight = memory.client.options(path, headers=asked)
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-origin"] == origin
        assert "POST" in preflight.headers["access-control-allow-methods"]
        assert preflight.headers["access-control-allow-headers"] == "content-type, x-api-key"
    assert memory.client.options("/api/events", headers={**asked, "origin": "http://evil.example"}).status_code == 403


def test_programs_send_no_origin_and_see_no_cors(memory: Service) -> None:
    assert not [name for name in memory.client.get("/api/events").headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_says_what_browsers_may_do_with_it(memory: Service, path: str) -> None:
    with memory.client.stream("GET", path) as answer:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert len(answer.headers.get_list("content-security-policy")) == 1
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "'unsafe-eval'" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--allowed-host", "http://semp.example.com"], "--allowed-host"),
        (["--cors-origin", "app.example.com"], "--cors-origin"),
    ],
)
def test_a_host_or_origin_that_is_none_is_refused_at_the_start(tmp_path: Path, arguments: list[str], named: str) -> None:
    with pytest.raises(AssertionError, match=named):
        start_service(tmp_path / "log", "--memory", *arguments)


# the pages


def test_the_api_page_names_only_files_of_this_service(memory: Service) -> None:
    for path in ("/schema", "/schema/swagger"):
        page = memory.client.get(path)
        assert page.headers["content-type"].startswith("text/html")
        assert "script-src 'self';" in page.headers["content-security-policy"]
        places = re.findall(r'(?:src|href|data-document)="([^"]+)"', page.text)
        assert len(places) >= 5
        for place in places:
            assert "//" not in place
            assert memory.client.get(str(httpx.URL(memory.url + path).join(place))).status_code == 200


def test_the_api_page_works_in_a_browser_and_asks_nobody_else(memory: Service, tmp_path: Path) -> None:
    chromium = program("chromium", "chromium-browser", "google-chrome")
    log = tmp_path / "net.json"
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=20000",
         "--enable-logging=stderr", f"--log-net-log={log}", "--dump-dom", f"{memory.url}/schema"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "Append an event" in done.stdout, done.stderr[-2000:]
    assert "Content Security Policy" not in done.stderr
    asked = set(re.findall(r'"url":"(https?://[^/"]+)', log.read_text("utf-8", "replace")))
    assert {url for url in asked if not url.endswith((".google.com", ".googleapis.com"))} == {memory.url}  # those are the browser's own


def test_the_front_door_says_what_this_is_and_where_to_go_on(memory: Service) -> None:
    found = memory.client.get("/").json()
    assert found["name"] == "SEL/SEMP"
    for name, link in found["links"].items():
        if name not in ("live", "mcp"):
            assert status(memory, link) == 200, name
    page = memory.client.get("/", headers={"accept": "text/html,application/xhtml+xml"})
    assert page.headers["content-type"].startswith("text/html")
    for link in re.findall(r'href="([^"]+)"', page.text):
        assert status(memory, f"/{link}") == 200, link


def test_the_version_is_told(memory: Service) -> None:
    from semp import __version__

    assert memory.client.get("/api/version").json() == {"name": "SEL/SEMP", "version": __version__, "protocol": 1}


# requests that other software sends


def raw(service: Service, *parts: bytes) -> bytes:
    """Send the parts, each once the one before has surely been read; the answer, up to its end or a second of silence after it."""
    address = httpx.URL(service.url)
    with contextlib.closing(socket.create_connection((address.host, address.port or 0), timeout=10)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number, part in enumerate(parts):
            if number:
                wait_until_read(connection)
            connection.sendall(part)
        return answer_of(connection)


def wait_until_read(connection: socket.socket) -> None:
    """Until the other side has acknowledged everything, so that the next part comes in a packet of its own."""
    import array
    import fcntl

    left = array.array("i", [1])

    def acknowledged() -> bool:
        fcntl.ioctl(connection.fileno(), 0x5411, left)  # SIOCOUTQ
        return not left[0]

    eventually("the other side has acknowledged it", acknowledged, 10)


def answer_of(connection: socket.socket) -> bytes:
    """One answer, by its content-length."""
    found = b""
    while b"\r\n\r\n" not in found:
        piece = connection.recv(65_536)
        if not piece:
            return found
        found += piece
    head, _, body = found.partition(b"\r\n\r\n")
    match = re.search(rb"content-length: (\d+)", head)
    while match and len(body) < int(match[1]):
        piece = connection.recv(65_536)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body


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
def test_an_offer_to_change_the_protocol_is_ignored_and_the_body_is_read(memory: Service, offer: str, framing: str, timing: str) -> None:
    announced, body = FRAMINGS[framing]
    head = HEAD + OFFERS[offer] + announced + b"\r\n"
    parts = {
        "together": [head + body],
        "body later": [head, body],
        "in pieces": [head + body[:7], body[7:20], body[20:]],
        "head in pieces": [head[:30], head[30:90], head[90:-1], head[-1:] + body[:3], body[3:]],
    }[timing]
    answer = raw(memory, *parts)
    assert answer.startswith(b"HTTP/1.1 201 "), answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["payload"] == EVENT["payload"]


def test_a_connection_on_which_a_change_was_offered_goes_on(memory: Service) -> None:
    address = httpx.URL(memory.url)
    request = HEAD + OFFERS["java"] + FRAMINGS["length"][0] + b"\r\n" + BODY
    plain = HEAD + FRAMINGS["chunked"][0] + b"\r\n" + FRAMINGS["chunked"][1]
    with contextlib.closing(socket.create_connection((address.host, address.port or 0), timeout=10)) as connection:
        for each in (request, request, plain, request, b"GET /api/version HTTP/1.1\r\nhost: localhost\r\n" + OFFERS["java"] + b"\r\n"):
            connection.sendall(each)
            assert answer_of(connection).startswith((b"HTTP/1.1 201 ", b"HTTP/1.1 200 "))
        connection.sendall(request * 3)  # without waiting for an answer
        assert [answer_of_next(connection)[:12] for _ in range(3)] == [b"HTTP/1.1 201"] * 3


_left = b""


def answer_of_next(connection: socket.socket) -> bytes:
    """One of several answers that may come together."""
    global _left
    while True:
        head, end, rest = _left.partition(b"\r\n\r\n")
        match = re.search(rb"content-length: (\d+)", head)
        if end and match and len(rest) >= int(match[1]):
            _left = rest[int(match[1]) :]
            return head + end + rest[: int(match[1])]
        _left += connection.recv(65_536)


def test_a_client_that_waits_for_100_with_an_offer_is_told_to_go_on(memory: Service) -> None:
    address = httpx.URL(memory.url)
    head = HEAD + OFFERS["java"] + b"expect: 100-continue\r\n" + FRAMINGS["length"][0] + b"\r\n"
    with contextlib.closing(socket.create_connection((address.host, address.port or 0), timeout=10)) as connection:
        connection.sendall(head)
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
        connection.sendall(BODY)
        assert answer_of(connection).startswith(b"HTTP/1.1 201 ")


def test_a_websocket_where_none_is_served_is_refused(memory: Service) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(memory.websocket_url.replace("/ws", "/api/events"), compression=None):
        pass
    assert refused.value.response.status_code in (403, 404)


def packed(coding: str, body: bytes) -> bytes:
    return gzip.compress(body) if coding == "gzip" else zlib.compress(body)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "GZIP"])
def test_a_compressed_body_is_read(memory: Service, coding: str) -> None:
    headers = {**JSON, "content-encoding": coding}
    body = packed(coding.lower(), json.dumps(EVENT).encode())
    assert memory.client.post("/api/events", content=body, headers=headers).status_code == 201
    batch = packed(coding.lower(), json.dumps([EVENT] * 2000).encode())
    assert len(memory.client.post("/api/events/batch", content=batch, headers=headers).json()) == 2000
    node = packed(coding.lower(), b'{"type":"file"}')
    assert memory.client.post("/api/nodes", content=node, headers=headers).status_code == 201


def test_a_compressed_body_is_bounded_by_what_it_unpacks_to(memory: Service) -> None:
    body = gzip.compress(b'{"x":"' + b"a" * 300_000_000 + b'"}', 1)
    answer = memory.client.post("/api/events", content=body[: 1024 * 1024], headers={**JSON, "content-encoding": "gzip"})
    assert answer.status_code == 413
    assert "unpacked" in answer.json()["message"]


@pytest.mark.parametrize(
    ("coding", "body", "expected"),
    [
        ("br", b"x", 415),
        ("gzip, gzip", b"x", 415),
        ("gzip", b"{}", 400),
        ("gzip", gzip.compress(b"{}")[:-5], 400),
        ("gzip", gzip.compress(b"{}") + b"x", 400),
    ],
)
def test_a_body_whose_coding_cannot_be_read_is_refused_by_name(memory: Service, coding: str, body: bytes, expected: int) -> None:
    answer = memory.client.post("/api/events", content=body, headers={**JSON, "content-encoding": coding})
    assert answer.status_code == expected
    assert answer.json()["errors"][0]["field"] == ("content-encoding" if expected == 415 else "body")
    if expected == 415:
        assert answer.headers["accept-encoding"] == "gzip, deflate"


def test_idle_connections_outlive_the_pools_of_ordinary_clients(tmp_path: Path) -> None:
    from semp.settings import Settings

    assert Settings().keep_alive >= 70  # of the common ones: 60 s in nginx and many balancers, 15 s in aiohttp, 30 s in Java
    service = start_service(tmp_path / "log", "--memory", "--keep-alive", "1")
    address = httpx.URL(service.url)
    with contextlib.closing(socket.create_connection((address.host, address.port or 0), timeout=20)) as connection:
        connection.sendall(b"GET /api/version HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert answer_of(connection).startswith(b"HTTP/1.1 200 ")
        assert connection.recv(1) == b""  # closed by the service, once the time is up
    assert service.stop() == 0


UNKNOWN: list[tuple[str, dict[str, Any]]] = [
    ("/api/signals", {"min_strenght": 0.5}),
    ("/api/signals/a/b/explain", {"sort": "asc"}),
    ("/api/traces", {"agent": "x"}),
    ("/api/version", {"x": 1}),
    ("/api/common-causes", {"ids": "a", "dept": 1}),
]


@pytest.mark.parametrize(("path", "query"), UNKNOWN)
def test_an_unknown_parameter_is_named_with_those_there_are(memory: Service, path: str, query: dict[str, Any]) -> None:
    answer = memory.client.get(path, params=query)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [name for name in query if name != "ids"]
    assert "there are" in answer.json()["message"] or "has none" in answer.json()["message"]


@pytest.mark.parametrize("path", ["/api/events", "/api/events/scope/a", "/api/events/trace/t"])
def test_where_the_contract_says_so_an_unknown_parameter_is_ignored(memory: Service, path: str) -> None:
    assert memory.client.get(path, params={"scpoe": "x"}).status_code == 200


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z"]
)
def test_times_at_the_ends_of_the_calendar_are_refused(memory: Service, at: str) -> None:
    memory.client.post("/api/events", json=EVENT).raise_for_status()
    for path in ("/api/signals", "/api/signals/ui.login/x", "/api/signals/ui.login/x/explain"):
        answer = memory.client.get(path, params={"at": at})
        assert answer.status_code == 400, path
        assert answer.json()["errors"][0]["field"] == "at"
