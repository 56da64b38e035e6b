"""The watchdog of the event loop, and what it finds with many signals alive."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

import pytest
from semp.domain.clock import to_text
from semp.domain.scopes import Glob
from semp.domain.signals import Rules
from semp.engine import snapshots
from semp.engine.access import OPEN
from semp.engine.environment import Environment
from semp.engine.loop_watchdog import LIMIT, Hold, LoopWatchdog, log_hold
from semp.engine.ranking import EVERYTHING, Ranked, Wanted
from semp.storage.memory.store import MemoryStore

from tests.strategies import FakeClock, make_id, new_draft
from tests.waiting import until

MANY = 100_000


def hold_until_caught(watchdog: LoopWatchdog) -> None:
    """Hold the event loop until the watchdog has seen it, for 30 s at most."""
    deadline = time.monotonic() + 30
    while watchdog.caught is None:
        assert time.monotonic() < deadline


async def test_a_hold_is_reported_once_with_the_stack_of_who_did_it() -> None:
    holds: list[Hold] = []
    with LoopWatchdog(holds.append, limit=0.05) as watchdog:
        await until(lambda: watchdog.caught is None)  # on a busy machine, the loop may stand still by itself
        hold_until_caught(watchdog)
        await until(lambda: watchdog.caught is None)
    mine = [hold for hold in holds if "hold_until_caught" in hold.stack]
    assert len(mine) == 1
    assert mine[0].seconds > 0
    assert mine[0].processor_seconds > 0


async def test_a_hold_is_logged_with_its_stack(caplog: pytest.LogCaptureFixture) -> None:
    log_hold(Hold(0.25, 0.1, "  File ...\n"))
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == "the event loop was held for 250 ms (processor time 100 ms) by\n  File ...\n"


async def drained(ranked: Ranked) -> int:
    return sum([len(piece) async for piece in ranked.pieces()])


@pytest.mark.slow
async def test_no_read_of_many_signals_and_no_background_work_on_them_holds_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "EVERY", 10**9)  # the snapshot is taken below
    clock = FakeClock()
    environment = Environment(MemoryStore(), Rules(), clock=clock, sweep_interval=3600)
    await environment.start()
    for begin in range(0, MANY, 500):
        drafts = [new_draft(scope=f"s{n % 97}.x", number=n, action=f"a{n}") for n in range(begin, begin + 500)]
        await environment.acting(OPEN).append(drafts, batch=True)
        clock.now += 10
    field = environment.field
    monkeypatch.setattr(snapshots, "EVERY", 1)

    async def past() -> int:
        return await drained(await field.signals_at(await field.moment(to_text(clock.now))))

    async def listed(wanted: Wanted) -> int:
        return await drained(await field.signals(wanted))

    rewards = [new_draft("reward", action=f"a{n}", scope="s1.x", value=0.1) for n in range(1_000)]
    works: dict[str, Callable[[], Awaitable[object]]] = {
        "all": lambda: listed(EVERYTHING),
        "ten": lambda: listed(Wanted(limit=10)),
        "half": lambda: listed(Wanted(limit=MANY // 2)),
        "a scope": lambda: listed(Wanted(scope=Glob.parse("s7.x"))),
        "a glob": lambda: listed(Wanted(scope=Glob.parse("*.x"), pattern="a77")),
        "a snapshot": environment.snapshots.take,
        "the past": past,
        "what if": lambda: field.what_if([make_id(n) for n in range(100)], rewards),
    }
    holds: dict[str, list[Hold]] = {}
    for name, work in works.items():
        with LoopWatchdog(holds.setdefault(name, []).append):
            await work()
    clock.now += 200 * 60_000
    await environment.acting(OPEN).append([new_draft()])
    with LoopWatchdog(holds.setdefault("the sweep", []).append):
        assert await environment.sweep() == MANY
    await environment.halt()
    # processor time, because other work of the machine is nobody's fault here
    late = {name: [hold for hold in found if hold.processor_seconds > LIMIT] for name, found in holds.items()}
    assert not any(late.values()), "\n".join(f"{name}: {hold.processor_seconds} s\n{hold.stack}" for name in late for hold in late[name])
