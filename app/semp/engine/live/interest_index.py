"""Finds the subscribers that may want an event, by the event's fields. The cost does not grow with the number of interests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from semp.domain.events import Event
from semp.domain.interests import Interest
from semp.domain.scopes import ANY, Glob, segments_of

S = TypeVar("S")
INDEXED = 8
"""Segments of a glob that the tree compares, at most. Without this bound, a hundred globs of a hundred wildcards each would cost every
event thousands of look-ups."""


class _Branch(Generic[S]):
    """A node of the tree of globs. Each edge is a segment."""

    __slots__ = ("below", "children", "here")

    def __init__(self) -> None:
        self.children: dict[str, _Branch[S]] = {}
        """By segment. The key `ANY` matches every segment."""
        self.here: dict[S, None] = {}
        """Subscribers whose glob ends here."""
        self.below: dict[S, None] = {}
        """Subscribers whose glob ends here with `**`, or is longer than INDEXED segments."""

    @property
    def empty(self) -> bool:
        return not (self.children or self.here or self.below)


class ScopeTree(Generic[S]):
    """A tree of globs by their first INDEXED segments. A longer glob is compared only that far.

    A look-up visits the branches that match: 2 ** INDEXED in the worst case, in practice a few.
    """

    def __init__(self) -> None:
        self._root: _Branch[S] = _Branch()

    def add(self, glob: Glob, subscriber: S) -> None:
        branch = self._root
        for segment in glob.segments[:INDEXED]:
            branch = branch.children.setdefault(segment, _Branch())
        (branch.below if _goes_on(glob) else branch.here)[subscriber] = None

    def discard(self, glob: Glob, subscriber: S) -> None:
        trail: list[tuple[_Branch[S], str]] = []
        branch = self._root
        for segment in glob.segments[:INDEXED]:
            trail.append((branch, segment))
            if (child := branch.children.get(segment)) is None:
                return
            branch = child
        (branch.below if _goes_on(glob) else branch.here).pop(subscriber, None)
        for above, segment in reversed(trail):
            if not above.children[segment].empty:
                return
            del above.children[segment]

    @property
    def empty(self) -> bool:
        return self._root.empty

    def find(self, scope: str) -> Iterator[S]:
        """Subscribers with a glob that may match the scope. None that matches is missing; one subscriber can come more than once."""
        front = [self._root]
        for segment in segments_of(scope):
            for branch in front:
                yield from branch.below
            front = [child for branch in front for key in (segment, ANY) if (child := branch.children.get(key)) is not None]
            if not front:
                return
        for branch in front:
            yield from branch.here


def _goes_on(glob: Glob) -> bool:
    return glob.below or len(glob.segments) > INDEXED


class InterestIndex(Generic[S]):
    """Lists each subscriber under the values of one field of its interest, the most selective one. The caller checks the other fields."""

    def __init__(self) -> None:
        self._scopes: ScopeTree[S] = ScopeTree()
        self._values: dict[tuple[str, str], dict[S, None]] = {}

    def add(self, subscriber: S, interest: Interest, *, by_scope: bool) -> None:
        """List a subscriber. Its interest must have at least one field.

        Args:
            by_scope: list it under its scopes, whatever other fields its interest has.
        """
        if by_scope or self._field(interest) == "scope":
            for glob in interest.scopes:
                self._scopes.add(glob, subscriber)
            return
        for key in self._keys(interest):
            self._values.setdefault(key, {})[subscriber] = None

    def discard(self, subscriber: S, interest: Interest, *, by_scope: bool) -> None:
        """Remove a subscriber, with the same arguments as in `add`."""
        if by_scope or self._field(interest) == "scope":
            for glob in interest.scopes:
                self._scopes.discard(glob, subscriber)
            return
        for key in self._keys(interest):
            subscribers = self._values.get(key, {})
            subscribers.pop(subscriber, None)
            if not subscribers:
                self._values.pop(key, None)

    def find(self, event: Event, scopes: Iterable[str]) -> Iterator[S]:
        """Subscribers that may want the event, or a signal in one of these scopes. One subscriber can come more than once."""
        for scope in scopes:
            yield from self._scopes.find(scope)
        for key in (("trace_id", event.trace_id), ("agent_id", event.agent_id), ("type", event.type)):
            if (subscribers := self._values.get(key)) is not None:
                yield from subscribers

    @property
    def empty(self) -> bool:
        """Whether it lists no subscriber."""
        return not self._values and self._scopes.empty

    @staticmethod
    def _field(interest: Interest) -> str:
        if interest.trace_ids:
            return "trace_id"
        if interest.agent_ids:
            return "agent_id"
        return "scope" if interest.scopes else "type"

    def _keys(self, interest: Interest) -> list[tuple[str, str]]:
        field = self._field(interest)
        values = {"trace_id": interest.trace_ids, "agent_id": interest.agent_ids, "type": interest.types}[field]
        return [(field, value) for value in values]
