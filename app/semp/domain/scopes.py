"""Scopes: dotted paths such as `ui.login`, their ancestors, and the globs that match them. No other module parses scopes or globs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from semp.domain.errors import FieldError, InvalidInput

MAX_SCOPE = 256
"""Characters in a scope, at most."""
ANY = "*"
"""The segment of a glob that matches any one segment of a scope."""
FEW = 2
"""Alternatives that are compared one by one, at most. For more, `Globs` compares all at once."""

SEGMENT = "[A-Za-z0-9_-]+"
SCOPE_PATTERN = rf"^{SEGMENT}(\.{SEGMENT})*$"

_BELOW = "**"
_GLOB = re.compile(rf"({SEGMENT}|\*)(\.({SEGMENT}|\*))*(\.\*\*)?|\*\*")


def lineage_of(scope: str) -> Iterator[tuple[str, str | None]]:
    """The scope and all scopes above it, outermost first, each with its parent: `a.b` gives `(a, None)`, `(a.b, a)`."""
    parent: str | None = None
    end = scope.find(".")
    while end != -1:
        path = scope[:end]
        yield path, parent
        parent, end = path, scope.find(".", end + 1)
    yield scope, parent


def parent_of(scope: str) -> str:
    """The scope above: `a.b.c` gives `a.b`, and a scope of one segment gives ""."""
    return scope.rpartition(".")[0]


def child_of(scope: str, segment: str) -> str:
    """The scope one segment below; "" and `a` give `a`."""
    return f"{scope}.{segment}" if scope else segment


def segments_of(scope: str) -> list[str]:
    """`a.b` gives `a` and `b`."""
    return scope.split(".")


@dataclass(frozen=True, slots=True)
class Glob:
    """A parsed scope, or a parsed pattern for scopes. Two globs are equal when their texts are.

    `*` matches exactly one segment. `**` is allowed only at the end and matches one segment or more: `ui.**` matches `ui.a` and
    `ui.a.b`, but not `ui`.
    """

    text: str
    segments: tuple[str, ...] = field(compare=False, repr=False)
    """The segments without a final `**`."""
    below: bool = field(compare=False, repr=False)
    """Whether it ends with `**`."""
    prefix: str = field(compare=False, repr=False)
    """The literal text that every match starts with, for look-ups in an index: `ui.*.x` gives `ui.`."""
    _fixed: tuple[tuple[int, str], ...] = field(compare=False, repr=False)
    """The literal segments after the first wildcard, each with its index in `segments`."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a scope or a glob.

        Raises:
            InvalidInput: the text is neither, or has more than MAX_SCOPE characters. The field in the error is `scope`.
        """
        if len(text) > MAX_SCOPE or _GLOB.fullmatch(text) is None:
            raise InvalidInput(FieldError("scope", "expected a scope such as ui.login, or a glob such as ui.* or ui.**"))
        segments = segments_of(text)
        below = segments[-1] == _BELOW
        if below:
            segments.pop()
        wild = segments.index(ANY) if ANY in segments else len(segments)
        fixed = tuple((index, segment) for index, segment in enumerate(segments) if index > wild and segment != ANY)
        return cls(text, tuple(segments), below, text.partition(ANY)[0], fixed)

    @property
    def exact(self) -> bool:
        """Whether it is a scope without wildcards, and so matches nothing but itself."""
        return self.prefix == self.text

    @property
    def selects_all(self) -> bool:
        """Whether it selects every scope."""
        return self.text == _BELOW

    def matches(self, scope: str) -> bool:
        """Whether it matches a scope. The scope must be valid; this is not checked."""
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
        scope_segments = segments_of(scope)
        return all(scope_segments[index] == segment for index, segment in self._fixed)


class Globs(tuple[Glob, ...]):
    """Globs that are alternatives. The time of a match grows with the segments of the scope, not with the number of globs.

    A glob is one bit of a number. For each segment of the scope, the globs that accept it there stay set; what is set after the last
    segment matches. It equals a tuple of the same globs.
    """

    def matches(self, scope: str) -> bool:
        """Whether one of the globs matches a scope. The scope must be valid; this is not checked."""
        if len(self) <= FEW:
            return any(glob.matches(scope) for glob in self)
        segments = segments_of(scope)
        alive = self._endless if len(segments) > len(self._at) else self._lengths[len(segments)]
        for segment, (literal, others) in zip(segments, self._at, strict=False):
            alive &= literal.get(segment, 0) | others
            if not alive:
                return False
        return alive != 0

    @cached_property
    def _at(self) -> list[tuple[dict[str, int], int]]:
        """For each index of a segment: the globs that want one segment there, by segment, and those that accept every one."""
        longest = max([len(glob.segments) for glob in self])
        found: list[tuple[dict[str, int], int]] = []
        for index in range(longest):
            literal: dict[str, int] = {}
            others = 0
            for number, glob in enumerate(self):
                segment = glob.segments[index] if index < len(glob.segments) else ANY
                if segment == ANY:
                    others |= 1 << number
                else:
                    literal[segment] = literal.get(segment, 0) | 1 << number
            found.append((literal, others))
        return found

    @cached_property
    def _lengths(self) -> list[int]:
        """The globs that match scopes of so many segments, by number of segments, up to the longest glob."""
        return [sum([1 << number for number, glob in enumerate(self) if _fits(glob, count)]) for count in range(len(self._at) + 1)]

    @cached_property
    def _endless(self) -> int:
        """The globs that match scopes of more segments than the longest glob has."""
        return sum([1 << number for number, glob in enumerate(self) if glob.below])


def _fits(glob: Glob, count: int) -> bool:
    """Whether it can match a scope of so many segments."""
    return len(glob.segments) < count if glob.below else len(glob.segments) == count
