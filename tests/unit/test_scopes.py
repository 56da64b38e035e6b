"""Scopes and globs: what a glob selects, in Python and in the database, by an independent definition; and which modules parse them."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import semp
from hypothesis import example, given
from hypothesis import strategies as st
from semp.domain.errors import InvalidInput
from semp.domain.scopes import FEW, MAX_SCOPE, Glob, Globs, lineage_of, segments_of
from semp.storage.neo4j.rows import scope_parameters

from tests.strategies import selects

SEGMENTS = st.sampled_from(["a", "b", "ab", "a-b", "a_", "-", "0"])
scopes = st.lists(SEGMENTS, min_size=1, max_size=5).map(".".join)
globs = st.tuples(st.lists(st.one_of(SEGMENTS, st.just("*")), max_size=5), st.booleans()).map(
    lambda made: ".".join([*made[0], *(["**"] if made[1] or not made[0] else [])])
)


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("ui.login", ["ui.login"], ["ui", "ui.login.form", "uixlogin"]),
        ("ui.*", ["ui.login", "ui.a-b_c"], ["ui", "ui.login.form", "x.ui.login"]),
        ("ui.**", ["ui.login", "ui.login.form"], ["ui", "uix.login"]),
        ("ui.*.**", ["ui.login.form", "ui.a.b.c"], ["ui", "ui.login"]),
        ("*.login", ["ui.login", "api.login"], ["login", "ui.x.login"]),
        ("*.*.form", ["ui.login.form"], ["ui.login.x", "form", "ui.form"]),
        ("**", ["ui", "ui.login.form"], []),
        ("*", ["ui"], ["ui.login"]),
    ],
)
def test_a_glob_selects_segments(pattern: str, matching: list[str], other: list[str]) -> None:
    glob = Glob.parse(pattern)
    assert [scope for scope in matching + other if glob.matches(scope)] == matching
    assert [scope for scope in matching + other if selects(pattern, scope)] == matching
    assert all(scope.startswith(glob.prefix) for scope in matching)


@given(globs, scopes)
@example("*.b", "a.b")
@example("a.**", "a")
@example("a.*", "ab.a")
def test_a_glob_selects_what_its_definition_says_here_and_in_the_database(pattern: str, scope: str) -> None:
    glob = Glob.parse(pattern)
    expected = selects(pattern, scope)
    assert glob.matches(scope) == expected
    translated = scope_parameters(glob)
    assert (re.fullmatch(str(translated["pattern"]), scope) is not None) == expected
    assert not expected or scope.startswith(str(translated["prefix"]))
    assert glob.exact == (translated["prefix"] == pattern)


@given(scopes, scopes)
def test_a_scope_selects_itself_alone(scope: str, other: str) -> None:
    glob = Glob.parse(scope)
    assert glob.exact
    assert glob.matches(other) == (scope == other)
    assert glob.segments == tuple(segments_of(scope))


def test_globs_are_values() -> None:
    assert Glob.parse("ui.*") == Glob.parse("ui.*") != Glob.parse("ui.**")
    assert len({Glob.parse("ui.*"), Glob.parse("ui.*"), Glob.parse("ui.a")}) == 2


@given(st.lists(globs, max_size=FEW + 8), scopes)
@example(["a.*", "b", "*.b.c", "a.**", "b.**"], "a")
@example(["a.*", "b", "*.b.c", "a.**", "b.**"], "b.c.d.e.f")
def test_several_globs_match_what_one_of_them_matches(patterns: list[str], scope: str) -> None:
    together = Globs([Glob.parse(pattern) for pattern in patterns])
    assert together.matches(scope) == any(selects(pattern, scope) for pattern in patterns)


def test_the_steps_of_a_match_do_not_grow_with_the_number_of_globs() -> None:
    scope = ".".join(["a"] * 127 + ["b"])

    def steps(count: int) -> int:
        """Lines that a match runs. Every glob differs from the scope in its last segment alone."""
        wild = [".".join(["*" if number >> index & 1 else "a" for index in range(7)]) for number in range(count)]
        together = Globs([Glob.parse(".".join([begin, *["a"] * 121])) for begin in wild])
        assert not together.matches(scope)
        lines = 0

        def trace(_frame: FrameType, what: str, _argument: Any) -> Any:
            nonlocal lines
            lines += what == "line"
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            together.matches(scope)
        finally:
            sys.settrace(before)
        return lines

    assert steps(100) == steps(FEW + 1) < 128 * 4


@pytest.mark.parametrize("pattern", ["", "ui.", ".ui", "ui..x", "ui.**.x", "u*", "ui.x*", "a b", "ui\n", "ui.\x00", "***", "*" * 300])
def test_a_malformed_glob_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Glob.parse(pattern)
    assert [error.field for error in caught.value.fields] == ["scope"]


def test_the_longest_glob_is_accepted_and_one_more_character_is_refused() -> None:
    assert Glob.parse("x" * MAX_SCOPE).exact
    with pytest.raises(InvalidInput):
        Glob.parse("x" * (MAX_SCOPE + 1))


def test_the_lineage_of_a_scope_runs_from_the_outermost() -> None:
    assert list(lineage_of("a.b.c")) == [("a", None), ("a.b", "a"), ("a.b.c", "a.b")]


PARSERS = {"domain/scopes.py"}
OTHER_DOTS = {"api/security/hosts.py", "storage/neo4j/embedded/lockfile.py"}
"""Modules that split something else at dots: host names, and names of Maven groups."""


def parsing(source: str) -> Iterator[int]:
    """Numbers of the lines that compare with a wildcard or split at dots."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(
            isinstance(one, ast.Constant) and one.value in ("*", "**") for one in [node.left, *node.comparators]
        ):
            yield node.lineno
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args and isinstance(node.args[0], ast.Constant):
            at, what = node.args[0].value, node.func.attr
            if (what in ("split", "rsplit", "partition", "rpartition") and at in (".", "*")) or (
                what == "endswith" and at in ("*", "**", ".**")
            ):
                yield node.lineno


def test_scopes_and_globs_are_parsed_in_one_module() -> None:
    root = Path(semp.__file__).parent
    names = {path.relative_to(root).as_posix(): path for path in root.rglob("*.py")}
    found = {
        f"{name}:{line}" for name, path in names.items() if name not in PARSERS | OTHER_DOTS for line in parsing(path.read_text("utf-8"))
    }
    assert not found, f"use semp.domain.scopes there: {sorted(found)}"
    assert all(list(parsing(names[name].read_text("utf-8"))) for name in PARSERS), "the check does not even find the parsers"
