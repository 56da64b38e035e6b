"""`semp verify`: compares the stored signals with a replay of the log."""

from __future__ import annotations

import asyncio
from typing import Annotated

from cyclopts import Parameter

from semp.cli.logs import configure_logging
from semp.cli.progress import bar
from semp.cli.terminal import cell, plural, say, show
from semp.domain.signals import Signal
from semp.engine.ports import Storage
from semp.engine.replay import Difference
from semp.engine.replay import repair as overwrite
from semp.engine.replay import verify as compare
from semp.settings import DatabaseSettings


def verify(*, database: DatabaseSettings | None = None, repair: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Replay the whole log and compare it with the stored signals. Exits 1 when they differ.

    Args:
        repair: Overwrite the stored signals that differ with the replayed ones. No service may use this database meanwhile.
    """
    from semp.main import database as connect
    from semp.storage.neo4j.embedded import StepReporter

    configure_logging("warning")

    async def run() -> tuple[int, list[Difference]]:
        with StepReporter() as reporter:
            async with connect(database or DatabaseSettings(), reporter.report, alone=repair) as store:
                return (await store.state()).head, await _compare(store, repair)

    events, differences = asyncio.run(run())
    for difference in differences:
        name = cell(":".join(difference.key))
        show(name.append(f": stored {_state(difference.stored)}, the log says {_state(difference.replayed)}"))
    if not differences:
        say(f"the stored signals are what the log says ({plural(events, 'event')} replayed)" if events else "the log is empty")
    elif repair:
        say(f"{plural(len(differences), 'signal')} repaired")
    else:
        raise SystemExit(1)


async def _compare(store: Storage, repair: bool) -> list[Difference]:
    """Compare the stored signals with a replay of the log. With `repair`, overwrite those that differ."""
    with bar() as progress:
        task = progress.add_task("replaying", total=(await store.state()).head)
        differences = await compare(store, lambda position: progress.update(task, completed=position))
    if repair and differences:
        await overwrite(store, differences)
    return differences


def _state(signal: Signal | None) -> str:
    return "nothing" if signal is None else f"{signal.strength!r} at position {signal.position}"
