"""How the pages of a mirror are asked for: each event once, and never far in one page."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from semp_sdk.mirror.mirror import LOOK, selected
from semp_sdk.mirror.selection import Head, Row, Selection


class Log:
    """A log with selected events at some positions. Notes the span of each page."""

    page_size = 10

    def __init__(self, positions: list[int], head: int) -> None:
        self.positions, self.position = positions, head
        self.asked: list[tuple[int, int]] = []

    async def head(self) -> Head:
        return Head("e", self.position)

    async def timestamp(self, position: int) -> str:
        raise NotImplementedError

    async def page(self, selection: Selection, after: int, last: int) -> list[Row]:
        self.asked.append((after, last))
        found = [position for position in self.positions if after < position <= last][: self.page_size]
        return [Row(str(at), "ready", "x", "t", "a", [], "2025-01-15T10:30:00.000Z", {}, at) for at in found]

    def lineage(self, event_id: str, last: int) -> AsyncGenerator[list[Row]]:
        raise NotImplementedError


@pytest.mark.parametrize(
    "positions",
    [[], [1], [LOOK, LOOK + 1], list(range(1, 31)), [*range(LOOK - 9, LOOK + 1)], list(range(7, 20 * LOOK, LOOK // 3)), [20 * LOOK]],
)
async def test_a_page_covers_few_positions_and_none_is_left_out(positions: list[int]) -> None:
    log = Log(positions, 20 * LOOK)
    found = [row.position async for rows in selected(log, Selection(scope="x"), log.position) for row in rows]
    assert found == positions
    assert all(last - after <= LOOK for after, last in log.asked)
    assert len(log.asked) <= 21 + len(positions) // 2
