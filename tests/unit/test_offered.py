"""Offered queries: how a header becomes a description, and how texts become values of the declared parameters."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import UNSET
from semp.domain.errors import InvalidInput
from semp.storage.offered import arguments, described
from semp.storage.queries import QueryFileError, load, parse

HEADER = """// What is it?
// mode: read
// param name: STRING  of it
// param many: INTEGER(1..10) = 3  at most
// param any: INTEGER = -1
// param least: INTEGER(0..) = 0
// param share: FLOAT(0..1) = 0.5
// param all: BOOLEAN = false  or some
// param scope: STRING = null
// returns a: STRING, b: LIST<LIST<ANY>>
RETURN $name + $many + $any + $least + $share + $all + $scope AS a, 1 AS b
"""
QUERY = described(parse("kind/what", HEADER))
DEFAULTS: dict[str, Any] = {"many": 3, "any": -1, "least": 0, "share": 0.5, "all": False, "scope": None}


def test_a_header_is_read_as_a_description() -> None:
    assert (QUERY.name, QUERY.purpose, QUERY.language) == ("kind/what", "What is it?", "cypher")
    assert [(column.name, column.type) for column in QUERY.columns] == [("a", "STRING"), ("b", "LIST<LIST<ANY>>")]
    name, many, *_, every, scope = QUERY.parameters
    assert (name.type, name.description, name.required, name.default) == ("STRING", "of it", True, UNSET)
    assert (many.description, many.required, many.default, many.minimum, many.maximum) == ("at most", False, 3, 1, 10)
    assert (every.type, every.description, every.default) == ("BOOLEAN", "or some", False)
    assert (scope.required, scope.default, scope.minimum) == (False, None, UNSET)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": "x"}, {}),
        ({"name": ""}, {}),
        ({"name": "5", "many": "10", "any": "-9223372036854775808"}, {"many": 10, "any": -(2**63)}),
        ({"name": "x", "many": "007"}, {"many": 7}),
        ({"name": "x", "share": "1"}, {"share": 1.0}),
        ({"name": "x", "share": "2.5e-1"}, {"share": 0.25}),
        ({"name": "x", "all": "true", "scope": "ui.**"}, {"all": True, "scope": "ui.**"}),
    ],
)
def test_texts_become_the_values_that_the_header_declares(given: dict[str, str], expected: dict[str, Any]) -> None:
    assert arguments(QUERY, given) == DEFAULTS | {"name": given["name"]} | expected


@pytest.mark.parametrize(
    ("given", "reasons"),
    [
        ({}, {"name": "required parameter is missing: text"}),
        ({"name": "x", "many": "11"}, {"many": "expected a whole number, 1 to 10"}),
        ({"name": "x", "many": "0"}, {"many": "expected a whole number, 1 to 10"}),
        ({"name": "x", "any": "9223372036854775808"}, {"any": "expected a whole number"}),
        ({"name": "x", "any": "1 "}, {"any": "expected a whole number"}),
        ({"name": "x", "any": "1_0"}, {"any": "expected a whole number"}),
        ({"name": "x", "any": "٣"}, {"any": "expected a whole number"}),
        ({"name": "x", "least": "-1"}, {"least": "expected a whole number, 0 or more"}),
        ({"name": "x", "share": "nan"}, {"share": "expected a number, 0 to 1"}),
        ({"name": "x", "share": "1.1"}, {"share": "expected a number, 0 to 1"}),
        ({"name": "x", "share": "1e999"}, {"share": "expected a number, 0 to 1"}),
        ({"name": "x", "all": "1"}, {"all": "expected true or false"}),
        (
            {"other": "1", "all": "yes"},
            {
                "other": "is no parameter of kind/what; there are: name, many, any, least, share, all, scope",
                "name": "required parameter is missing: text",
                "all": "expected true or false",
            },
        ),
    ],
)
def test_an_invalid_argument_is_refused_by_name_with_what_is_allowed(given: dict[str, str], reasons: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        arguments(QUERY, given)
    assert {error.field: error.reason for error in caught.value.fields} == reasons


@pytest.mark.parametrize(
    ("old", "new"),
    [("name: STRING", "name: LIST<STRING>"), ("name: STRING", "name"), ("(1..10)", "(one..ten)"), ("INTEGER(0..)", "NUMBER(0..)")],
)
def test_a_parameter_of_a_type_that_no_text_can_give_keeps_the_service_from_starting(old: str, new: str) -> None:
    assert old in HEADER
    with pytest.raises(QueryFileError, match="kind/what"):
        described(parse("kind/what", HEADER.replace(old, new)))


def test_an_offered_query_names_its_columns() -> None:
    with pytest.raises(QueryFileError, match="columns"):
        parse("kind/what", HEADER.replace("// returns a: STRING, b: LIST<LIST<ANY>>\n", ""))


def test_every_offered_query_of_this_project_is_described() -> None:
    assert [described(query).name for query in load().values() if query.offered]
