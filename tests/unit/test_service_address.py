"""URLs of services and proxies: which are used, which are refused, and that no password is shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from semp.cli.address import is_loopback, parse_address
from semp.cli.client import LONGEST_PAUSE, pause_of
from semp.domain.errors import SempError

VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("http://127.0.0.1:5000/", "http://127.0.0.1:5000"),
        ("HTTP://localhost:5000//", "http://localhost:5000"),
        (" https://semp.example/team/a/ ", "https://semp.example/team/a"),
        ("http://[::1]:5000/", "http://[::1]:5000"),
        ("http://ada:s3cret@semp.example:80/x/", "http://semp.example:80/x"),
    ],
)
def test_a_url_is_used_without_secrets_and_trailing_slash(given: str, used: str) -> None:
    assert parse_address(given).url == used


def test_user_and_password_are_credentials_decoded_and_not_shown() -> None:
    address = parse_address("http://ada:s3%40cret@semp.example")
    assert address.credentials == ("ada", "s3@cret")
    assert "s3" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "", "127.0.0.1:5000", "localhost", "http://", "http://:5000", "http://h:0", "http://h:99999", "http://h:port", "http://[", "ftp://h",
        "file:///etc",
        "http://h?x=1", "http://h#x", "http:/h", "//h", "http://ada:s3cret@", "ada:s3cret@h", "ftp://ada:s3cret@h", "http://ada:s3cret@[",
        "http://ada:s3cret@h:99999", "http://ada:s3cret@h?x",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SempError, match=r"write it as http://127\.0\.0\.1:5000") as refused:
        parse_address(url)
    assert "s3cret" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"]
)
def test_this_machine_is_never_asked_through_a_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_loopback(host)
    for name in VARIABLES[:3]:
        monkeypatch.setenv(name, "http://proxy.example:3128")
    assert parse_address(f"http://[{host}]" if ":" in host else f"http://{host}").proxy is None


@pytest.mark.parametrize("host", ["semp.example", "localhost.example", "10.0.0.1", "128.0.0.1", "fe80::1"])
def test_other_machines_are_no_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("variables", "url", "expected"),
    [
        ({"HTTP_PROXY": "http://p:1"}, "http://semp.example", "http://p:1"),
        ({"http_proxy": "p:1"}, "http://semp.example", "http://p:1"),
        ({"HTTP_PROXY": "http://p:1"}, "https://semp.example", None),
        ({"HTTPS_PROXY": "http://p:2", "HTTP_PROXY": "http://p:1"}, "https://semp.example", "http://p:2"),
        ({"ALL_PROXY": "https://p:3"}, "http://semp.example", "https://p:3"),
        ({"ALL_PROXY": "http://p:3", "NO_PROXY": "semp.example"}, "http://semp.example", None),
        ({"ALL_PROXY": "http://p:3", "NO_PROXY": ".example"}, "http://semp.example:5000", None),
        ({"ALL_PROXY": "http://p:3", "NO_PROXY": "*"}, "http://semp.example", None),
        ({"HTTP_PROXY": ""}, "http://semp.example", None),
    ],
)
def test_proxies_of_the_environment_are_used(
    variables: dict[str, str], url: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    proxy = parse_address(url).proxy
    assert (proxy.url if proxy else None) == expected


def test_a_proxy_of_another_kind_is_refused_and_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for proxy in ("socks5://ada:s3cret@p:1080", "socks4://p", "http://ada:s3cret@[", "nonsense://ada:s3cret@p"):
        monkeypatch.setenv("ALL_PROXY", proxy)
        with pytest.raises(SempError, match="ALL_PROXY") as refused:
            parse_address("http://semp.example")
        assert "s3cret" not in str(refused.value)
        assert "NO_PROXY" in str(refused.value)


def test_a_password_of_a_proxy_goes_to_the_proxy_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://ada:s3cret@p:1")
    address = parse_address("http://semp.example")
    assert address.proxy is not None
    assert address.proxy.credentials == ("ada", "s3cret")
    assert "s3cret" not in repr(address)
    assert "s3cret" not in address.through


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 1.0), ("", 1.0), ("0", 0.0), ("7", 7.0), (" 2 ", 2.0), ("1.5", 1.5), ("9999999", LONGEST_PAUSE),
        ("99999999999999999999", 1.0), ("-3", 1.0),
        ("soon", 1.0), ("nan", 1.0), ("Wed, 15 Jan 2025 10:30:05 GMT", 5.0), ("Wed, 15 Jan 2025 10:29:00 GMT", 0.0),
        ("Wed, 15 Jan 2025 11:30:00 GMT", LONGEST_PAUSE), ("Wednesday, 15-Jan-25 10:30:05 GMT", 5.0),
        ("Wed, 99 Jan 2025 10:30:05 GMT", 1.0),
        ("٣", 1.0),
    ],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_as_a_date_and_bounded(header: str | None, seconds: float) -> None:
    assert pause_of(header, datetime(2025, 1, 15, 10, 30, tzinfo=UTC)) == seconds
