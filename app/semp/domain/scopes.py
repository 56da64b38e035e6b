"""Scopes: dotted paths such as `ui.login`, their ancestors, and the globs that select them."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_SCOPE = 256
"""Characters in a scope, at most."""

SEGMENT = "[A-Za-z0-9_-]+"
SCOPE_PATTERN = rf"^{SEGMENT}(\.{SEGMENT})*$"
GLOB_PATTERN = rf"^({SEGMENT}|\*)(\.({SEGMENT}|\*))*(\.\*\*)?$|^\*\*$"

_GLOB = re.compile(GLOB_PATTERN)


def lineage_of(scope: str) -> Iterator[tuple[str, str | None]]:
    """The scope and each scope above it with its parent, from the outermost: `a.b` gives `(a, None)`, `(a.b, a)`."""
    parent: str | None = None
    end = scope.find(".")
    while end != -1:
        path = scope[:end]
        yield path, parent
        parent, end = path, scope.find(".", end + 1)
    yield scope, parent


def is_glob(pattern: str) -> bool:
    """Whether the pattern selects by wildcard rather than by equality."""
    return "*" in pattern


def is_valid_glob(pattern: str) -> bool:
    """Whether it is a scope, or one with `*` for whole segments and at most one `**`, at the end."""
    return len(pattern) <= MAX_SCOPE and _GLOB.fullmatch(pattern) is not None


def glob_prefix(pattern: str) -> str:
    """The literal text every match starts with, for an index seek: `ui.*.x` gives `ui.`."""
    return pattern[: pattern.index("*")] if "*" in pattern else pattern


def glob_regex(pattern: str) -> str:
    """The glob as a regular expression that Python and Cypher (`=~`, whole string) read alike.

    `*` is exactly one segment; `**`, only at the end, is one segment or more: `ui.**` selects `ui.a` and `ui.a.b`, not `ui`.
    """
    many = rf"{SEGMENT}(\.{SEGMENT})*"
    parts = [many if part == "**" else SEGMENT if part == "*" else re.escape(part) for part in pattern.split(".")]
    return r"\.".join(parts)
