"""Many subscribers that resume at once: few pages are read at a time, and each subscriber gets all its events."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from semp.domain.interests import EVERYTHING
from semp.engine.live import history as history_module
from semp.engine.live import hub as hub_module
from semp.engine.live.history import missed
from semp.engine.live.hub import Hub
from semp.engine.records import EventFilter, Page

from tests.strategies import entry_of, new_draft


class SlowLog:
    """Pages of a log of 12 events. Each takes some turns of the loop."""

    def __init__(self) -> None:
        self.events = [entry_of(new_draft(number=position), position).event for position in range(1, 13)]
        self.reading = 0
        self.most = 0

    async def page(self, selection: EventFilter) -> Page:
        self.reading += 1
        self.most = max(self.most, self.reading)
        try:
            for _ in range(3):
                await asyncio.sleep(0)
            return Page.of([event for event in self.events if event.position > (selection.after or 0)][: selection.limit], selection.limit)
        finally:
            self.reading -= 1


async def test_subscribers_that_resume_at_once_take_turns_at_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "PAGE", 5)
    hub, log = Hub(12), SlowLog()

    async def resume() -> list[int]:
        spans: Any = missed(log, hub, EVERYTHING, 0)  # type: ignore[arg-type]
        return [entry.event.position async for span in spans for entry in span.entries]

    everyone = [asyncio.create_task(resume()) for _ in range(50)]
    leaving = [asyncio.create_task(resume()) for _ in range(20)]
    for _ in range(5):
        await asyncio.sleep(0)
    for task in leaving:
        task.cancel()
    assert await asyncio.gather(*everyone) == [list(range(1, 13))] * 50
    assert log.most == hub_module.READS
