"""Lock files: which are accepted, which are refused, and what the committed ones contain."""

import re

import pytest
from semp.storage.neo4j.embedded import DEFAULT_VERSION, EmbeddedNeo4jError, lockfile

SHA = "ab" * 32


def test_a_lock_is_read_back_as_it_was_rendered() -> None:
    jars = lockfile.parse(f"# a comment\n\norg.b:two:1.0:linux-x86_64 {SHA}\norg.a:one:1 {SHA}  # why\n")
    assert [jar.coordinate for jar in jars] == ["org.b:two:1.0:linux-x86_64", "org.a:one:1"]
    assert lockfile.parse(lockfile.render("1", list(jars))) == tuple(sorted(jars))


def test_a_jar_has_the_path_that_maven_gives_it() -> None:
    plain, classified = lockfile.parse(f"org.a.b:one:1.2 {SHA}\norg.a:two:3:osx-aarch_64 {SHA}")
    assert plain.path.as_posix() == "org/a/b/one/1.2/one-1.2.jar"
    assert classified.path.as_posix() == "org/a/two/3/two-3-osx-aarch_64.jar"


@pytest.mark.parametrize(
    "line",
    [
        "org.a:one:1",
        f"org.a:one {SHA}",
        f"org.a:one:1 {SHA[:-1]}",
        f"org.a:one:1 {SHA.upper()}",
        f"org.a:one:.. {SHA}",
        f"org.a:../one:1 {SHA}",
        f"org.a:one:1:c:d {SHA}",
        f"org.a::1 {SHA}",
    ],
)
def test_a_malformed_line_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(EmbeddedNeo4jError, match="line 2"):
        lockfile.parse(f"org.z:fine:1 {SHA}\n{line}\n")


def test_a_coordinate_that_comes_twice_is_refused() -> None:
    with pytest.raises(EmbeddedNeo4jError, match="listed twice"):
        lockfile.parse(f"org.a:one:1 {SHA}\norg.a:one:1 {'cd' * 32}")


def test_an_empty_lock_is_refused() -> None:
    with pytest.raises(EmbeddedNeo4jError, match="no jar"):
        lockfile.parse("# nothing\n")


def test_a_version_without_a_lock_names_those_that_have_one() -> None:
    with pytest.raises(EmbeddedNeo4jError, match=re.escape(DEFAULT_VERSION)):
        lockfile.load("1.0.0")


@pytest.mark.parametrize("version", lockfile.available())
def test_the_committed_locks_hold_a_server_and_no_address(version: str) -> None:
    jars = {(jar.group, jar.artifact): jar for jar in lockfile.load(version)}
    assert jars["org.neo4j", "neo4j"].version == version
    assert jars["org.neo4j.app", "neo4j-server"].version == version
    assert "//" not in (lockfile.LOCKS / f"neo4j-{version}.lock").read_text(encoding="utf-8")
