"""Scopes: dotted paths such as `ui.login`, their ancestors, and the globs that select them. Nothing else of the service parses either."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from semp.domain.errors import FieldError, InvalidInput

MAX_SCOPE = 256
"""Characters in a scope, at most."""
ANY = "*"
"""The segment of a glob that stands for any one segment."""

SEGMENT = "[A-Za-z0-9_-]+"
SCOPE_PATTERN = rf"^{SEGMENT}(\.{SEGMENT})*$"

_BELOW = "**"
_GLOB = re.compile(rf"({SEGMENT}|\*)(\.({SEGMENT}|\*))*(\.\*\*)?|\*\*")


def lineage_of(scope: str) -> Iterator[tuple[str, str | None]]:
    """The scope and each scope above it with its parent, from the outermost: `a.b` gives `(a, None)`, `(a.b, a)`."""
    parent: str | None = None
    end = scope.find(".")
    while end != -1:
        path = scope[:end]
        yield path, parent
        parent, end = path, scope.find(".", end + 1)
    yield scope, parent


def segments_of(scope: str) -> list[str]:
    """`a.b` gives `a` and `b`."""
    return scope.split(".")


@dataclass(frozen=True, slots=True)
class Glob:
    """A scope, or a pattern for scopes, parsed. Equal when the text is.

    `*` is exactly one segment; `**`, only at the end, is one segment or more: `ui.**` selects `ui.a` and `ui.a.b`, not `ui`.
    """

    text: str
    segments: tuple[str, ...] = field(compare=False, repr=False)
    """Without the `**`; `ANY` stands for any one segment."""
    below: bool = field(compare=False, repr=False)
    """Whether it goes on with `**`: then one segment or more follow."""
    prefix: str = field(compare=False, repr=False)
    """The literal text that every match starts with, for an index: `ui.*.x` gives `ui.`."""
    _fixed: tuple[tuple[int, str], ...] = field(compare=False, repr=False)
    """The literal segments after the first wildcard, each with its place."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a scope or a glob, of at most MAX_SCOPE characters.

        Raises:
            InvalidInput: it is neither; names the field `scope`.
        """
        if len(text) > MAX_SCOPE or _GLOB.fullmatch(text) is None:
            raise InvalidInput(FieldError("scope", "expected a scope such as ui.login, or a glob such as ui.* or ui.**"))
        segments = segments_of(text)
        below = segments[-1] == _BELOW
        if below:
            segments.pop()
        wild = segments.index(ANY) if ANY in segments else len(segments)
        fixed = tuple((place, segment) for place, segment in enumerate(segments) if place > wild and segment != ANY)
        return cls(text, tuple(segments), below, text.partition(ANY)[0], fixed)

    @property
    def exact(self) -> bool:
        """Whether it is a scope, and so selects nothing else."""
        return self.prefix == self.text

    def matches(self, scope: str) -> bool:
        """Whether it selects a scope, which must be a valid one."""
        prefix, segments = self.prefix, self.segments
        if prefix == self.text:
            return scope == prefix
        if not scope.startswith(prefix):
            return False
        dots = scope.count(".")
        if dots < len(segments) if self.below else dots != len(segments) - 1:
            return False
        if not self._fixed:
            return True
        found = segments_of(scope)
        return all(found[place] == segment for place, segment in self._fixed)
