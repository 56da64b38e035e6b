"""The loader of `cypher/`: every file has a correct header and is used."""

from __future__ import annotations

import re

import pytest
from semp.storage import queries
from semp.storage.neo4j.store import USED
from semp.storage.queries import QueryFileError, Span, check, load, parse

GOOD = """// What it is for,
// in two lines.
// mode: read
// bound depth: 50  hops
// param id: STRING  an id
// param limit: INTEGER
// returns a: STRING, b: LIST<LIST<STRING>>
MATCH (n {id: $id})-[:PARENT*1..50]->(a)
RETURN a, 1 AS b LIMIT $limit
"""


SPANNED = """// What it is for.
// mode: read
// span: 10000 events
// param id: STRING
// param after: INTEGER = null
// param until: INTEGER = null
// returns a: STRING
MATCH (n {id: $id}) WHERE n.position > $after AND n.position <= $until RETURN n.a AS a
"""


def test_a_file_is_read_with_its_header() -> None:
    query = parse("name", GOOD)
    assert (query.name, query.mode, query.bound, query.returns) == ("name", "read", 50, ("a", "b"))
    assert query.purpose == "What it is for, in two lines."
    assert query.params == {"id": "STRING  an id", "limit": "INTEGER"}
    assert query.text.startswith("MATCH (n {id: $id})")


@pytest.mark.parametrize(
    ("what", "old", "new"),
    [
        ("no mode", "// mode: read\n", ""),
        ("two modes", "// mode: read\n", "// mode: read\n// mode: write\n"),
        ("unknown mode", "mode: read", "mode: maybe"),
        ("no purpose", "// What it is for,\n// in two lines.\n", ""),
        ("undeclared parameter", "// param id: STRING  an id\n", ""),
        ("unused parameter", "// mode: read\n", "// mode: read\n// param more: STRING\n"),
        ("misspelt parameter", "$limit", "$limits"),
        ("bound that is not in the text", "*1..50", "*1..51"),
    ],
)
def test_a_file_that_does_not_fit_its_header_is_refused(what: str, old: str, new: str) -> None:
    assert old in GOOD
    with pytest.raises(QueryFileError, match="cypher/name"):
        parse("name", GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("declared", "span"),
    [
        ("10000 events", Span(10_000)),
        ("1000 of type reward", Span(1_000, type="reward")),
        ("5 of trace $id", Span(5, trace="id")),
        ("5 of signal $id", Span(5, signal="id")),
    ],
)
def test_a_span_says_what_is_looked_at_and_ten_times_as_much_from_a_given_position(declared: str, span: Span) -> None:
    found = parse("kind/name", SPANNED.replace("10000 events", declared)).span
    assert found is not None
    assert found == span
    assert (found.look(None), found.look(0)) == (span.events, 10 * span.events)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("10000 events", "all events"),
        ("10000 events", "10 of trace $other"),
        ("10000 events", "10 events\n// span: 20 events"),
        ("$after", "0"),
    ],
)
def test_a_span_that_cannot_be_understood_or_given_is_refused(old: str, new: str) -> None:
    source = SPANNED.replace(old, new) if old != "$after" else SPANNED.replace("// param after: INTEGER = null\n", "").replace(old, new)
    with pytest.raises(QueryFileError, match="span"):
        parse("kind/name", source)


def test_another_bound_replaces_only_the_bound() -> None:
    query = parse("name", GOOD)
    assert "*1..3]" in query.bounded(3)
    assert "*1..]" in query.bounded(None)
    assert query.bounded(50) == query.text


@pytest.mark.parametrize("depth", [0, -1])
def test_a_bound_below_one_is_refused(depth: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        parse("name", GOOD).bounded(depth)


def test_a_query_without_a_bound_takes_none() -> None:
    with pytest.raises(ValueError, match="declares no bound"):
        parse("name", "// p\n// mode: read\nRETURN 1").bounded(3)


def test_a_missing_and_an_unused_file_are_named() -> None:
    there = set(USED) | {"schema/01_x"}
    check(there, USED)
    with pytest.raises(QueryFileError, match=r"missing.*: append$"):
        check(there - {"append"}, USED)
    with pytest.raises(QueryFileError, match=r"unused.*: dead$"):
        check(there | {"dead"}, USED)


def test_every_file_of_this_project_is_read_and_used() -> None:
    check(load(), USED)
    assert all(query.purpose and query.text for query in load().values())


def test_every_header_is_right_about_writing_and_about_the_returned_columns() -> None:
    for query in load().values():
        if query.mode == "schema":
            continue
        writes = re.search(r"\b(SET|CREATE|MERGE|DELETE|REMOVE)\b", query.text) is not None
        assert (query.mode == "write") == writes, query.name
        last = query.text.rpartition("RETURN")[2] if "RETURN" in query.text else ""
        for column in query.returns:
            assert re.search(rf"\b{column}\b", last), (query.name, column)
        assert bool(query.returns) == bool(last), query.name


def test_no_text_is_glued_into_a_query() -> None:
    for query in load().values():
        assert not re.search(r"[{]\w+[}]|%s|%\(", query.text), query.name


def test_the_directory_is_found() -> None:
    assert (queries.directory() / "append.cypher").is_file()


def test_every_index_that_is_no_constraint_is_named_by_a_query() -> None:
    """An index costs each append something. One that no query names can go."""
    texts = load()
    created = [query.text for query in texts.values() if query.mode == "schema" and query.text.startswith("CREATE INDEX")]
    columns = [re.sub(r"\w+\.", "", text.rpartition(" ON ")[2]) for text in created]
    named = {found for query in texts.values() for found in re.findall(r"USING INDEX (?:SEEK )?\w+:\w+(\([\w, ]+\))", query.text)}
    assert len(columns) >= 7
    assert [index for index in columns if index not in named] == []
