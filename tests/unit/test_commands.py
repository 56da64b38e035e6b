"""What the commands of one WebSocket leave to the others: turns of the event loop, and time between subscribes."""

from __future__ import annotations

import asyncio
from typing import Any

from semp.api.live.commands import SUBSCRIBE_INTERVAL, SUBSCRIBES_AT_ONCE, TURN, Commands, Pace
from semp.engine.pace import Pace as TurnPace

from tests.waiting import turns_of


class Wire:
    """A connection that always has room."""

    def __init__(self) -> None:
        self.writable = asyncio.Event()
        self.writable.set()
        self.answers = 0

    def write(self, frames: bytes) -> None:
        self.answers += 1


class Subscriber:
    """A subscriber that follows nothing."""

    gate: Any = None
    position = 0

    def __init__(self) -> None:
        self.wire = Wire()


async def test_other_connections_get_their_turn_while_one_has_many_commands() -> None:
    subscriber = Subscriber()
    commands = Commands(subscriber)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    async def many() -> None:
        for _ in range(10 * TURN):
            await commands.handle('{"type":"ping"}')

    _, turns = await turns_of(many)
    assert subscriber.wire.answers == 10 * TURN
    assert turns >= 10


async def test_many_connections_that_subscribe_at_once_leave_turns_to_others() -> None:
    carried_out: list[object] = []

    class Following(Subscriber):
        def __init__(self) -> None:
            super().__init__()
            self.gate = gate

        async def follow(self, request: object) -> Subscriber:
            carried_out.append(request)
            return self

        def stop(self) -> None: ...

        def start(self, follow: object) -> None: ...

    class Gate:
        pace = TurnPace()

    gate = Gate()
    many = [Commands(Following()) for _ in range(100)]  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    subscribing = asyncio.gather(*[commands.handle('{"type":"subscribe"}') for commands in many])
    most = 0
    while not subscribing.done():
        before = len(carried_out)
        await asyncio.sleep(0)
        most = max(most, len(carried_out) - before)
    assert len(carried_out) == 100
    assert most <= 2


def test_subscribes_wait_once_there_are_too_many_at_a_time() -> None:
    pace = Pace()
    assert [round(pace.delay(1000.0), 6) for _ in range(SUBSCRIBES_AT_ONCE)] == [0.0] * SUBSCRIBES_AT_ONCE
    now, total = 1000.0, 0.0
    for _ in range(50):
        waited = pace.delay(now)
        now, total = now + waited, total + waited
    assert abs(total - 50 * SUBSCRIBE_INTERVAL) < 0.001
    assert pace.delay(now + 3600) == 0.0
