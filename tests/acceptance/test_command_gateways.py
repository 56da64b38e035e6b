"""Commands whose URL leads to another server, a proxy or nothing: one clear line with the URL and the cause, and no secret."""

from __future__ import annotations

import datetime
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.conftest import Service, free_port
from tests.events import new_events, write_ndjson
from tests.gateway import DROP, Asked, Reply, gateway
from tests.programs import program
from tests.semp_command import assert_one_clear_line, semp

COMMANDS = [
    ["status"], ["export"], ["import", "FILE"], ["tail"], ["tail", "--no-follow"], ["signals"], ["signals", "--watch"],
    ["explain", "ui", "x"], ["trace", "t"],
]  # fmt: skip
PASSWORD = "s3cret-8812"
JSON = (("content-type", "application/json"),)
ANSWERS = {
    "200 with a page": (Reply(200), ["is no SEL/SEMP service", "200 OK", "text/html"]),
    "403": (Reply(403), ["403 Forbidden"]),
    "502": (Reply(502), ["502 Bad Gateway"]),
    "404": (Reply(404), ["404 Not Found"]),
    "no content": (Reply(204, b"", ()), ["204"]),
    "401": (Reply(401), ["401", "user and password"]),
    "redirect": (Reply(302, b"", (("location", f"https://ada:{PASSWORD}@other.example/login"),)), ["302", "https://other.example/login"]),
    "an unknown status": (Reply(599), ["599"]),
    "json of another": (Reply(200, b'{"hello": "world"}', JSON), ["is no SEL/SEMP service"]),
    "json that is none": (Reply(200, b"{", JSON), ["is no SEL/SEMP service"]),
    "an error with escapes": (Reply(403, b'{"message": "\\u001b]0;x\\u0007 no"}', JSON), ["\\x1b]0;x\\x07 no"]),
    "no answer": (DROP, ["no answer", "closed"]),
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_ndjson(tmp_path / "events", new_events(1))


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_another_server_at_the_url_is_one_clear_line(memory_service: Service, arguments: list[str], name: str, file: Path) -> None:
    reply, words = ANSWERS[name]
    with gateway(memory_service.url, lambda _: reply) as front:
        url = front.url.replace("//", f"//ada:{PASSWORD}@")
        found = semp(*[str(file) if part == "FILE" else part for part in arguments], "--url", url)
        assert_one_clear_line(found, *words, *([] if name == "an error with escapes" else [front.url]))
    assert PASSWORD not in found.stderr.decode()
    assert b"\x1b" not in found.stderr


def test_user_and_password_of_the_url_are_sent_and_never_shown(memory_service: Service) -> None:
    with gateway(memory_service.url) as front:
        found = semp("status", environment={"SEMP_URL": front.url.replace("//", f"//ada:{PASSWORD}@") + "/"})
        assert found.returncode == 0
        assert {asked.headers["authorization"].partition(" ")[0] for asked in front.asked} == {"Basic"}
    assert PASSWORD not in (found.stdout + found.stderr).decode()
    assert front.url in found.stdout.decode()


def test_retry_after_may_be_a_date(memory_service: Service, file: Path) -> None:
    moment = format_datetime(datetime.datetime.now(datetime.UTC), usegmt=True)

    def first_refused(asked: Asked) -> Reply | None:
        headers = (*JSON, ("retry-after", moment))
        return Reply(503, b'{"message":"the database is not available"}', headers) if len(front.asked) < 2 else None

    for arguments in (["export"], ["import", str(file)], ["tail", "--no-follow"]):
        with gateway(memory_service.url, first_refused) as front:
            found = semp(*arguments, "--url", front.url)
        assert found.returncode == 0, found.stderr
        assert b"waiting for the service" in found.stderr


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_service_on_this_machine_is_asked_without_a_proxy(memory_service: Service, arguments: list[str], file: Path) -> None:
    """Nothing listens at the address of the proxies. If one were used, there would be no answer."""
    nowhere = {name: f"http://127.0.0.1:{free_port()}" for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy")}
    arguments = [part for part in arguments if part not in ("--watch",)] + (["--no-follow"] if arguments == ["tail"] else [])
    found = semp(*[str(file) if part == "FILE" else part for part in arguments], "--url", memory_service.url, environment=nowhere)
    assert "no answer" not in found.stderr.decode()
    assert found.returncode == 0 or "nothing ever moved" in found.stderr.decode() or "no event has" in found.stderr.decode()


def test_a_service_on_another_machine_is_asked_through_the_proxy(memory_service: Service) -> None:
    with gateway(memory_service.url, lambda _: Reply(403)) as proxy:
        variables = {"HTTP_PROXY": proxy.url.replace("//", f"//ada:{PASSWORD}@")}
        found = semp("status", "--url", "http://semp.example:5000", environment=variables)
        assert all(asked.path.startswith("http://semp.example:5000/") for asked in proxy.asked)
        assert {asked.headers["proxy-authorization"].partition(" ")[0] for asked in proxy.asked} == {"Basic"}
    assert_one_clear_line(found, "403", f"(through the proxy {proxy.url} of HTTP_PROXY)")
    assert PASSWORD not in found.stderr.decode()


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        (f"socks5://ada:{PASSWORD}@127.0.0.1:1080", ["ALL_PROXY", "socks5://127.0.0.1:1080"]),
        ("http://127.0.0.1:1", ["ALL_PROXY", "refused"]),
    ],
)
def test_a_proxy_that_cannot_be_used_is_one_clear_line(proxy: str, words: list[str]) -> None:
    for arguments in (["status"], ["mcp"]) if "socks" in proxy else (["status"],):
        found = semp(*arguments, "--url", "http://semp.example:5000", environment={"ALL_PROXY": proxy})
        assert_one_clear_line(found, *words)
        assert PASSWORD not in found.stderr.decode()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate and its key in one file; the certificate alone is in the file with `.crt` added."""
    both = tmp_path_factory.mktemp("tls") / "both.pem"
    arguments = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    subprocess.run([program("openssl"), *arguments.split(), "-keyout", str(both), "-out", f"{both}.crt"], check=True, capture_output=True)
    both.write_bytes(both.read_bytes() + Path(f"{both}.crt").read_bytes())
    return both


@pytest.fixture
def tls(memory_service: Service, certificate: Path) -> Iterator[str]:
    """The https URL of a gateway to the service."""
    with gateway(memory_service.url) as front:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        front.server.socket = context.wrap_socket(front.server.socket, server_side=True, do_handshake_on_connect=False)
        yield front.url.replace("http://127.0.0.1", "https://localhost")


def test_an_untrusted_certificate_is_an_error_and_can_be_trusted(tls: str, certificate: Path) -> None:
    assert_one_clear_line(semp("status", "--url", tls), tls, "certificate is not trusted", "SSL_CERT_FILE")
    assert semp("status", "--url", tls, environment={"SSL_CERT_FILE": f"{certificate}.crt"}).returncode == 0


def test_the_wrong_scheme_is_an_error_that_names_the_right_one(memory_service: Service, tls: str) -> None:
    assert_one_clear_line(semp("status", "--url", memory_service.url.replace("http", "https")), "TLS", "try http://")
    assert_one_clear_line(semp("status", "--url", tls.replace("https", "http")), "no answer")


def test_a_server_that_does_not_speak_http_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"220 files.example ready\r\n\r\n")

        threading.Thread(target=greet, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert_one_clear_line(semp("status", "--url", url), url, "does not speak HTTP")


def test_an_ipv6_address_and_a_trailing_slash_are_accepted(memory_service: Service) -> None:
    assert_one_clear_line(semp("status", "--url", f"http://[::1]:{free_port()}/"), "no answer", "http://[::1]:")
    assert semp("status", "--url", f"{memory_service.url}/").returncode == 0


def test_for_a_url_without_a_port_the_error_says_so() -> None:
    found = semp("status", "--url", "http://127.0.0.1")
    assert found.returncode == 1
    assert "names no port" in found.stderr.decode() or "is no SEL/SEMP service" in found.stderr.decode()


def test_status_shows_the_version_where_the_service_answers_it(memory_service: Service) -> None:
    answer = Reply(200, json.dumps({"version": "9.8.7\x1b"}).encode(), JSON)
    with gateway(memory_service.url, lambda asked: answer if asked.path == "/api/version" else None) as front:
        assert "9.8.7\\x1b" in semp("status", "--url", front.url).stdout.decode()
    with gateway(memory_service.url, lambda asked: Reply(404) if asked.path == "/api/version" else None) as front:
        found = semp("status", "--url", front.url)
        assert found.returncode == 0
        assert "unknown" in found.stdout.decode()
