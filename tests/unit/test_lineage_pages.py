"""Pages of open proposals and of paths are searched for while their events are counted, not afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from semp.domain.errors import QueryTooLarge
from semp.engine.lineage import Asked, connecting, still_open
from semp.engine.records import Counted, LineageFilter, Relative


class Counting:
    """A store whose counts end only when a page was asked for."""

    def __init__(self, counted: Counted | None) -> None:
        self.counted = counted
        self.counts = self.pages = 0
        self.searched = asyncio.Event()

    async def count(self, *_: Any) -> Counted | None:
        self.counts += 1
        await asyncio.wait_for(self.searched.wait(), 5)
        return self.counted

    async def page(self, *_: Any) -> list[Relative]:
        self.pages += 1
        self.searched.set()
        return []

    count_open = count_between = count
    nearest_open = between = page


async def test_open_proposals_are_counted_beside_their_page_and_not_again_for_later_pages() -> None:
    store: Any = Counting(Counted(7))
    assert await still_open(store, "x", LineageFilter(), Asked()) == ([], Counted(7))
    assert await still_open(store, "x", LineageFilter(), Asked(Counted(7))) == ([], Counted(7))
    assert (store.counts, store.pages) == (1, 2)
    assert await still_open(store, "x", LineageFilter(limit=0), Asked()) == ([], Counted(7))
    assert (store.counts, store.pages) == (2, 2)


async def test_what_is_open_below_an_event_with_too_many_descendants_or_an_unknown_one_is_not_answered() -> None:
    too_many: Any = Counting(Counted(7, complete=False))
    with pytest.raises(QueryTooLarge):
        await still_open(too_many, "x", LineageFilter(), Asked())
    unknown: Any = Counting(None)
    assert await still_open(unknown, "x", LineageFilter(), Asked()) == ([], None)


async def test_paths_are_counted_beside_their_page() -> None:
    store: Any = Counting(Counted(3))
    assert await connecting(store, "x", "y", LineageFilter()) == ([], Counted(3))
    assert await connecting(store, "x", "y", LineageFilter(limit=0)) == ([], Counted(3))
    assert (store.counts, store.pages) == (2, 1)
