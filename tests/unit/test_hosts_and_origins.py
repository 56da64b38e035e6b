"""Which host names the service accepts, and pages of which origins may call it."""

from __future__ import annotations

import pytest
from semp.api.security.hosts import Hosts
from semp.api.security.origins import Origins
from semp.domain.errors import InvalidInput

LOOPBACK = [
    "localhost",
    "localhost:5000",
    "LOCALHOST",
    "localhost.",
    "app.localhost:1",
    "127.0.0.1:5000",
    "127.1.2.3",
    "[::1]",
    "[::1]:5000",
]
FOREIGN = ["evil.example", "evil.example:5000", "localhost.evil.example", "127.0.0.1.evil.example", "notlocalhost", "0", "2130706433"]
MALFORMED = [
    "",
    ":5000",
    "[::1",
    "[::1]x",
    "[evil]",
    "localhost:",
    "localhost:x",
    "localhost:99999",
    "localhost:" + "1" * 5_000,
    "a[",
    "u@localhost",
    "a/b",
    "localhost,evil.example",
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_names_are_accepted(host: str) -> None:
    for listen in ("127.0.0.1", "::1", "0.0.0.0", "localhost", "192.168.7.7"):
        assert Hosts(listen).allows(host)


@pytest.mark.parametrize("host", [*FOREIGN, *MALFORMED])
def test_other_names_are_refused(host: str) -> None:
    for listen in ("127.0.0.1", "::1", "0.0.0.0", "192.168.7.7"):
        assert not Hosts(listen).allows(host)


def test_an_ip_address_is_accepted_where_the_service_listens_on_more_than_loopback() -> None:
    for host in ("192.168.7.7:5000", "10.0.0.1", "[fe80::1]:5000"):
        assert Hosts("0.0.0.0").allows(host)
        assert not Hosts("127.0.0.1").allows(host)
    assert Hosts("semp.lan").allows("semp.lan:5000")


def test_allowed_names_may_be_exact_or_wildcards() -> None:
    hosts = Hosts("127.0.0.1", ["semp.example.com", "*.team.example"])
    assert [hosts.allows(name) for name in ("semp.example.com:443", "SEMP.example.com", "a.team.example", "b.a.team.example")] == [True] * 4
    assert [hosts.allows(name) for name in ("example.com", "team.example", "xteam.example", "evil.example")] == [False] * 4
    assert Hosts("127.0.0.1", ["*"]).allows("evil.example")


def test_a_name_that_was_refused_stays_refused_after_one_that_was_allowed() -> None:
    hosts = Hosts()
    assert [hosts.allows(host) for host in ("localhost", "evil.example", "localhost", "evil.example")] == [True, False, True, False]


@pytest.mark.parametrize(
    "name", ["", "http://semp.example.com", "semp.example.com:5000", "a b", "u@h", "*example.com", "a.*.com", "*.", "a["]
)
def test_an_invalid_name_cannot_be_allowed(name: str) -> None:
    with pytest.raises(InvalidInput, match="--allowed-host"):
        Hosts("127.0.0.1", [name])


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://localhost:5000", "localhost:5000", True),
        ("http://semp.example.com", "semp.example.com", True),
        ("http://semp.example.com", "semp.example.com:80", True),
        ("https://semp.example.com", "semp.example.com", True),  # a proxy ends TLS
        ("http://semp.example.com:81", "semp.example.com", False),
        ("http://other.example.com", "semp.example.com", False),
        ("http://localhost:3000", "semp.example.com", True),
        ("http://127.0.0.1", "localhost:5000", True),
        ("http://[::1]:9", "localhost:5000", True),
        ("http://app.localhost:9", "localhost:5000", True),
        ("http://localhost.evil.example", "localhost:5000", False),
        ("http://127.evil.example", "localhost:5000", False),
        ("null", "localhost:5000", False),
        ("", "localhost:5000", False),
        ("http://[", "localhost:5000", False),
        ("file://", "localhost:5000", False),
        ("http://localhost:5000/", "localhost:5000", False),
        ("chrome-extension://abc", "localhost:5000", False),
    ],
)
def test_pages_of_the_same_origin_and_of_loopback_may_call(origin: str, host: str, allowed: bool) -> None:
    assert Origins().allows(origin, host) is allowed


def test_a_list_of_origins_replaces_the_default() -> None:
    origins = Origins(["https://app.example.com", "http://localhost:3000"])
    assert origins.allows("https://app.example.com", "localhost:5000")
    assert origins.allows("https://app.example.com:443", "localhost:5000")
    assert origins.allows("http://localhost:3000", "localhost:5000")
    assert origins.allows("http://localhost:5000", "localhost:5000")
    for other in ("http://app.example.com", "http://localhost:3001", "https://evil.example", "null"):
        assert not origins.allows(other, "localhost:5000")
    assert Origins(["*"]).allows("https://evil.example", "localhost:5000")
    assert not Origins([]).allows("http://localhost:3000", "localhost:5000")


@pytest.mark.parametrize("origin", ["", "app.example.com", "https://app.example.com/x", "ftp://a", "https://u:p@a", "null"])
def test_an_invalid_origin_cannot_be_allowed(origin: str) -> None:
    with pytest.raises(InvalidInput, match="--cors-origin"):
        Origins([origin])


def test_an_origin_is_refused_whatever_the_host_looks_like() -> None:
    for host in ("a[", "[::1", "localhost:" + "1" * 5_000, ""):
        assert not Origins().allows("http://x.example", host)
