"""Finds the keys of signals by scope, glob and pattern, without looking at the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from semp.domain.scopes import ANY, Glob, child_of, parent_of
from semp.domain.signals import Key

FEW = 16
"""Texts that are kept as a tuple. It takes a fifth of the memory of a set, which counts when a million scopes have one signal each."""
MAX_SCOPES = 2_000
"""Scopes that one search looks at. A search that would need more gives up, because its caller holds the event loop meanwhile."""
MAX_KEYS = 100_000
"""Keys that one search returns."""

Keys = list[tuple[str, Collection[str]]]
"""Scopes, each with patterns."""


class Names:
    """Sets of texts by name. A name without texts takes no memory."""

    def __init__(self, texts: Mapping[str, Sequence[str]]) -> None:
        self._texts: dict[str, tuple[str, ...] | set[str]] = {
            name: tuple(some) if len(some) <= FEW else set(some) for name, some in texts.items()
        }

    def __contains__(self, name: str) -> bool:
        return name in self._texts

    def get(self, name: str) -> Collection[str]:
        """The texts of a name, in no particular order. Copy them before an await."""
        return self._texts.get(name, ())

    def add(self, name: str, text: str) -> None:
        """Add a text. Safe to repeat."""
        texts = self._texts.get(name, ())
        if isinstance(texts, set):
            texts.add(text)
        elif text not in texts:
            self._texts[name] = (*texts, text) if len(texts) < FEW else {*texts, text}

    def discard(self, name: str, text: str) -> None:
        """Remove a text. Safe to repeat."""
        texts = self._texts.get(name, ())
        if isinstance(texts, set):
            texts.discard(text)
        else:
            self._texts[name] = texts = tuple([other for other in texts if other != text])
        if not texts:
            del self._texts[name]


class ScopeIndex:
    """The keys of all signals: patterns by scope, scopes by pattern, and the scopes directly below each scope. `keys`: each once."""

    def __init__(self, keys: Iterable[Key]) -> None:
        patterns, scopes = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
        for scope, pattern in keys:
            patterns[scope].append(pattern)
            scopes[pattern].append(scope)
        self._patterns = Names(patterns)
        self._scopes = Names(scopes)
        self._below = Names({})
        """By scope, "" for the top: the scopes one segment longer that have signals, or that have such scopes below them."""
        for scope in patterns:
            self._link(scope, known=False)

    def add(self, key: Key) -> None:
        """Add a key. Safe to repeat."""
        scope, pattern = key
        known = self._has(scope)
        self._patterns.add(scope, pattern)
        self._scopes.add(pattern, scope)
        self._link(scope, known=known)

    def _link(self, scope: str, *, known: bool) -> None:
        """Enter a scope below its parent, unless it is known, and its parent below its own, and so on."""
        while not known and scope:
            parent = parent_of(scope)
            known = parent in self._below
            self._below.add(parent, scope)
            scope = parent

    def discard(self, key: Key) -> None:
        """Remove a key. Safe to repeat."""
        scope, pattern = key
        self._patterns.discard(scope, pattern)
        self._scopes.discard(pattern, scope)
        while scope and not self._has(scope):
            parent = parent_of(scope)
            self._below.discard(parent, scope)
            scope = parent

    def _has(self, scope: str) -> bool:
        return scope in self._patterns or scope in self._below

    def find(self, glob: Glob | None, pattern: str | None) -> Keys | None:
        """The keys of the signals in these scopes and with this pattern, None: any. Other signals are not looked at.

        Returns:
            The keys, or None when the search would look at more than MAX_SCOPES scopes or find more than MAX_KEYS keys.
        """
        if pattern is not None and len(scopes := self._scopes.get(pattern)) <= MAX_SCOPES:
            return [(scope, (pattern,)) for scope in scopes if glob is None or glob.matches(scope)]
        if glob is None or (found := self._matching(glob)) is None:
            return None
        if pattern is not None:
            return [(scope, (pattern,)) for scope in found if pattern in self._patterns.get(scope)]
        if sum([len(self._patterns.get(scope)) for scope in found]) > MAX_KEYS:
            return None
        return [(scope, list(self._patterns.get(scope))) for scope in found]

    def _matching(self, glob: Glob) -> list[str] | None:
        """The scopes with signals that match, None when more than MAX_SCOPES would have to be looked at."""
        if glob.exact:
            return [glob.text]
        level, seen = [""], 0
        for segment in glob.segments:
            if segment == ANY:
                seen += sum([len(self._below.get(scope)) for scope in level])
                if seen > MAX_SCOPES:
                    return None
                level = [child for scope in level for child in self._below.get(scope)]
            else:
                level = [child_of(scope, segment) for scope in level]
        if not glob.below:
            return level
        found: list[str] = []
        for scope in self._all_below(level):
            found.append(scope)
            if seen + len(found) > MAX_SCOPES:
                return None
        return found

    def _all_below(self, scopes: list[str]) -> Iterator[str]:
        waiting = scopes.copy()
        while waiting:
            for scope in self._below.get(waiting.pop()):
                yield scope
                if scope in self._below:
                    waiting.append(scope)
