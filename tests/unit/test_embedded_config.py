"""Sizes for the machine, neo4j.conf, the Java argument file, and the password's hash."""

import stat
from pathlib import Path

import pytest
from semp.engine import footprint
from semp.storage.neo4j.embedded import EmbeddedNeo4jError, credentials
from semp.storage.neo4j.embedded.config import (
    MIB,
    MemoryPlan,
    java_arguments,
    parse_size,
    render_argument_file,
    render_conf,
)

GIB = 1024 * MIB


@pytest.mark.parametrize(
    ("total", "heap", "page_cache"),
    [
        (GIB, 512 * MIB, 204 * MIB),
        (4 * GIB, GIB, 819 * MIB),
        (8 * GIB, 2 * GIB, 1638 * MIB),
        (64 * GIB, 2 * GIB, 2 * GIB),
        (640 * MIB, 512 * MIB, 128 * MIB),
    ],
)
def test_sizes_follow_the_machine_within_their_limits(total: int, heap: int, page_cache: int) -> None:
    assert MemoryPlan.for_machine(total) == MemoryPlan(heap, page_cache)


def test_given_sizes_replace_the_computed_ones() -> None:
    assert MemoryPlan.for_machine(8 * GIB, "300m", "1g") == MemoryPlan(300 * MIB, GIB)


@pytest.mark.parametrize(("total", "heap"), [(512 * MIB, None), (4 * GIB, "4g")])
def test_more_than_the_machine_has_is_refused(total: int, heap: str | None) -> None:
    with pytest.raises(EmbeddedNeo4jError, match="too little memory"):
        MemoryPlan.for_machine(total, heap)


@pytest.mark.parametrize("text", ["", "12", "1.5g", "-1m", "1gb", "m"])
def test_text_that_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(EmbeddedNeo4jError, match="not a size"):
        parse_size(text)


@pytest.mark.parametrize("version", ["5.26.30", "2026.08.1"])
def test_only_bolt_listens_and_only_on_loopback(version: str) -> None:
    lines = render_conf(version, 4711, 256 * MIB, 512 * MIB).splitlines()
    settings = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert settings["server.bolt.listen_address"] == "127.0.0.1:4711"
    assert all("127.0.0.1" in value for name, value in settings.items() if name.endswith("_address"))
    off = ("server.http.enabled", "server.https.enabled", "dbms.usage_report.enabled", "server.bolt.telemetry.enabled")
    assert {settings[name] for name in off} == {"false"}


@pytest.mark.parametrize(
    ("heap", "together", "one"), [(512 * MIB, "409m", "390m"), (2 * GIB, "1638m", "1024m"), (300 * MIB, "240m", "240m")]
)
def test_one_transaction_never_takes_all_memory_and_an_append_always_fits(heap: int, together: str, one: str) -> None:
    lines = render_conf("2026.08.1", 4711, 256 * MIB, heap).splitlines()
    settings = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert settings["dbms.memory.transaction.total.max"] == together
    assert settings["db.memory.transaction.max"] == one
    assert heap < 512 * MIB or int(one[:-1]) * MIB > footprint.LIMIT


def test_the_transaction_log_is_bounded_by_volume_and_several_files_of_it_fit_between_two_checkpoints() -> None:
    """A file is deleted as a whole, once a checkpoint is behind it. With files as large as that volume, twice of it would stay."""
    lines = render_conf("2026.08.1", 4711, 256 * MIB, 512 * MIB).splitlines()
    settings = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert settings["db.checkpoint"] == "VOLUME"
    assert settings["db.tx_log.rotation.retention_policy"] == "keep_none"
    between, file = (parse_size(settings[name]) for name in ("db.checkpoint.interval.volume", "db.tx_log.rotation.size"))
    assert 4 * file <= between <= 128 * MIB


def test_an_argument_file_keeps_spaces_quotes_and_backslashes() -> None:
    assert render_argument_file(["-cp", '/a b/"c"\\d.jar']) == '"-cp"\n"/a b/\\"c\\"\\\\d.jar"\n'


def test_java_gets_a_switch_only_in_versions_that_know_it() -> None:
    switch = "--sun-misc-unsafe-memory-access=allow"
    assert switch in java_arguments([Path("/a.jar")], GIB, 25, 4)
    assert switch not in java_arguments([Path("/a.jar")], GIB, 17, 4)


@pytest.mark.parametrize(("cores", "collector"), [(1, "Serial"), (2, "Serial"), (3, "G1"), (64, "G1")])
def test_java_gets_one_collector_that_suits_the_cores(cores: int, collector: str) -> None:
    found = [argument for argument in java_arguments([Path("/a.jar")], GIB, 25, cores) if argument.endswith("GC")]
    assert found == [f"-XX:+Use{collector}GC"]


def test_the_hash_is_the_one_neo4j_admin_writes() -> None:
    """Line written by ``neo4j-admin dbms set-initial-password abcdefgh12`` of 2026.08.1."""
    salt = bytes.fromhex("c6bf51ebccc81ea78cadf69bee8a972b228789a8eb2ebf5945ef40b4b60f071d")
    assert credentials.auth_line("abcdefgh12", salt) == (
        "neo4j:SHA-256,69dc9fe5dba33ead21feba5af60213722306e58b915b98961246a80d5b25b216,"
        "c6bf51ebccc81ea78cadf69bee8a972b228789a8eb2ebf5945ef40b4b60f071d,1024:\n"
    )


def test_preparing_twice_gives_the_same_password_in_a_private_file(tmp_path: Path) -> None:
    first = credentials.prepare(tmp_path)
    assert credentials.prepare(tmp_path) == first
    assert len(first) >= 40
    for file in (tmp_path / "password", tmp_path / "data" / "dbms" / "auth.ini"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_preparing_recovers_from_a_crash_while_the_password_was_written(tmp_path: Path) -> None:
    (tmp_path / ".password.new").write_text("half", encoding="ascii")
    assert credentials.prepare(tmp_path) != "half"
    assert not (tmp_path / ".password.new").exists()


def test_a_database_whose_password_is_missing_is_not_given_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "data" / "databases" / "system").mkdir(parents=True)
    with pytest.raises(EmbeddedNeo4jError, match="password is missing"):
        credentials.prepare(tmp_path)
    assert not (tmp_path / "password").exists()
