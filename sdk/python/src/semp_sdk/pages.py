"""Answers that come in pages: one page when awaited, everything when iterated over."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Sequence
from typing import Generic, TypeVar

from semp_sdk.transport import Answer

P = TypeVar("P", covariant=True)
T = TypeVar("T", covariant=True)
LARGEST = 1_000
"""Largest page size, except for a trace's graph."""


class Pages(Generic[P, T]):
    """The request is sent when the object is used. It may be used more than once; each use sends new requests.

    `await found` gives the first page, `async for item in found` every item of every page, `async for page in found.pages()` every page.
    No item is missing or repeated when events are committed meanwhile. Raises the errors of any request, and `NotFound` when the event,
    node or trace does not exist.
    """

    def __init__(
        self,
        ask: Callable[[str], Awaitable[Answer]],
        target: Callable[[int], str],
        read: Callable[[bytes], P],
        items: Callable[[P], Sequence[T]],
        limit: int | None,
        usual: int = 100,
        largest: int = LARGEST,
    ) -> None:
        """`target(limit)` gives the first page's path and query. Without `limit`, a single page has the `usual` size, and iteration uses
        pages of the `largest` size.
        """
        self._ask = ask
        self._target = target
        self._read = read
        self._items = items
        self._limit = limit
        self._usual = usual
        self._largest = largest

    def __await__(self) -> Generator[None, None, P]:
        return self._first().__await__()

    def __aiter__(self) -> AsyncIterator[T]:
        return self._each()

    async def pages(self) -> AsyncGenerator[P]:
        """Each page, following the `Link` headers to the last."""
        target: str | None = self._target(self._largest if self._limit is None else self._limit)
        while target is not None:
            answer = await self._ask(target)
            yield self._read(answer.body)
            target = answer.following

    async def _first(self) -> P:
        return self._read((await self._ask(self._target(self._usual if self._limit is None else self._limit))).body)

    async def _each(self) -> AsyncGenerator[T]:
        async for page in self.pages():
            for item in self._items(page):
                yield item
