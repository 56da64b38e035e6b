"""The log's time after the machine's clock was wrong: it never runs backwards, it keeps real speed, and reads by time stay correct."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from semp.domain.clock import from_text, to_text
from semp.domain.events import Draft
from semp.domain.signals import Rules
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.log_clock import MAX_SHIFTS, TOLERANCE_MS
from semp.engine.ports import Storage
from semp.storage.memory.store import MemoryStore

from tests.strategies import BEGIN, live_signals, new_draft

YEAR = 365 * 24 * 3_600_000
MINUTE = 60_000


class Machine:
    """The two clocks of a machine, in milliseconds: the wall clock, which can be set, and the time since it was started."""

    def __init__(self) -> None:
        self.wall = BEGIN
        self.up = 0

    def passes(self, milliseconds: int) -> None:
        self.wall += milliseconds
        self.up += milliseconds


@asynccontextmanager
async def replica(store: Storage, machine: Machine) -> AsyncGenerator[Environment]:
    environment = Environment(
        store, Rules(), clock=lambda: machine.wall, elapsed=lambda: machine.up, sweep_interval=3600, poll_interval=0.01
    )
    await environment.start()
    try:
        yield environment
    finally:
        await environment.halt()


def proposal(number: int) -> Draft:
    return new_draft("proposal", number=number, action="a")


async def append(environment: Environment, number: int) -> int:
    """Append an event; its timestamp, milliseconds."""
    [recorded] = await environment.acting(OPEN).append([proposal(number)])
    return from_text(recorded.event.timestamp)


async def strength(environment: Environment) -> float:
    [found] = await live_signals(environment)
    return found.strength


async def jumped(environment: Environment, machine: Machine, ahead: int) -> None:
    """Append an event, and one while the clock is `ahead` by so many milliseconds; then set the clock right."""
    await append(environment, 1)
    machine.passes(MINUTE)
    machine.wall += ahead
    await append(environment, 2)
    machine.passes(5_000)
    machine.wall -= ahead


@pytest.mark.parametrize("ahead", [10_000, 3_600_000, YEAR])
async def test_after_a_jump_ahead_that_was_corrected_decay_goes_on_at_real_speed(ahead: int) -> None:
    machine = Machine()
    async with replica(MemoryStore(), machine) as environment:
        await jumped(environment, machine, ahead)
        before = await strength(environment)
        machine.passes(MINUTE)
        assert await strength(environment) == pytest.approx(before * 0.95)
        machine.passes(MINUTE)
        assert await strength(environment) == pytest.approx(before * 0.95**2)


async def test_timestamps_after_a_corrected_jump_are_as_far_apart_as_the_events() -> None:
    machine = Machine()
    async with replica(MemoryStore(), machine) as environment:
        await jumped(environment, machine, YEAR)
        first = await append(environment, 3)
        machine.passes(1_234)
        second = await append(environment, 4)
        assert first >= BEGIN + MINUTE + YEAR
        assert second - first == 1_234


async def test_a_read_by_wall_clock_time_finds_the_events_up_to_then() -> None:
    machine = Machine()
    async with replica(MemoryStore(), machine) as environment:
        await jumped(environment, machine, YEAR)
        assert (await environment.field.moment(to_text(machine.wall))).position == 2  # also before the next event
        third = await append(environment, 3)
        noticed = machine.wall
        machine.passes(MINUTE)
        await append(environment, 4)
        positions = {
            BEGIN: 1,
            BEGIN + MINUTE - 1: 1,  # before the clock jumped
            noticed: 3,
            noticed + MINUTE - 1: 3,
            machine.wall: 4,
            third: 3,  # a timestamp of the log that no clock has reached yet
        }
        for time, position in positions.items():
            assert (await environment.field.moment(to_text(time))).position == position
        now = await environment.field.moment(to_text(machine.wall))
        assert (await environment.field.signals_at(now)).views() == await live_signals(environment)


async def test_a_restart_and_another_replica_keep_the_same_time() -> None:
    store, machine = MemoryStore(), Machine()
    async with replica(store, machine) as environment:
        await jumped(environment, machine, YEAR)
        await append(environment, 3)
    left = await strength(environment)
    machine.passes(MINUTE)
    machine.up = 7  # the machine was restarted
    async with replica(store, machine) as environment:
        assert await strength(environment) == pytest.approx(left * 0.95)
        other = Machine()
        other.wall = machine.wall + 40
        async with replica(store, other) as second:
            assert await strength(second) == pytest.approx(await strength(environment), rel=1e-3)
            before = await append(environment, 4)
            other.passes(MINUTE)
            while second.ledger.state.head < 4:
                second.acting(OPEN).poll_now()
                await second.acting(OPEN).append([new_draft("ready", number=99, status="x")])
            assert second.ledger.state.last_timestamp - before == pytest.approx(MINUTE, abs=TOLERANCE_MS)


async def test_a_clock_that_was_behind_for_a_while_is_followed_again() -> None:
    machine = Machine()
    async with replica(MemoryStore(), machine) as environment:
        await append(environment, 1)
        machine.wall -= 3_600_000
        machine.passes(MINUTE)
        assert await append(environment, 2) == BEGIN + MINUTE
        machine.wall += 3_600_000
        machine.passes(MINUTE)
        assert environment.field.now() == machine.wall
        assert await append(environment, 3) == machine.wall == BEGIN + 2 * MINUTE
        assert environment.field.clock_ahead() == 0
        assert environment.ledger.state.shifts[-1].ahead == 0
        assert (await environment.field.moment(to_text(machine.wall))).position == 3


async def test_a_replica_whose_clock_is_behind_does_not_move_the_time_of_the_others() -> None:
    store, right, wrong = MemoryStore(), Machine(), Machine()
    wrong.wall -= 3_600_000
    async with replica(store, right) as one, replica(store, wrong) as other:
        for number in range(1, 3 * MAX_SHIFTS, 2):
            for machine in (right, wrong):
                machine.passes(MINUTE)
            assert await append(one, number) == right.wall
            while other.ledger.state.head < number:
                other.acting(OPEN).poll_now()
                await asyncio.sleep(0)
            assert await append(other, number + 1) == pytest.approx(right.wall, abs=1)
            while one.ledger.state.head < number + 1:
                one.acting(OPEN).poll_now()
                await asyncio.sleep(0)
    assert len((await store.state()).shifts) <= MAX_SHIFTS


async def test_time_stands_still_while_the_clock_is_slightly_behind() -> None:
    machine = Machine()
    async with replica(MemoryStore(), machine) as environment:
        await append(environment, 1)
        machine.wall -= TOLERANCE_MS
        assert await append(environment, 2) == BEGIN
        machine.passes(TOLERANCE_MS + 1)
        assert await append(environment, 3) == BEGIN + 1
        assert environment.ledger.state.shifts == []


async def test_a_jump_is_logged_once_and_shown_by_a_metric(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    async with replica(MemoryStore(), machine) as environment:
        with caplog.at_level(logging.WARNING):
            await append(environment, 1)
            assert environment.field.clock_ahead() == 0
            await jumped(environment, machine, YEAR)
            for number in range(3, 6):
                await append(environment, number)
                machine.passes(MINUTE)
        [warning] = [record for record in caplog.records if "behind the newest event" in record.message]
        assert "31535995.0 s" in warning.message
        assert environment.field.clock_ahead() == YEAR
