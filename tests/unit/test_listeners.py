"""Listeners to the growth of the log: any number of them, called in order; one that fails does not affect the others."""

from __future__ import annotations

import asyncio
import logging

import pytest
from semp.domain.signals import Rules
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.listeners import Listeners
from semp.storage.memory.store import MemoryStore

from tests.strategies import new_draft


def test_each_is_called_once_in_the_order_they_were_added() -> None:
    listeners: Listeners[[int]] = Listeners()
    heard: list[tuple[str, int]] = []

    def first(number: int) -> None:
        heard.append(("first", number))

    listeners.add(first)
    listeners.add(lambda number: heard.append(("second", number)))
    listeners.add(first)
    listeners.notify(1)
    listeners.remove(first)
    listeners.remove(first)
    listeners.notify(2)
    assert heard == [("first", 1), ("second", 1), ("second", 2)]


async def test_one_that_fails_affects_neither_the_append_nor_the_others(caplog: pytest.LogCaptureFixture) -> None:
    environment = Environment(MemoryStore(), Rules())
    heard: list[int] = []

    def fails(_: object) -> None:
        raise ValueError("no")

    environment.growth.add(fails)  # before the environment's own, so that they come after it
    await environment.start()
    environment.growth.add(lambda entries: heard.extend(entry.event.position for entry in entries))
    try:
        with caplog.at_level(logging.ERROR):
            await asyncio.wait_for(environment.acting(OPEN).append([new_draft(), new_draft()], batch=True), 10)
        assert heard == [1, 2]
        assert environment.hub.head == 2
        assert "a listener failed" in caplog.text
    finally:
        await environment.halt()
