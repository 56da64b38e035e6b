"""Scopes and their globs."""

from __future__ import annotations

import re

import pytest
from semp.domain.scopes import glob_prefix, glob_regex, is_valid_glob, lineage_of


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("ui.login", ["ui.login"], ["ui", "ui.login.form", "uixlogin"]),
        ("ui.*", ["ui.login", "ui.a-b_c"], ["ui", "ui.login.form", "x.ui.login"]),
        ("ui.**", ["ui.login", "ui.login.form"], ["ui", "uix.login"]),
        ("*.login", ["ui.login", "api.login"], ["login", "ui.x.login"]),
        ("**", ["ui", "ui.login.form"], []),
        ("*", ["ui"], ["ui.login"]),
    ],
)
def test_a_glob_selects_segments(pattern: str, matching: list[str], other: list[str]) -> None:
    regex = re.compile(glob_regex(pattern))
    assert [scope for scope in matching + other if regex.fullmatch(scope)] == matching
    assert all(scope.startswith(glob_prefix(pattern)) for scope in matching)


@pytest.mark.parametrize("pattern", ["", "ui.", ".ui", "ui..x", "ui.**.x", "u*", "ui.x*", "a b", "ui\n", "*" * 300])
def test_a_malformed_glob_is_refused(pattern: str) -> None:
    assert not is_valid_glob(pattern)


def test_the_lineage_of_a_scope_runs_from_the_outermost() -> None:
    assert list(lineage_of("a.b.c")) == [("a", None), ("a.b", "a"), ("a.b.c", "a.b")]
